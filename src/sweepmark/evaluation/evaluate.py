"""Computing an evaluation.

Evaluating a Specification returns a Scorecard and has no side effects: nothing is written or
logged. Everything is fitted on training rows only.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from sweepmark import cache
from sweepmark.evaluation import fitting
from sweepmark.evaluation.export import dump_pipeline
from sweepmark.scores import metric_names, threshold
from sweepmark.scores.measurement import log_loss, measure
from sweepmark.scores.scorecard import Predictions, Scorecard
from sweepmark.specification.folds import fold_rows
from sweepmark.specification.parts import Parts
from sweepmark.specification.recipe import build_pipeline

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray
    from sklearn.pipeline import Pipeline

    from sweepmark.data import Part
    from sweepmark.specification.specification import Specification

__all__ = ["evaluate"]


def evaluate(specification: Specification, *, keep_model: bool = False) -> Scorecard:
    """Fit, predict and score.

    Parameters
    ----------
    specification : Specification
        The evaluation; its data set is opened from the cache by digest.
    keep_model : bool
        Whether the Scorecard includes the fitted Pipeline. The rows prepared for it are not cached
        then, to leave that memory for serialising the model.

    Returns
    -------
    Scorecard

    Raises
    ------
    DataError
        If the data set is not in the cache, or no threshold satisfies its rule.
    Exception
        Any exception of the estimator.
    """
    parts = Parts.of(specification)
    key = None if keep_model else specification.rows_key
    with (
        fitting.limited(specification.threads),
        warnings.catch_warnings(record=True) as caught,
    ):
        warnings.simplefilter("always")
        shared = cache.statistics()
        cut, choosing_seconds = _threshold(parts, key=key)
        fitted = _fit(parts, cut, key=key)
        predictions, losses, predict_seconds = _predict(
            fitted.pipeline, parts, parts.scored, cut=cut, key=key
        )
        recorded = losses | _watched(fitted, parts, cut)
    if cut is not None:
        recorded[metric_names.THRESHOLD] = cut
    classes = _classes(fitted.pipeline, parts)
    names = parts.labels.called(classes)
    return Scorecard(
        metrics=measure(
            predictions,
            classes,
            called=names,
            positive=parts.positive,
            method=specification.method,
        )
        | recorded,
        recorded=recorded,
        classes=classes,
        names=names,
        positive=parts.positive,
        predictions=predictions,
        n_train=len(parts.fit),
        n_test=len(parts.scored),
        n_positive=parts.n_positive,
        fit_seconds=choosing_seconds + fitted.seconds,
        predict_seconds=predict_seconds,
        warnings=_texts(caught),
        curves=fitted.curves,
        work=_work(shared),
        model=dump_pipeline(fitted.pipeline, threshold=cut, positive=parts.pos_label)
        if keep_model
        else None,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Fitted:
    pipeline: Pipeline
    seconds: float
    curves: Mapping[str, tuple[float, ...]]


def _work(before: cache.Statistics) -> dict[str, float]:
    """Return the cache hits, and the seconds that they saved, since ``before``."""
    now = cache.statistics()
    return {
        "prepared_hits": now.prepared_hits - before.prepared_hits,
        "kernel_hits": now.kernel_hits - before.kernel_hits,
        "shared_seconds": now.shared_seconds - before.shared_seconds,
    }


def _classes(pipeline: Pipeline, parts: Parts) -> tuple[int, ...]:
    return tuple(parts.labels.encode(pipeline.classes_).tolist())


def _fit(parts: Parts, cut: float | None, *, key: str | None) -> _Fitted:
    """Fit on the training rows, by epochs if configured, with curves of held-out rows."""
    method = parts.specification.method
    pipeline = build_pipeline(parts.specification, parts.taught)
    opened: Callable[[], Part] = partial(parts.take, parts.fit)
    n_epochs = method.get("epochs")
    if n_epochs is None:
        return _Fitted(pipeline, fitting.fit(pipeline, opened, key=key), {})
    held_out = parts.watched if method["name"] == "test" else parts.scored
    seconds, curves = fitting.fit_epochs(
        pipeline,
        opened,
        None if held_out is None else partial(parts.take, held_out),
        key=key,
        n_epochs=n_epochs,
        positive=parts.pos_label,
        threshold=cut,
    )
    return _Fitted(pipeline, seconds, curves)


def _predict(
    pipeline: Pipeline,
    parts: Parts,
    rows: NDArray[np.int64],
    *,
    cut: float | None,
    key: str | None = None,
) -> tuple[Predictions, dict[str, float], float]:
    """Return the predictions of rows, their log loss if there is one, and the seconds."""
    part = parts.take(rows)
    (answer, scores, probabilities), seconds = fitting.predict_rows(
        pipeline, part.X, positive=parts.pos_label, threshold=cut, key=key
    )
    y_true, y_pred = parts.labels.encode(part.y), parts.labels.encode(answer)
    predictions = Predictions(rows=rows, y_true=y_true, y_pred=y_pred, scores=scores)
    if probabilities is None or np.isnan(probabilities).any():
        return predictions, {}, seconds
    is_validation = parts.specification.method["name"] == "validation"
    name = (
        metric_names.validation(metric_names.LOG_LOSS) if is_validation else metric_names.LOG_LOSS
    )
    return predictions, {name: log_loss(part.y, probabilities, pipeline.classes_)}, seconds


def _watched(fitted: _Fitted, parts: Parts, cut: float | None) -> dict[str, float]:
    """Return the last values of the curves, or the metrics of monitored rows without epochs.

    Rows that are scored anyway are left out.
    """
    last = {name: values[-1] for name, values in fitted.curves.items() if math.isfinite(values[-1])}
    if parts.watched is None:
        return {name: value for name, value in last.items() if not metric_names.is_validation(name)}
    if not last:
        predictions, losses, _ = _predict(fitted.pipeline, parts, parts.watched, cut=cut)
        is_right = predictions.y_true == predictions.y_pred
        last[metric_names.VALIDATION_ACCURACY] = float(np.mean(is_right))
        for loss in losses.values():
            last[metric_names.validation(metric_names.LOSS)] = loss
    return last


def _threshold(parts: Parts, *, key: str | None) -> tuple[float | None, float]:
    """Return the threshold, chosen on cross-validated scores if given as a rule, and the seconds.

    Only the rows fitted on are used, neither test rows nor held-out rows.
    """
    asked = parts.specification.method.get("threshold")
    if not isinstance(asked, dict):
        return asked, 0.0
    y = parts.take(parts.fit).y
    scores, is_scored = np.empty(len(y)), np.zeros(len(y), dtype=bool)
    seconds = 0.0
    for fold in range(asked["n_splits"]):
        fit, held_out = fold_rows(asked | {"fold": fold}, y, parts.ranks)
        inner = parts.divided(fit, held_out)
        fitted = _fit(inner, None, key=key and f"{key} {fold}")
        X = inner.take(inner.scored).X
        (_, found, _), predict_seconds = fitting.predict_rows(
            fitted.pipeline, X, positive=parts.pos_label
        )
        if found is None:
            raise ValueError("a threshold needs one score a row")
        scores[held_out], is_scored[held_out] = found, True
        seconds += fitted.seconds + predict_seconds
    rule = threshold.parse_threshold(asked["rule"])
    assert isinstance(rule, threshold.Rule)  # noqa: S101 -- a parsed rule is a Rule
    y, scores = y[is_scored], scores[is_scored]  # in an order, the first rows are only fitted on
    return threshold.choose_threshold(rule, y == parts.pos_label, scores), seconds


def _texts(caught: Sequence[warnings.WarningMessage]) -> tuple[str, ...]:
    """Return the first line of each distinct warning."""
    firsts = ((item.category, str(item.message).strip().partition("\n")[0]) for item in caught)
    return tuple(dict.fromkeys(f"{category.__name__}: {line}" for category, line in firsts))
