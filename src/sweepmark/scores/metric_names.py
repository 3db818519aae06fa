"""The names of metrics, and what a prefix says of the rows that they are of.

The table of all metrics is in :mod:`sweepmark.scores.metrics`.
"""

from __future__ import annotations

import hashlib
import re

__all__ = [
    "ACCURACY",
    "ACCURACY_COMMON",
    "ACCURACY_STD",
    "AVERAGE_PRECISION",
    "BALANCED_ACCURACY",
    "CV_ACCURACY",
    "CV_ACCURACY_STD",
    "F1",
    "F1_MACRO",
    "F1_WEIGHTED",
    "FIT_SECONDS",
    "LOG_LOSS",
    "LOSS",
    "POINTS",
    "PRECISION",
    "PRECISION_MACRO",
    "PRECISION_WEIGHTED",
    "PREDICT_SECONDS",
    "RECALL",
    "RECALL_MACRO",
    "RECALL_WEIGHTED",
    "ROC_AUC",
    "THRESHOLD",
    "VALIDATION_ACCURACY",
    "cv",
    "cv_fold",
    "is_recall",
    "is_validation",
    "macro",
    "of_rows",
    "pooled",
    "recall",
    "std",
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
ACCURACY_STD = "accuracy_std"

_AVERAGES = (RECALL_MACRO, RECALL_WEIGHTED, "recall_micro")
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


def std(name: str) -> str:
    """Return the name of a metric's standard deviation over folds.

    Examples
    --------
    >>> std(cv(ACCURACY))
    'cv_accuracy_std'
    """
    return f"{name}_std"


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


def of_rows(name: str) -> str:
    """Return the name of a metric without a prefix that says which rows it is of.

    Examples
    --------
    >>> of_rows("cv_f1"), of_rows("validation_log_loss"), of_rows("recall_cv_")
    ('f1', 'log_loss', 'recall_cv_')
    """
    prefixes = (cv(""), validation(""), pooled(""))
    prefix = next((prefix for prefix in prefixes if name.startswith(prefix)), "")
    return name.removeprefix(prefix)


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
CV_ACCURACY_STD = cv(ACCURACY_STD)
VALIDATION_ACCURACY = validation(ACCURACY)
