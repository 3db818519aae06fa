"""New rows for a model: a CSV file with the columns of its data set, with or without labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sweepmark.config.schema import DatasetConfig
from sweepmark.data.csv_lines import read_header
from sweepmark.data.table import label_values, read_features
from sweepmark.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray
    from pandas import DataFrame

    from sweepmark.data.csv_lines import CsvHeader
    from sweepmark.data.dataset import Dataset

__all__ = ["CsvRows", "read_rows"]

_LABEL = "label"  # name of the label column if the data set's has no name


@dataclass(frozen=True, slots=True, eq=False)
class CsvRows:
    """Rows of a CSV file, with or without labels.

    Attributes
    ----------
    X : ndarray or DataFrame of shape (n_rows, n_features)
        In the order of the data set's columns.
    y : ndarray of shape (n_rows,), int64, or None
        The labels, if the file has any.
    """

    X: NDArray[Any] | DataFrame
    y: NDArray[np.int64] | None


def read_rows(
    path: Path, dataset: Dataset, *, header: bool | None = None, missing: Sequence[str] = ("",)
) -> CsvRows:
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

    Raises
    ------
    DataError
        If the columns are not those of the data set, or with row and column of an invalid cell.
    """
    columns = read_header(path, header, remedy="Say --header yes or --header no.")
    label = _label_place(path, columns, dataset)
    types = dataset.column_types or {}
    reading = DatasetConfig(
        name=dataset.name,
        format="csv",
        table="mixed" if dataset.is_frame else "numeric",
        types={name: types[name] for name in columns.names if name in types},  # type: ignore[misc]
        missing=tuple(missing),
    )
    X, cells = read_features(path, reading, columns, label)
    y = None
    if label is not None:
        y, found = label_values(path, columns, label, cells, dataset.label_names)
        if found != dataset.label_names:
            raise DataError(f"{path}: labels must be numbers as those of {dataset.name} are")
    given = [name for place, name in enumerate(columns.names) if place != label]
    names = dataset.feature_names if _is_named(columns, dataset) else None
    if dataset.is_frame:
        return CsvRows((X.select(list(names)) if names else X).to_pandas(), y)
    return CsvRows(X[:, [given.index(name) for name in names]] if names else X, y)


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
    unknown = [name for name in header.names if name not in {*features, label}]
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
