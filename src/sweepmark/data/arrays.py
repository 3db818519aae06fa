"""Data sets given by a Python program as arrays or frames, kept in the cache by their digest.

A configuration names such a data set by ``format: cache`` and its digest, so that workers, a resume
and the command line find it.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.data import cache, entry
from sweepmark.data.columns import widen
from sweepmark.data.frames import content_digest, frame_columns, frame_features
from sweepmark.data.labels import LabelError, encode_labels
from sweepmark.data.table_entry import write_tables
from sweepmark.errors import ConfigurationError, DataError, FetchError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from sweepmark.config.schema import DatasetConfig
    from sweepmark.data.dataset import Dataset

    Pair = tuple[Any, Any]

__all__ = ["keep_arrays", "keep_entry", "load_kept"]

_DIGEST = re.compile(r"[0-9a-f]{64}")  # it is used as a folder name
_NUMERIC = "biuf"
_OF_IMAGES = 3  # dimensions of an array of grey images
_PLAIN = (str, bool, int, float, np.generic)


def keep_arrays(
    train: Any, *, test: Pair | None = None, name: str, image_shape: tuple[int, int] | None = None
) -> Dataset:
    """Write features and labels into the cache, unless they are there, and return the data set.

    Numbers without missing values become an array of float64, or of uint8 if they are whole and in
    [0, 255]; text or missing values make a frame of columns, as in a mixed CSV table.

    Parameters
    ----------
    train : (X, y)
        ``X`` is an array or DataFrame of shape (n_rows, n_features), or grey images as an array of
        shape (n_rows, height, width). ``y`` has shape (n_rows,): whole numbers, booleans or text;
        or it is the name of a column of ``X``.
    test : (X, y) or None
        The official test rows, if there are any.
    name : str
        What the data set is called.
    image_shape : (int, int) or None
        Height and width of the image in each row.

    Raises
    ------
    DataError
        If values cannot be kept: other types, infinity, a missing label, no rows, other columns in
        the test part.
    """
    frames: dict[str, Any] = {}
    labels: dict[str, NDArray[np.int64]] = {}
    names: tuple[str, ...] | None = None
    has_names, column = False, None
    for role, pair in {"train": train, "test": test}.items():
        if pair is None:
            continue
        X, y, label = _parted(pair)
        frame, shape, is_named = _frame(X)
        labels[role], names = _labels(y, names, is_test=role == "test")
        if len(frame) != len(labels[role]) or not len(frame):
            raise DataError(
                f"X and y must have as many rows as each other, and at least one, but got "
                f"{len(frame)} and {len(labels[role])}"
            )
        frames[role] = frame
        if role == "train":
            image_shape, has_names, column = image_shape or shape, is_named, label
    _check_columns(frames, image_shape)
    features = _features(frames)
    meta = {
        "layout": entry.LAYOUT,
        "source": "a Python program",
        "files": {f"{role}_table": content_digest(features[role], labels[role]) for role in frames},
        "image_shape": image_shape,
        "feature_names": list(map(str, frames["train"].columns)) if has_names else None,
        "label_column": column,
        "label_names": names,
    }
    digest = hashlib.sha256(json.dumps(meta).encode()).hexdigest()
    parts = {role: (features[role], labels[role]) for role in frames}

    def fill(folder: Path) -> None:
        write_tables(folder, parts, {**meta, "name": name, "digest": digest, "identifiers": {}})

    return replace(keep_entry(digest, fill), name=name)


def load_kept(config: DatasetConfig) -> Dataset:
    """Return a data set of the cache by its digest.

    Raises
    ------
    ConfigurationError
        If ``dataset.digest`` is no digest.
    FetchError
        If it is no longer in the cache.
    """
    digest = config.digest or ""
    if not _DIGEST.fullmatch(digest):
        raise ConfigurationError(
            f"dataset.digest must be 64 hexadecimal digits, but got {digest!r}. It names a data "
            "set that Python gave: sweepmark.load_dataset((X, y)).digest"
        )
    try:
        return replace(entry.open_entry(digest), name=config.name)
    except NotFoundError:
        raise FetchError(
            f"{config.name}: this data set came from a Python program, and is not in the cache "
            f"{cache.root()} any more (digest {digest[:12]}). Give the same arrays again, by "
            "sweepmark.load_dataset: they have the same digest."
        ) from None


def keep_entry(digest: str, fill: Callable[[Path], None]) -> Dataset:
    """Return the entry of the cache with this digest; if there is none, have its folder filled."""
    with cache.claim(digest, on_wait=lambda: None) as work:
        try:
            return entry.open_entry(digest)
        except NotFoundError:
            pass
        except entry.DamagedError:
            entry.discard(digest, work)
        finished = work / "entry"
        finished.mkdir()
        fill(finished)
        cache.publish(finished, cache.entry_folder(digest))
    return entry.open_entry(digest)


def _no_pair(given: Any) -> str:
    if hasattr(given, "columns"):
        return (
            "a DataFrame must come with its labels: (frame, 'COLUMN'), where COLUMN is one of "
            f"{', '.join(map(str, list(given.columns)[:8]))}, or (frame, labels)."
        )
    return (
        "a data set must be a name, (X, y), (DataFrame, column) or what sweepmark.load_dataset "
        f"returns, but is of type {type(given).__name__}."
    )


def _parted(pair: Any) -> tuple[Any, Any, str | None]:
    """Return features, labels and what the column of the labels is called."""
    if not isinstance(pair, tuple | list) or len(pair) != 2:  # noqa: PLR2004 -- (X, y)
        raise ConfigurationError(_no_pair(pair))
    X, y = pair
    if not isinstance(y, str):
        name = getattr(y, "name", None)
        return X, y, None if name is None else str(name)
    columns = list(getattr(X, "columns", []))
    if columns.count(y) != 1:
        raise DataError(
            f"labels must be an array or the name of a column of X, but got {y!r}, and the "
            f"columns are {', '.join(map(str, columns)) or 'without names'}"
        )
    return X.drop(columns=[y]), X[y], y


def _frame(X: Any) -> tuple[Any, tuple[int, int] | None, bool]:
    """Return features as a DataFrame, the shape of the image in a row, and whether they are named.

    Raises
    ------
    DataError
        If they are of a kind that cannot be kept.
    """
    import pandas as pd

    if hasattr(X, "to_pandas"):  # Polars and Arrow
        X = X.to_pandas()
    is_named, shape = isinstance(X, pd.DataFrame), None
    if not is_named:
        if hasattr(X, "tocsr"):
            raise DataError("X must be dense, but got a sparse matrix. Give X.toarray()")
        array = np.asarray(X)
        if array.ndim == _OF_IMAGES and array.dtype.kind in _NUMERIC:
            shape = (array.shape[1], array.shape[2])
            array = array.reshape(len(array), -1)
        if array.ndim != 2 or not array.shape[1]:  # noqa: PLR2004 -- rows and columns
            raise DataError(
                f"X must be of shape (n_samples, n_features), but got an array of shape "
                f"{array.shape}"
            )
        X = pd.DataFrame(array, columns=[f"x{place}" for place in range(array.shape[1])])
    frame = X.infer_objects()
    names = list(map(str, frame.columns))
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(
            f"the columns of X must have names of their own, but {twice!r} occurs twice"
        )
    for name, column in zip(
        names, (frame.iloc[:, place] for place in range(len(names))), strict=True
    ):
        _check_cells(name, column)
    return frame, shape, is_named


def _check_cells(name: str, column: Any) -> None:
    import pandas as pd

    if pd.api.types.is_complex_dtype(column.dtype):
        raise DataError(f"column {name!r}: must be real, but is of type {column.dtype}")
    if pd.api.types.is_numeric_dtype(column.dtype):
        wrong = np.isinf(column.to_numpy(dtype=np.float64, na_value=np.nan))
        rule = "must be finite or missing (NaN)"
    elif column.dtype == object:
        given = column.notna().to_numpy()
        wrong = given & np.array([not isinstance(value, _PLAIN) for value in column], dtype=bool)
        rule = "must be a number, a text or missing"
    else:
        return
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise DataError(f"row {row}, column {name!r}: {rule}, but got {column.iloc[row]}")


def _labels(
    y: Any, names: tuple[str, ...] | None, *, is_test: bool
) -> tuple[NDArray[np.int64], tuple[str, ...] | None]:
    """Return labels as integers, and their names if they are text or booleans."""
    import pandas as pd

    values = y if isinstance(y, pd.Series) else np.asarray(y)
    if values.ndim != 1:
        raise DataError(f"y must be of shape (n_samples,), but got {values.shape}. Give y.ravel()")
    column = pd.Series(values).infer_objects()
    cells = [None if pd.isna(value) else str(value) for value in column]
    is_text = all(isinstance(value, str) for value in column)
    if is_test and names is None and is_text:
        raise DataError("training and test labels must both be numbers or both text")
    try:
        return encode_labels(cells, names, is_text=is_text)
    except LabelError as error:
        part = "test " if is_test else ""
        found = column.iloc[error.row]
        raise DataError(f"{part}row {error.row}: {error.rule}, but got {found}") from None


def _check_columns(frames: Mapping[str, Any], image_shape: tuple[int, int] | None) -> None:
    train = list(map(str, frames["train"].columns))
    if image_shape is not None and image_shape[0] * image_shape[1] != len(train):
        raise DataError(
            f"image_shape must have as many pixels as there are features, but "
            f"{image_shape[0]} x {image_shape[1]} is not {len(train)}"
        )
    for frame in frames.values():
        if list(map(str, frame.columns)) != train:
            raise DataError(
                f"both parts must have the same columns, but got {', '.join(train[:5])} "
                f"and {', '.join(map(str, frame.columns[:5]))}"
            )


def _features(frames: Mapping[str, Any]) -> dict[str, Any]:
    """Return the features of each part, all as arrays or all as columns of the same types."""
    found = {role: frame_features(frame) for role, frame in frames.items()}
    if not all(isinstance(X, np.ndarray) for X in found.values()):
        found = {role: frame_columns(frame) for role, frame in frames.items()}
        for name in map(str, frames["train"].columns):
            columns = [X.column(name) for X in found.values()]
            if len({one.type for one in columns if one.null_count < len(one)}) > 1:
                raise DataError(f"column {name!r}: must be numbers in both parts or text in both")
    wide = dict(zip(found, widen(list(found.values())), strict=True))
    # pandas has its values column by column; rows in order, as a CSV file's are, add up alike.
    return {
        role: np.ascontiguousarray(X) if isinstance(X, np.ndarray) else X
        for role, X in wide.items()
    }
