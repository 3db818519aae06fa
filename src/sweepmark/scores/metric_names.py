"""The names of all metrics, as constants, and their directions.

:mod:`sweepmark.scores.metrics` computes them.
"""

from __future__ import annotations

import hashlib
import re
from types import MappingProxyType
from typing import Literal

__all__ = [
    "ACCURACY",
    "ACCURACY_COMMON",
    "AVERAGE_PRECISION",
    "BALANCED_ACCURACY",
    "CV_ACCURACY",
    "CV_ACCURACY_STD",
    "DIRECTIONS",
    "F1",
    "F1_MACRO",
    "F1_WEIGHTED",
    "FIT_SECONDS",
    "LOG_LOSS",
    "LOSS",
    "NAMES",
    "OF_POSITIVE",
    "POINTS",
    "POSITIVE_NAMES",
    "PRECISION",
    "PRECISION_MACRO",
    "PRECISION_WEIGHTED",
    "PREDICT_SECONDS",
    "PROPORTIONS",
    "RECALL",
    "RECALL_MACRO",
    "RECALL_WEIGHTED",
    "ROC_AUC",
    "TEST_NAMES",
    "THRESHOLD",
    "VALIDATION_ACCURACY",
    "Direction",
    "better_end",
    "cv",
    "cv_fold",
    "direction",
    "is_recall",
    "is_validation",
    "macro",
    "pooled",
    "recall",
    "train",
    "validation",
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
PRECISION = "precision"
RECALL = "recall"
F1 = "f1"
ROC_AUC = "roc_auc"
AVERAGE_PRECISION = "average_precision"
LOG_LOSS = "log_loss"
LOSS = "loss"
FIT_SECONDS = "fit_seconds"
PREDICT_SECONDS = "predict_seconds"
POINTS = "points"
THRESHOLD = "threshold"
_ACCURACY_STD = "accuracy_std"

Direction = Literal["maximize", "minimize"]
"""The direction of a metric."""

DIRECTIONS = MappingProxyType(
    dict.fromkeys(
        (
            ACCURACY,
            ACCURACY_COMMON,
            BALANCED_ACCURACY,
            PRECISION_MACRO,
            RECALL_MACRO,
            F1_MACRO,
            PRECISION_WEIGHTED,
            RECALL_WEIGHTED,
            F1_WEIGHTED,
            PRECISION,
            RECALL,
            F1,
            ROC_AUC,
            AVERAGE_PRECISION,
        ),
        "maximize",
    )
    | dict.fromkeys((LOG_LOSS, LOSS), "minimize")
    | dict.fromkeys((_ACCURACY_STD, FIT_SECONDS, PREDICT_SECONDS, POINTS, THRESHOLD))
)
"""The direction of each metric by name without prefixes, in the order of tables; None if it has no
better end."""

_AVERAGES = (RECALL_MACRO, RECALL_WEIGHTED)
_NOT_PLAIN = re.compile(r"[^\w.\- ]")
_LONGEST = 100


def cv(name: str) -> str:
    """Return the name of a metric's mean over folds.

    Examples
    --------
    >>> cv(ACCURACY)
    'cv_accuracy'
    """
    return f"cv_{name}"


def cv_fold(name: str, number: int) -> str:
    """Return the name of a metric of one fold; folds count from 1.

    Examples
    --------
    >>> cv_fold(ACCURACY, 1)
    'cv_accuracy_fold_1'
    """
    return f"{cv(name)}_fold_{number}"


def pooled(name: str) -> str:
    """Return the name of a metric of all out-of-fold predictions taken together.

    Examples
    --------
    >>> pooled(PRECISION)
    'pooled_precision'
    """
    return f"pooled_{name}"


def validation(name: str) -> str:
    """Return the name of a metric of the rows held out of the training part.

    Examples
    --------
    >>> validation(ACCURACY)
    'validation_accuracy'
    """
    return f"validation_{name}"


def is_validation(name: str) -> bool:
    """Return whether a metric is of the rows held out of the training part.

    Examples
    --------
    >>> is_validation("validation_loss"), is_validation("accuracy")
    (True, False)
    """
    return name.startswith(validation(""))


def macro(name: str) -> str:
    """Return the name of a metric's plain mean over all labels.

    Examples
    --------
    >>> macro(F1)
    'f1_macro'
    """
    return f"{name}_macro"


def train(name: str) -> str:
    """Return the name of a metric of the rows fitted on.

    Examples
    --------
    >>> train(LOSS)
    'train_loss'
    """
    return f"train_{name}"


def recall(label: int | str) -> str:
    """Return the name of one class's recall: its label, encoded as MLflow requires.

    Characters other than letters, digits, ``_``, ``-``, ``.`` and space are written as their
    hexadecimal code between colons, and so is the first letter of a label whose name would equal
    that of an average. A label that is too long for MLflow is truncated, followed by a slash and
    its SHA-256. Two labels never share a name.

    Examples
    --------
    >>> recall(7), recall("stayed"), recall("50 %"), recall("macro")
    ('recall_7', 'recall_stayed', 'recall_50 :25:', 'recall_:6d:acro')
    """
    text = str(label)
    name = _NOT_PLAIN.sub(_hexadecimal, text)
    if f"recall_{name}" in _AVERAGES:
        name = _hexadecimal(name[0]) + name[1:]
    if len(name) > _LONGEST:
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        name = f"{name[:_LONGEST]}/{digest}"
    return f"recall_{name}"


def _hexadecimal(character: str | re.Match[str]) -> str:
    return f":{ord(character if isinstance(character, str) else character[0]):x}:"


def is_recall(name: str) -> bool:
    """Return whether a metric is one class's recall.

    Examples
    --------
    >>> is_recall("recall_7"), is_recall("recall_stayed"), is_recall("recall_macro")
    (True, True, False)
    """
    return name.startswith("recall_") and name not in _AVERAGES


CV_ACCURACY = cv(ACCURACY)
CV_ACCURACY_STD = cv(_ACCURACY_STD)
VALIDATION_ACCURACY = validation(ACCURACY)
POSITIVE_NAMES = (PRECISION, RECALL, F1)
"""The metrics that refer to the positive one of two classes."""

OF_POSITIVE = (*POSITIVE_NAMES, ROC_AUC, AVERAGE_PRECISION)
"""Of two classes, whatever is another figure if the other one is positive."""

TEST_NAMES = tuple(
    name for name, end in DIRECTIONS.items() if end and name not in {ACCURACY_COMMON, LOSS}
)
"""The metrics that an evaluation can have, apart from the recalls."""

NAMES = (
    *(CV_ACCURACY, CV_ACCURACY_STD, VALIDATION_ACCURACY),
    *(ACCURACY, ACCURACY_COMMON, *TEST_NAMES[1:]),
)
"""The order in which tables show metrics."""

PROPORTIONS = frozenset({ACCURACY, ACCURACY_COMMON, CV_ACCURACY, VALIDATION_ACCURACY})
"""Metrics that are a share of all scored rows, so that a binomial interval applies."""

_PREFIXES = tuple(prefix("") for prefix in (cv, pooled, validation, train))
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
    if stem not in DIRECTIONS and name.startswith(cv("")) and (fold := _FOLD.search(stem)):
        stem = stem[: fold.start()]
    if stem in DIRECTIONS:
        better: Direction | None = DIRECTIONS[stem]  # type: ignore[assignment]
        return better
    return "maximize" if stem.startswith(recall("")) else None


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
