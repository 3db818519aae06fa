"""Decision values and votes from a solution.

A row's decision values depend only on the model and that row: not on other rows, its position, the
number of threads or the cache. Equal rows have equal bits, so ties among scores are exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark import cache
from sweepmark.svm import threads
from sweepmark.svm.content import digest

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Trained", "decide", "vote", "warm_up"]

_BLOCK = 64  # rows per block of a thread
# Number of distances above which a model computes only those to its own support vectors: computing
# all for reuse by other models would take longer than it saves.
_MANY_DISTANCES = 1 << 26


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """The training data of a model.

    Attributes
    ----------
    X : ndarray of shape (n_trained, n_features), float64
        All rows, frozen.
    content : bytes
        Their digest.
    order : ndarray of shape (n_trained,)
        Row numbers in the order that groups rows by class.
    counts : tuple of int
        Rows of each class.
    support : ndarray of shape (n_support,)
        Positions of the support vectors in that order; ascending.
    gamma : float
    """

    X: NDArray[np.float64]
    content: bytes
    order: NDArray[np.intp]
    counts: tuple[int, ...]
    support: NDArray[np.intp]
    gamma: float


def decide(
    X: NDArray[np.float64],
    trained: Trained,
    *,
    coefficients: NDArray[np.float64],
    intercepts: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the decision value of every pair of classes, with libsvm's order and signs.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features), float64
        The rows to classify.
    trained : Trained
    coefficients : ndarray of shape (n_classes - 1, n_support)
    intercepts : ndarray of shape (n_pairs,)

    Returns
    -------
    ndarray of shape (n_rows, n_pairs), read-only
        It may be cached.
    """
    content = digest(X)
    parts = (trained.order, trained.support, coefficients, intercepts)
    key = ("decision", content, trained.content, trained.counts, trained.gamma)

    def make() -> NDArray[np.float64]:
        return _decide(X, content, trained, coefficients, intercepts)

    return cache.fetch((*key, *map(digest, parts)), make, _size)


def _decide(
    X: NDArray[np.float64],
    content: bytes,
    trained: Trained,
    coefficients: NDArray[np.float64],
    intercepts: NDArray[np.float64],
) -> NDArray[np.float64]:
    from sweepmark.svm.similarity import decision_values  # loaded when needed; see `svm.warm_up`

    n_trained = len(trained.order)
    edges = np.searchsorted(trained.support, np.concatenate([[0], np.cumsum(trained.counts)]))
    model = (_seen(coefficients), _seen(edges), _seen(intercepts))
    values = np.empty((len(X), len(intercepts)))
    if len(X) * n_trained < _MANY_DISTANCES and cache.has_room(8 * len(X) * n_trained):
        similar = _similar(X, content, trained)

        def fill(block: slice) -> None:
            decision_values(_seen(similar[block]), _seen(trained.support), *model, values[block])

    else:
        columns = trained.order[trained.support]
        support = np.arange(len(columns))

        def fill(block: slice) -> None:
            near = _rbf(_distances(X[block], trained.X, columns), trained.gamma)
            decision_values(_seen(near), _seen(support), *model, values[block])

    _by_blocks(len(X), fill)
    values.flags.writeable = False
    return values


def _similar(X: NDArray[np.float64], content: bytes, trained: Trained) -> NDArray[np.float64]:
    """Return the kernel of rows and all training rows, cached for all models of one gamma."""
    key = (content, trained.content, digest(trained.order))

    def measured() -> NDArray[np.float64]:
        out = np.empty((len(X), len(trained.order)))

        def fill(block: slice) -> None:
            out[block] = _distances(X[block], trained.X, trained.order)

        _by_blocks(len(X), fill)
        return out

    def make() -> NDArray[np.float64]:
        distances = cache.fetch(("distances to", *key), measured, _size)
        return _rbf(distances, trained.gamma)

    return cache.fetch(("similar", *key, trained.gamma), make, _size)


def _distances(
    X: NDArray[np.float64], others: NDArray[np.float64], columns: NDArray[np.intp]
) -> NDArray[np.float64]:
    from sweepmark.svm.similarity import squared_distances

    out = np.empty((len(X), len(columns)))
    squared_distances(_seen(X), _seen(others), _seen(columns), out)
    return out


def _rbf(distances: NDArray[np.float64], gamma: float) -> NDArray[np.float64]:
    """Return the RBF kernel of squared distances; it underflows to 0, as libsvm's does."""
    with np.errstate(under="ignore", over="ignore", invalid="ignore"):
        values: NDArray[np.float64] = np.multiply(distances, -gamma)
        np.exp(values, out=values)
    return values


def _by_blocks(n_rows: int, function: Any) -> None:
    blocks = [slice(start, start + _BLOCK) for start in range(0, n_rows, _BLOCK)]
    threads.run(function, blocks, threads=threads.available())


def _seen(array: NDArray[Any]) -> NDArray[Any]:
    """Return a read-only view, so that compiled functions need only one array type."""
    view = array.view()
    view.flags.writeable = False
    return view


def _size(array: NDArray[Any]) -> int:
    return array.nbytes


def warm_up() -> None:
    """Load the compiled distances and sums."""
    from sweepmark.svm.similarity import decision_values

    near, support = _distances(np.eye(2), np.eye(2), np.arange(2)), np.arange(2)
    model = (_seen(np.ones((1, 2))), _seen(np.arange(3)), _seen(np.zeros(1)))
    decision_values(_seen(near), _seen(support), *model, np.empty((2, 1)))


def vote(values: NDArray[np.float64], n_classes: int) -> NDArray[np.intp]:
    """Return the class that wins most pairs; the first one in case of a tie.

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
