"""The kind of a table: numbers throughout, or columns of numbers and text with missing values."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from sweepmark.data.csv_dialect import PLAIN
from sweepmark.data.table_loading import load_tables
from sweepmark.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sweepmark.config.schema import DatasetConfig
    from sweepmark.data.dataset import Dataset

__all__ = ["AUTO", "load_auto", "table_kind"]

AUTO = "auto"
"""The setting of ``dataset.table`` that leaves the kind to the file."""


def load_auto(config: DatasetConfig, say: Callable[[str], None]) -> Dataset:
    """Return the data set in a CSV file of either kind: numeric if it can be read so, else mixed.

    Pictures are numbers. A column with a declared type makes a mixed table, and so does a number
    that means a missing value: in a numeric one it would be a number like any other.

    Raises
    ------
    DataError
        If it cannot be read as a mixed table either.
    """
    if config.table != AUTO:
        return load_tables(config, say)
    lines: list[str] = []
    dataset = None
    has_marks = config.image_shape is None and any(map(_is_number, config.missing))
    if set(config.types) <= {config.label} and not has_marks:
        try:
            dataset = load_tables(replace(config, table="numeric"), lines.append)
        except DataError:
            if config.image_shape is not None:
                raise
    if dataset is None:
        lines.clear()
        dataset = load_tables(replace(config, table="mixed"), lines.append)
    for line in lines:
        say(line)
    return dataset


def _is_number(cell: str) -> bool:
    return PLAIN.is_number(cell) or replace(PLAIN, decimal=",").is_number(cell)


def table_kind(dataset: Dataset) -> Literal["numeric", "mixed"]:
    """Return the kind of a table that was loaded, as ``dataset.table`` names it."""
    return "mixed" if dataset.is_frame else "numeric"
