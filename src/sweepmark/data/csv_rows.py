"""New rows for a model: a CSV file with the columns of its data set, with or without labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.config.schema import DatasetConfig
from sweepmark.data.csv_columns import narrow
from sweepmark.data.csv_lines import read_header
from sweepmark.data.table import read_columns
from sweepmark.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from pandas import DataFrame

    from sweepmark.data.csv_lines import CsvHeader
    from sweepmark.data.dataset import Dataset

__all__ = ["read_rows"]

_LABEL = "label"  # name of the label column if the data set's has no name


def read_rows(
    path: Path, dataset: Dataset, *, header: bool | None = None, missing: Sequence[str] = ("",)
) -> tuple[NDArray[Any] | DataFrame, NDArray[np.int64] | None]:
    """Read rows that a model of a data set can predict.

    Columns are matched by name, in any order, if both the file and the data set have names;
    otherwise by position, with the label first if there is one column more than features. The
    column that the data set was divided by may be there, and is left out.

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
    """
    columns = read_header(path, header, remedy="Say --header yes or --header no.")
    label = _label_place(path, columns, dataset)
    types = dataset.column_types or {}
    is_divided = dataset.split_column in columns.names and columns.is_given
    if is_divided and not dataset.is_frame:  # that column may have text
        types = dict.fromkeys(dataset.feature_names or (), "number")
    reading = DatasetConfig(
        name=dataset.name,
        format="csv",
        table="mixed" if dataset.is_frame or is_divided else "numeric",
        types={name: types[name] for name in columns.names if name in types},  # type: ignore[misc]
        missing=tuple(missing),
    )
    X, y, label_names = read_columns(path, reading, columns, label, dataset.label_names)
    if label is not None and label_names != dataset.label_names:
        raise DataError(f"{path}: labels must be numbers as those of {dataset.name} are")
    if is_divided and not dataset.is_frame:
        return _numbers(path, X.select(dataset.feature_names)), None if label is None else y
    given = [name for place, name in enumerate(columns.names) if place != label]
    if dataset.feature_names is not None and columns.is_given:
        names = dataset.feature_names
        X = X.select(names) if dataset.is_frame else X[:, [given.index(name) for name in names]]
    if dataset.is_frame:
        X = X.to_pandas()
    return X, None if label is None else y


def _numbers(path: Path, X: Any) -> NDArray[Any]:
    """Return columns of numbers as an array; none may be missing."""
    for name in X.schema.names:
        if X.column(name).null_count:
            raise DataError(f"{path}: column {name!r} must have a number in every row")
    return narrow(np.column_stack([column.to_numpy() for column in X.columns]))


def _is_named(header: CsvHeader, dataset: Dataset) -> bool:
    return header.is_given and dataset.feature_names is not None


def _label_place(path: Path, header: CsvHeader, dataset: Dataset) -> int | None:
    """Return the index of the label column; raise if the columns are not the data set's."""
    n_found, n_features = len(header.names), dataset.n_features
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
        return 0 if n_found == n_features + 1 else None
    features = dataset.feature_names or ()
    label = dataset.label_column or _LABEL
    lacking = [name for name in features if name not in header.names]
    unknown = [
        name for name in header.names if name not in {*features, label, dataset.split_column}
    ]
    if lacking or unknown:
        raise DataError(
            f"{path}: must have the columns of {dataset.name}, but "
            + " and ".join(
                f"{verb} {', '.join(map(repr, names[:5]))}{' …' if len(names) > 5 else ''}"  # noqa: PLR2004 -- enough to see
                for verb, names in (("lacks", lacking), ("has besides", unknown))
                if names
            )
            + "."
        )
    return header.names.index(label) if label in header.names else None
