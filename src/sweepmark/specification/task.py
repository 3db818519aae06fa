"""The task: the target is the labels unchanged, or one of them against the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.data import Labels
from sweepmark.errors import ConfigurationError, unknown_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from sweepmark.config.schema import TaskConfig
    from sweepmark.data import Dataset

__all__ = ["answer_type", "positive_class", "resolve_task", "targets", "task_labels"]

_IS_DIGIT = "is_digit"
_TWO = 2


def resolve_task(
    config: TaskConfig, dataset: Dataset, classes: NDArray[np.int64]
) -> dict[str, Any]:
    """Return the task as plain values: only what affects targets and metrics.

    Parameters
    ----------
    config : TaskConfig
        Group ``task``.
    dataset : Dataset
        Whose labels are predicted.
    classes : ndarray of int64
        The labels of the training part, ascending.

    Returns
    -------
    dict
        ``name``, and ``positive``, the number of the label that counts as positive: of
        ``is_digit``, and of two classes, where it is the second unless another is given.

    Raises
    ------
    ConfigurationError
        If a positive label is missing, not applicable, or not a label of the data set.
    """
    labels = dataset.labels
    if config.name == _IS_DIGIT:
        if config.positive is None:
            raise ConfigurationError(
                f"task={_IS_DIGIT} must be told which label counts as positive. "
                f"Set task.positive=… to one of {', '.join(labels.names)}."
            )
        return {"name": _IS_DIGIT, "positive": _find(config.positive, labels)}
    if len(classes) != _TWO:
        if config.positive is not None:
            raise ConfigurationError(
                f"task={config.name} takes every label as it stands, and of {len(classes)} none is "
                f"the positive one, but got task.positive={config.positive}. Set task={_IS_DIGIT}."
            )
        return {"name": config.name}
    if config.positive is None:
        return {"name": config.name, "positive": int(classes[-1])}
    return {"name": config.name, "positive": _find(config.positive, labels.only(classes))}


def _find(positive: object, labels: Labels) -> int:
    found = labels.find(positive)
    if found is None:
        raise ConfigurationError(unknown_name("task.positive", str(positive), labels.names))
    return found


def positive_class(task: Mapping[str, Any]) -> int | None:
    """Return the positive value of :func:`targets`; None for more than two classes.

    Parameters
    ----------
    task : mapping
        From :func:`resolve_task`.
    """
    return 1 if task["name"] == _IS_DIGIT else task.get("positive")


def task_labels(task: Mapping[str, Any], dataset: Dataset) -> Labels:
    """Return the labels that the codes of :func:`targets` stand for.

    Parameters
    ----------
    task : mapping
        From :func:`resolve_task`.
    dataset : Dataset
        Whose labels are predicted.
    """
    if task["name"] != _IS_DIGIT:
        return dataset.labels
    return Labels.of_one(dataset.label_text(task["positive"]))


def answer_type(config: TaskConfig, dataset: Dataset) -> str:
    """Return the type of a model's predictions, as in :attr:`sweepmark.data.Labels.kind`."""
    if config.name == _IS_DIGIT:
        return "bool"
    return "int64" if dataset.label_names is None else dataset.labels.kind


def targets(task: Mapping[str, Any], y: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the targets of a classifier, as codes.

    Parameters
    ----------
    task : mapping
        From :func:`resolve_task`.
    y : ndarray of shape (n,), int64
        Labels of the data set.

    Returns
    -------
    ndarray of shape (n,), int64
        The labels themselves; for ``is_digit`` 1 for the positive label, 0 otherwise.
    """
    if task["name"] != _IS_DIGIT:
        return y
    return np.asarray(y == task["positive"], dtype=np.int64)
