"""What metrics are computed from: predictions with their classes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sweepmark.scores.predictions import Predictions

__all__ = ["Scored"]

_TWO = 2


@dataclass(frozen=True)
class Scored:
    """Predictions with their classes: what metrics are computed from.

    Attributes
    ----------
    predictions : Predictions
        At least one row.
    classes : tuple of int
        Ascending; every label is among them.
    positive : int
        The positive one of two classes.
    """

    predictions: Predictions
    classes: tuple[int, ...]
    positive: int

    @property
    def labels(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Actual and predicted labels, as scikit-learn's functions take them."""
        return self.predictions.y_true, self.predictions.y_pred

    @cached_property
    def per_class(self) -> tuple[NDArray[Any], ...]:
        """Precision, recall, F1 and support of each class; 0 where undefined."""
        from sklearn.metrics import precision_recall_fscore_support

        columns: tuple[NDArray[Any], ...] = precision_recall_fscore_support(
            *self.labels, labels=self.classes, zero_division=0
        )
        return columns

    @cached_property
    def columns(self) -> tuple[NDArray[Any], NDArray[Any]] | None:
        """Truth and scores, a column for each problem of one class against the rest.

        Classes with no member, or no other, are left out; for two classes it is the positive one's
        column. None without scores that scikit-learn can rank. Its functions return the mean over
        columns; a single one is of one dimension.
        """
        scores = self.predictions.scores
        if scores is None or not np.isfinite(scores).all():
            return None
        y_true = self.predictions.y_true
        _check_shape(scores, len(y_true), len(self.classes))
        table, classes = scores.reshape(len(y_true), -1), np.array(self.classes)
        if len(classes) <= _TWO:
            place = self.classes.index(self.positive) if table.shape[1] == _TWO else 0
            table, classes = table[:, [place]], np.array([self.positive])
        truth = y_true[:, np.newaxis] == classes
        kept = truth.any(axis=0) & ~truth.all(axis=0)
        if not kept.any():
            return None
        shape = (-1,) if kept.sum() == 1 else (len(y_true), -1)
        return truth[:, kept].reshape(shape), table[:, kept].reshape(shape)


def _check_shape(scores: NDArray[Any], n: int, n_classes: int) -> None:
    allowed = [(n, n_classes)] + ([(n,), (n, 1)] if n_classes <= _TWO else [])
    if scores.shape not in allowed:
        raise DataError(
            f"scores must have one row per prediction and one column per class, {allowed[0]}, "
            f"but their shape is {scores.shape}"
        )
