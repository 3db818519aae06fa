"""Frames as features: one array where that is lossless, otherwise columns of numbers and text."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.data.columns import narrow

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["content_digest", "frame_columns", "frame_features"]


def frame_features(frame: Any) -> Any:
    """Return a frame as one array if that is lossless, else as columns of two types.

    Parameters
    ----------
    frame : DataFrame of shape (n_rows, n_features)
        Columns of numbers, and others.

    Returns
    -------
    ndarray of shape (n_rows, n_features), uint8 or float64; or pyarrow.Table
        An array if every column is of numbers and no value is missing.
    """
    import pandas as pd

    if (frame.dtypes == np.uint8).all():
        return frame.to_numpy()
    if all(map(pd.api.types.is_numeric_dtype, frame.dtypes)):
        X = frame.to_numpy(dtype=np.float64, na_value=np.nan)
        if np.isfinite(X).all():
            return narrow(X)
    return frame_columns(frame)


def frame_columns(frame: Any) -> Any:
    """Return a frame as a pyarrow.Table of float64 and string columns; missing values are null."""
    import pandas as pd
    import pyarrow as pa

    columns = {}
    for name, column in frame.items():
        if pd.api.types.is_numeric_dtype(column.dtype):
            numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
            columns[str(name)] = pa.array(numbers, from_pandas=True)
        else:
            texts = [None if pd.isna(value) else str(value) for value in column]
            columns[str(name)] = pa.array(texts, pa.string())
    return pa.table(columns)


def content_digest(X: Any, y: NDArray[np.int64]) -> str:
    """Return a SHA-256 of the values of features and labels, which depends on no file format.

    Parameters
    ----------
    X : ndarray or pyarrow.Table
        As :func:`frame_features` returns it.
    y : ndarray of shape (n_rows,)
        Labels, or indices of their names.
    """
    hasher = hashlib.sha256()
    if isinstance(X, np.ndarray):
        hasher.update(f"{X.dtype.str} {X.shape}".encode() + X.tobytes())
    else:
        for name in X.schema.names:
            hasher.update(json.dumps([name, X.column(name).to_pylist()]).encode())
    hasher.update(y.tobytes())
    return hasher.hexdigest()
