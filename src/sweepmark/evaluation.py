"""An evaluation: what a configuration asks for, and computing it.

Evaluating a Specification gives a Scorecard and nothing else happens: nothing is written, logged
or remembered. Everything that is fitted is fitted on training rows.
"""

from __future__ import annotations

import time
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.recipe import build_pipeline, recipe_versions, resolve_recipe
from sweepmark.scorecard import Predictions, Scorecard, score
from sweepmark.specification import Specification
from sweepmark.split import check_classes, check_folds, fold_rows, resolve_split, split_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from sklearn.pipeline import Pipeline

    from sweepmark.config.schema import Config
    from sweepmark.data import Dataset

__all__ = ["evaluate", "predict", "specify", "specify_test"]


def specify(
    config: Config, dataset: Dataset, *, trusted: Sequence[str] = ()
) -> tuple[Specification, ...]:
    """Return the evaluations that a trial of this configuration is made of.

    One for ``evaluation=test``, one a fold for ``evaluation=cv``.

    Raises
    ------
    ConfigurationError
        If the configuration asks for something that cannot be computed.
    """
    test = specify_test(config, dataset, trusted=trusted)
    train_rows, test_rows = split_rows(test.split, dataset)
    y_train = dataset.y[train_rows]
    check_classes(y_train, dataset.y[test_rows], config.evaluation)
    if config.evaluation.method == "test":
        return (test,)
    method = {
        "name": "fold",
        "n_splits": config.evaluation.n_splits,
        "stratified": config.evaluation.stratified,
        "shuffle": config.evaluation.shuffle,
        "seed": config.seed if config.evaluation.shuffle else None,
    }
    methods = [method | {"fold": fold} for fold in range(config.evaluation.n_splits)]
    if not config.evaluation.stratified:
        check_folds(y_train, methods)
    return tuple(replace(test, method=one) for one in methods)


def specify_test(config: Config, dataset: Dataset, *, trusted: Sequence[str] = ()) -> Specification:
    """Return the evaluation that fits on the training part and scores the test part.

    Raises
    ------
    ConfigurationError
        If the configuration asks for something that cannot be computed.
    """
    preprocess, classifier = resolve_recipe(config, trusted=trusted)
    return Specification(
        data=dataset.digest,
        split=resolve_split(config.split, dataset),
        task={"name": config.task.name},
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
        Whether the Scorecard carries the fitted Pipeline.

    Returns
    -------
    Scorecard

    Raises
    ------
    DataError
        If the data set is not in the cache.
    Exception
        Whatever the estimator raises.
    """
    from threadpoolctl import threadpool_limits

    from sweepmark.data import open_dataset

    train, test = _rows(specification, open_dataset(specification.data))
    pipeline = build_pipeline(specification)
    with (
        threadpool_limits(specification.threads),
        warnings.catch_warnings(record=True) as caught,
    ):
        warnings.simplefilter("always")
        fit_seconds = _fit(pipeline, specification.data, train)
        scored = open_dataset(specification.data).take(test)
        y_pred, scores, predict_seconds = predict(pipeline, scored.X)
    predictions = Predictions(rows=test, y_true=scored.y, y_pred=y_pred, scores=scores)
    classes = tuple(int(label) for label in pipeline.classes_)
    return Scorecard(
        metrics=score(predictions, classes),
        classes=classes,
        predictions=predictions,
        n_train=len(train),
        n_test=len(test),
        fit_seconds=fit_seconds,
        predict_seconds=predict_seconds,
        warnings=_texts(caught),
        model=_dump(pipeline) if keep_model else None,
    )


def _rows(
    specification: Specification, dataset: Dataset
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    train, test = split_rows(specification.split, dataset)
    if specification.method["name"] == "test":
        return train, test
    fit, held_out = fold_rows(specification.method, dataset.y[train])
    return train[fit], train[held_out]


def _fit(pipeline: Pipeline, digest: str, rows: NDArray[np.int64]) -> float:
    """Fit a Pipeline on rows of a data set and return the seconds it took.

    It is what ``Pipeline.fit`` does, but it holds no step's input longer than that step needs it:
    the rows are opened here, and forgotten with the first transformation.
    """
    from sweepmark.data import open_dataset

    part = open_dataset(digest).take(rows)
    X, y = part.X, part.y
    del part
    started = time.perf_counter()
    for _, step in pipeline.steps[:-1]:
        X = step.fit_transform(X, y)
    pipeline.steps[-1][1].fit(X, y)
    return time.perf_counter() - started


def predict(
    pipeline: Pipeline, X: NDArray[Any]
) -> tuple[NDArray[np.int64], NDArray[np.float64] | None, float]:
    """Return labels, scores if the classifier gives any, and the seconds the labels took."""
    started = time.perf_counter()
    for _, step in pipeline.steps[:-1]:
        X = step.transform(X)
    classifier = pipeline.steps[-1][1]
    y_pred = np.asarray(classifier.predict(X), dtype=np.int64)
    seconds = time.perf_counter() - started
    return y_pred, _scores(classifier, X), seconds


def _scores(classifier: Any, X: NDArray[Any]) -> NDArray[np.float64] | None:
    """Return one column a class, or one in all for two classes; None if there are none such."""
    n_classes = len(classifier.classes_)
    for method in ("decision_function", "predict_proba"):
        if not hasattr(classifier, method):
            continue
        scores = np.asarray(getattr(classifier, method)(X), dtype=np.float64)
        if n_classes == 2:  # noqa: PLR2004
            return scores[:, 1] if scores.ndim > 1 else scores
        if scores.shape == (len(X), n_classes) and not _scores_pairs(classifier):
            return scores
    return None


def _scores_pairs(classifier: Any) -> bool:
    """Tell whether the columns are pairs of classes: of three classes there are three pairs."""
    parameters = classifier.get_params(deep=True)
    return any(
        name.endswith("decision_function_shape") and value == "ovo"
        for name, value in parameters.items()
    )


def _dump(pipeline: Pipeline) -> bytes:
    """Return the fitted pipeline; a classifier that can be written as scikit-learn's own is."""
    from sweepmark.models import dump

    name, classifier = pipeline.steps[-1]
    if hasattr(classifier, "to_sklearn"):
        pipeline.steps[-1] = (name, classifier.to_sklearn())
    return dump(pipeline)


def _texts(caught: Sequence[warnings.WarningMessage]) -> tuple[str, ...]:
    """Return the first line of each warning, each once."""
    firsts = ((item.category, str(item.message).strip().partition("\n")[0]) for item in caught)
    return tuple(dict.fromkeys(f"{category.__name__}: {line}" for category, line in firsts))
