"""A close look at predictions: which labels go wrong, what they are taken for, how surely.

Nothing here knows more than :class:`sweepmark.scorecard.Predictions`. Scores of two classes are one
column, that of the second class; what is said of probabilities holds where all scores are in
[0, 1].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sweepmark.scorecard import Predictions

__all__ = [
    "Confusion",
    "LabelAccuracy",
    "ScoredRow",
    "accuracy_per_label",
    "confidently_wrong",
    "most_confused",
    "ranking",
    "taken_for",
]

_TWO = 2


@dataclass(frozen=True, slots=True)
class LabelAccuracy:
    """How many of a label's rows were predicted right."""

    n_right: int
    n_rows: int

    @property
    def share(self) -> float | None:
        """The accuracy; None if there is no such row."""
        return self.n_right / self.n_rows if self.n_rows else None


@dataclass(frozen=True, slots=True)
class Confusion:
    """How many rows of a label were taken for another."""

    label: int
    prediction: int
    n_rows: int


@dataclass(frozen=True, slots=True)
class ScoredRow:
    """One row and what was said of it.

    Attributes
    ----------
    row : int
        Its number in the data set.
    label, prediction : int
        The actual class and the predicted one.
    score : float or None
        The predicted class's score; in a ranking the second class's. None where there are none.
    """

    row: int
    label: int
    prediction: int
    score: float | None


def accuracy_per_label(
    predictions: Predictions, classes: Sequence[int]
) -> dict[int, LabelAccuracy]:
    """Return the accuracy among the rows of each class, in the order of the classes.

    Examples
    --------
    >>> from sweepmark.scorecard import Predictions
    >>> y = np.array([3, 3, 8])
    >>> predictions = Predictions(
    ...     rows=np.arange(3), y_true=y, y_pred=np.array([3, 8, 8]), scores=None
    ... )
    >>> accuracy_per_label(predictions, (3, 8))[3]
    LabelAccuracy(n_right=1, n_rows=2)
    """
    is_right = predictions.y_true == predictions.y_pred
    found = {}
    for label in classes:
        of_label = predictions.y_true == label
        found[label] = LabelAccuracy(int(is_right[of_label].sum()), int(of_label.sum()))
    return found


def taken_for(predictions: Predictions, label: int) -> dict[int, int]:
    """Return what the wrong rows of a class were taken for, the most frequent first.

    Examples
    --------
    >>> from sweepmark.scorecard import Predictions
    >>> predictions = Predictions(
    ...     rows=np.arange(5),
    ...     y_true=np.array([7, 7, 7, 7, 1]),
    ...     y_pred=np.array([7, 9, 2, 9, 7]),
    ...     scores=None,
    ... )
    >>> taken_for(predictions, 7)
    {9: 2, 2: 1}
    """
    is_wrong = (predictions.y_true == label) & (predictions.y_pred != label)
    labels, counts = np.unique(predictions.y_pred[is_wrong], return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return {int(labels[i]): int(counts[i]) for i in order}


def most_confused(predictions: Predictions, *, limit: int = 10) -> list[Confusion]:
    """Return the most frequent errors, pairs of actual and predicted class."""
    is_wrong = predictions.y_true != predictions.y_pred
    pairs = np.stack([predictions.y_true[is_wrong], predictions.y_pred[is_wrong]], axis=1)
    found, counts = np.unique(pairs, axis=0, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:limit]
    return [Confusion(int(found[i, 0]), int(found[i, 1]), int(counts[i])) for i in order]


def confidently_wrong(
    predictions: Predictions,
    label: int | None = None,
    *,
    classes: Sequence[int] | None = None,
    limit: int = 10,
) -> list[ScoredRow]:
    """Return the wrong rows whose prediction is furthest ahead of the actual class.

    Parameters
    ----------
    predictions : Predictions
        Of any rows; without scores, the first wrong rows are returned.
    label : int, optional
        The actual class to look at; all of them if None.
    classes : sequence of int, optional
        What the columns of the scores are of; the labels that occur, if None.
    limit : int
        How many rows at most.

    Raises
    ------
    DataError
        If the scores have not one column a class.
    """
    is_wrong = predictions.y_true != predictions.y_pred
    if label is not None:
        is_wrong &= predictions.y_true == label
    wrong = np.flatnonzero(is_wrong)
    if predictions.scores is None:
        return [_scored(predictions, i, None) for i in wrong[:limit]]
    known = np.unique(
        np.concatenate([predictions.y_true, predictions.y_pred])
        if classes is None
        else np.array(classes)
    )
    columns = _columns(predictions.scores, known)
    places = np.arange(len(wrong))
    of_wrong = columns[wrong]
    ahead = of_wrong[places, np.searchsorted(known, predictions.y_pred[wrong])]
    behind = of_wrong[places, np.searchsorted(known, predictions.y_true[wrong])]
    order = np.argsort(behind - ahead, kind="stable")[:limit]
    return [_scored(predictions, wrong[i], float(ahead[i])) for i in order]


def ranking(predictions: Predictions, limit: int) -> tuple[list[ScoredRow], list[ScoredRow]]:
    """Return the rows with the highest scores of the second class, and those with the lowest.

    Returns
    -------
    top, bottom : list of ScoredRow
        Both begin with the most extreme; rows of equal scores are in the order of their numbers.

    Raises
    ------
    DataError
        If there are no scores, or of more than two classes.
    """
    scores = predictions.scores
    if scores is None or scores.ndim != 1:
        found = "there are none" if scores is None else f"there are those of {scores.shape[1]}"
        raise DataError(f"rows are ranked by the scores of two classes, but {found}")
    return tuple(  # type: ignore[return-value]
        [
            _scored(predictions, i, float(scores[i]))
            for i in np.lexsort((predictions.rows, sign * scores))[:limit]
        ]
        for sign in (-1, 1)
    )


def _columns(scores: NDArray[Any], classes: NDArray[Any]) -> NDArray[Any]:
    """Return scores with one column a class, also of two classes."""
    if scores.ndim == 1 and len(classes) <= _TWO:
        is_share = scores.size and scores.min() >= 0 and scores.max() <= 1
        return np.stack([1 - scores if is_share else -scores, scores], axis=1)
    if scores.ndim != _TWO or scores.shape[1] != len(classes):
        raise DataError(
            f"scores must have a column for each of {len(classes)} classes, but are of shape "
            f"{scores.shape}"
        )
    return scores


def _scored(predictions: Predictions, i: np.intp, score: float | None) -> ScoredRow:
    return ScoredRow(
        row=int(predictions.rows[i]),
        label=int(predictions.y_true[i]),
        prediction=int(predictions.y_pred[i]),
        score=score,
    )
