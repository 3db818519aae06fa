"""Content digests of arrays, which identify equal data independently of their origin."""

from __future__ import annotations

import hashlib
import weakref
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.cache import is_frozen
from sweepmark.svm import threads

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["digest"]

_CHUNK = 1 << 22  # bytes that one thread hashes at a time

_known: dict[tuple[Any, ...], tuple[weakref.ref[Any], bytes]] = {}


def digest(array: NDArray[Any]) -> bytes:
    """Return the SHA-256 of an array's type, shape and bytes.

    A frozen array (see :mod:`sweepmark.cache`) is hashed once and then recognised by identity, so
    rows shared between fits should be frozen. Any other array is hashed each time, even if
    read-only.
    """
    if not is_frozen(array):
        return _hash(array)
    # dtype, shape and strides of an array can be changed in place.
    key = (id(array), array.dtype.str, array.shape, array.strides)
    known = _known.get(key)
    if known is not None and known[0]() is array:
        return known[1]
    value = _hash(array)
    _known[key] = (weakref.ref(array, lambda _: _known.pop(key, None)), value)
    return value


def _hash(array: NDArray[Any]) -> bytes:
    content = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    total = hashlib.sha256(f"{array.dtype.str}{array.shape}".encode())
    pieces = [content[start : start + _CHUNK] for start in range(0, len(content), _CHUNK)]
    for piece in threads.run(_digest, pieces, threads=threads.available()):
        total.update(piece)
    return total.digest()


def _digest(piece: NDArray[np.uint8]) -> bytes:
    return hashlib.sha256(piece.data).digest()
