"""An evaluation: what a configuration asks for, and computing it.

Evaluating a Specification gives a Scorecard and nothing else happens: nothing is written, logged
or remembered. Everything that is fitted is fitted on training rows.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import TYPE_CHECKING

import numpy as np

from sweepmark import fitting, metrics, sharing, threshold
from sweepmark.figures import log_loss
from sweepmark.folds import fold_rows, hold_out
from sweepmark.method import check_classifier, resolve_methods
from sweepmark.recipe import build_pipeline, recipe_versions, resolve_recipe
from sweepmark.scorecard import Predictions, Scorecard, score
from sweepmark.specification import Specification
from sweepmark.split import check_classes, resolve_split, split_rows
from sweepmark.task import resolve_task, targets

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from sklearn.pipeline import Pipeline

    from sweepmark.config.schema import Config
    from sweepmark.data import Dataset, Part

__all__ = ["evaluate", "specify", "specify_test"]


def specify(
    config: Config, dataset: Dataset, *, trusted: Sequence[str] = ()
) -> tuple[Specification, ...]:
    """Return the evaluations that a trial of this configuration is made of.

    One for ``evaluation=test`` and ``evaluation=validation``, one a fold for ``evaluation=cv``.

    Raises
    ------
    ConfigurationError
        If the configuration asks for something that cannot be computed.
    """
    test = _specify(config, dataset, trusted=trusted)
    train_rows, test_rows = split_rows(test.split, dataset)
    labels = targets(test.task, dataset.y)
    y_train = labels[train_rows]
    check_classes(y_train, labels[test_rows], config.evaluation)
    methods = resolve_methods(config, y_train)
    check_classifier(config.evaluation, test.classifier, trusted=trusted)
    return tuple(replace(test, method=one) for one in methods)


def specify_test(config: Config, dataset: Dataset, *, trusted: Sequence[str] = ()) -> Specification:
    """Return the evaluation that fits on the whole training part and scores the test part.

    Raises
    ------
    ConfigurationError
        If the configuration asks for something that cannot be computed.
    """
    whole = replace(config.evaluation, method="test", validation_fraction=None)
    specification = _specify(config, dataset, trusted=trusted)
    train_rows, _ = split_rows(specification.split, dataset)
    y_train = targets(specification.task, dataset.y)[train_rows]
    (method,) = resolve_methods(replace(config, evaluation=whole), y_train)
    return replace(specification, method=method)


def _specify(config: Config, dataset: Dataset, *, trusted: Sequence[str]) -> Specification:
    preprocess, classifier = resolve_recipe(config, trusted=trusted)
    return Specification(
        data=dataset.digest,
        split=resolve_split(config.split, dataset),
        task=resolve_task(config.task, dataset),
        method={"name": "test"},
        preprocess=preprocess,
        classifier=classifier,
        seed=config.seed,
        threads=config.engine.threads,
        versions=recipe_versions([*preprocess.values(), classifier], trusted),
    )


def evaluate(specification: Specification, *, keep_model: bool = False) -> Scorecard:
    """Fit, predict and score.

    Parameters
    ----------
    specification : Specification
        What to compute; the data set is opened from the cache by its digest.
    keep_model : bool
        Whether the Scorecard carries the fitted Pipeline. A sweep keeps one: what is prepared
        for it is not kept for others, so that writing the model has that memory.

    Returns
    -------
    Scorecard

    Raises
    ------
    DataError
        If the data set is not in the cache, or no threshold does what its rule asks for.
    Exception
        Whatever the estimator raises.
    """
    rows = _Rows.of(specification, _dataset(specification.data))
    key = None if keep_model else specification.rows_key
    with (
        fitting.limited(specification.threads),
        warnings.catch_warnings(record=True) as caught,
    ):
        warnings.simplefilter("always")
        shared = sharing.statistics()
        cut, choosing_seconds = _threshold(specification, rows.fit, key=key)
        fitted = _fit(specification, rows, cut, key=key)
        scored = _take(specification, rows.scored)
        answer, predict_seconds = fitting.ask(fitted.pipeline, scored.X, threshold=cut, key=key)
        figures, predictions = _score(fitted.pipeline, rows.scored, scored.y, answer)
        watched = _watched(specification, fitted, rows, cut)
    if specification.method["name"] == "validation":
        figures = {metrics.validation(name): value for name, value in figures.items()}
    chosen = {} if cut is None else {metrics.THRESHOLD: cut}
    return Scorecard(
        metrics=figures | watched | chosen,
        classes=tuple(int(label) for label in fitted.pipeline.classes_),
        predictions=predictions,
        n_train=len(rows.fit),
        n_test=len(rows.scored),
        fit_seconds=choosing_seconds + fitted.seconds,
        predict_seconds=predict_seconds,
        warnings=_texts(caught),
        curves=fitted.curves,
        work=_work(shared),
        model=fitting.dump(fitted.pipeline, threshold=cut) if keep_model else None,
    )


def _dataset(digest: str) -> Dataset:
    """Return a data set for its labels and facts."""
    from sweepmark.data import cache

    return _opened(digest, cache.root())


@lru_cache(maxsize=2)
def _opened(digest: str, root: Path) -> Dataset:
    """Open a data set once for all evaluations of it: some take little longer than that."""
    from sweepmark.data import open_dataset

    del root  # where it is looked for
    return open_dataset(digest)


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Which rows of the data set are fitted on, scored, and watched without being either."""

    fit: NDArray[np.int64]
    scored: NDArray[np.int64]
    watched: NDArray[np.int64] | None = None

    @classmethod
    def of(cls, specification: Specification, dataset: Dataset) -> _Rows:
        train, test = split_rows(specification.split, dataset)
        method = specification.method
        if method["name"] == "fold":
            fit, held_out = fold_rows(method, targets(specification.task, dataset.y[train]))
            return cls(train[fit], train[held_out])
        if method.get("validation") is None:
            return cls(train, test)
        fit, held_out = hold_out(method["validation"], len(train))
        if method["name"] == "validation":
            return cls(train[fit], train[held_out])
        return cls(train[fit], test, train[held_out])


@dataclass(frozen=True, slots=True, eq=False)
class _Fitted:
    pipeline: Pipeline
    seconds: float
    curves: Mapping[str, tuple[float, ...]]


def _take(specification: Specification, rows: NDArray[np.int64]) -> Part:
    """Return rows of a data set opened for them alone: what is mapped of it goes when they do."""
    from sweepmark.data import open_dataset

    part = open_dataset(specification.data).take(rows)
    return replace(part, y=targets(specification.task, part.y))


def _work(before: sharing.Statistics) -> dict[str, float]:
    """Return what was shared since then: how much of the work was there already."""
    now = sharing.statistics()
    return {
        "prepared_hits": now.prepared_hits - before.prepared_hits,
        "kernel_hits": now.kernel_hits - before.kernel_hits,
        "shared_seconds": now.shared_seconds - before.shared_seconds,
    }


def _fit(
    specification: Specification, rows: _Rows, cut: float | None, *, key: str | None
) -> _Fitted:
    """Fit on the training rows; epoch by epoch, where it is asked for, watching what it may."""
    pipeline = build_pipeline(specification)
    opened: Callable[[], Part] = partial(_take, specification, rows.fit)
    n_epochs = specification.method.get("epochs")
    if n_epochs is None:
        return _Fitted(pipeline, fitting.fit(pipeline, opened, key=key), {})
    held_out = rows.watched
    if specification.method["name"] != "test":
        held_out = rows.scored
    seconds, curves = fitting.fit_epochs(
        pipeline,
        opened,
        None if held_out is None else partial(_take, specification, held_out),
        key=key,
        n_epochs=n_epochs,
        threshold=cut,
    )
    return _Fitted(pipeline, seconds, curves)


def _score(
    pipeline: Pipeline, rows: NDArray[np.int64], y: NDArray[np.int64], answer: fitting.Answer
) -> tuple[dict[str, float], Predictions]:
    y_pred, scores, probabilities = answer
    predictions = Predictions(rows=rows, y_true=y, y_pred=y_pred, scores=scores)
    figures = score(predictions, tuple(int(label) for label in pipeline.classes_))
    if probabilities is not None and not np.isnan(probabilities).any():
        figures[metrics.LOG_LOSS] = log_loss(y, probabilities, pipeline.classes_)
    return figures, predictions


def _watched(
    specification: Specification, fitted: _Fitted, rows: _Rows, cut: float | None
) -> dict[str, float]:
    """Return the last figures of the curves, and those of rows that are watched without epochs.

    Of rows that are scored anyway there is no need to say the same twice.
    """
    last = {name: values[-1] for name, values in fitted.curves.items() if math.isfinite(values[-1])}
    if rows.watched is None:
        return {name: value for name, value in last.items() if not metrics.is_validation(name)}
    if not last:
        part = _take(specification, rows.watched)
        answer, _ = fitting.ask(fitted.pipeline, part.X, threshold=cut)
        figures, _ = _score(fitted.pipeline, rows.watched, part.y, answer)
        last[metrics.VALIDATION_ACCURACY] = figures[metrics.ACCURACY]
        if metrics.LOG_LOSS in figures:
            last[metrics.validation(metrics.LOSS)] = figures[metrics.LOG_LOSS]
    return last


def _threshold(
    specification: Specification, rows: NDArray[np.int64], *, key: str | None
) -> tuple[float | None, float]:
    """Return the threshold, chosen on cross-validated scores where a rule is given, and seconds.

    The rows are those fitted on: neither test rows nor rows held out take part.
    """
    asked = specification.method.get("threshold")
    if not isinstance(asked, dict):
        return asked, 0.0
    y = _take(specification, rows).y
    scores = np.empty(len(rows))
    seconds = 0.0
    for fold in range(asked["n_splits"]):
        fit, held_out = fold_rows(asked | {"fold": fold}, y)
        parts = _Rows(rows[fit], rows[held_out])
        fitted = _fit(specification, parts, None, key=key and f"{key} {fold}")
        X = _take(specification, rows[held_out]).X
        (_, found, _), predict_seconds = fitting.ask(fitted.pipeline, X)
        if found is None:
            raise ValueError("a threshold needs one score a row")
        scores[held_out] = found
        seconds += fitted.seconds + predict_seconds
    rule = threshold.parse_threshold(asked["rule"])
    assert isinstance(rule, threshold.Rule)  # noqa: S101 -- numbers are written as numbers
    return threshold.choose(rule, y == np.unique(y)[1], scores), seconds


def _texts(caught: Sequence[warnings.WarningMessage]) -> tuple[str, ...]:
    """Return the first line of each warning, each once."""
    firsts = ((item.category, str(item.message).strip().partition("\n")[0]) for item in caught)
    return tuple(dict.fromkeys(f"{category.__name__}: {line}" for category, line in firsts))
