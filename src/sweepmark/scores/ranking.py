"""Rows ranked by score: true and false positives at each possible threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Ranking", "neutral_score"]


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """Rows of two classes by descending score; equal scores form one step.

    A row is predicted positive if its score is at least the threshold, as in scikit-learn's
    ``precision_recall_curve`` and ``FixedThresholdClassifier``.

    Attributes
    ----------
    thresholds : ndarray of shape (n_steps,), float64
        The distinct scores, descending.
    hits, falls : ndarray of shape (n_steps,), int64
        Positive and negative rows with a score of at least the threshold.

    Examples
    --------
    >>> ranking = Ranking.of(np.array([True, False, True]), np.array([0.9, 0.5, 0.1]))
    >>> ranking.precision.tolist(), ranking.recall.tolist()
    ([1.0, 0.5, 0.6666666666666666], [0.5, 0.5, 1.0])
    """

    thresholds: NDArray[Any]
    hits: NDArray[Any]
    falls: NDArray[Any]

    @classmethod
    def of(cls, is_positive: NDArray[Any], scores: NDArray[Any]) -> Ranking:
        """Rank rows.

        Parameters
        ----------
        is_positive : ndarray of shape (n,), bool
            Whether each row is positive.
        scores : ndarray of shape (n,), float64
            The higher, the more positive; no NaN.
        """
        order = np.argsort(scores)[::-1]
        ordered = scores[order]
        steps = np.append(np.flatnonzero(ordered[1:] != ordered[:-1]), scores.size - 1)
        hits = np.cumsum(is_positive[order])[steps]
        return cls(ordered[steps], hits, steps + 1 - hits)

    @property
    def precision(self) -> NDArray[Any]:
        """Precision at each threshold."""
        return np.asarray(self.hits / (self.hits + self.falls))

    @property
    def recall(self) -> NDArray[Any]:
        """Recall (true positive rate) at each threshold."""
        return np.asarray(self.hits / self.hits[-1])

    @property
    def fall_out(self) -> NDArray[Any]:
        """False positive rate at each threshold."""
        return np.asarray(self.falls / self.falls[-1])

    @property
    def has_both(self) -> bool:
        """Whether there are rows of both classes; otherwise rates are undefined."""
        return bool(self.hits[-1] > 0 and self.falls[-1] > 0)

    @property
    def roc_auc(self) -> float:
        """Area under the ROC curve."""
        new_hits, new_falls = np.diff(self.hits, prepend=0), np.diff(self.falls, prepend=0)
        # Exact integers until the last division: twice the area of the trapezoids.
        doubled = int(((2 * self.hits - new_hits) * new_falls).sum())
        return doubled / (2 * int(self.hits[-1]) * int(self.falls[-1]))

    @property
    def average_precision(self) -> float:
        """Mean of the precisions, weighted by the increase in recall."""
        new_hits = np.diff(self.hits, prepend=0)
        return float((new_hits * self.precision).sum() / int(self.hits[-1]))


def neutral_score(scores: NDArray[Any]) -> float:
    """Return the default threshold of classifiers: 0.5 for probabilities, otherwise 0."""
    is_share = scores.size > 0 and scores.min() >= 0.0 and scores.max() <= 1.0
    return 0.5 if is_share else 0.0
