"""The table of a sweep's trials: whole, or as much of it as there is room for."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sweepmark.config.values import show
from sweepmark.report.leaderboard import arranged, has_value, is_finished, param_names, value_of
from sweepmark.scores.metric_names import ACCURACY, CV_ACCURACY, VALIDATION_ACCURACY, std

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sweepmark.scores.metrics import Direction
    from sweepmark.search.trial import Trial

    Cells = dict[str, list[str]]  # the texts of each column

__all__ = ["PARAMETERS", "TextTable", "TrialTable", "text_table"]

PARAMETERS = "parameters"
"""Heading of the column that has all swept parameters in one text."""

_MOST_OTHERS = 2  # metrics beside the objective in a compact table
_MANY_SECONDS = 1000  # which are shown without decimals
_POINTS = "points"
_TAKEN = (
    "trial",
    "status",
    "train",
    "test",
    "validation",
    "positive",
    "majority",
    _POINTS,
    "seconds",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextTable:
    """A table of texts: headings, and one text per cell, which may be empty."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialTable:
    """The table of a sweep's trials.

    Attributes
    ----------
    trials : sequence of Trial
        In any order.
    main : str
        The objective, or else the accuracy of the evaluation method.
    others : sequence of str
        Further metrics, in the order of the columns; one that no trial has is left out.
    is_ranked : bool
        Whether rows are ordered by ``main``, best first; otherwise they are ordered by number.
    direction : {"maximize", "minimize"} or None
        Which end of ``main`` is the better one; None takes the metric's own.
    points : mapping of int to float
        Points by trial number; empty if trials are not graded.
    """

    trials: Sequence[Trial]
    main: str
    others: Sequence[str] = ()
    is_ranked: bool = False
    direction: Direction | None = None
    points: Mapping[int, float]

    def whole(self) -> TextTable:
        """Return all columns: parameters, sizes, metrics, points and seconds."""
        ordered = self._ordered()
        columns = self._identity() | self._params()
        columns["train"] = [str(trial.n_train or "") for trial in ordered]
        columns[_scored(ordered)] = [str(trial.n_test or "") for trial in ordered]
        if any(trial.positive is not None for trial in ordered):
            columns["positive"] = [trial.positive or "" for trial in ordered]
        columns |= self._main() | self._others()
        if len({trial.majority for trial in ordered if trial.majority is not None}) > 1:
            columns["majority"] = [_majority(trial) for trial in ordered]
        columns["fit s"] = [_seconds(trial, trial.fit_seconds) for trial in ordered]
        columns["predict s"] = [_seconds(trial, trial.predict_seconds) for trial in ordered]
        return text_table(columns)

    def compact(self) -> Iterator[TextTable]:
        """Yield tables of trial, parameters, main metric, two others and seconds, then smaller.

        First each swept parameter has a column; then one column has them all as a text; then the
        other metrics are left out, the last one first. A failed trial says so in place of its
        main metric.
        """
        others = self._others()
        while len(others) > _MOST_OTHERS:
            others.pop([name for name in others if name != _POINTS][-1])
        params = self._params()
        yield self._compact(params, others)
        if len(params) > 1:
            params = {PARAMETERS: [_joined(params, row) for row in range(len(self.trials))]}
            yield self._compact(params, others)
        while others:
            others.popitem()
            yield self._compact(params, others)

    def _compact(self, params: Cells, others: Cells) -> TextTable:
        ordered = self._ordered()
        main = [_with_std(trial, self.main) or _failure(trial) for trial in ordered]
        seconds = [_total_seconds(trial) for trial in ordered]
        number = [str(trial.number) for trial in ordered]
        is_shown = {self.main: main} if any(main) else {}
        return text_table({"trial": number} | params | is_shown | others | {"seconds": seconds})

    def _ordered(self) -> list[Trial]:
        return arranged(self.trials, self.main if self.is_ranked else None, self.direction)

    def _identity(self) -> Cells:
        columns = {"trial": [str(trial.number) for trial in self._ordered()]}
        if any(trial.status != "complete" for trial in self.trials):
            columns["status"] = [_state(trial) for trial in self._ordered()]
        return columns

    def _params(self) -> Cells:
        names = param_names(self.trials)
        return {
            short: [
                show(trial.params[name]) if name in trial.params else ""
                for trial in self._ordered()
            ]
            for name, short in zip(names, _shortened(names), strict=True)
        }

    def _main(self) -> Cells:
        """Return the column of the main metric, with its standard deviation over folds if known."""
        if not any(self.main in trial.metrics for trial in self.trials):
            return {}
        return {self.main: [_with_std(trial, self.main) for trial in self._ordered()]}

    def _others(self) -> Cells:
        ordered = self._ordered()
        columns = {
            name: [_value(trial, name) for trial in ordered]
            for name in self.others
            if name not in {self.main, std(self.main)}
            and any(name in trial.metrics for trial in ordered)
        }
        if self.points:
            columns[_POINTS] = [_points(self.points.get(trial.number)) for trial in ordered]
        return columns


def text_table(columns: Mapping[str, Sequence[str]]) -> TextTable:
    """Return a table of columns that are equally long."""
    return TextTable(columns=tuple(columns), rows=tuple(zip(*columns.values(), strict=True)))


def _scored(trials: Iterable[Trial]) -> str:
    """Return the name of the rows that metrics are of: held-out rows are not a test set."""
    held_out = any(
        ACCURACY not in trial.metrics
        and (CV_ACCURACY in trial.metrics or VALIDATION_ACCURACY in trial.metrics)
        for trial in trials
    )
    return "validation" if held_out else "test"


def _shortened(names: Sequence[str]) -> list[str]:
    """Return the last part of each dotted name, if that is unique."""
    lasts = Counter([*_TAKEN, *(name.rpartition(".")[2] for name in names)])
    return [last if lasts[last := name.rpartition(".")[2]] == 1 else name for name in names]


def _joined(columns: Mapping[str, Sequence[str]], row: int) -> str:
    return ", ".join(f"{name}={cells[row]}" for name, cells in columns.items() if cells[row])


def _state(trial: Trial) -> str:
    return f"{trial.status}: {trial.reason}" if trial.reason else trial.status


def _failure(trial: Trial) -> str:
    return "" if is_finished(trial) else _state(trial)


def _value(trial: Trial, metric: str) -> str:
    return f"{value_of(trial, metric):.4f}" if has_value(trial, metric) else ""


def _with_std(trial: Trial, metric: str) -> str:
    spread = _value(trial, std(metric))
    return f"{_value(trial, metric)} ± {spread}" if spread else _value(trial, metric)


def _majority(trial: Trial) -> str:
    return "" if trial.majority is None else f"{trial.majority.share:.4f}"


def _points(points: float | None) -> str:
    return "" if points is None else f"{points:.4g}"


def _seconds(trial: Trial, seconds: float) -> str:
    return f"{seconds:.2f}" if is_finished(trial) else ""


def _total_seconds(trial: Trial) -> str:
    seconds = trial.fit_seconds + trial.predict_seconds
    return _seconds(trial, seconds) if seconds < _MANY_SECONDS else f"{seconds:.0f}"
