"""The evaluations that a configuration asks for: one of the test part, or one a fold."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.specification.labelling import name_labels
from sweepmark.specification.method import check_classifier, resolve_methods
from sweepmark.specification.recipe import CLASSIFIER, recipe_versions, resolve_recipe
from sweepmark.specification.specification import Specification
from sweepmark.specification.split import check_classes, resolve_split, split_rows
from sweepmark.specification.task import positive_class, resolve_task, targets, task_labels

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from sweepmark.config.schema import Config
    from sweepmark.data import Dataset, Labels

__all__ = ["specify", "specify_test", "trained_names"]


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
    test, y_train, y_test = _specify(config, dataset, trusted=trusted)
    check_classes(y_train, y_test, config.evaluation)
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
    specification, y_train, _ = _specify(config, dataset, trusted=trusted)
    (method,) = resolve_methods(replace(config, evaluation=whole), y_train)
    return replace(specification, method=method)


def trained_names(specification: Specification, dataset: Dataset) -> tuple[str, ...]:
    """Return what the labels of the training part are called."""
    train, _ = split_rows(specification.split, dataset)
    classes = np.unique(targets(specification.task, dataset.y[train]))
    return task_labels(specification.task, dataset).called(classes.tolist())


def _specify(
    config: Config, dataset: Dataset, *, trusted: Sequence[str]
) -> tuple[Specification, NDArray[Any], NDArray[Any]]:
    """Return the evaluation of the test part, and the labels of both parts as the file has them."""
    split = resolve_split(config.split, dataset)
    y_train, y_test = (dataset.y[rows] for rows in split_rows(split, dataset))
    task = resolve_task(config.task, dataset, np.unique(y_train))
    labels = task_labels(task, dataset)
    y_train, y_test = targets(task, y_train), targets(task, y_test)
    preprocess, classifier = _labelled(
        *resolve_recipe(config, trusted=trusted),
        labels.only(np.unique(y_train)),
        positive=positive_class(task),
        trusted=trusted,
    )
    specification = Specification(
        data=dataset.digest,
        split=split,
        task=task,
        method={"name": "test"},
        preprocess=preprocess,
        classifier=classifier,
        seed=config.seed,
        threads=config.engine.threads,
        versions=recipe_versions([*preprocess.values(), classifier], trusted),
    )
    return specification, labels.decode(y_train), labels.decode(y_test)


def _labelled(
    preprocess: Mapping[str, Mapping[str, Any]],
    classifier: Mapping[str, Any],
    labels: Labels,
    *,
    positive: int | None,
    trusted: Sequence[str],
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return components with their labels by name, each one of the training part's."""
    steps = {
        name: name_labels(step, labels, where=f"preprocess.{name}", trusted=trusted)
        for name, step in preprocess.items()
    }
    return steps, name_labels(
        classifier, labels, where=CLASSIFIER, positive=positive, trusted=trusted
    )
