"""The evaluations that a configuration asks for: one of the test part, or one a fold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.errors import ConfigurationError
from sweepmark.specification.labelling import name_labels
from sweepmark.specification.method import check_classifier, resolve_methods
from sweepmark.specification.recipe import CLASSIFIER, recipe_versions, resolve_recipe
from sweepmark.specification.specification import Specification, canonical_json
from sweepmark.specification.split import check_classes, resolve_split, split_rows
from sweepmark.specification.task import positive_class, resolve_task, targets, task_labels

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sweepmark.config.schema import Config
    from sweepmark.data import Dataset, Labels

_SELECTOR = "sklearn.compose.make_column_selector"

__all__ = ["Rows", "final_config", "specify", "specify_test", "trained_names"]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Rows:
    """The part of a trial's evaluations that does not depend on its recipe.

    Attributes
    ----------
    split, task : mapping
        As :func:`resolve_split` and :func:`resolve_task` return them.
    methods : tuple of mapping
        One an evaluation.
    labels : Labels
        The labels of the training part.
    """

    split: Mapping[str, Any]
    task: Mapping[str, Any]
    methods: tuple[Mapping[str, Any], ...]
    labels: Labels

    @classmethod
    def of(cls, config: Config, dataset: Dataset) -> Rows:
        """Return the rows that a configuration asks for.

        Raises
        ------
        ConfigurationError
            If it asks for some that do not exist, or that do not allow training.
        """
        _check_labels(dataset)
        split = resolve_split(config.split, dataset)
        train, test = split_rows(split, dataset)
        y_train, y_test = dataset.y[train], dataset.y[test]
        task = resolve_task(config.task, dataset, np.unique(y_train))
        labels = task_labels(task, dataset)
        codes = targets(task, y_train)
        y_train, y_test = labels.decode(codes), labels.decode(targets(task, y_test))
        check_classes(y_train, y_test, config.evaluation, config.split.column)
        ranks = None if dataset.ranks is None else dataset.ranks[train]
        methods = resolve_methods(config, y_train, ranks)
        return cls(split=split, task=task, methods=methods, labels=labels.only(np.unique(codes)))

    def specify(
        self, config: Config, data: str, *, trusted: Sequence[str] = ()
    ) -> tuple[Specification, ...]:
        """Return the evaluations of a configuration's recipe on these rows of a data set."""
        preprocess, classifier = _labelled(
            *resolve_recipe(config, trusted=trusted),
            self.labels,
            positive=positive_class(self.task),
            trusted=trusted,
        )
        check_classifier(config.evaluation, classifier, trusted=trusted)
        versions = recipe_versions([*preprocess.values(), classifier], trusted)
        return tuple(
            Specification(
                data=data,
                split=self.split,
                task=self.task,
                method=method,
                preprocess=preprocess,
                classifier=classifier,
                seed=config.seed,
                threads=config.engine.threads,
                versions=versions,
            )
            for method in self.methods
        )


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
    _check_columns(config.preprocess, dataset)
    return Rows.of(config, dataset).specify(config, dataset.digest, trusted=trusted)


def _check_columns(preprocess: Mapping[str, Any], dataset: Dataset) -> None:
    """Raise if columns are selected by their types where there are no such columns."""
    if dataset.is_frame or _SELECTOR not in canonical_json(preprocess):
        return
    remedy = "Set dataset.table=mixed" if dataset.feature_names else "Take preprocess=standard"
    raise ConfigurationError(
        f"columns can be selected by their types in a mixed table, but {dataset.name} has an array "
        f"of numbers. {remedy}."
    )


def specify_test(config: Config, dataset: Dataset, *, trusted: Sequence[str] = ()) -> Specification:
    """Return the evaluation that fits on the whole training part and scores the test part.

    Raises
    ------
    ConfigurationError
        If the configuration asks for something that cannot be computed.
    """
    (specification,) = specify(final_config(config), dataset, trusted=trusted)
    return specification


def final_config(config: Config) -> Config:
    """Return the configuration that fits on the whole training part and scores the test part."""
    whole = replace(config.evaluation, method="test", validation_fraction=None)
    return replace(config, evaluation=whole)


def trained_names(specification: Specification, dataset: Dataset) -> tuple[str, ...]:
    """Return what the labels of the training part are called."""
    train, _ = split_rows(specification.split, dataset)
    classes = np.unique(targets(specification.task, dataset.y[train]))
    return task_labels(specification.task, dataset).called(classes.tolist())


def _check_labels(dataset: Dataset) -> None:
    """Raise if no split of a data set can have two classes."""
    labels = dataset.classes
    if len(labels) == 1:
        raise ConfigurationError(
            f"{dataset.name} must have two labels or more, but all {dataset.n_rows} rows are "
            f"{dataset.label_text(int(labels[0]))!r}. Set dataset.label to the column of the "
            "labels, or take other data."
        )


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
