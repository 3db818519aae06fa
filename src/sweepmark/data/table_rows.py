"""New rows for a model: a file with the columns of its data set, with or without labels."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sweepmark.data.csv_dialect import is_found_out
from sweepmark.data.table import read_columns
from sweepmark.data.table_formats import open_table
from sweepmark.errors import ConfigurationError, DataError

if TYPE_CHECKING:
    from collections.abc import Collection
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
    path: Path,
    dataset: Dataset,
    config: DatasetConfig,
    *,
    header: bool | None = None,
    id_column: str | None = None,
) -> tuple[NDArray[Any] | DataFrame, NDArray[np.int64] | None, tuple[str, ...]]:
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
    id_column : str or None
        The column that names the rows; a feature only if the data set has it.

    Returns
    -------
    X : ndarray or DataFrame of shape (n_rows, n_features)
        In the order of the data set's columns.
    y : ndarray of shape (n_rows,), int64, or None
        The labels, if the file has any.
    ids : tuple of str
        The cells of ``id_column``; empty if that is None.

    Raises
    ------
    DataError
        If the columns are not those of the data set, or with row and column of an invalid cell.
    ConfigurationError
        If there is no such ``id_column``.
    """
    written = replace(config, header=header, label=None)
    if is_found_out(config.separator):  # new rows may be written otherwise
        written = replace(written, separator=None, decimal=None)
    file = open_table(path, written, remedy="Say --header yes or --header no.")
    named = None if id_column is None else _id_place(file, id_column)
    features, label = _places(file, dataset, config, named)
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
    ids: list[str | None] = []
    if named is not None:
        _, ids, _ = file.read([], named, replace(reading, table="mixed", missing=()))
    return X, None if label is None else y, tuple(cell or "" for cell in ids)


def _id_place(file: TableFile, name: str) -> int:
    if not file.is_named:
        raise ConfigurationError(
            f"--id must name a column, but those of {file.path} have no names. Leave --id out."
        )
    return file.place(name, key="--id")


def _places(
    file: TableFile, dataset: Dataset, config: DatasetConfig, named: int | None
) -> tuple[list[int], int | None]:
    """Return the places of features, in the data set's order, and that of the label.

    A column that names the rows is one of them only if the data set has it.
    """
    own = {*(dataset.feature_names or ()), dataset.label_column}
    without = {*file.index} | (
        {named} if named is not None and file.names[named] not in own else set()
    )
    if file.is_named and dataset.feature_names is not None:
        return _by_name(file, dataset, dataset.feature_names, config, without)
    if dataset.is_frame:
        raise DataError(
            f"{file.path}: must have a header with the columns {', '.join(dataset.feature_names)}"
            if dataset.feature_names
            else f"{file.path}: must have the columns of {dataset.name}, which have no names"
        )
    return _by_position(file, dataset, config, without)


def _by_position(
    file: TableFile, dataset: Dataset, config: DatasetConfig, without: Collection[int]
) -> tuple[list[int], int | None]:
    places = [place for place in range(len(file.names)) if place not in without]
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
    file: TableFile,
    dataset: Dataset,
    names: tuple[str, ...],
    config: DatasetConfig,
    without: Collection[int],
) -> tuple[list[int], int | None]:
    label = dataset.label_column or _LABEL
    left_out = {*config.drop, dataset.split_column, *(file.names[place] for place in without)}
    if 0 in file.unnamed:
        left_out.add(file.names[0])  # of some of the rows, an index is no more 0, 1, 2 …
    lacking = [name for name in names if name not in file.names]
    unknown = [name for name in file.names if name not in {*names, label, *left_out}]
    if lacking or unknown:
        found = " and ".join(
            f"{verb} {', '.join(map(repr, those[:_SHOWN]))}{' …' * (len(those) > _SHOWN)}"
            for verb, those in (("lacks", lacking), ("has besides", unknown))
            if those
        )
        is_id = len(unknown) == 1 and not lacking
        remedy = f" Does it name the rows? Say --id {shlex.quote(unknown[0])}." if is_id else ""
        raise DataError(
            f"{file.path}: must have the columns of {dataset.name}, but {found}.{remedy}"
        )
    known = {name: place for place, name in enumerate(file.names)}
    return [known[name] for name in names], known.get(label)
