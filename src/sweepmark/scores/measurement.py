"""The computation of all metrics of one set of predictions."""

from __future__ import annotations

import hashlib
import pkgutil
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.errors import DataError
from sweepmark.scores import metric_names as names
from sweepmark.scores.metrics import METRICS
from sweepmark.scores.scored import Scored

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from sweepmark.scores.predictions import Predictions
    from sweepmark.scores.requests import Request
    from sweepmark.scores.scorecard import Scorecard

__all__ = ["log_loss", "measure", "measure_requested", "version"]

_TWO = 2


def measure(  # noqa: PLR0913 -- each has a meaning of its own
    predictions: Predictions,
    classes: Sequence[int],
    *,
    called: Sequence[str] | None = None,
    positive: int | None = None,
    method: Mapping[str, Any] | None = None,
    of_scores: bool = True,
    requests: Sequence[Request] = (),
) -> dict[str, float]:
    """Return all metrics of one set of predictions; undefined ones are absent, never NaN.

    Averages follow scikit-learn's defaults with ``zero_division=0``: macro and weighted ones go
    over the classes that occur in ``y_true`` or ``y_pred``, balanced accuracy and the recalls per
    class over those in ``y_true``. ROC AUC and average precision are means over one-vs-rest
    problems, without classes that have no positive or no negative member; for two classes they are
    those of the positive class, as in scikit-learn. They are absent without scores, or if a score
    is NaN.

    Parameters
    ----------
    predictions : Predictions
        At least one row.
    classes : sequence of int
        Ascending; every label is among them.
    called : sequence of str or None
        Names of the classes, for the names of the recalls; None takes the labels.
    positive : int or None
        The positive one of two classes; None takes the second, as scikit-learn does.
    method : mapping or None
        The evaluation's; metrics of rows held out of the training part are named for that.
    of_scores : bool
        Whether to compute the metrics that need scores.
    requests : sequence of Request
        The metrics to compute besides those of the table.

    Raises
    ------
    DataError
        If there is no row, a label is not among the classes, or the scores have a wrong shape.

    References
    ----------
    https://scikit-learn.org/stable/modules/model_evaluation.html

    Examples
    --------
    >>> from sweepmark.scores.predictions import Predictions
    >>> y = np.array([3, 3, 8, 8])
    >>> found = Predictions(rows=np.arange(4), y_true=y, y_pred=np.array([3, 8, 8, 8]), scores=None)
    >>> measure(found, (3, 8))["accuracy"]
    0.75
    """
    _check_labels(predictions, classes)
    labels = tuple(map(str, called or classes))
    positive = classes[-1] if positive is None else positive
    scored = Scored(predictions, tuple(classes), positive, labels)
    values = {
        metric.name: metric.of(scored)
        for metric in METRICS
        if metric.of is not None and (of_scores or not metric.is_of_scores)
    }
    answerable = [each for each in requests if of_scores or each.scorer.needs == "labels"]
    values |= {request.name: request.of(scored) for request in answerable}
    _, recalls, _, support = scored.per_class
    values |= {
        names.recall(label): float(value)
        for label, value, n in zip(labels, recalls, support, strict=True)
        if n > 0
    }
    return _named(values, method)


def measure_requested(
    card: Scorecard, requests: Sequence[Request], *, method: Mapping[str, Any]
) -> dict[str, float]:
    """Return metrics of an evaluation that are asked for; undefined ones are absent.

    Parameters
    ----------
    card : Scorecard
        Of one evaluation.
    requests : sequence of Request
        The metrics.
    method : mapping
        As for :func:`measure`.
    """
    positive = card.classes[-1] if card.positive is None else card.positive
    scored = Scored(card.predictions, card.classes, positive, card.names)
    return _named({request.name: request.of(scored) for request in requests}, method)


def _named(
    values: Mapping[str, float | None], method: Mapping[str, Any] | None
) -> dict[str, float]:
    """Return the metrics that are defined, named for the rows that they are of."""
    is_validation = method is not None and method.get("name") == "validation"
    prefixed = names.validation if is_validation else str
    return {prefixed(name): value for name, value in values.items() if value is not None}


def _check_labels(predictions: Predictions, classes: Sequence[int]) -> None:
    if len(predictions.y_true) == 0:
        raise DataError("at least one row must be scored, but there is none")
    found = np.union1d(predictions.y_true, predictions.y_pred)
    if not np.isin(found, classes).all():
        raise DataError(
            f"every label must be one of the classes {list(classes)}, "
            f"but got {np.setdiff1d(found, classes)[:5].tolist()}"
        )


def log_loss(y_true: NDArray[Any], probabilities: NDArray[Any], classes: Sequence[Any]) -> float:
    """Return scikit-learn's log loss; NaN if a probability is NaN, 0 for a single class.

    It clips probabilities by the machine epsilon of their own type: a 0 of float32 costs 15.9, one
    of float64 36.0.

    Parameters
    ----------
    y_true : ndarray of shape (n,)
        Labels, all of them among ``classes``.
    probabilities : ndarray of shape (n, n_classes), floating
        Columns in the order of ``classes``.
    classes : array-like of shape (n_classes,)
        Ascending.
    """
    from sklearn import metrics

    if not np.isfinite(probabilities).all():
        return float("nan")
    if len(classes) < _TWO:
        return 0.0
    return float(metrics.log_loss(y_true, y_proba=probabilities, labels=classes))


@cache
def version() -> str:
    """Return what metrics depend on beside the predictions: our code, and scikit-learn's version.

    A metric that is added to the table, or computed in another way, makes another version.
    """
    stems = ("metrics", "measurement", "scored", "ranking", "metric_names", "scorers", "requests")
    found = (pkgutil.get_data("sweepmark.scores", f"{stem}.py") for stem in stems)
    source = b"".join(each or b"" for each in found)
    return f"{hashlib.sha256(source).hexdigest()[:16]} {metadata.version('scikit-learn')}"
