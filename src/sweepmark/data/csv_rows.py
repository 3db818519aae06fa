"""New rows for a model: a CSV file with the columns of its data set, with or without labels."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sweepmark.config.schema import DatasetConfig
from sweepmark.data.csv_lines import column_cells, read_header
from sweepmark.data.table import read_columns
from sweepmark.errors import ConfigurationError, DataError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray
    from pandas import DataFrame

    from sweepmark.data.csv_lines import CsvHeader
    from sweepmark.data.dataset import Dataset

__all__ = ["read_ids", "read_rows"]

_HEADER = "Say --header yes or --header no."
_SHOWN = 5  # maximum number of columns in a message
_LABEL = "label"  # name of the label column if the data set's has no name


def read_ids(path: Path, column: str, *, header: bool | None = None) -> tuple[str, ...]:
    """Return the cells of the column that identifies the rows, as they are.

    Parameters
    ----------
    path : Path
        The CSV file, which :func:`read_rows` takes.
    column : str
        The name of the column.
    header : bool or None
        As for that.
    """
    columns = read_header(path, header, remedy=_HEADER)
    return column_cells(path, columns, columns.names.index(column))


def read_rows(
    path: Path,
    dataset: Dataset,
    *,
    header: bool | None = None,
    missing: Sequence[str] = ("",),
    id_column: str | None = None,
) -> tuple[NDArray[Any] | DataFrame, NDArray[np.int64] | None]:
    """Read rows that a model of a data set can predict.

    Columns are matched by name, in any order, if both the file and the data set have names;
    otherwise by position, with the label first if there is one column more than features.

    Parameters
    ----------
    path : Path
        The CSV file.
    dataset : Dataset
        The model's training data.
    header : bool or None
        Whether the first line names the columns; None detects it.
    missing : sequence of str
        Cell texts of a mixed table that mean a missing value.
    id_column : str or None
        The column that identifies the rows; a feature only if the data set has it, by name.

    Returns
    -------
    X : ndarray or DataFrame of shape (n_rows, n_features)
        In the order of the data set's columns.
    y : ndarray of shape (n_rows,), int64, or None
        The labels, if the file has any.

    Raises
    ------
    DataError
        If the columns are not those of the data set, or with row and column of an invalid cell.
    ConfigurationError
        If there is no such ``id_column``.
    """
    columns = read_header(path, header, remedy=_HEADER)
    columns = replace(columns, left_out=_id_place(path, columns, dataset, id_column))
    label = _label_place(path, columns, dataset)
    types = dataset.column_types or {}
    reading = DatasetConfig(
        name=dataset.name,
        format="csv",
        table="mixed" if dataset.is_frame else "numeric",
        types={name: types[name] for name in columns.names if name in types},  # type: ignore[misc]
        missing=tuple(missing),
    )
    X, y, label_names = read_columns(path, reading, columns, label, dataset.label_names)
    if label is not None and label_names != dataset.label_names:
        raise DataError(f"{path}: labels must be numbers as those of {dataset.name} are")
    given = [columns.names[place] for place in columns.others(label)]
    if dataset.feature_names is not None and columns.is_given:
        names = dataset.feature_names
        X = X.select(names) if dataset.is_frame else X[:, [given.index(name) for name in names]]
    if dataset.is_frame:
        X = X.to_pandas()
    return X, None if label is None else y


def _is_named(header: CsvHeader, dataset: Dataset) -> bool:
    return header.is_given and dataset.feature_names is not None


def _id_place(path: Path, header: CsvHeader, dataset: Dataset, id_column: str | None) -> int | None:
    """Return the index of the identifying column, unless the data set has it as well."""
    if id_column is None:
        return None
    if not header.is_given:
        raise ConfigurationError(
            f"--id must name a column, but {path} has no header. Add one, or leave --id out."
        )
    place = header.index(id_column, key="--id")
    own = (*(dataset.feature_names or ()), dataset.label_column)
    return None if id_column in own else place


def _label_place(path: Path, header: CsvHeader, dataset: Dataset) -> int | None:
    """Return the index of the label column; raise if the columns are not the data set's."""
    places = header.others(None)
    n_found, n_features = len(places), dataset.n_features
    if not _is_named(header, dataset):
        if dataset.is_frame:
            raise DataError(
                f"{path}: must have a header with the columns {', '.join(dataset.feature_names)}"
                if dataset.feature_names
                else f"{path}: must have the columns of {dataset.name}, which have no names"
            )
        if n_found not in {n_features, n_features + 1}:
            raise DataError(
                f"{path}: must have the {n_features} features of {dataset.name}, or a label and "
                f"these, but has {n_found} columns. Leave out what is neither."
            )
        return places[0] if n_found == n_features + 1 else None
    features = dataset.feature_names or ()
    label = dataset.label_column or _LABEL
    lacking = [name for name in features if name not in header.names]
    unknown = [header.names[place] for place in places]
    unknown = [name for name in unknown if name not in {*features, label}]
    if lacking or unknown:
        found = " and ".join(
            f"{verb} {', '.join(map(repr, names[:_SHOWN]))}{' …' if len(names) > _SHOWN else ''}"
            for verb, names in (("lacks", lacking), ("has besides", unknown))
            if names
        )
        is_id = len(unknown) == 1 and not lacking and header.left_out is None
        remedy = f" Does it name the rows? Say --id {shlex.quote(unknown[0])}." if is_id else ""
        raise DataError(f"{path}: must have the columns of {dataset.name}, but {found}.{remedy}")
    return header.names.index(label) if label in header.names else None
