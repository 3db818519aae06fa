"""Configurations: composed from conf/ and sweeps/, checked against a typed schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweepmark.config.composition import Composer
from sweepmark.config.dataset import dataset_identity
from sweepmark.config.folders import Folders, SweepFile, description
from sweepmark.config.tree import Tree, lookup, place, resolve
from sweepmark.config.validation import validate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sweepmark.config.schema import DatasetConfig

__all__ = [
    "Composer",
    "Folders",
    "SweepFile",
    "Tree",
    "dataset_config",
    "dataset_identity",
    "dataset_names",
    "description",
    "lookup",
    "place",
    "resolve",
    "validate",
]


def dataset_names(folders: Folders | None = None) -> list[str]:
    """Return the names of the data sets that have configurations."""
    return list((folders or Folders()).groups()["dataset"])


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
        tree = composer.compose([f"dataset={name}", *overrides])
    return validate(resolve(tree)).dataset
