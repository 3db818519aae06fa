"""A table: features and labels read from a CSV file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.data.csv_columns import read_mixed, read_numbers
from sweepmark.data.csv_lines import CsvHeader, cell_fault, read_header
from sweepmark.data.labels import MIXED, LabelError, encode_labels
from sweepmark.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from sweepmark.config.schema import DatasetConfig

__all__ = ["ParsedTable", "check_label_range", "read_columns", "read_table"]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ParsedTable:
    """Rows of a CSV file.

    Attributes
    ----------
    X : ndarray of shape (n_rows, n_features), or pyarrow.Table
        An array of uint8 or float64 if all features are numbers; typed columns if the configuration
        has ``table: mixed``.
    y : ndarray of shape (n_rows,), int64
        Labels, or their indices in ``label_names``.
    label_names : tuple of str or None
        Names of the labels, if they are text.
    header : CsvHeader
        All columns.
    label : int
        Index of the label column.
    """

    X: Any
    y: NDArray[np.int64]
    label_names: tuple[str, ...] | None
    header: CsvHeader
    label: int

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the columns of X."""
        return tuple(self.header.names[place] for place in self.header.others(self.label))


def read_table(
    path: Path, config: DatasetConfig, *, label_names: tuple[str, ...] | None = None
) -> ParsedTable:
    """Read a CSV file with labels.

    Parameters
    ----------
    path : Path
        The file: UTF-8, separated by commas.
    config : DatasetConfig
        The label column, whether there is a header, and the types of columns.
    label_names : tuple of str, optional
        The allowed labels.

    Raises
    ------
    DataError
        If the file is invalid, with row and column if possible: a row of another length, text among
        numbers, NaN, infinity, a missing label, no rows, duplicate names.
    ConfigurationError
        If the configuration names an unknown column.
    """
    header = read_header(path, config.header)
    label = 0 if config.label is None else header.index(config.label, key="dataset.label")
    X, y, names = read_columns(path, config, header, label, label_names)
    return ParsedTable(X=X, y=y, label_names=names, header=header, label=label)


def read_columns(
    path: Path,
    config: DatasetConfig,
    header: CsvHeader,
    label: int | None,
    label_names: tuple[str, ...] | None,
) -> tuple[Any, NDArray[np.int64], tuple[str, ...] | None]:
    """Read the rows of a CSV file whose columns are known, with or without labels.

    Parameters
    ----------
    path, config, label_names
        As in :func:`read_table`.
    header : CsvHeader
        The file's columns.
    label : int or None
        Place of the labels.

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
    X: Any
    if config.table == "mixed":
        X, cells = read_mixed(path, header, label, types=config.types, missing=config.missing)
    else:
        X, cells = read_numbers(path, header, label)
    if not X.shape[0]:
        raise DataError(f"{path}: must have rows, but has a header only")
    if label is None:
        return X, np.empty(0, dtype=np.int64), None
    name = header.names[label]
    try:
        return X, *encode_labels(cells, label_names, is_text=config.types.get(name) == "text")
    except LabelError as error:
        remedy = f" (or set ++dataset.types={{{name}:text}})" if error.rule == MIXED else ""
        raise cell_fault(path, header, error.row, label, error.rule + remedy) from None


def check_label_range(table: ParsedTable, path: Path, n_classes: int | None) -> None:
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
        raise cell_fault(path, table.header, int(wrong[0]), table.label, rule)
