"""Leaderboards: the order of trials, the best one, and their CSV."""

from __future__ import annotations

import csv
import io
import json
import math
from typing import TYPE_CHECKING, Any

from sweepmark.config.values import is_scale, show
from sweepmark.scores.directions import better_end
from sweepmark.scores.metric_names import ACCURACY, FIT_SECONDS, PREDICT_SECONDS
from sweepmark.scores.metrics import NAMES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sweepmark.scores.metrics import Direction
    from sweepmark.search.trial import Trial

__all__ = [
    "arranged",
    "best",
    "csv_text",
    "edge_warnings",
    "has_value",
    "headline",
    "is_finished",
    "param_names",
    "ranked",
    "value_of",
]

_FEWEST = 3
# On an axis of two values both are edges: a warning would be meaningless.


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
    finished = [trial for trial in trials if is_finished(trial)]
    real = [trial for trial in finished if has_value(trial, metric)]
    return sorted(real, key=lambda trial: (sign * value_of(trial, metric), trial.number))


def best(trials: Sequence[Trial], metric: str, direction: Direction | None = None) -> Trial | None:
    """Return the best trial by an objective; None if none is ranked."""
    return next(iter(ranked(trials, metric, direction)), None)


def headline(trials: Sequence[Trial]) -> Trial | None:
    """Return the representative trial of a sweep without objective: the largest training part.

    It is not the best one, because the maximum over test metrics would be a selection on the test
    set. Trials scored on the test part precede others. Ties go to the lowest number; None if no
    trial finished.
    """
    finished = [trial for trial in trials if is_finished(trial)]
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
    ordered = arranged(trials, metric, direction)
    params, metrics = param_names(trials), _metric_names(trials)
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
            + [value_of(trial, name) if has_value(trial, name) else "" for name in metrics]
            + [trial.fit_seconds, trial.predict_seconds]
        )
    return buffer.getvalue().encode()


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


def arranged(
    trials: Sequence[Trial], metric: str | None, direction: Direction | None
) -> list[Trial]:
    """Return the trials ranked by a metric, then the others by number; None ranks none."""
    first = [] if metric is None else ranked(trials, metric, direction)
    placed = {trial.number for trial in first}
    rest = [trial for trial in trials if trial.number not in placed]
    return first + sorted(rest, key=lambda trial: trial.number)


def is_finished(trial: Trial) -> bool:
    """Return whether a trial has a result."""
    return trial.status in {"complete", "reused"}


def value_of(trial: Trial, metric: str) -> float:
    """Return a trial's metric; NaN if it has none."""
    value = trial.metrics.get(metric)
    return math.nan if value is None else value


def has_value(trial: Trial, metric: str) -> bool:
    """Return whether a trial has a finite value of a metric."""
    return math.isfinite(value_of(trial, metric))


def param_names(trials: Iterable[Trial]) -> list[str]:
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


def _write(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
