"""Groups of rows, which are not divided: how many of them come first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["first_groups"]


def first_groups(
    ranks: NDArray[np.int64], order: NDArray[np.int64], n_rows: int
) -> NDArray[np.bool_]:
    """Tell which rows belong to the first groups, as many as come closest to a number of rows.

    Parameters
    ----------
    ranks : ndarray of shape (n,), int64
        The group of each row.
    order : ndarray of int64
        Every group once.
    n_rows : int
        How many rows are wanted; at least one group is taken and, of several, one is left.

    Returns
    -------
    ndarray of shape (n,), bool

    Examples
    --------
    >>> first_groups(np.array([7, 7, 3, 5, 5]), np.array([5, 3, 7]), 3)
    array([False, False,  True,  True,  True])
    """
    ends = np.cumsum(np.bincount(ranks)[order])
    n_groups = 1 + int(np.argmin(np.abs(ends[:-1] - n_rows))) if len(order) > 1 else 1
    return np.isin(ranks, order[:n_groups])
