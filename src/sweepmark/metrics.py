"""Metric names, each a constant that lives here only; :mod:`sweepmark.figures` computes them."""

from __future__ import annotations

__all__ = [
    "ACCURACY",
    "ACCURACY_COMMON",
    "AVERAGE_PRECISION",
    "BALANCED_ACCURACY",
    "CV_ACCURACY",
    "CV_ACCURACY_STD",
    "F1_MACRO",
    "F1_WEIGHTED",
    "FIT_SECONDS",
    "NAMES",
    "POINTS",
    "PRECISION_MACRO",
    "PRECISION_WEIGHTED",
    "PREDICT_SECONDS",
    "PROPORTIONS",
    "RECALL_MACRO",
    "RECALL_WEIGHTED",
    "ROC_AUC",
    "TEST_NAMES",
    "THRESHOLD",
    "cv",
    "is_recall",
    "recall",
]

ACCURACY = "accuracy"
ACCURACY_COMMON = "accuracy_common"
BALANCED_ACCURACY = "balanced_accuracy"
PRECISION_MACRO = "precision_macro"
RECALL_MACRO = "recall_macro"
F1_MACRO = "f1_macro"
PRECISION_WEIGHTED = "precision_weighted"
RECALL_WEIGHTED = "recall_weighted"
F1_WEIGHTED = "f1_weighted"
ROC_AUC = "roc_auc"
AVERAGE_PRECISION = "average_precision"
FIT_SECONDS = "fit_seconds"
PREDICT_SECONDS = "predict_seconds"
POINTS = "points"
THRESHOLD = "threshold"


def cv(name: str) -> str:
    """Return the name of a metric's mean over folds.

    Examples
    --------
    >>> cv(ACCURACY)
    'cv_accuracy'
    """
    return f"cv_{name}"


def recall(label: int | str) -> str:
    """Return the name of one class's recall.

    Examples
    --------
    >>> recall(7)
    'recall_7'
    """
    return f"recall_{label}"


def is_recall(name: str) -> bool:
    """Tell whether a metric is one class's recall.

    Examples
    --------
    >>> is_recall("recall_7"), is_recall("recall_macro")
    (True, False)
    """
    return name.startswith(recall("")) and name.removeprefix(recall("")).isdecimal()


CV_ACCURACY = cv(ACCURACY)
CV_ACCURACY_STD = cv("accuracy_std")

NAMES = (
    CV_ACCURACY,
    CV_ACCURACY_STD,
    ACCURACY,
    ACCURACY_COMMON,
    BALANCED_ACCURACY,
    PRECISION_MACRO,
    RECALL_MACRO,
    F1_MACRO,
    PRECISION_WEIGHTED,
    RECALL_WEIGHTED,
    F1_WEIGHTED,
    ROC_AUC,
    AVERAGE_PRECISION,
)
"""The order in which tables show metrics."""

TEST_NAMES = (ACCURACY, *NAMES[NAMES.index(BALANCED_ACCURACY) :])
"""The metrics that an evaluation can have, besides the recalls."""

PROPORTIONS = frozenset({ACCURACY, ACCURACY_COMMON, CV_ACCURACY})
"""Metrics that are a share of all rows scored, so that a binomial interval applies."""
