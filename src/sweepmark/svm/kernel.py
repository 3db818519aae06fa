"""Distances and RBF kernels, computed in tiles of one strip of rows by another.

A tile is always computed by the same product of the same two strips, whether it is used for the
whole matrix or for one pair of classes, so that both have the same bits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark import cache
from sweepmark.svm import threads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sweepmark.svm.strips import OrderedRows

__all__ = ["among", "fits", "size", "whole"]


def fits(n_rows: int) -> bool:
    """Return whether the cache has room for a whole kernel of so many rows."""
    return size(n_rows) <= cache.limit() // 2


def size(n_rows: int) -> int:
    """Return the size in bytes of a kernel of so many rows."""
    return 4 * n_rows**2


def whole(rows: OrderedRows, gamma: float, *, n_threads: int) -> NDArray[np.float32]:
    """Return the kernel matrix of all rows, shape (n_rows, n_rows), read-only.

    Its dtype is float32, as in libsvm, whatever that of the distances.
    """
    key = ("kernel", rows.key, rows.strips, gamma)
    return cache.fetch(key, lambda: _whole(rows, gamma, n_threads), _size)


def _whole(rows: OrderedRows, gamma: float, n_threads: int) -> NDArray[np.float32]:
    n_rows = len(rows.array)
    with cache.reserve(size(n_rows)):  # evict others first, so that their memory can be reused
        return _fill(rows, [(0, n_rows)], gamma, n_threads)


def among(rows: OrderedRows, spans: Sequence[tuple[int, int]], gamma: float) -> NDArray[np.float32]:
    """Return the kernel matrix of the rows in some spans.

    Parameters
    ----------
    rows : OrderedRows
    spans : sequence of (int, int)
        First row and the one after the last, of each span; ascending.
    gamma : float

    Returns
    -------
    ndarray of shape (n, n), float32, read-only
        n is the length of all spans together.
    """
    return _fill(rows, spans, gamma, 1)


def _fill(
    rows: OrderedRows, spans: Sequence[tuple[int, int]], gamma: float, n_threads: int
) -> NDArray[np.float32]:
    pieces = _pieces(rows, spans)
    n_rows = sum(stop - start for start, stop in spans)
    kernel = np.empty((n_rows, n_rows), dtype=np.float32)

    def fill(pair: tuple[int, int]) -> None:
        (i, cut_i, at_i), (j, cut_j, at_j) = pieces[pair[0]], pieces[pair[1]]
        tile = _distances(rows, i, j)[cut_i, cut_j]
        # Cast first: NumPy is slow at casting and transposing in one step.
        values = _rbf(tile, gamma).astype(np.float32, copy=False)
        kernel[at_i, at_j] = values
        if pair[0] != pair[1]:
            kernel[at_j, at_i] = values.T

    pairs = [(a, b) for a in range(len(pieces)) for b in range(a, len(pieces))]
    with threads.single_blas():
        threads.run(fill, pairs, threads=n_threads)
    kernel.flags.writeable = False
    return kernel


def _pieces(rows: OrderedRows, spans: Sequence[tuple[int, int]]) -> list[tuple[int, slice, slice]]:
    """Return the intersections of strips and spans: strip, slice in it, slice in the result."""
    pieces = []
    offset = 0
    for first, last in spans:
        for number, (start, stop) in enumerate(rows.strips):
            low, high = max(first, start), min(last, stop)
            if low < high:
                at = slice(offset + low - first, offset + high - first)
                pieces.append((number, slice(low - start, high - start), at))
        offset += last - first
    return pieces


def _rbf(distances: NDArray[Any], gamma: float) -> NDArray[Any]:
    with np.errstate(under="ignore"):
        values: NDArray[Any] = np.multiply(distances, distances.dtype.type(-gamma))
        np.exp(values, out=values)
    return values


def _distances(rows: OrderedRows, i: int, j: int) -> NDArray[Any]:
    """Return the squared distances of two strips."""

    def make() -> NDArray[Any]:
        a, b = slice(*rows.strips[i]), slice(*rows.strips[j])
        same = rows.digests[i] == rows.digests[j]
        left = rows.array[a]
        right = left if same else rows.array[b]  # NumPy halves the work if both are the same strip
        tile: NDArray[Any] = left @ right.T
        tile *= -2
        tile += np.add.outer(rows.norms[a], rows.norms[b])  # symmetric
        np.maximum(tile, 0, out=tile)
        if same:
            np.fill_diagonal(tile, 0)
        tile.flags.writeable = False
        return tile

    return cache.fetch(("distances", rows.digests[i], rows.digests[j]), make, _size)


def _size(array: NDArray[Any]) -> int:
    return array.nbytes
