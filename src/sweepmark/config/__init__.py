"""Configurations: composed from conf/ and sweeps/, checked against a typed schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweepmark.config.composition import Composer
from sweepmark.config.folders import Folders
from sweepmark.config.tree import Tree, lookup, place, resolve
from sweepmark.config.validation import validate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sweepmark.config.schema import DatasetConfig, GradeConfig

__all__ = [
    "Composer",
    "Folders",
    "Tree",
    "dataset_config",
    "dataset_configs",
    "grade_config",
    "lookup",
    "place",
    "resolve",
    "validate",
]


def dataset_config(
    name: str, overrides: Sequence[str] = (), folders: Folders | None = None
) -> DatasetConfig:
    """Return the configuration of one data set, with overrides such as ``dataset.path=…``.

    Raises
    ------
    ConfigurationError
        If there is no such data set, or an override is wrong.
    """
    with Composer(folders or Folders()) as composer:
        return _dataset(composer, name, overrides)


def dataset_configs(folders: Folders | None = None) -> dict[str, DatasetConfig]:
    """Return the configuration of every data set by its name, composed one after the other."""
    with Composer(folders or Folders()) as composer:
        return {name: _dataset(composer, name) for name in composer.groups["dataset"]}


def grade_config(name: str, folders: Folders | None = None) -> GradeConfig:
    """Return a grading rule: an option of group ``grade``.

    Raises
    ------
    ConfigurationError
        If there is no such rule.
    """
    with Composer(folders or Folders()) as composer:
        return validate(resolve(composer.compose([f"grade={name}"]))).grade


def _dataset(composer: Composer, name: str, overrides: Sequence[str] = ()) -> DatasetConfig:
    tree = composer.compose([f"dataset={name}", *overrides])
    return validate(resolve(tree)).dataset
