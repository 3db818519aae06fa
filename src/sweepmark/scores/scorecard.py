"""The Scorecard: the predictions and metrics of an evaluation, and what follows from them."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.errors import DataError
from sweepmark.scores import classification_report, metric_names, metrics
from sweepmark.scores.predictions import Predictions, load_predictions, predictions_npz

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = [
    "Predictions",
    "Scorecard",
    "accuracy_on",
    "common_rows",
    "confusion",
    "load_predictions",
    "predictions_npz",
    "report",
    "report_dict",
    "score",
]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Scorecard:
    """The outcome of one evaluation, or the merge of a trial's.

    Attributes
    ----------
    metrics : mapping of str to float
        Names are constants of :mod:`sweepmark.scores.metric_names`; under cross-validation with the
        prefix ``cv_``.
    classes : tuple of int
        The class labels, ascending; where labels are text, their numbers.
    names : tuple of str
        Names of the classes; by default the labels as text.
    positive : int or None
        Of two classes the one that precision, recall, F1, scores and a threshold refer to; by
        default the second.
    predictions : Predictions
        Of the test part, or out of fold.
    n_train, n_test : int
        Rows fitted on and scored on.
    n_positive : int
        Fitted rows of the positive class; 0 if there is none.
    fit_seconds, predict_seconds : float
        Wall time.
    warnings : tuple of str
        Warnings of libraries while fitting.
    curves : mapping of str to tuple of float
        Metric values after each epoch, by metric name, if training went by epochs.
    work : mapping of str to float
        Reuse of the process's cache: ``prepared_hits`` and ``kernel_hits`` are counts,
        ``shared_seconds`` are the seconds of the original computations.
    model : bytes or None
        The fitted pipeline in skops format, if requested.
    """

    metrics: Mapping[str, float]
    classes: tuple[int, ...]
    predictions: Predictions
    n_train: int
    n_test: int
    fit_seconds: float
    predict_seconds: float
    warnings: tuple[str, ...] = ()
    curves: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    work: Mapping[str, float] = field(default_factory=dict)
    model: bytes | None = field(default=None, repr=False)
    names: tuple[str, ...] = ()
    positive: int | None = None
    n_positive: int = 0

    def __post_init__(self) -> None:
        """Fill in defaults that follow from the labels."""
        if not self.names:
            object.__setattr__(self, "names", tuple(map(str, self.classes)))
        if self.positive is None and len(self.classes) == _TWO:
            object.__setattr__(self, "positive", self.classes[1])

    @property
    def positive_name(self) -> str | None:
        """Name of the positive class; None for more than two classes."""
        if self.positive is None:
            return None
        return self.names[self.classes.index(self.positive)]

    @property
    def accuracy_name(self) -> str:
        """What the share of right rows is called: it depends on which rows were scored."""
        return self.name_of(metric_names.ACCURACY)

    def name_of(self, metric: str) -> str:
        """Return what a metric of its predictions is called.

        Of the test part, and of one fold, it has its bare name; out of fold it is ``pooled_…``, of
        rows held out of the training part ``validation_…``.

        Parameters
        ----------
        metric : str
            The bare name.
        """
        for prefixed in (metric_names.pooled, metric_names.validation):
            if (
                metric_names.ACCURACY not in self.metrics
                and prefixed(metric_names.ACCURACY) in self.metrics
            ):
                return prefixed(metric)
        return metric


_TWO = 2


def score(
    predictions: Predictions,
    classes: Sequence[int],
    *,
    names: Sequence[str] | None = None,
    positive: int | None = None,
) -> dict[str, float]:
    """Return every metric of the predictions, as defined by :mod:`sweepmark.scores.metrics`.

    Raises
    ------
    DataError
        If there is no row, a label is not among the classes or the scores have another shape.

    Examples
    --------
    >>> import numpy as np
    >>> y = np.array([3, 3, 8, 8])
    >>> predictions = Predictions(
    ...     rows=np.arange(4), y_true=y, y_pred=np.array([3, 8, 8, 8]), scores=None
    ... )
    >>> score(predictions, (3, 8))["accuracy"]
    0.75
    """
    scored = predictions
    return metrics.measure(
        scored.y_true, scored.y_pred, scored.scores, classes, names=names, positive=positive
    )


def confusion(scorecard: Scorecard) -> NDArray[Any]:
    """Return the confusion matrix.

    Returns
    -------
    ndarray of shape (n_classes, n_classes), int64
        Rows are the actual classes, columns the predicted ones, in the order of ``classes``.
    """
    predictions = scorecard.predictions
    return metrics.count_pairs(predictions.y_true, predictions.y_pred, scorecard.classes)


def report(scorecard: Scorecard, names: Sequence[str] | None = None) -> str:
    """Return scikit-learn's classification report as text, with four digits.

    The accuracy goes by the name that it has as a metric.

    Parameters
    ----------
    scorecard : Scorecard
        The Scorecard to report.
    names : sequence of str or None
        Names of the classes, in their order; None takes the file's labels.
    """
    return classification_report.report_text(report_dict(scorecard, names))


def report_dict(scorecard: Scorecard, names: Sequence[str] | None = None) -> dict[str, Any]:
    """Return the content of :func:`report` as a plain mapping for JSON."""
    return classification_report.report_values(
        confusion(scorecard), names or scorecard.names, accuracy_name=scorecard.accuracy_name
    )


def accuracy_on(scorecard: Scorecard, rows: NDArray[Any]) -> float:
    """Return the accuracy on the given rows of the data set.

    Raises
    ------
    DataError
        If no row is given, or one was not predicted.
    """
    predictions = scorecard.predictions
    chosen = np.isin(predictions.rows, rows)
    n_chosen, n_asked = int(chosen.sum()), np.unique(rows).size
    if n_chosen == 0 or n_chosen != n_asked:
        raise DataError(
            f"every row must have one prediction, but {n_chosen} were found for {n_asked} rows"
        )
    return int((predictions.y_true == predictions.y_pred)[chosen].sum()) / n_chosen


def common_rows(cards: Sequence[Scorecard]) -> NDArray[Any]:
    """Return the rows predicted in every card, ascending; may be empty."""
    if not cards:
        return np.empty(0, dtype=np.int64)
    return functools.reduce(np.intersect1d, [card.predictions.rows for card in cards])
