"""Rows divided into strips, the units in which distances are computed and cached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark import cache
from sweepmark.svm.content import digest
from sweepmark.svm.precision import squared_norms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["OrderedRows", "cut_strips", "order_rows"]

_TALLEST = 256
_SHORTEST = 128


@dataclass(frozen=True, slots=True, eq=False)
class OrderedRows:
    """Rows in the order and precision used for matrix products.

    Attributes
    ----------
    array : ndarray of shape (n_rows, n_features), float32 or float64
    norms : ndarray of shape (n_rows,)
        Squared lengths of the rows, of the array's type.
    strips : tuple of (int, int)
        First row and the one after the last, of consecutive strips.
    digests : tuple of bytes
        Digest of each strip: equal strips share their distances, even across data sets.
    key : bytes
        Digest of all rows.
    """

    array: NDArray[Any]
    norms: NDArray[Any]
    strips: tuple[tuple[int, int], ...]
    digests: tuple[bytes, ...]
    key: bytes


def cut_strips(counts: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Divide rows that are grouped by class into strips of at most 256 rows.

    Classes of fewer than 128 rows are joined, to avoid many small products. Fixed cuts, counted
    from the first row of a large class, give a prefix of a data set the same strips.

    Examples
    --------
    >>> cut_strips([300, 20, 30, 200])
    ((0, 256), (256, 350), (350, 550))
    """
    strips: list[tuple[int, int]] = []
    start = stop = 0
    for count in counts:
        if stop > start and max(count, stop - start) >= _SHORTEST:
            strips.append((start, stop))
            start = stop
        stop += count
        while stop - start > _TALLEST:
            strips.append((start, start + _TALLEST))
            start += _TALLEST
    if stop > start:
        strips.append((start, stop))
    return tuple(strips)


def order_rows(
    X: NDArray[np.float64],
    *,
    content: bytes,
    order: NDArray[np.intp],
    strips: tuple[tuple[int, int], ...],
    dtype: type[np.floating[Any]],
) -> OrderedRows:
    """Return rows reordered and rounded to a dtype, cached.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features), float64
    content : bytes
        Its digest.
    order : ndarray of shape (n_rows,)
        Row numbers, in the new order. …
    strips : tuple of (int, int)
        As returned by :func:`cut_strips`.
    dtype : type
        numpy.float32 or numpy.float64.
    """
    key = ("rows", content, digest(order), strips, np.dtype(dtype).str)
    return cache.fetch(key, lambda: _prepare(X, order, strips, dtype), _size)


def _prepare(
    X: NDArray[np.float64],
    order: NDArray[np.intp],
    strips: tuple[tuple[int, int], ...],
    dtype: type[np.floating[Any]],
) -> OrderedRows:
    array = np.empty(X.shape, dtype=dtype)
    norms = np.empty(len(X), dtype=dtype)
    digests = []
    for start, stop in strips:
        array[start:stop] = X[order[start:stop]]
        # Norms of the rounded rows, since distances are between these.
        norms[start:stop] = squared_norms(array[start:stop].astype(np.float64, copy=False))
        digests.append(digest(array[start:stop]))
    array.flags.writeable = False
    return OrderedRows(array, norms, strips, tuple(digests), digest(array))


def _size(rows: OrderedRows) -> int:
    return rows.array.nbytes + rows.norms.nbytes
