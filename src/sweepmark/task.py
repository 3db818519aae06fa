"""The Task: what is predicted, the labels as they stand or one of them against the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.errors import ConfigurationError, unknown_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from sweepmark.config.schema import TaskConfig
    from sweepmark.data import Dataset

__all__ = ["class_names", "resolve_task", "targets"]

_IS_DIGIT = "is_digit"


def resolve_task(config: TaskConfig, dataset: Dataset) -> dict[str, Any]:
    """Return the task as plain values: only what decides what is predicted.

    Parameters
    ----------
    config : TaskConfig
        Group ``task``.
    dataset : Dataset
        Whose labels are predicted.

    Returns
    -------
    dict
        ``name``, and for ``is_digit`` the label that counts as ``positive``.

    Raises
    ------
    ConfigurationError
        If a positive label is missing, superfluous, or none of the data set.
    """
    if config.name != _IS_DIGIT:
        if config.positive is not None:
            raise ConfigurationError(
                f"task={config.name} takes every label as it stands, but got "
                f"task.positive={config.positive}. Set task={_IS_DIGIT}."
            )
        return {"name": config.name}
    labels = {dataset.label_text(label): label for label in dataset.classes.tolist()}
    if config.positive is None:
        raise ConfigurationError(
            f"task={_IS_DIGIT} must be told which label counts as positive. "
            f"Set task.positive=… to one of {', '.join(labels)}."
        )
    if str(config.positive) not in labels:
        raise ConfigurationError(unknown_name("task.positive", str(config.positive), labels))
    return {"name": _IS_DIGIT, "positive": labels[str(config.positive)]}


def targets(task: Mapping[str, Any], y: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return what a classifier is to learn of labels.

    Parameters
    ----------
    task : mapping
        From :func:`resolve_task`.
    y : ndarray of shape (n,), int64
        Labels of the data set.

    Returns
    -------
    ndarray of shape (n,), int64
        The labels themselves; of ``is_digit`` 1 where it is the positive one, 0 elsewhere.
    """
    if task["name"] != _IS_DIGIT:
        return y
    return np.asarray(y == task["positive"], dtype=np.int64)


def class_names(
    task: Mapping[str, Any], dataset: Dataset | None, classes: Sequence[int]
) -> list[str]:
    """Return what people call the classes of a Scorecard.

    Parameters
    ----------
    task : mapping
        From :func:`resolve_task`.
    dataset : Dataset or None
        Whose labels were predicted; None, or one without a name for a label, leaves its number.
    classes : sequence of int
        The Scorecard's.
    """
    names = None if dataset is None else dataset.label_names
    known = dict(enumerate(names or ()))
    if task["name"] != _IS_DIGIT:
        return [known.get(label, str(label)) for label in classes]
    positive = known.get(task["positive"], str(task["positive"]))
    return [positive if label else f"not {positive}" for label in classes]
