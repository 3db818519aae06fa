"""What an evaluation yields: predictions, the figures computed from them, and how folds merge."""

from __future__ import annotations

import functools
import io
import math
import zipfile
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark import figures, metrics
from sweepmark.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = [
    "Predictions",
    "Scorecard",
    "accuracy_on",
    "common_rows",
    "confusion",
    "document",
    "from_document",
    "load_predictions",
    "merge",
    "merge_trial",
    "predictions_npz",
    "report",
    "report_dict",
    "score",
]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Predictions:
    """What a fitted recipe said of the rows it was scored on.

    Attributes
    ----------
    rows : ndarray of shape (n,), int64
        Which rows of the data set: those of the training file count from 0, those of the test
        file go on after them.
    y_true, y_pred : ndarray of shape (n,), int64
        Class labels.
    scores : ndarray of shape (n, n_classes) or (n,), float64, or None
        decision_function or probabilities, columns in the order of ``Scorecard.classes``; one
        column (the second class's) if there are two classes.
    """

    rows: NDArray[Any]
    y_true: NDArray[Any]
    y_pred: NDArray[Any]
    scores: NDArray[Any] | None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Scorecard:
    """The outcome of one evaluation, or the merge of a trial's.

    Attributes
    ----------
    metrics : mapping of str to float
        Names are constants of :mod:`sweepmark.metrics`; under cross-validation with the prefix
        ``cv_``.
    classes : tuple of int
        The class labels, ascending.
    predictions : Predictions
        Of the test part, or out of fold.
    n_train, n_test : int
        Rows fitted on and scored on.
    fit_seconds, predict_seconds : float
        Wall time.
    warnings : tuple of str
        What the libraries warned of while fitting.
    model : bytes or None
        The fitted pipeline in skops format, where it was asked for.
    """

    metrics: Mapping[str, float]
    classes: tuple[int, ...]
    predictions: Predictions
    n_train: int
    n_test: int
    fit_seconds: float
    predict_seconds: float
    warnings: tuple[str, ...] = ()
    model: bytes | None = field(default=None, repr=False)


def score(predictions: Predictions, classes: Sequence[int]) -> dict[str, float]:
    """Return every metric of the predictions, as :func:`sweepmark.figures.measure` defines them.

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
    return figures.measure(predictions.y_true, predictions.y_pred, predictions.scores, classes)


def merge(folds: Sequence[Scorecard]) -> Scorecard:
    """Return the Scorecard of a cross-validated trial from its folds'.

    Metrics become ``cv_<name>``, the plain mean over the folds, as ``mean_test_score`` of
    scikit-learn's GridSearchCV; ``cv_accuracy_std`` is its ``std_test_score`` (population). A
    metric that a fold lacks (no member of a class in its test part) is left out: a mean over
    fewer folds would not compare. The predictions are the out-of-fold ones, sorted by row;
    ``n_train`` is the first fold's, ``n_test`` and the seconds are sums, and no model remains.

    Raises
    ------
    DataError
        If there is no fold, or the folds' classes differ.
    """
    if not folds or any(fold.classes != folds[0].classes for fold in folds):
        raise DataError(
            "folds of one trial must have the same classes, "
            f"but got {sorted({fold.classes for fold in folds})}"
        )
    return Scorecard(
        metrics=_means([fold.metrics for fold in folds]),
        classes=folds[0].classes,
        predictions=_concatenate([fold.predictions for fold in folds]),
        n_train=folds[0].n_train,
        n_test=sum(fold.n_test for fold in folds),
        fit_seconds=sum(fold.fit_seconds for fold in folds),
        predict_seconds=sum(fold.predict_seconds for fold in folds),
        warnings=tuple(dict.fromkeys(text for fold in folds for text in fold.warnings)),
    )


def merge_trial(cards: Sequence[Scorecard]) -> Scorecard:
    """Return the Scorecard of a trial: that of its only evaluation, or the merge of its folds'."""
    return merge(cards) if len(cards) > 1 else cards[0]


def confusion(scorecard: Scorecard) -> NDArray[Any]:
    """Return the confusion matrix.

    Returns
    -------
    ndarray of shape (n_classes, n_classes), int64
        Rows are the actual classes, columns the predicted ones, in the order of ``classes``.
    """
    predictions = scorecard.predictions
    return figures.count_pairs(predictions.y_true, predictions.y_pred, scorecard.classes)


def report(scorecard: Scorecard) -> str:
    """Return scikit-learn's classification report as text, with four digits."""
    return figures.write_report(report_dict(scorecard))


def report_dict(scorecard: Scorecard) -> dict[str, Any]:
    """Return scikit-learn's classification report as a mapping, plain and JSON-able."""
    return figures.describe(confusion(scorecard), scorecard.classes)


def document(scorecard: Scorecard) -> dict[str, Any]:
    """Return all but predictions and model as a plain mapping; what is not finite is left out."""
    return {
        "metrics": {
            name: float(value) for name, value in scorecard.metrics.items() if math.isfinite(value)
        },
        "classes": [int(label) for label in scorecard.classes],
        "n_train": scorecard.n_train,
        "n_test": scorecard.n_test,
        "fit_seconds": scorecard.fit_seconds,
        "predict_seconds": scorecard.predict_seconds,
        "warnings": list(scorecard.warnings),
    }


def from_document(
    document: Mapping[str, Any], predictions: Predictions, model: bytes | None
) -> Scorecard:
    """Return the Scorecard that :func:`document` described.

    Raises
    ------
    DataError
        If the document lacks a part.
    """
    try:
        return Scorecard(
            metrics=dict(document["metrics"]),
            classes=tuple(document["classes"]),
            predictions=predictions,
            n_train=document["n_train"],
            n_test=document["n_test"],
            fit_seconds=document["fit_seconds"],
            predict_seconds=document["predict_seconds"],
            warnings=tuple(document["warnings"]),
            model=model,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"a scorecard's document is not whole: {error!r}") from error


def predictions_npz(predictions: Predictions) -> bytes:
    """Return the predictions as the content of an uncompressed ``.npz`` file."""
    arrays = {name: getattr(predictions, name) for name in _ARRAYS}
    buffer = io.BytesIO()
    np.savez(buffer, **{name: array for name, array in arrays.items() if array is not None})
    return buffer.getvalue()


def load_predictions(content: bytes) -> Predictions:
    """Return the predictions from the content of an ``.npz`` file; nothing in it is executed.

    Raises
    ------
    DataError
        If it is no such file.
    """
    try:
        _refuse_compressed(content)
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return Predictions(
                rows=arrays["rows"],
                y_true=arrays["y_true"],
                y_pred=arrays["y_pred"],
                scores=arrays.get("scores"),
            )
    except (*_UNREADABLE, AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"predictions must be an .npz file of {_ARRAYS}: {error!r}") from error


_UNREADABLE = (EOFError, MemoryError, NotImplementedError, OSError, zipfile.BadZipFile, zlib.error)


def _refuse_compressed(content: bytes) -> None:
    """Refuse what :func:`predictions_npz` never writes: little that unpacks to very much."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if any(member.compress_type != zipfile.ZIP_STORED for member in archive.infolist()):
            raise ValueError("a compressed member")


def accuracy_on(scorecard: Scorecard, rows: NDArray[Any]) -> float:
    """Return the accuracy on the given rows of the data set.

    Raises
    ------
    DataError
        If no row is given, or one was not predicted: the figure would not compare.
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
    """Return the rows that every card has a prediction for, ascending; empty if none."""
    if not cards:
        return np.empty(0, dtype=np.int64)
    return functools.reduce(np.intersect1d, [card.predictions.rows for card in cards])


_ARRAYS = ("rows", "y_true", "y_pred", "scores")


def _means(metrics_of_folds: Sequence[Mapping[str, float]]) -> dict[str, float]:
    means = {
        metrics.cv(name): float(np.mean([of_fold[name] for of_fold in metrics_of_folds]))
        for name in metrics_of_folds[0]
        if all(name in of_fold for of_fold in metrics_of_folds)
    }
    accuracies = [of_fold[metrics.ACCURACY] for of_fold in metrics_of_folds]
    return means | {metrics.CV_ACCURACY_STD: float(np.std(accuracies))}


def _concatenate(parts: Sequence[Predictions]) -> Predictions:
    rows = np.concatenate([part.rows for part in parts])
    order = np.argsort(rows, kind="stable")
    scores = [part.scores for part in parts if part.scores is not None]
    return Predictions(
        rows=rows[order],
        y_true=np.concatenate([part.y_true for part in parts])[order],
        y_pred=np.concatenate([part.y_pred for part in parts])[order],
        scores=np.concatenate(scores)[order] if len(scores) == len(parts) else None,
    )
