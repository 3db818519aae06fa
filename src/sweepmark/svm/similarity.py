"""Compiled distances and weighted sums for decision values.

Each distance is the sum of squared differences, as in libsvm's predictions: equal rows have
distance 0, and there is no cancellation for long rows. Every pair of rows is computed by the same
instructions, so that the result depends only on these two rows. The last digits of a matrix product
would depend on the position of a row in its block.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sweepmark.svm.compilation import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]
    Vector = NDArray[np.float64]

__all__ = ["decision_values", "squared_distances"]

# Sums are vectorised in an order that depends only on their length. Infinity must be allowed: it is
# the distance of a row whose squares overflow.
_REORDERED = frozenset({"reassoc", "contract", "nsz"})
_NEAR_BYTES = 32768  # bytes of rows per block, which fit into the L1 cache


@compiled(allowing=_REORDERED)
def _squared_distance(x: Vector, y: Vector) -> float:
    total = 0.0
    for t in range(len(x)):
        difference = x[t] - y[t]
        total += difference * difference
    return total


@compiled(allowing=_REORDERED)
def _product(x: Vector, y: Vector) -> float:
    total = 0.0
    for t in range(len(x)):
        total += x[t] * y[t]
    return total


@compiled(allowing=_REORDERED)
def squared_distances(rows: Matrix, others: Matrix, columns: NDArray[np.intp], out: Matrix) -> None:
    """Compute the squared distances of rows to some of the other rows, into ``out``.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_features), float64, read-only
    others : ndarray of shape (n_others, n_features), float64, read-only
    columns : ndarray of shape (n_columns,), int64, read-only
        Which of the other rows, in order.
    out : ndarray of shape (n_rows, n_columns)
    """
    step = max(1, _NEAR_BYTES // max(1, 8 * others.shape[1]))
    for first in range(0, len(columns), step):
        last = min(first + step, len(columns))
        for i in range(len(rows)):
            for j in range(first, last):
                out[i, j] = _squared_distance(rows[i], others[columns[j]])


@compiled(allowing=_REORDERED)
def decision_values(  # noqa: PLR0913, PLR0917 - a model's parts
    similar: Matrix,
    support: NDArray[np.intp],
    coefficients: Matrix,
    edges: NDArray[np.intp],
    intercepts: Vector,
    out: Matrix,
) -> None:
    """Compute the decision value of every pair of classes, into ``out``.

    Parameters
    ----------
    similar : ndarray of shape (n_rows, n_columns), float64, read-only
        The kernel of rows and training rows.
    support : ndarray of shape (n_support,), int64, read-only
        The columns of the support vectors, grouped by class. Sums run over these only, so that
        their bits do not depend on other columns.
    coefficients : ndarray of shape (n_classes - 1, n_support), float64, read-only
    edges : ndarray of shape (n_classes + 1,), int64, read-only
        Class i's support vectors are edges[i] to edges[i + 1].
    intercepts : ndarray of shape (n_pairs,), float64, read-only
    out : ndarray of shape (n_rows, n_pairs)
    """
    n_classes = len(edges) - 1
    near = np.empty(len(support))
    for row in range(len(similar)):
        for t in range(len(support)):
            near[t] = similar[row, support[t]]
        pair = 0
        for i in range(n_classes):
            a, b = edges[i], edges[i + 1]
            for j in range(i + 1, n_classes):
                c, d = edges[j], edges[j + 1]
                one = _product(near[a:b], coefficients[j - 1, a:b])
                other = _product(near[c:d], coefficients[i, c:d])
                out[row, pair] = one + other + intercepts[pair]
                pair += 1
