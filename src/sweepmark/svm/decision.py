"""Decision values and votes from a solution, by matrix products in blocks of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sweepmark import sharing
from sweepmark.svm import kernel, threads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sweepmark.svm.rows import Rows

__all__ = ["decide", "vote"]


def decide(  # noqa: PLR0913 - a model's parts
    rows: Rows,
    trained: Rows,
    spans: Sequence[tuple[int, int]],
    *,
    coefficients: NDArray[np.float64],
    intercepts: NDArray[np.float64],
    gamma: float,
) -> NDArray[np.float64]:
    """Return the decision value of every pair of classes, as libsvm orders and signs them.

    Parameters
    ----------
    rows : Rows
        What is decided on.
    trained : Rows
        What was trained on, class by class.
    spans : sequence of (int, int)
        Where each class lies in ``trained``.
    coefficients : ndarray of shape (n_classes - 1, n_trained)
    intercepts : ndarray of shape (n_pairs,)
    gamma : float

    Returns
    -------
    ndarray of shape (n_rows, n_pairs)
    """
    values = np.empty((len(rows.array), len(intercepts)))
    keep = sharing.keeps(8 * len(rows.array) * len(trained.array))

    def fill(number: int) -> None:
        similar = kernel.strip_against(rows, number, trained, gamma, keep=keep)
        # sums[i][:, r]: what class i's rows contribute to its r-th pair
        sums = [similar[:, slice(*span)] @ coefficients[:, slice(*span)].T for span in spans]
        target = values[slice(*rows.strips[number])]
        first = 0
        for i in range(len(spans) - 1):
            last = first + len(spans) - 1 - i
            target[:, first:last] = sums[i][:, i:]
            for j in range(i + 1, len(spans)):
                target[:, first + j - i - 1] += sums[j][:, i]
            first = last

    with threads.single_blas():
        threads.run(fill, range(len(rows.strips)), threads=threads.available())
    values += intercepts
    return values


def vote(values: NDArray[np.float64], n_classes: int) -> NDArray[np.intp]:
    """Return the class that wins most pairs, the first of those with equally many.

    Examples
    --------
    >>> import numpy as np
    >>> vote(np.array([[1.0, -1.0, 1.0], [0.0, 0.0, 0.0]]), 3)  # every class wins once; 2 wins
    array([0, 2])
    """
    votes = np.zeros((len(values), n_classes), dtype=np.intp)
    first = 0
    for i in range(n_classes - 1):
        last = first + n_classes - 1 - i
        wins = values[:, first:last] > 0
        votes[:, i] += wins.sum(axis=1)
        votes[:, i + 1 :] += ~wins
        first = last
    winners: NDArray[np.intp] = votes.argmax(axis=1)
    return winners
