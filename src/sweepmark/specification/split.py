"""The split of a data set into training and test rows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.errors import ConfigurationError, DataError
from sweepmark.specification.folds import are_stratified
from sweepmark.specification.groups import first_groups

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from sweepmark.config.schema import EvaluationConfig, SplitConfig
    from sweepmark.config.split import SplitColumn
    from sweepmark.data import Dataset

__all__ = [
    "check_classes",
    "resolve_split",
    "split_rows",
    "stratified_order",
]


def resolve_split(config: SplitConfig, dataset: Dataset) -> dict[str, Any]:
    """Return the split as plain values: only what affects which rows are used.

    Parameters
    ----------
    config : SplitConfig
        Group ``split``.
    dataset : Dataset
        The data set to split.

    Returns
    -------
    dict
        ``source`` ("official", "pooled" or "train"), ``n_train``, ``n_test``, and for pooled rows
        ``train_ratio`` and ``seed``, and ``head``, ``groups`` or ``order`` if there is one.

    Raises
    ------
    ConfigurationError
        If there are not enough rows, or one part would be empty.
    """
    source = config.source
    if source == "auto":
        source = "pooled" if dataset.test is None else "official"
    if config.column is not None:
        return _resolve_divided(config, config.column, dataset, source)
    if source == "official":
        return _resolve_official(config, dataset)
    return _resolve_cut(config, dataset, source)


def _resolve_official(config: SplitConfig, dataset: Dataset) -> dict[str, Any]:
    if config.head is not None:
        raise ConfigurationError(
            f"split.head={config.head} cuts the first rows of a file, but split.source=official "
            "takes the official parts. Set split.source=train."
        )
    if dataset.test is None:
        raise ConfigurationError(
            f"split.source=official needs official parts, but {dataset.name} has none. "
            "Set split.source=pooled."
        )
    available = len(dataset.train.y), len(dataset.test.y)
    if config.size is None:
        n_train, n_test = available
    else:
        n_train, n_test = _parts(config.size, config.train_ratio)
    if n_train > available[0] or n_test > available[1]:
        largest = _largest(config.train_ratio, *available)
        raise ConfigurationError(_too_large(config, dataset, largest))
    return {"source": "official", "n_train": n_train, "n_test": n_test}


def _resolve_cut(config: SplitConfig, dataset: Dataset, source: str) -> dict[str, Any]:
    n_rows = len(dataset.train.y)
    if source == "pooled" and dataset.test is not None:
        n_rows += len(dataset.test.y)
    head = {} if config.head is None else {"head": config.head}
    if config.head is not None and config.head > n_rows:
        raise ConfigurationError(
            f"split.head must be at most {n_rows} for {dataset.name}, but got {config.head}."
        )
    n_rows = config.head or n_rows
    if config.size is not None and config.size > n_rows:
        raise ConfigurationError(_too_large(config, dataset, n_rows))
    n_train, n_test = _parts(config.size or n_rows, config.train_ratio)
    return {
        "source": source,
        "n_train": n_train,
        "n_test": n_test,
        "train_ratio": config.train_ratio,
        "seed": config.seed,
        **head,
    }


def _resolve_divided(
    config: SplitConfig, by: SplitColumn, dataset: Dataset, source: str
) -> dict[str, Any]:
    """Return the split by a column: into whole groups, or at a place in the order."""
    if source == "official":
        raise ConfigurationError(
            f"{by} chooses the test rows, but split.source=official takes official ones. "
            "Set split.source=auto."
        )
    whole = _resolve_cut(replace(config, size=None), dataset, source)
    n_rows = whole["n_train"] + whole["n_test"]
    whole |= {by.role: by.name, "n_train": n_rows, "n_test": n_rows}
    if by.role == "order":
        del whole["seed"]  # nothing is drawn
    available = [len(rows) for rows in split_rows(whole, dataset)]
    if not all(available):
        raise ConfigurationError(
            f"both parts must have a group, but column {by.name!r} has one value only. "
            f"Set {by.key}=null."
        )
    n_train, n_test = available
    if config.size is not None:
        n_train, n_test = _parts(config.size, config.train_ratio)
    if n_train > available[0] or n_test > available[1]:
        raise ConfigurationError(
            _too_large(config, dataset, _largest(config.train_ratio, *available))
        )
    return whole | {"n_train": n_train, "n_test": n_test}


def _parts(size: int, train_ratio: float) -> tuple[int, int]:
    n_train = round(size * train_ratio)
    if n_train in {0, size}:
        raise ConfigurationError(
            f"both parts must have rows, but split.size={size} with "
            f"split.train_ratio={train_ratio} gives {n_train} and {size - n_train}. "
            "Set a larger split.size."
        )
    return n_train, size - n_train


def _largest(train_ratio: float, n_train: int, n_test: int) -> int:
    """Return the largest size for which both parts have enough rows."""
    bounds = (n_train + 0.5) / train_ratio, (n_test + 0.5) / (1 - train_ratio)
    size = int(min(bounds)) + 2
    while round(size * train_ratio) > n_train or size - round(size * train_ratio) > n_test:
        size -= 1
    return size


def _too_large(config: SplitConfig, dataset: Dataset, largest: int) -> str:
    return (
        f"split.size must be at most {largest} for {dataset.name} at "
        f"split.train_ratio={config.train_ratio}, but got {config.size}. "
        f"Set split.size={largest} or less."
    )


def split_rows(
    split: Mapping[str, Any], dataset: Dataset
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the row numbers of the training and of the test part.

    Rows of the training file count from 0, those of the test file go on after them. Parts of a
    smaller size are heads of those of a larger one, so that growing subsets nest; under ``order``
    the training part is in order, and a smaller one has its last rows, those before the test part.

    Returns
    -------
    train, test : ndarray of shape (n_train,) and (n_test,), int64
    """
    n_train, n_test = split["n_train"], split["n_test"]
    n_file = len(dataset.train.y)
    if split["source"] == "official":
        return np.arange(n_train), n_file + np.arange(n_test)
    labels = dataset.train.y
    if split["source"] == "pooled" and dataset.test is not None:
        labels = np.concatenate([labels, dataset.test.y])
    labels = labels[: split.get("head")]
    cut = round(len(labels) * split["train_ratio"])
    if "order" in split:
        order = np.argsort(_ranks(dataset)[: len(labels)], kind="stable")
        return order[max(cut - n_train, 0) : cut], order[cut:][:n_test]
    order = stratified_order(labels, split["seed"])
    if "groups" in split:
        ranks = _ranks(dataset)[: len(labels)]
        drawn = np.random.default_rng(split["seed"]).permutation(np.unique(ranks))
        is_train = first_groups(ranks, drawn, cut)[order]
        return order[is_train][:n_train], order[~is_train][:n_test]
    return order[:cut][:n_train], order[cut:][:n_test]


def _ranks(dataset: Dataset) -> NDArray[np.int64]:
    if dataset.ranks is None:
        raise DataError(f"{dataset.name} was kept without the column that its rows are divided by")
    return dataset.ranks


def stratified_order(y: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Return an order of all rows in which every prefix is approximately stratified.

    Each class is shuffled and spread evenly over the unit interval; rows are sorted by their
    position there, ties in random order.

    Parameters
    ----------
    y : ndarray of shape (n,)
        Labels.
    seed : int
        Seed of the shuffle.

    Returns
    -------
    ndarray of shape (n,), int64
    """
    generator = np.random.default_rng(seed)
    shuffled = generator.permutation(len(y))
    place = np.empty(len(y))
    for label in np.unique(y):
        members = shuffled[y[shuffled] == label]
        place[members] = (np.arange(len(members)) + generator.random()) / len(members)
    return shuffled[np.argsort(place[shuffled], kind="stable")].astype(np.int64)


def check_classes(
    y_train: NDArray[np.int64],
    y_test: NDArray[np.int64],
    evaluation: EvaluationConfig,
    by: SplitColumn | None = None,
) -> None:
    """Raise if the classes do not allow training, before anything starts.

    Raises
    ------
    ConfigurationError
        If there is one class only, the test part has a class that the training part lacks, or a
        class has fewer members than there are folds.
    """
    remedy = "Set a larger split.size."
    if by is not None:
        remedy = f"Set another split.{'seed' if by.role == 'groups' else 'train_ratio'}."
    classes, counts = np.unique(y_train, return_counts=True)
    if len(classes) < 2:  # noqa: PLR2004 -- a classifier needs two
        raise ConfigurationError(
            f"the training part must have two classes or more, but its {len(y_train)} rows have "
            f"{len(classes)}. {remedy}"
        )
    missing = np.setdiff1d(y_test, classes)
    if missing.size:
        raise ConfigurationError(
            f"every class of the test part must be in the training part, but its {len(y_train)} "
            f"rows lack {', '.join(map(str, missing))}. {remedy}"
        )
    is_stratified = are_stratified(evaluation, by)
    if evaluation.method == "cv" and is_stratified and counts.min() < evaluation.n_splits:
        raise ConfigurationError(
            f"every class must have at least evaluation.n_splits={evaluation.n_splits} training "
            f"rows, but class {classes[counts.argmin()]} has {counts.min()}. Set a larger "
            "split.size or fewer folds."
        )
    if evaluation.method == "cv" and len(y_train) < evaluation.n_splits:
        raise ConfigurationError(
            f"there must be at least as many training rows as folds, but there are {len(y_train)} "
            f"for evaluation.n_splits={evaluation.n_splits}."
        )
