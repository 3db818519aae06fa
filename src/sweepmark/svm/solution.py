"""Solutions of the one-against-one problems, by scikit-learn's libsvm on a precomputed kernel.

The kernel goes to libsvm without a copy: rows outside the pair have weight 0 and are left out.

A solution none of whose dual variables is at its bound is a solution for every larger C as well:
the optimality conditions (Fan, Chen and Lin, JMLR 6, 2005, eq. 6) mention C only through the
variables that are at it, and the tolerance they hold to is the same. But what libsvm returns at
the larger C can be another point within the tolerance, if the bound was touched on the way. So
that results do not depend on what was solved before, reuse is part of the definition:

    for C above 10, a pair's solution is the one at C = 10 if that is unbounded,
    and otherwise what libsvm finds at C.

Both sides are functions of the data and the parameters alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.svm import _libsvm as libsvm

from sweepmark import sharing
from sweepmark.svm import kernel, threads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sweepmark.svm.rows import Rows

__all__ = ["Problem", "Solution", "solve"]

_CEILING = 10.0  # the C at which solutions are tried for larger ones; see above
_MOST = 0.6  # share of the pairs above which one call for all is faster than one for each
_SMALL_PAIR = 100  # rows of a pair below which a call costs more than solving


@dataclass(frozen=True)
class Problem:
    """What is solved, but for C.

    Attributes
    ----------
    rows : Rows
        Class by class.
    counts : tuple of int
        Rows of each class.
    weights : tuple of float
        What C is multiplied by, for each class.
    gamma, tol, shrinking, max_iter, cache_size
        As :class:`sklearn.svm.SVC` has them.
    """

    rows: Rows
    counts: tuple[int, ...]
    weights: tuple[float, ...]
    gamma: float
    tol: float
    shrinking: bool
    max_iter: int
    cache_size: float

    @cached_property
    def spans(self) -> list[tuple[int, int]]:
        """First row and the one after the last, of each class."""
        stops = np.cumsum(self.counts).tolist()
        return list(zip([0, *stops], stops, strict=False))

    @cached_property
    def pairs(self) -> list[tuple[int, int]]:
        """The pairs of classes, in libsvm's order."""
        return list(combinations(range(len(self.counts)), 2))

    @property
    def key(self) -> tuple[Any, ...]:
        """What decides the solution, but for C."""
        options = (self.gamma, self.tol, self.shrinking, self.max_iter)
        return (self.rows.key, self.counts, self.weights, *options)

    def options(self, C: float) -> dict[str, Any]:
        """Return libsvm's arguments."""
        return {
            "kernel": "precomputed",
            "C": C,
            "tol": self.tol,
            "shrinking": self.shrinking,
            "max_iter": self.max_iter,
            "cache_size": self.cache_size,
        }


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """The solved pairs.

    Attributes
    ----------
    coefficients : ndarray of shape (n_classes - 1, n_rows)
        Of pair (i, j): class i's rows in row j - 1, class j's in row i.
    intercepts : ndarray of shape (n_pairs,)
    n_iter : ndarray of shape (n_pairs,), int32
    status : int
        1 if a pair was given up at ``max_iter``, else 0.
    """

    coefficients: NDArray[np.float64]
    intercepts: NDArray[np.float64]
    n_iter: NDArray[np.int32]
    status: int

    @property
    def n_bytes(self) -> int:
        """Its size in memory."""
        return self.coefficients.nbytes + self.intercepts.nbytes + self.n_iter.nbytes


def solve(problem: Problem, C: float, *, n_threads: int) -> Solution:
    """Return the solution at C; see the module's text for which."""

    def make() -> Solution:
        if C <= _CEILING or problem.max_iter != -1:
            return _solve(problem, C, problem.pairs, n_threads)
        lower = solve(problem, _CEILING, n_threads=n_threads)
        free = _free(problem, lower)
        bounded = [pair for pair, is_free in zip(problem.pairs, free, strict=True) if not is_free]
        if not bounded:
            return lower
        return _merge(problem, lower, free, _solve(problem, C, bounded, n_threads))

    return sharing.fetch(("solution", problem.key, C), make, lambda solution: solution.n_bytes)


def _free(problem: Problem, solution: Solution) -> NDArray[np.bool_]:
    """Tell for each pair whether all its variables are below the ceiling."""
    bounds = _CEILING * np.asarray(problem.weights)
    largest = np.empty((len(problem.counts), len(problem.counts) - 1))
    for number, (start, stop) in enumerate(problem.spans):
        largest[number] = np.abs(solution.coefficients[:, start:stop]).max(axis=1)
    below = largest < bounds[:, np.newaxis]
    return np.array([below[i, j - 1] and below[j, i] for i, j in problem.pairs])


def _merge(problem: Problem, lower: Solution, free: NDArray[np.bool_], upper: Solution) -> Solution:
    """Return the free pairs of one solution and the others of another."""
    coefficients = upper.coefficients
    for (i, j), is_free in zip(problem.pairs, free, strict=True):
        if is_free:
            for line, number in ((j - 1, i), (i, j)):
                span = slice(*problem.spans[number])
                coefficients[line, span] = lower.coefficients[line, span]
    return Solution(
        coefficients,
        np.where(free, lower.intercepts, upper.intercepts),
        np.where(free, lower.n_iter, upper.n_iter),
        lower.status | upper.status,
    )


def _solve(
    problem: Problem, C: float, pairs: Sequence[tuple[int, int]], n_threads: int
) -> Solution:
    """Have libsvm solve some pairs (or all, where that is faster)."""
    n_rows = len(problem.rows.array)
    if not kernel.fits(n_rows):
        return _solve_apart(problem, C, pairs, n_threads)
    whole = kernel.whole(problem.rows, problem.gamma, n_threads=n_threads)
    few = len(pairs) < _MOST * len(problem.pairs)
    small = 2 * n_rows < _SMALL_PAIR * len(problem.counts)
    if small or (n_threads == 1 and not few):
        return _solve_together(problem, C, whole)

    def one(pair: tuple[int, int]) -> Any:
        i, j = (slice(*problem.spans[number]) for number in pair)
        codes, member = np.zeros(n_rows), np.zeros(n_rows)
        member[i] = member[j] = codes[j] = 1
        return _fit(problem, C, pair, whole, codes, sample_weight=member)

    return _collect(problem, pairs, threads.run(one, pairs, threads=n_threads))


def _solve_together(problem: Problem, C: float, whole: NDArray[np.float64]) -> Solution:
    codes = np.repeat(np.arange(len(problem.counts), dtype=np.float64), problem.counts)
    weights = np.asarray(problem.weights)
    support, _, _, dual, intercepts, _, _, status, n_iter = libsvm.fit(
        whole, codes, class_weight=weights, **problem.options(C)
    )
    coefficients = np.zeros((len(problem.counts) - 1, len(whole)))
    coefficients[:, support] = dual
    return Solution(coefficients, intercepts, n_iter, status)


def _solve_apart(
    problem: Problem, C: float, pairs: Sequence[tuple[int, int]], n_threads: int
) -> Solution:
    """Solve pairs on kernels of their own, as many at once as the memory allows."""
    sizes = [problem.counts[i] + problem.counts[j] for i, j in pairs]
    largest = 8 * max(sizes) ** 2
    at_once = max(1, min(n_threads, sharing.limit() // 2 // largest))

    def one(pair: tuple[int, int]) -> Any:
        with sharing.reserve(largest):
            apart = kernel.among(problem.rows, [problem.spans[i] for i in pair], problem.gamma)
            codes = np.repeat([0.0, 1.0], [problem.counts[i] for i in pair])
            return _fit(problem, C, pair, apart, codes)

    with threads.single_blas():
        return _collect(problem, pairs, threads.run(one, pairs, threads=at_once))


def _fit(
    problem: Problem,
    C: float,
    pair: tuple[int, int],
    matrix: NDArray[np.float64],
    codes: NDArray[np.float64],
    **more: Any,
) -> Any:
    weights = np.array([problem.weights[number] for number in pair])
    return libsvm.fit(matrix, codes, class_weight=weights, **more, **problem.options(C))


def _collect(problem: Problem, pairs: Sequence[tuple[int, int]], fitted: Sequence[Any]) -> Solution:
    """Put what libsvm says of each pair in its place."""
    index = {pair: number for number, pair in enumerate(problem.pairs)}
    coefficients = np.zeros((len(problem.counts) - 1, len(problem.rows.array)))
    intercepts = np.zeros(len(index))
    n_iter = np.zeros(len(index), dtype=np.int32)
    status = 0
    for (i, j), (support, _, n_support, dual, intercept, _, _, given_up, steps) in zip(
        pairs, fitted, strict=True
    ):
        cut = n_support[0]
        start_i, start_j = problem.spans[i][0], problem.spans[j][0] - problem.counts[i]
        coefficients[j - 1, start_i + support[:cut]] = dual[0, :cut]
        coefficients[i, start_j + support[cut:]] = dual[0, cut:]
        number = index[i, j]
        intercepts[number] = intercept[0]
        n_iter[number] = steps[0]
        status |= given_up
    return Solution(coefficients, intercepts, n_iter, status)
