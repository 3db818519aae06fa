"""The table of metrics that are computed where a configuration asks for them.

They are scikit-learn's scorers of classifiers that :data:`sweepmark.scores.metrics.METRICS` lacks,
by scikit-learn's names and with its values, and those with parameters of one's own: F-beta and the
cost of mistakes. As of all scorers, more is better, and errors are negative (``neg_brier_score``);
only a cost is better when it is lower.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from sweepmark.scores import metric_names as names

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sweepmark.scores.metrics import Direction
    from sweepmark.scores.scored import Scored

__all__ = ["SCORERS", "Scorer"]

_TWO = 2
_AVERAGES = ("micro", "macro", "weighted")
_SUM_OF_SHARES = 1e-6  # what rows of probabilities may lack, or exceed, of 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorer:
    """A row of the table.

    Attributes
    ----------
    of : callable
        Computes it from predictions and its options; None where it is undefined.
    better : {"maximize", "minimize"}
        Its better end.
    needs : {"labels", "scores", "probabilities"}
        What of the predictions it is computed from.
    labels : {"any", "two", "more"}
        How many labels there must be.
    instead : str
        The metric to take where there is another number of labels, or no scores.
    options : mapping of str to value
        Its parameters with their defaults; None if it must be given.
    """

    of: Callable[..., float | None]
    better: Direction = "maximize"
    needs: Literal["labels", "scores", "probabilities"] = "labels"
    labels: Literal["any", "two", "more"] = "any"
    instead: str = names.ACCURACY
    options: Mapping[str, Any] = field(default_factory=dict)


def _matthews(scored: Scored) -> float:
    from sklearn.metrics import matthews_corrcoef

    if np.unique(np.concatenate(scored.labels)).size == 1:  # scikit-learn warns of it
        return 0.0
    return float(matthews_corrcoef(*scored.labels))


def _averaged(scored: Scored, *, function: str, average: str, **options: float) -> float:
    """Return one of scikit-learn's averages over labels, 0 where a quotient is undefined."""
    from sklearn import metrics

    compute = getattr(metrics, function)
    return float(compute(*scored.labels, average=average, zero_division=0, **options))


def _of_positive(scored: Scored, *, function: str, **options: float) -> float | None:
    """Return scikit-learn's value of the positive one of two labels."""
    from sklearn import metrics

    if len(scored.classes) != _TWO:
        return None
    is_true, is_predicted = (labels == scored.positive for labels in scored.labels)
    return float(getattr(metrics, function)(is_true, is_predicted, zero_division=0, **options))


def _likelihood_ratio(scored: Scored, *, of_positive: bool) -> float | None:
    """Return how much a prediction changes the odds; the negative one's is returned negative."""
    if len(scored.classes) != _TWO:
        return None
    is_true, is_predicted = (labels == scored.positive for labels in scored.labels)
    if is_true.all() or not is_true.any():
        return None
    is_meant = is_predicted if of_positive else ~is_predicted
    hits, falls = float(np.mean(is_meant[is_true])), float(np.mean(is_meant[~is_true]))
    if falls == 0:
        return None
    return hits / falls if of_positive else -hits / falls


def _cost(scored: Scored, *, cost: Mapping[str, Mapping[str, float]]) -> float:
    """Return the mean cost of a row; a pair of labels that is not named costs nothing."""
    table = np.array(
        [
            [cost.get(actual, {}).get(predicted, 0.0) for predicted in scored.names]
            for actual in scored.names
        ]
    )
    y_true, y_pred = (np.searchsorted(scored.classes, labels) for labels in scored.labels)
    return float(np.mean(table[y_true, y_pred]))


def _top_k(scored: Scored, *, k: int) -> float | None:
    from sklearn.metrics import top_k_accuracy_score

    scores = _columns(scored)
    if scores is None or not k < len(scored.classes):
        return None
    y_true = scored.predictions.y_true
    return float(top_k_accuracy_score(y_true, scores, k=k, labels=scored.classes))


def _roc_auc(scored: Scored, *, multi_class: str, average: str) -> float | None:
    from sklearn.metrics import roc_auc_score

    shares = _probabilities(scored)
    y_true = scored.predictions.y_true
    if shares is None or shares.ndim == 1 or np.unique(y_true).size != len(scored.classes):
        return None
    options = {"multi_class": multi_class, "average": average}
    return float(roc_auc_score(y_true, shares, labels=scored.classes, **options))


def _of_probabilities(scored: Scored, *, function: str, sign: int) -> float | None:
    from sklearn import metrics

    shares = _probabilities(scored)
    y_true = scored.predictions.y_true
    if shares is None or np.unique(y_true).size < _TWO:
        return None
    labels: list[Any] = [*scored.classes]
    if shares.ndim == 1:
        y_true, labels = y_true == scored.positive, [False, True]
    return sign * float(getattr(metrics, function)(y_true, shares, labels=labels))


def _columns(scored: Scored) -> np.ndarray[Any, Any] | None:
    """Return the scores of more than two classes, a column each."""
    scores = scored.predictions.scores
    if scores is None or scores.ndim == 1 or np.isnan(scores).any():
        return None
    return scores


def _probabilities(scored: Scored) -> np.ndarray[Any, Any] | None:
    """Return the scores if they may be probabilities."""
    scores = scored.predictions.scores
    if scores is None or np.isnan(scores).any() or scores.min() < 0 or scores.max() > 1:
        return None
    if scores.ndim > 1 and not np.allclose(scores.sum(axis=1), 1, atol=_SUM_OF_SHARES):
        return None
    return scores


_BETA = {"beta": None}

SCORERS: Mapping[str, Scorer] = {
    "matthews_corrcoef": Scorer(of=_matthews),
    **{
        f"{name}_micro": Scorer(of=partial(_averaged, function=f"{name}_score", average="micro"))
        for name in (names.PRECISION, names.RECALL, names.F1)
    },
    "jaccard": Scorer(
        of=partial(_of_positive, function="jaccard_score"), labels="two", instead="jaccard_macro"
    ),
    **{
        f"jaccard_{each}": Scorer(of=partial(_averaged, function="jaccard_score", average=each))
        for each in _AVERAGES
    },
    "fbeta": Scorer(
        of=partial(_of_positive, function="fbeta_score"),
        labels="two",
        instead=names.F1_MACRO,
        options=_BETA,
    ),
    **{
        f"fbeta_{each}": Scorer(
            of=partial(_averaged, function="fbeta_score", average=each), options=_BETA
        )
        for each in _AVERAGES
    },
    "positive_likelihood_ratio": Scorer(
        of=partial(_likelihood_ratio, of_positive=True), labels="two"
    ),
    "neg_negative_likelihood_ratio": Scorer(
        of=partial(_likelihood_ratio, of_positive=False), labels="two"
    ),
    "cost": Scorer(of=_cost, better="minimize", options={"cost": None}),
    "top_k_accuracy": Scorer(of=_top_k, needs="scores", labels="more", options={"k": _TWO}),
    **{
        f"roc_auc_{kind}{suffix}": Scorer(
            of=partial(_roc_auc, multi_class=kind, average=average),
            needs="probabilities",
            labels="more",
            instead=names.ROC_AUC,
        )
        for kind in ("ovr", "ovo")
        for suffix, average in (("", "macro"), ("_weighted", "weighted"))
    },
    "neg_brier_score": Scorer(
        of=partial(_of_probabilities, function="brier_score_loss", sign=-1),
        needs="probabilities",
        instead=names.LOG_LOSS,
    ),
    "d2_brier_score": Scorer(
        of=partial(_of_probabilities, function="d2_brier_score", sign=1),
        needs="probabilities",
        instead=names.LOG_LOSS,
    ),
    "d2_log_loss_score": Scorer(
        of=partial(_of_probabilities, function="d2_log_loss_score", sign=1),
        needs="probabilities",
        instead=names.LOG_LOSS,
    ),
}
"""The metrics that a configuration may ask for, by name."""
