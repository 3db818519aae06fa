"""Miniatures: the evaluations of a family's trials on few rows, which a probe times."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

from sweepmark.errors import ConfigurationError
from sweepmark.specification.specification import canonical_json
from sweepmark.specification.specify import specify

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sweepmark.config.schema import Config
    from sweepmark.coordinator.agenda import Family
    from sweepmark.data import Dataset
    from sweepmark.search.blueprint import Blueprint
    from sweepmark.search.space import Params
    from sweepmark.specification.specification import Specification

__all__ = ["miniatures"]

_SMALLEST = 200  # rows, training and test part together
_MOST_POINTS = 25  # trials of a family
_SEED = 0


def miniatures(
    family: Family, blueprint: Blueprint, load: Callable[[Config], Dataset], trusted: Sequence[str]
) -> list[list[Specification]]:
    """Return the first evaluation of a family's trials at growing numbers of rows.

    Parameters
    ----------
    family : Family
        Its trials; of many, so many are taken, evenly spread over all.
    blueprint : Blueprint
        The sweep.
    load : callable
        Returns a configuration's data set.
    trusted : sequence of str
        Packages allowed besides ours.

    Returns
    -------
    list of list of Specification
        By size, ascending; a size is twice the one before, the last one is the sweep's own.
    """
    configs = [blueprint.config_at(params) for params in _spread(family.params)]
    full = max(item.split["n_train"] + item.split["n_test"] for item in family.evaluations)
    largest = max(item.split["n_train"] for item in family.evaluations)
    sizes: list[list[Specification]] = []
    n_rows = _SMALLEST
    while not sizes or sizes[-1][0].split["n_train"] < largest:
        size = min(n_rows, full)
        try:
            resized = [_resized(config, size, largest / full) for config in configs]
            made = [specify(config, load(config), trusted=trusted)[0] for config in resized]
        except ConfigurationError:  # too few rows of a label, say
            if size == full:
                return sizes
        else:
            sizes.append(_in_order(made))
        n_rows *= 2
    return sizes


def _resized(config: Config, size: int, train_ratio: float) -> Config:
    return replace(config, split=replace(config.split, size=size, train_ratio=train_ratio))


def _spread(items: Sequence[Params]) -> list[Params]:
    """Return at most so many items as are probed, evenly spread over all."""
    n = min(len(items), _MOST_POINTS)
    return [items[len(items) * place // n] for place in range(n)]


def _in_order(specifications: Sequence[Specification]) -> list[Specification]:
    """Return each evaluation once, in random order, but those that may share a kernel together."""
    groups: dict[str, dict[str, Specification]] = {}
    for item in specifications:
        kernel = {name: value for name, value in item.classifier.items() if name != "C"}
        groups.setdefault(canonical_json(kernel), {})[item.key] = item
    generator = random.Random(_SEED)  # noqa: S311 -- not for cryptography
    order = [list(group.values()) for group in groups.values()]
    generator.shuffle(order)
    for group in order:
        generator.shuffle(group)
    return [item for group in order for item in group]
