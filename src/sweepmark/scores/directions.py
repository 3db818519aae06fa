"""Which end of a metric is the better one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sweepmark.scores import metric_names as names
from sweepmark.scores.metrics import METRICS
from sweepmark.scores.scorers import SCORERS

if TYPE_CHECKING:
    from sweepmark.scores.metrics import Direction

__all__ = ["better_end", "direction"]

_BETTER = {metric.name: metric.better for metric in METRICS} | {
    name: scorer.better for name, scorer in SCORERS.items()
}
_PREFIXES = tuple(prefix("") for prefix in (names.cv, names.pooled, names.validation, names.train))
_FOLD = re.compile(r"_fold_\d+")


def direction(name: str) -> Direction | None:
    """Return a metric's direction; None if it has none or is unknown.

    Parameters
    ----------
    name : str
        With or without prefixes and suffixes, such as ``cv_``.

    Examples
    --------
    >>> direction("cv_accuracy"), direction("validation_log_loss"), direction("recall_7")
    ('maximize', 'minimize', 'maximize')
    >>> direction("cv_accuracy_std") is None
    True
    """
    stem = name
    while prefix := next((each for each in _PREFIXES if stem.startswith(each)), None):
        stem = stem.removeprefix(prefix)
    if stem not in _BETTER and name.startswith(names.cv("")) and (fold := _FOLD.search(stem)):
        stem = stem[: fold.start()]
    if stem in _BETTER:
        return _BETTER[stem]
    return "maximize" if stem.startswith(names.recall("")) else None


def better_end(name: str | None, asked: Direction | None = None) -> Direction:
    """Return the direction to rank trials by: the one given, else the metric's own.

    Parameters
    ----------
    name : str or None
        The objective.
    asked : {"maximize", "minimize"} or None
        ``sweep.direction``. It must agree with the metric's own direction, if there is one;
        :func:`sweepmark.search.feasibility.check_objective` checks that.

    Examples
    --------
    >>> better_end("cv_log_loss"), better_end("cv_accuracy_std", "minimize")
    ('minimize', 'minimize')
    """
    own = None if name is None else direction(name)
    return asked or own or "maximize"
