"""The Scorecard: the predictions and metrics of an evaluation, and what follows from them."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.errors import DataError
from sweepmark.scores import metric_names
from sweepmark.scores.predictions import Predictions, load_predictions, predictions_npz

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from sweepmark.scores.requests import Request

__all__ = [
    "Majority",
    "Predictions",
    "Scorecard",
    "accuracy_on",
    "common_rows",
    "confusion",
    "load_predictions",
    "predictions_npz",
    "report",
    "report_dict",
]


@dataclass(frozen=True, slots=True)
class Majority:
    """The most frequent class of scored rows: whoever always answers it has its share right.

    Attributes
    ----------
    label : str
        Its name; of several the one that sorts first.
    share : float
        Its share of the rows.
    """

    label: str
    share: float


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Scorecard:
    """The outcome of one evaluation, or the merge of a trial's.

    Attributes
    ----------
    metrics : mapping of str to float
        All of them: those of the predictions, by :func:`sweepmark.scores.measurement.measure`, and
        those recorded; under cross-validation with the prefix ``cv_``.
    recorded : mapping of str to float
        The metrics that the predictions cannot give, such as the log loss of probabilities.
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
    is_constant : bool
        Whether all rows, of several classes, were taken for one; under cross-validation in each
        fold.
    requests : tuple of Request
        The metrics that were computed besides those that every evaluation has.
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
    recorded: Mapping[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    curves: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    work: Mapping[str, float] = field(default_factory=dict)
    model: bytes | None = field(default=None, repr=False)
    names: tuple[str, ...] = ()
    positive: int | None = None
    n_positive: int = 0
    is_constant: bool | None = None
    requests: tuple[Request, ...] = ()

    def __post_init__(self) -> None:
        """Fill in defaults that follow from the labels."""
        if not self.names:
            object.__setattr__(self, "names", tuple(map(str, self.classes)))
        if self.positive is None and len(self.classes) == _TWO:
            object.__setattr__(self, "positive", self.classes[1])
        if self.is_constant is None:
            n_actual, n_said = (
                len(np.unique(labels))
                for labels in (self.predictions.y_true, self.predictions.y_pred)
            )
            object.__setattr__(self, "is_constant", n_said == 1 < n_actual)

    @property
    def positive_name(self) -> str | None:
        """Name of the positive class; None for more than two classes."""
        if self.positive is None:
            return None
        return self.names[self.classes.index(self.positive)]

    @property
    def majority(self) -> Majority:
        """The most frequent class of the rows scored."""
        found, counts = np.unique(self.predictions.y_true, return_counts=True)
        place = int(counts.argmax())
        label = self.names[self.classes.index(int(found[place]))]
        return Majority(label, float(counts[place] / counts.sum()))

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


def confusion(scorecard: Scorecard) -> NDArray[Any]:
    """Return the confusion matrix.

    Returns
    -------
    ndarray of shape (n_classes, n_classes), int64
        Rows are the actual classes, columns the predicted ones, in the order of ``classes``.
    """
    from sklearn.metrics import confusion_matrix

    predictions = scorecard.predictions
    if len(scorecard.classes) == 1:  # scikit-learn warns of it
        return np.array([[len(predictions.rows)]])
    matrix: NDArray[Any] = confusion_matrix(
        predictions.y_true, predictions.y_pred, labels=scorecard.classes
    )
    return matrix


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
    lines = _report(scorecard, names, digits=4).split("\n")
    width = lines[-2].index("weighted avg") + len("weighted avg")
    name = scorecard.accuracy_name
    lines[-4] = f"{name:>{width}}{lines[-4][width:]}"  # scikit-learn calls it accuracy
    longer = max(0, len(name) - width)
    return "\n".join(
        line if place == len(lines) - 4 or not line else " " * longer + line
        for place, line in enumerate(lines)
    )


def report_dict(scorecard: Scorecard, names: Sequence[str] | None = None) -> dict[str, Any]:
    """Return the content of :func:`report` as a plain mapping for JSON."""
    found = _report(scorecard, names, output_dict=True)
    return {
        scorecard.accuracy_name if name == metric_names.ACCURACY else name: row
        for name, row in found.items()
    }


def _report(scorecard: Scorecard, names: Sequence[str] | None, **options: Any) -> Any:
    from sklearn.metrics import classification_report

    predictions = scorecard.predictions
    labels = np.union1d(predictions.y_true, predictions.y_pred)
    places = np.searchsorted(scorecard.classes, labels)
    return classification_report(
        predictions.y_true,
        predictions.y_pred,
        target_names=[str((names or scorecard.names)[place]) for place in places],
        zero_division=0,
        **options,
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
