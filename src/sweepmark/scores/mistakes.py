"""Analysis of misclassifications: accuracy per label, confusions, and the margins of errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.errors import DataError, NotFoundError, unknown_name
from sweepmark.scores import metric_names
from sweepmark.scores.ranking import neutral_score
from sweepmark.scores.scorecard import confusion

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sweepmark.scores.scorecard import Scorecard

__all__ = [
    "Confusion",
    "LabelAccuracy",
    "Mistake",
    "RankedRow",
    "accuracy_per_label",
    "errors",
    "margin",
    "most_confused",
    "ranking",
    "taken_for",
]


@dataclass(frozen=True, slots=True)
class LabelAccuracy:
    """The number of rows of one label that were classified correctly.

    Attributes
    ----------
    label : int
        The label.
    n_correct, n_rows : int
        Correctly classified rows of the label, and all its rows.
    """

    label: int
    n_correct: int
    n_rows: int

    @property
    def accuracy(self) -> float | None:
        """The share of correct rows; None if no row has the label."""
        return self.n_correct / self.n_rows if self.n_rows else None


@dataclass(frozen=True, slots=True)
class Confusion:
    """The number of rows of one label that were predicted as another."""

    actual: int
    predicted: int
    n_rows: int


@dataclass(frozen=True, slots=True)
class Mistake:
    """One misclassified row.

    Attributes
    ----------
    row : int
        Row number in the data set; test rows are numbered after the training rows.
    actual, predicted : int
        Labels.
    margin : float or None
        Score of the predicted label minus that of the actual one, in the classifier's unit; for two
        classes, distance of the score from the threshold. None without scores.
    """

    row: int
    actual: int
    predicted: int
    margin: float | None


@dataclass(frozen=True, slots=True)
class RankedRow:
    """One row with its score.

    Attributes
    ----------
    row : int
        Row number in the data set.
    actual, predicted : int
        Labels.
    score : float
        Score of the positive class.
    """

    row: int
    actual: int
    predicted: int
    score: float


def accuracy_per_label(card: Scorecard) -> tuple[LabelAccuracy, ...]:
    """Return the accuracy of every class, ascending by label."""
    matrix = confusion(card)
    return tuple(
        LabelAccuracy(label, int(matrix[i, i]), int(matrix[i].sum()))
        for i, label in enumerate(card.classes)
    )


def taken_for(card: Scorecard, label: int) -> dict[int, int]:
    """Return the wrong predictions of a label's rows: label to count, most frequent first.

    Ties are ordered by label; empty if all rows are correct.

    Raises
    ------
    NotFoundError
        If there is no such label.
    """
    place = _place(card, label)
    row = confusion(card)[place]
    counts = {
        other: int(row[i]) for i, other in enumerate(card.classes) if i != place and row[i] > 0
    }
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def most_confused(card: Scorecard, *, limit: int = 10) -> list[Confusion]:
    """Return the most frequent pairs of actual and wrong label; ties are ordered by label."""
    counts = confusion(card)
    np.fill_diagonal(counts, 0)
    width = len(card.classes)
    order = np.argsort(-counts, axis=None, kind="stable")[:limit]
    return [
        Confusion(card.classes[i // width], card.classes[i % width], int(counts.flat[i]))
        for i in order.tolist()
        if counts.flat[i] > 0
    ]


def errors(card: Scorecard, label: int | None = None) -> tuple[Mistake, ...]:
    """Return the misclassified rows of a label, the largest margins first.

    Parameters
    ----------
    card : Scorecard
        Of one evaluation, or the merge of folds.
    label : int or None
        The actual label; None takes all labels.

    Raises
    ------
    NotFoundError
        If there is no such label.
    DataError
        If the scores have not one column a class.
    """
    scored = card.predictions
    is_wrong = scored.y_true != scored.y_pred
    if label is not None:
        _place(card, label)
        is_wrong &= scored.y_true == label
    wrong = np.flatnonzero(is_wrong)
    found = margin(card, wrong)
    if found is not None:
        order = np.argsort(-found, kind="stable")  # ties keep the order of rows
        wrong, found = wrong[order], found[order]
    return tuple(
        Mistake(
            row=int(scored.rows[i]),
            actual=int(scored.y_true[i]),
            predicted=int(scored.y_pred[i]),
            margin=None if found is None else float(found[place]),
        )
        for place, i in enumerate(wrong.tolist())
    )


def margin(card: Scorecard, places: NDArray[Any]) -> NDArray[Any] | None:
    """Return the margins of wrong predictions, as in :class:`Mistake`; None without scores.

    Parameters
    ----------
    card : Scorecard
        The Scorecard with the predictions.
    places : ndarray of int
        Positions in the predictions.

    Raises
    ------
    DataError
        If the scores have not one column a class.
    """
    scored = card.predictions
    if scored.scores is None:
        return None
    scores = scored.scores[places]
    if scores.ndim == 1:
        threshold = card.metrics.get(metric_names.THRESHOLD, neutral_score(scored.scores))
        return np.asarray(np.abs(scores - threshold))
    columns = np.asarray(card.classes)
    if scores.shape[1:] != columns.shape:
        raise DataError(
            f"scores must have a column for each of {len(columns)} classes, but are of shape "
            f"{scored.scores.shape}"
        )
    lines = np.arange(len(places))
    predicted = scores[lines, np.searchsorted(columns, scored.y_pred[places])]
    actual = scores[lines, np.searchsorted(columns, scored.y_true[places])]
    return np.asarray(predicted - actual)


def ranking(card: Scorecard, limit: int) -> tuple[list[RankedRow], list[RankedRow]]:
    """Return the rows with the highest scores of the positive class, and those with the lowest.

    Returns
    -------
    top, bottom : list of RankedRow
        Both start with the most extreme score; ties are ordered by row number.

    Raises
    ------
    DataError
        If there are no scores, or more than two classes.
    """
    scored = card.predictions
    scores = scored.scores
    if scores is None or scores.ndim != 1:
        found = "there are none" if scores is None else f"there are those of {scores.shape[1]}"
        raise DataError(f"rows are ranked by the scores of two classes, but {found}")

    def ranked(order: NDArray[Any]) -> list[RankedRow]:
        columns = (scored.rows, scored.y_true, scored.y_pred, scores)
        return [
            RankedRow(*values)
            for values in zip(*(column[order].tolist() for column in columns), strict=True)
        ]

    top, bottom = (np.lexsort((scored.rows, key))[:limit] for key in (-scores, scores))
    return ranked(top), ranked(bottom)


def _place(card: Scorecard, label: int) -> int:
    if label not in card.classes:
        raise NotFoundError(unknown_name("label", str(label), map(str, card.classes)))
    return card.classes.index(label)
