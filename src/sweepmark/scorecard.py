"""What an evaluation yields: predictions, the figures computed from them, and how folds merge."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["Predictions", "Scorecard"]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Predictions:
    """What a fitted recipe said of the rows it was scored on.

    Attributes
    ----------
    rows : ndarray of shape (n,), int64
        Which rows of the data set: those of the training file count from 0, those of the test
        file go on after them.
    y_true, y_pred : ndarray of shape (n,), int64
        Class labels.
    scores : ndarray of shape (n, n_classes) or (n,), float64, or None
        decision_function or probabilities, columns in the order of ``Scorecard.classes``; one
        column (the second class's) if there are two classes.
    """

    rows: NDArray[Any]
    y_true: NDArray[Any]
    y_pred: NDArray[Any]
    scores: NDArray[Any] | None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Scorecard:
    """The outcome of one evaluation, or the merge of a trial's.

    Attributes
    ----------
    metrics : mapping of str to float
        Metric names are this module's constants; under cross-validation with the prefix ``cv_``.
    classes : tuple of int
        The class labels, ascending.
    predictions : Predictions
        Of the test part, or out of fold.
    n_train, n_test : int
        Rows fitted on and scored on.
    fit_seconds, predict_seconds : float
        Wall time.
    warnings : tuple of str
        What the libraries warned of while fitting.
    model : bytes or None
        The fitted pipeline in skops format, where it was asked for.
    """

    metrics: Mapping[str, float]
    classes: tuple[int, ...]
    predictions: Predictions
    n_train: int
    n_test: int
    fit_seconds: float
    predict_seconds: float
    warnings: tuple[str, ...] = ()
    model: bytes | None = field(default=None, repr=False)
