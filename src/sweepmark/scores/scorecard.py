"""The Scorecard: the predictions and metrics of an evaluation, and the merging of folds."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.errors import DataError
from sweepmark.scores import classification_report, metric_names, metrics
from sweepmark.scores.predictions import Predictions, concatenate, load_predictions, predictions_npz

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
    "mean_curves",
    "merge",
    "merge_trial",
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


def merge(folds: Sequence[Scorecard]) -> Scorecard:
    """Return the Scorecard of a cross-validated trial from its folds'.

    Metrics become ``cv_<name>``, the plain mean over the folds, as ``mean_test_score`` of
    scikit-learn's GridSearchCV; ``cv_accuracy_std`` is its ``std_test_score`` (population), and
    ``cv_accuracy_fold_1`` is that of the first fold (of 20 folds at most). A metric that a fold
    lacks (no member of a class in its test part) is left out: a mean over fewer folds would not be
    comparable. ``pooled_<name>`` is of all out-of-fold predictions taken together, as
    scikit-learn's ``cross_val_predict`` gives them: of labels always, of scores for two classes.
    The predictions are the out-of-fold ones, sorted by row; ``n_train`` is the first fold's,
    ``n_test`` and the seconds are sums, curves are means, and no model remains.

    Raises
    ------
    DataError
        If there are no folds, or their classes differ.
    """
    told_apart = {(fold.classes, fold.names, fold.positive) for fold in folds}
    if len(told_apart) != 1:
        raise DataError(
            "folds of one trial must have the same classes, "
            f"but got {[names for _, names, _ in told_apart]}"
        )
    predictions = concatenate([fold.predictions for fold in folds])
    return Scorecard(
        metrics=_means([fold.metrics for fold in folds]) | _pooled(predictions, folds[0]),
        classes=folds[0].classes,
        names=folds[0].names,
        positive=folds[0].positive,
        n_positive=folds[0].n_positive,
        predictions=predictions,
        n_train=folds[0].n_train,
        n_test=sum(fold.n_test for fold in folds),
        fit_seconds=sum(fold.fit_seconds for fold in folds),
        predict_seconds=sum(fold.predict_seconds for fold in folds),
        warnings=tuple(dict.fromkeys(text for fold in folds for text in fold.warnings)),
        curves=mean_curves([fold.curves for fold in folds]),
        work={
            name: sum(fold.work.get(name, 0) for fold in folds)
            for name in {name: None for fold in folds for name in fold.work}
        },
    )


def merge_trial(cards: Sequence[Scorecard]) -> Scorecard:
    """Return the Scorecard of a trial: that of its only evaluation, or that of its folds merged."""
    return merge(cards) if len(cards) > 1 else cards[0]


def mean_curves(
    curves_of_folds: Sequence[Mapping[str, tuple[float, ...]]],
) -> dict[str, tuple[float, ...]]:
    """Return the curves of a cross-validated trial, ``cv_<name>``: the means over its folds."""
    return {
        metric_names.cv(name): tuple(
            float(value)
            for value in np.mean([of_fold[name] for of_fold in curves_of_folds], axis=0)
        )
        for name in curves_of_folds[0]
        if all(
            len(of_fold.get(name, ())) == len(curves_of_folds[0][name])
            for of_fold in curves_of_folds
        )
    }


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


_MOST_FOLDS = 20


def _means(metrics_of_folds: Sequence[Mapping[str, float]]) -> dict[str, float]:
    means = {
        metric_names.cv(name): float(np.mean([of_fold[name] for of_fold in metrics_of_folds]))
        for name in metrics_of_folds[0]
        if all(name in of_fold for of_fold in metrics_of_folds)
    }
    if metric_names.THRESHOLD in metrics_of_folds[0]:  # one integer per set of rows
        means[metric_names.THRESHOLD] = means.pop(metric_names.cv(metric_names.THRESHOLD))
    accuracies = [of_fold[metric_names.ACCURACY] for of_fold in metrics_of_folds]
    singly = accuracies if len(accuracies) <= _MOST_FOLDS else []
    return (
        means
        | {metric_names.CV_ACCURACY_STD: float(np.std(accuracies))}
        | {
            metric_names.cv_fold(metric_names.ACCURACY, n): value
            for n, value in enumerate(singly, start=1)
        }
    )


def _pooled(predictions: Predictions, fold: Scorecard) -> dict[str, float]:
    """Return the metrics of all out-of-fold predictions, without the recalls of each class."""
    if len(fold.classes) == _TWO:
        found = score(predictions, fold.classes, positive=fold.positive)
    else:  # ranking by every class is slow, and scores of different folds are hardly comparable
        matrix = metrics.count_pairs(predictions.y_true, predictions.y_pred, fold.classes)
        found = metrics.measure_labels(matrix, fold.classes)
    return {
        metric_names.pooled(name): value
        for name, value in found.items()
        if not metric_names.is_recall(name)
    }
