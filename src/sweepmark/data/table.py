"""A table: features and labels read from a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.data.labels import MIXED, LabelError, encode_labels
from sweepmark.data.table_formats import open_table
from sweepmark.errors import ConfigurationError, DataError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from sweepmark.config.schema import DatasetConfig
    from sweepmark.data.table_file import TableFile

__all__ = ["ParsedTable", "check_label_range", "read_columns", "read_table"]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ParsedTable:
    """Rows of a file with a table.

    Attributes
    ----------
    X : ndarray of shape (n_rows, n_features), or pyarrow.Table
        An array of uint8 or float64 if all features are numbers; typed columns if the configuration
        has ``table: mixed``.
    y : ndarray of shape (n_rows,), int64
        Labels, or their indices in ``label_names``.
    label_names : tuple of str or None
        Names of the labels, if they are text.
    file : TableFile
        The file, with all of its columns.
    label : int
        Place of the label column.
    features : tuple of int
        Places of the columns of X.
    index : tuple of int
        Places of the columns that are left out because they number the rows.
    """

    X: Any
    y: NDArray[np.int64]
    label_names: tuple[str, ...] | None
    file: TableFile
    label: int
    features: tuple[int, ...]
    index: tuple[int, ...]

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the columns of X."""
        return tuple(self.file.names[place] for place in self.features)


def read_table(
    path: Path, config: DatasetConfig, *, train: ParsedTable | None = None
) -> ParsedTable:
    """Read a file with labels.

    Parameters
    ----------
    path : Path
        A CSV, Parquet, Feather or npz file.
    config : DatasetConfig
        How it is written, the label column, the columns that are left out and the types of others.
    train : ParsedTable, optional
        The table of training rows, if the file has test rows: labels are those of it, and a column
        that was left out of it may be lacking.

    Raises
    ------
    DataError
        If the file is invalid, with row and column if possible: a row of another length, text among
        numbers, NaN, infinity, a missing label, no rows, duplicate names.
    ConfigurationError
        If the configuration names an unknown column, or leaves no feature.
    """
    file = open_table(path, config)
    dropped = _dropped(file, config, may_lack=train is not None)
    index = set(file.index)
    if train is not None and 0 in train.index and 0 in file.unnamed:
        index.add(0)  # a part of the rows has a part of their numbers
    label = _label_place(file, config, index | dropped)
    if label in dropped:
        raise ConfigurationError(
            f"dropped columns must be features, but {file.names[label]!r} is the label. Take it "
            "out of dataset.drop, or set dataset.label."
        )
    index -= {label}
    left = [place for place in range(len(file.names)) if place not in {label, *index, *dropped}]
    if not left:
        raise ConfigurationError(
            f"{path}: must have a feature, but all of its columns but the label are left out. Take "
            "one out of dataset.drop."
        )
    names = None if train is None else train.label_names
    X, y, names = read_columns(file, config, left, label, names)
    return ParsedTable(
        X=X,
        y=y,
        label_names=names,
        file=file,
        label=label,
        features=tuple(left),
        index=tuple(sorted(index)),
    )


def _dropped(file: TableFile, config: DatasetConfig, *, may_lack: bool) -> set[int]:
    names = [name for name in config.drop if not may_lack or name in file.names]
    return {file.place(name, key="dataset.drop") for name in names}


def _label_place(file: TableFile, config: DatasetConfig, without: set[int]) -> int:
    """Return the place of the label: as configured, else the first column that is not left out."""
    if config.label is not None:
        return file.place(config.label, key="dataset.label")
    if file.has_own_labels:
        if file.own_label is None:
            raise DataError(f"{file.path}: must have labels, an array y or target.")
        return file.own_label
    places = (place for place in range(len(file.names)) if place not in without)
    label = next(places, None)
    if label is None:
        raise ConfigurationError(
            f"{file.path}: must have a label and a feature, but all of its columns are left out. "
            "Take some out of dataset.drop."
        )
    return label


def read_columns(
    file: TableFile,
    config: DatasetConfig,
    features: Sequence[int],
    label: int | None,
    label_names: tuple[str, ...] | None,
) -> tuple[Any, NDArray[np.int64], tuple[str, ...] | None]:
    """Read the rows of a file, with or without labels.

    Parameters
    ----------
    file : TableFile
        The file.
    config : DatasetConfig
        The types of columns, and what means a missing value.
    features : sequence of int
        Places of the features, ascending.
    label : int or None
        Place of the labels.
    label_names : tuple of str, optional
        The allowed labels.

    Returns
    -------
    X : ndarray or pyarrow.Table
        The features.
    y : ndarray of shape (n_rows,), int64
        The labels, or their indices in ``label_names``; empty if ``label`` is None.
    label_names : tuple of str or None
        Names of the labels, if they are text.

    Raises
    ------
    DataError
        As in :func:`read_table`.
    """
    for name in config.types:
        file.place(name, key="dataset.types")
    X, cells, is_text = file.read(features, label, config)
    if not X.shape[0]:
        raise DataError(f"{file.path}: must have rows, but has a header only")
    if label is None:
        return X, np.empty(0, dtype=np.int64), None
    try:
        return X, *encode_labels(cells, label_names, is_text=is_text)
    except LabelError as error:
        name = file.names[label]
        remedy = f" (or set '++dataset.types={{{name}:text}}')" if error.rule == MIXED else ""
        raise file.fault(error.row, label, error.rule + remedy) from None


def check_label_range(table: ParsedTable, n_classes: int | None) -> None:
    """Raise if a label is not in [0, n_classes), with its row and column.

    Raises
    ------
    DataError
        For the first that is out of range.
    """
    if n_classes is None:
        return
    wrong = np.flatnonzero((table.y < 0) | (table.y >= n_classes))
    if len(wrong):
        rule = f"a label must be in [0, {n_classes - 1}]"
        raise table.file.fault(int(wrong[0]), table.label, rule)
