"""Leaderboards: the order of trials, the best one, and their table and CSV."""

from __future__ import annotations

import csv
import io
import json
import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sweepmark.config.values import is_scale, show
from sweepmark.scores.directions import better_end
from sweepmark.scores.metric_names import (
    ACCURACY,
    CV_ACCURACY,
    FIT_SECONDS,
    PREDICT_SECONDS,
    VALIDATION_ACCURACY,
)
from sweepmark.scores.metrics import NAMES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sweepmark.scores.metrics import Direction
    from sweepmark.search.trial import Trial

__all__ = [
    "TextTable",
    "best",
    "csv_text",
    "edge_warnings",
    "headline",
    "ranked",
    "table",
]

_TAKEN = ("trial", "status", "train", "test", "validation", "positive", "majority", "points")

_FEWEST = 3
# On an axis of two values both are edges: a warning would be meaningless.


@dataclass(frozen=True, slots=True, kw_only=True)
class TextTable:
    """A table of texts: headings, and one text per cell, which may be empty."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def ranked(trials: Sequence[Trial], metric: str, direction: Direction | None = None) -> list[Trial]:
    """Return the trials with a finite value of a metric, best first; ties are ordered by number.

    Failed and pruned trials and NaN are never ranked.

    Parameters
    ----------
    trials : sequence of Trial
        In any order.
    metric : str
        The metric to rank by.
    direction : {"maximize", "minimize"} or None
        Which end is the better one; None takes the metric's own.
    """
    sign = -1.0 if better_end(metric, direction) == "maximize" else 1.0
    finished = [trial for trial in trials if _is_finished(trial)]
    real = [trial for trial in finished if _has(trial, metric)]
    return sorted(real, key=lambda trial: (sign * _value(trial, metric), trial.number))


def best(trials: Sequence[Trial], metric: str, direction: Direction | None = None) -> Trial | None:
    """Return the best trial by an objective; None if none is ranked."""
    return next(iter(ranked(trials, metric, direction)), None)


def headline(trials: Sequence[Trial]) -> Trial | None:
    """Return the representative trial of a sweep without objective: the largest training part.

    It is not the best one, because the maximum over test metrics would be a selection on the test
    set. Trials scored on the test part precede others. Ties go to the lowest number; None if no
    trial finished.
    """
    finished = [trial for trial in trials if _is_finished(trial)]
    tested = [trial for trial in finished if ACCURACY in trial.metrics]
    return min(tested or finished, key=lambda trial: (-trial.n_train, trial.number), default=None)


def csv_text(
    trials: Sequence[Trial], *, metric: str | None = None, direction: Direction | None = None
) -> bytes:
    """Return leaderboard.csv: one line per trial, with columns that vary between runs at the end.

    Parameters
    ----------
    trials : sequence of Trial
        In any order.
    metric : str or None
        Ranks the lines; trials that are not ranked follow. None orders them by number.
    direction : {"maximize", "minimize"} or None
        Which end is the better one; None takes the metric's own.

    Returns
    -------
    bytes
        UTF-8, comma-separated, with a header. Full precision; NaN is an empty cell.
    """
    ordered = _arrange(trials, metric, direction)
    params, metrics = _param_names(trials), _metric_names(trials)
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    identity, outcome = ("number", "status", "reason"), ["n_train", "n_test"]
    of_two = [trial for trial in trials if trial.positive is not None]
    outcome += ["positive"] if of_two else []
    writer.writerow([*identity, *params, *outcome, *metrics, FIT_SECONDS, PREDICT_SECONDS])
    for trial in ordered:
        writer.writerow(
            [trial.number, trial.status, trial.reason or ""]
            + [_write(trial.params[name]) if name in trial.params else "" for name in params]
            + [trial.n_train, trial.n_test]
            + ([trial.positive or ""] if of_two else [])
            + [_value(trial, name) if _has(trial, name) else "" for name in metrics]
            + [trial.fit_seconds, trial.predict_seconds]
        )
    return buffer.getvalue().encode()


def table(
    trials: Sequence[Trial],
    *,
    metrics: Sequence[str],
    metric: str | None = None,
    direction: Direction | None = None,
    points: Mapping[int, float] | None = None,
) -> TextTable:
    """Return the table of trials that the command prints.

    Parameters
    ----------
    trials : sequence of Trial
        In any order.
    metrics : sequence of str
        The metrics shown; a metric that no trial has is left out.
    metric, direction
        As in :func:`csv_text`.
    points : mapping of int to float or None
        Points by trial number, if trials are graded.
    """
    ordered = _arrange(trials, metric, direction)
    params = _param_names(trials)
    columns = {"trial": [str(trial.number) for trial in ordered]}
    if any(trial.status != "complete" for trial in trials):
        columns["status"] = [_state(trial) for trial in ordered]
    for name, short in zip(params, _shorten(params), strict=True):
        columns[short] = [
            show(trial.params[name]) if name in trial.params else "" for trial in ordered
        ]
    columns["train"] = [str(trial.n_train or "") for trial in ordered]
    columns[_scored(trials)] = [str(trial.n_test or "") for trial in ordered]
    if any(trial.positive is not None for trial in trials):
        columns["positive"] = [trial.positive or "" for trial in ordered]
    for name in metrics:
        if any(name in trial.metrics for trial in trials):
            columns[name] = [_show_value(trial, name) for trial in ordered]
    if len({trial.majority for trial in trials if trial.majority is not None}) > 1:
        columns["majority"] = [_show_majority(trial) for trial in ordered]
    if points is not None:
        columns["points"] = [_show_points(points.get(trial.number)) for trial in ordered]
    columns["fit s"] = [_show_seconds(trial, trial.fit_seconds) for trial in ordered]
    columns["predict s"] = [_show_seconds(trial, trial.predict_seconds) for trial in ordered]
    return TextTable(columns=tuple(columns), rows=tuple(zip(*columns.values(), strict=True)))


def edge_warnings(best: Trial, axes: Mapping[str, Sequence[Any]]) -> list[str]:
    """Return a warning for each axis of the grid if the best trial lies on its edge.

    Parameters
    ----------
    best : Trial
        The selected trial.
    axes : mapping of str to sequence
        The choices of each swept parameter; only axes of at least three numbers of one kind are
        checked.
    """
    warnings = []
    for name, choices in axes.items():
        value = best.params.get(name)
        if not is_scale([value, *choices]):
            continue
        if len(set(choices)) < _FEWEST or value not in (low := min(choices), high := max(choices)):
            continue
        end = "lowest" if value == low else "highest"
        warnings.append(
            f"the best cell lies on the edge of the grid: {name} = {show(value)} is the {end} of "
            f"{len(set(choices))} values ({show(low)} to {show(high)}); extend it"
        )
    return warnings


def _arrange(
    trials: Sequence[Trial], metric: str | None, direction: Direction | None
) -> list[Trial]:
    first = [] if metric is None else ranked(trials, metric, direction)
    placed = {trial.number for trial in first}
    rest = [trial for trial in trials if trial.number not in placed]
    return first + sorted(rest, key=lambda trial: trial.number)


def _scored(trials: Iterable[Trial]) -> str:
    """Return the name of the rows that metrics are of: held-out rows are not a test set."""
    held_out = any(
        ACCURACY not in trial.metrics
        and (CV_ACCURACY in trial.metrics or VALIDATION_ACCURACY in trial.metrics)
        for trial in trials
    )
    return "validation" if held_out else "test"


def _is_finished(trial: Trial) -> bool:
    return trial.status in {"complete", "reused"}


def _value(trial: Trial, metric: str) -> float:
    value = trial.metrics.get(metric)
    return math.nan if value is None else value


def _has(trial: Trial, metric: str) -> bool:
    return math.isfinite(_value(trial, metric))


def _param_names(trials: Iterable[Trial]) -> list[str]:
    """Return the swept parameters in the order of first occurrence in the trials, by number."""
    by_number = sorted(trials, key=lambda trial: trial.number)
    return list(dict.fromkeys(name for trial in by_number for name in trial.params))


def _metric_names(trials: Iterable[Trial]) -> list[str]:
    """Return the metrics: known ones in their order, then others by name and number."""
    found = {name for trial in trials for name in trial.metrics}
    known = [name for name in NAMES if name in found]

    def natural(name: str) -> tuple[str, int]:
        stem, _, last = name.rpartition("_")
        return (stem, int(last)) if last.isdecimal() else (name, -1)

    return known + sorted(found - set(known), key=natural)


def _shorten(names: Sequence[str]) -> list[str]:
    """Return the last part of each dotted name, if that is unique."""
    lasts = Counter([*_TAKEN, *(name.rpartition(".")[2] for name in names)])
    return [last if lasts[last := name.rpartition(".")[2]] == 1 else name for name in names]


def _show_seconds(trial: Trial, seconds: float) -> str:
    return f"{seconds:.2f}" if _is_finished(trial) else ""


def _state(trial: Trial) -> str:
    return f"{trial.status}: {trial.reason}" if trial.reason else trial.status


def _show_points(points: float | None) -> str:
    return "" if points is None else f"{points:.4g}"


def _show_majority(trial: Trial) -> str:
    return "" if trial.majority is None else f"{trial.majority.share:.4f}"


def _write(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _show_value(trial: Trial, metric: str) -> str:
    return f"{_value(trial, metric):.4f}" if _has(trial, metric) else ""
