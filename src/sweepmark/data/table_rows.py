"""New rows for a model: a file with the columns of its data set, with or without labels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sweepmark.data.csv_dialect import is_found_out
from sweepmark.data.table import read_columns
from sweepmark.data.table_formats import open_table
from sweepmark.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray
    from pandas import DataFrame

    from sweepmark.config.schema import DatasetConfig
    from sweepmark.data.dataset import Dataset
    from sweepmark.data.table_file import TableFile

__all__ = ["read_rows"]

_LABEL = "label"  # name of the label column if the data set's has no name
_SHOWN = 5


def read_rows(
    path: Path, dataset: Dataset, config: DatasetConfig, *, header: bool | None = None
) -> tuple[NDArray[Any] | DataFrame, NDArray[np.int64] | None]:
    """Read rows that a model of a data set can predict.

    Columns are matched by name, in any order, if both the file and the data set have names;
    otherwise by position, with the label first if there is one column more than features. Columns
    that were left out of the data set, or that its rows were divided by, may be there, and are
    left out again.

    Parameters
    ----------
    path : Path
        A CSV, Parquet, Feather or npz file.
    dataset : Dataset
        The model's training data.
    config : DatasetConfig
        How these were read.
    header : bool or None
        Whether the first line of a CSV file names the columns; None detects it.

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
    written = replace(config, header=header, label=None)
    if is_found_out(config.separator):  # new rows may be written otherwise
        written = replace(written, separator=None, decimal=None)
    file = open_table(path, written, remedy="Say --header yes or --header no.")
    features, label = _places(file, dataset, config)
    types = dataset.column_types or {}
    reading = replace(
        written,
        table="mixed" if dataset.is_frame else "numeric",
        types={name: types[name] for name in file.names if name in types},  # type: ignore[misc]
    )
    ascending = sorted(features)
    X, y, label_names = read_columns(file, reading, ascending, label, dataset.label_names)
    if label is not None and label_names != dataset.label_names:
        raise DataError(f"{path}: labels must be numbers as those of {dataset.name} are")
    if dataset.is_frame:
        X = X.select([file.names[place] for place in features]).to_pandas()
    elif features != ascending:
        X = X[:, [ascending.index(place) for place in features]]
    return X, None if label is None else y


def _places(
    file: TableFile, dataset: Dataset, config: DatasetConfig
) -> tuple[list[int], int | None]:
    """Return the places of features, in the data set's order, and that of the label."""
    if file.is_named and dataset.feature_names is not None:
        return _by_name(file, dataset, dataset.feature_names, config)
    if dataset.is_frame:
        raise DataError(
            f"{file.path}: must have a header with the columns {', '.join(dataset.feature_names)}"
            if dataset.feature_names
            else f"{file.path}: must have the columns of {dataset.name}, which have no names"
        )
    return _by_position(file, dataset, config)


def _by_position(
    file: TableFile, dataset: Dataset, config: DatasetConfig
) -> tuple[list[int], int | None]:
    places = [place for place in range(len(file.names)) if place not in file.index]
    label: int | None = None
    dropped = {name for name in (*config.drop, dataset.split_column) if name in file.names}
    if file.has_own_labels:
        label = file.own_label
    elif dropped and len(places) == dataset.n_features + len(dropped) + 1:  # as it was trained on
        places = [place for place in places if file.names[place] not in dropped]
        label = places[0] if config.label is None else file.names.index(config.label)
    elif len(places) == dataset.n_features + 1:
        label = places[0]
        if config.label is not None and not file.is_named and config.label in file.names:
            label = file.names.index(config.label)
    features = [place for place in places if place != label]
    if len(features) != dataset.n_features:
        raise DataError(
            f"{file.path}: must have the {dataset.n_features} features of {dataset.name}, or a "
            f"label and these, but has {len(file.names)} columns. Leave out what is neither."
        )
    return features, label


def _by_name(
    file: TableFile, dataset: Dataset, names: tuple[str, ...], config: DatasetConfig
) -> tuple[list[int], int | None]:
    label = dataset.label_column or _LABEL
    left_out = {*config.drop, dataset.split_column, *(file.names[place] for place in file.index)}
    if 0 in file.unnamed:
        left_out.add(file.names[0])  # of some of the rows, an index is no more 0, 1, 2 …
    lacking = [name for name in names if name not in file.names]
    unknown = [name for name in file.names if name not in {*names, label, *left_out}]
    if lacking or unknown:
        raise DataError(
            f"{file.path}: must have the columns of {dataset.name}, but "
            + " and ".join(
                f"{verb} {', '.join(map(repr, found[:_SHOWN]))}{' …' * (len(found) > _SHOWN)}"
                for verb, found in (("lacks", lacking), ("has besides", unknown))
                if found
            )
            + "."
        )
    known = {name: place for place, name in enumerate(file.names)}
    return [known[name] for name in names], known.get(label)
