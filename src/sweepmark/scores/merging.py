"""Scorecards of folds merged into the Scorecard of their trial."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sweepmark.errors import DataError
from sweepmark.scores import metric_names
from sweepmark.scores.measurement import measure
from sweepmark.scores.predictions import concatenate
from sweepmark.scores.scorecard import Scorecard

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sweepmark.scores.predictions import Predictions

__all__ = ["mean_curves", "merge", "merge_trial"]

_MOST_FOLDS = 20
_TWO = 2


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
        is_constant=all(fold.is_constant for fold in folds),
        requests=folds[0].requests,
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
    # For more classes, ranking by each is slow, and scores of different folds hardly compare.
    is_binary = len(fold.classes) == _TWO
    found = measure(
        predictions,
        fold.classes,
        called=fold.names,
        positive=fold.positive,
        of_scores=is_binary,
        requests=fold.requests,
    )
    return {
        metric_names.pooled(name): value
        for name, value in found.items()
        if not metric_names.is_recall(name)
    }
