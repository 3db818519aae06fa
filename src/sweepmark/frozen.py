"""Arrays that nobody can change: their memory is a Python ``bytes`` object.

A read-only array proves nothing: its flag can be set back, and an array it is a view of may be
written to. The content of ``bytes`` never changes, and NumPy refuses to make an array over it
writeable, so that what was found out about such an array holds for as long as it lives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["freeze", "is_frozen", "take"]


def freeze(array: NDArray[Any]) -> NDArray[Any]:
    """Return an array of equal type, shape, values and memory order that cannot be changed.

    Parameters
    ----------
    array : ndarray
        Contiguous in C's or in Fortran's order, or else the result is in C's; not of objects.

    Returns
    -------
    ndarray
        The array itself if it is frozen already, otherwise a copy.

    Raises
    ------
    TypeError
        If it holds Python objects, which ``bytes`` cannot.

    Examples
    --------
    >>> frozen = freeze(np.arange(3))
    >>> frozen.flags.writeable = True
    Traceback (most recent call last):
    ValueError: cannot set WRITEABLE flag to True of this array
    """
    if is_frozen(array):
        return array
    if array.dtype.hasobject:
        raise TypeError(f"an array of type {array.dtype} cannot be frozen: it holds objects.")
    order: Any = "F" if array.flags.fnc else "C"
    content = array.tobytes(order)
    return np.ndarray(array.shape, array.dtype, buffer=content, order=order)


def take(array: NDArray[Any], rows: NDArray[np.integer[Any]]) -> NDArray[Any]:
    """Return some rows of a two-dimensional array in C's order, frozen, copied once."""
    content = b"".join([array[row].data for row in rows])
    return np.ndarray((len(rows), array.shape[1]), array.dtype, buffer=content)


def is_frozen(array: NDArray[Any]) -> bool:
    """Tell whether an array's memory is a ``bytes`` object, directly or through views."""
    base: Any = array
    while isinstance(base, np.ndarray):
        base = base.base
    return type(base) is bytes and not array.flags.writeable
