"""The table of metrics, with the functions that compute them.

Everything about a metric stands in its row of :data:`METRICS`; what shows, ranks or checks metrics
reads it there. Metrics are a function of predictions: stores keep those, and compute a metric that
was added later when they are read.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from sweepmark.scores import metric_names as names

if TYPE_CHECKING:
    from collections.abc import Callable

    from sweepmark.scores.scored import Scored

__all__ = [
    "METRICS",
    "NAMES",
    "OF_POSITIVE",
    "OF_SCORES",
    "POSITIVE_NAMES",
    "PROPORTIONS",
    "SHOWN",
    "TEST_NAMES",
    "Direction",
    "Metric",
]

Direction = Literal["maximize", "minimize"]
"""The direction of a metric."""

_TWO = 2


@dataclass(frozen=True, slots=True)
class Metric:
    """A row of the table.

    Attributes
    ----------
    name : str
        Without prefixes.
    better : {"maximize", "minimize"} or None
        Its better end; None if it has none.
    of : callable or None
        Computes it from predictions, None where it is undefined. None in the place of a function
        if predictions cannot give it: evaluations then store it.
    is_of_scores : bool
        Whether it needs scores.
    is_of_positive : bool
        Whether it is another value if the other one of two classes is the positive one.
    shown : {"cv", "pooled"} or None
        Whether the table of a sweep shows it: under cross-validation the mean over folds, or the
        value of all out-of-fold predictions taken together.
    """

    name: str
    better: Direction | None
    of: Callable[[Scored], float | None] | None = None
    _: KW_ONLY
    is_of_scores: bool = False
    is_of_positive: bool = False
    shown: Literal["cv", "pooled"] | None = None


def _accuracy(scored: Scored) -> float:
    from sklearn.metrics import accuracy_score

    return float(accuracy_score(*scored.labels))


def _balanced_accuracy(scored: Scored) -> float:
    # scikit-learn's function warns of classes that were predicted and do not occur.
    _, recalls, _, support = scored.per_class
    return float(np.average(recalls[support > 0]))


def _macro(column: int) -> Callable[[Scored], float]:
    """Return the mean over the classes that occur or were predicted."""

    def of(scored: Scored) -> float:
        occurs = np.isin(scored.classes, np.concatenate(scored.labels))
        return float(np.average(scored.per_class[column][occurs]))

    return of


def _weighted(column: int) -> Callable[[Scored], float]:
    """Return the mean over all classes, weighted by their rows."""

    def of(scored: Scored) -> float:
        support = scored.per_class[-1]
        return float(scored.per_class[column] @ (support / support.sum()))

    return of


def _positive(column: int) -> Callable[[Scored], float | None]:
    """Return the value of the positive one of two classes."""

    def of(scored: Scored) -> float | None:
        if len(scored.classes) != _TWO:
            return None
        return float(scored.per_class[column][scored.classes.index(scored.positive)])

    return of


def _roc_auc(scored: Scored) -> float | None:
    return scored.areas[0] if scored.areas else None


def _average_precision(scored: Scored) -> float | None:
    return scored.areas[1] if scored.areas else None


_PRECISION, _RECALL, _F1 = range(3)

METRICS = (
    Metric(names.ACCURACY, "maximize", _accuracy, shown="cv"),
    Metric(names.ACCURACY_COMMON, "maximize", shown="cv"),
    Metric(names.ACCURACY_STD, None, shown="cv"),
    Metric(names.BALANCED_ACCURACY, "maximize", _balanced_accuracy),
    Metric(names.PRECISION_MACRO, "maximize", _macro(_PRECISION)),
    Metric(names.RECALL_MACRO, "maximize", _macro(_RECALL)),
    Metric(names.F1_MACRO, "maximize", _macro(_F1)),
    Metric(names.PRECISION_WEIGHTED, "maximize", _weighted(_PRECISION)),
    Metric(names.RECALL_WEIGHTED, "maximize", _weighted(_RECALL)),
    Metric(names.F1_WEIGHTED, "maximize", _weighted(_F1)),
    Metric(names.PRECISION, "maximize", _positive(_PRECISION), is_of_positive=True, shown="pooled"),
    Metric(names.RECALL, "maximize", _positive(_RECALL), is_of_positive=True, shown="pooled"),
    Metric(names.F1, "maximize", _positive(_F1), is_of_positive=True, shown="pooled"),
    Metric(names.ROC_AUC, "maximize", _roc_auc, is_of_scores=True, is_of_positive=True),
    Metric(
        names.AVERAGE_PRECISION,
        "maximize",
        _average_precision,
        is_of_scores=True,
        is_of_positive=True,
    ),
    Metric(names.LOG_LOSS, "minimize"),
    Metric(names.LOSS, "minimize"),
    Metric(names.FIT_SECONDS, None),
    Metric(names.PREDICT_SECONDS, None),
    Metric(names.POINTS, None),
    Metric(names.THRESHOLD, None),
)
"""All metrics but the recall of each class, in the order of tables."""

TEST_NAMES = tuple(
    metric.name for metric in METRICS if metric.of is not None or metric.name == names.LOG_LOSS
)
"""The metrics that an evaluation can have, apart from the recalls."""

OF_POSITIVE = tuple(metric.name for metric in METRICS if metric.is_of_positive)
"""Of two classes, whatever is another figure if the other one is positive."""

OF_SCORES = tuple(metric.name for metric in METRICS if metric.is_of_scores)
"""The metrics that need scores."""

POSITIVE_NAMES = tuple(name for name in OF_POSITIVE if name not in OF_SCORES)
"""The metrics of the labels of the positive one of two classes."""

PROPORTIONS = frozenset(
    {names.ACCURACY, names.ACCURACY_COMMON, names.CV_ACCURACY, names.VALIDATION_ACCURACY}
)
"""Metrics that are a share of all scored rows, so that a binomial interval applies."""

NAMES = (
    *(names.CV_ACCURACY, names.CV_ACCURACY_STD, names.VALIDATION_ACCURACY),
    *(names.ACCURACY, names.ACCURACY_COMMON, *TEST_NAMES[1:]),
)
"""The order in which leaderboard.csv has metrics."""

_FORMS = {
    "cv": (str, names.validation, names.cv),
    "pooled": (str, names.validation, names.pooled),
}

SHOWN = tuple(
    form(metric.name) for metric in METRICS if metric.shown for form in _FORMS[metric.shown]
)
"""The metrics that the table of a sweep shows, in its order."""
