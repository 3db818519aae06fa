"""Rows ranked by a score: what is right and wrong from each possible threshold on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Ranking", "neutral_score"]


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """Rows of two classes in the order of their scores, highest first; equal scores are one step.

    A row is taken for positive where its score is at least the threshold, as scikit-learn's
    ``precision_recall_curve`` and ``FixedThresholdClassifier`` have it.

    Attributes
    ----------
    thresholds : ndarray of shape (n_steps,), float64
        The distinct scores, descending.
    hits, falls : ndarray of shape (n_steps,), int64
        Positive and negative rows whose score is at least that.

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
            Which rows are.
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
        """Share of positive rows among those taken for positive, at each threshold."""
        return np.asarray(self.hits / (self.hits + self.falls))

    @property
    def recall(self) -> NDArray[Any]:
        """Share of the positive rows that are taken for it; also the true positive rate."""
        return np.asarray(self.hits / self.hits[-1])

    @property
    def fall_out(self) -> NDArray[Any]:
        """Share of the negative rows that are taken for positive: the false positive rate."""
        return np.asarray(self.falls / self.falls[-1])

    @property
    def has_both(self) -> bool:
        """Whether there are rows of both classes, without which rates mean nothing."""
        return bool(self.hits[-1] > 0 and self.falls[-1] > 0)

    @property
    def roc_auc(self) -> float:
        """Area under the ROC curve."""
        new_hits, new_falls = np.diff(self.hits, prepend=0), np.diff(self.falls, prepend=0)
        # Integers until the last division: twice the trapezoids' area.
        doubled = int(((2 * self.hits - new_hits) * new_falls).sum())
        return doubled / (2 * int(self.hits[-1]) * int(self.falls[-1]))

    @property
    def average_precision(self) -> float:
        """Mean of the precisions, each weighted by the recall it adds."""
        new_hits = np.diff(self.hits, prepend=0)
        return float((new_hits * self.precision).sum() / int(self.hits[-1]))


def neutral_score(scores: NDArray[Any]) -> float:
    """Return from where on classifiers take a row for positive: 0.5 of probabilities, else 0."""
    is_share = scores.size > 0 and scores.min() >= 0.0 and scores.max() <= 1.0
    return 0.5 if is_share else 0.0
