"""Columns that say which row it is, and not what it is like.

A model that learns them looks better on the rows that it knows than on any others.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["find_identifiers"]

_LEAST = 10  # rows; of fewer, any column may differ in all
_LEAST_DENSE = 50  # rows; of fewer, whole numbers of a small range may differ by chance
_HEAD = 100  # rows that are looked at before all are
_LONGEST = 40  # characters on average: longer texts are content, such as comments
_NAME = re.compile(r"(?i:(.*[\W_])?(id|ids|index|key|no|nr|number|uuid|guid))|.*[a-z](Id|ID|Key)")

_COUNTS, _DIFFERS = "counts the rows", "differs in every row"


def find_identifiers(X: Any, names: Sequence[str]) -> dict[str, str]:
    """Return what gives columns away as identifiers, by their names.

    A column is one if its values are consecutive numbers, or if all differ and they are short
    texts, whole numbers in a range of less than twice the number of rows, or whole numbers in a
    column that is called so.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features), or pyarrow.Table
        The features.
    names : sequence of str
        What the columns are called.

    Examples
    --------
    >>> find_identifiers(np.column_stack([np.arange(10), np.ones(10)]), ("Id", "height"))
    {'Id': 'counts the rows'}
    """
    if X.shape[0] < _LEAST:
        return {}
    if isinstance(X, np.ndarray):
        found = {names[place]: _of_numbers(X[:, place], names[place]) for place in _candidates(X)}
    else:
        found = {name: _of_column(X.column(place), name) for place, name in enumerate(names)}
    return {name: reason for name, reason in found.items() if reason is not None}


def _candidates(X: NDArray[Any]) -> list[int]:
    """Return the places of columns whose first values are whole and differ."""
    if X.dtype == np.uint8 and len(X) > np.iinfo(np.uint8).max + 1:
        return []
    head = np.sort(X[:_HEAD], axis=0)
    differs = (head[1:] != head[:-1]).all(axis=0) & (head == np.rint(head)).all(axis=0)
    return np.flatnonzero(differs).tolist()


def _of_numbers(values: NDArray[Any], name: str) -> str | None:
    values = values.astype(np.float64)
    n_rows = len(values)
    if not np.isfinite(values).all() or (values != np.rint(values)).any():
        return None
    if (np.diff(values) == 1).all():
        return _COUNTS
    if len(np.unique(values)) < n_rows:
        return None
    is_dense = n_rows >= _LEAST_DENSE and np.ptp(values) < 2 * n_rows
    return _DIFFERS if is_dense or _NAME.fullmatch(name) else None


def _of_column(column: Any, name: str) -> str | None:
    import pyarrow as pa
    from pyarrow import compute

    if column.null_count:
        return None
    if not pa.types.is_string(column.type):
        return _of_numbers(column.to_numpy(), name)
    if len(column.slice(0, _HEAD).unique()) < min(len(column), _HEAD):
        return None
    is_short = compute.mean(compute.utf8_length(column)).as_py() <= _LONGEST
    return _DIFFERS if is_short and len(column.unique()) == len(column) else None
