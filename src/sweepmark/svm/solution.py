"""Solutions of the one-against-one problems, each depending only on data and parameters.

A solution none of whose dual variables is at its bound is a solution for every larger C as well:
the optimality conditions (Fan, Chen and Lin, JMLR 6, 2005, eq. 6) involve C only through the
variables at the bound, and the tolerance is the same. But the solver may find another point within
the tolerance at the larger C, if a variable touched the bound on the way. So that results do not
depend on what was solved before, reuse is part of the definition:

    for C above 10, a pair's solution is the one at C = 10 if that is unbounded, and otherwise the
    one found at C.

With ``max_iter`` the solution is always the one found at C, because an unfinished solution at
C = 10 is none. Both depend only on the data and the parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark import cache
from sweepmark.svm import kernel, threads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sweepmark.svm.strips import OrderedRows

__all__ = ["Problem", "Solution", "solve", "warm_up"]

_CEILING = 10.0  # the C whose solutions are reused for larger C; see above


@dataclass(frozen=True)
class Problem:
    """A problem to solve, except for C.

    Attributes
    ----------
    rows : OrderedRows
        Rows grouped by class.
    counts : tuple of int
        Rows of each class.
    weights : tuple of float
        Factors of C by class.
    gamma, tol, max_iter
        As :class:`sklearn.svm.SVC` has them.
    """

    rows: OrderedRows
    counts: tuple[int, ...]
    weights: tuple[float, ...]
    gamma: float
    tol: float
    max_iter: int

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
        """Identifies the solution, except for C."""
        options = (self.gamma, self.tol, self.max_iter)
        return (self.rows.key, self.counts, self.weights, *options)


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """The solutions of all pairs.

    Attributes
    ----------
    coefficients : ndarray of shape (n_classes - 1, n_rows)
        Of pair (i, j): class i's rows in row j - 1, class j's in row i.
    intercepts : ndarray of shape (n_pairs,)
    n_iter : ndarray of shape (n_pairs,), int32
    status : int
        1 if a pair was stopped at ``max_iter``, else 0.
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
    """Return the solution at C, as defined in the module's docstring."""

    def make() -> Solution:
        if C <= _CEILING or problem.max_iter != -1:
            return _solve(problem, C, problem.pairs, n_threads)
        lower = solve(problem, _CEILING, n_threads=n_threads)
        free = _free(problem, lower)
        bounded = [pair for pair, is_free in zip(problem.pairs, free, strict=True) if not is_free]
        if not bounded:
            return lower
        return _merge(problem, lower, free, _solve(problem, C, bounded, n_threads))

    return cache.fetch(("solution", problem.key, C), make, lambda solution: solution.n_bytes)


def _free(problem: Problem, solution: Solution) -> NDArray[np.bool_]:
    """Return for each pair whether all its variables are below the bound at C = 10."""
    bounds = _CEILING * np.asarray(problem.weights)
    largest = np.empty((len(problem.counts), len(problem.counts) - 1))
    for number, (start, stop) in enumerate(problem.spans):
        largest[number] = np.abs(solution.coefficients[:, start:stop]).max(axis=1)
    below = largest < bounds[:, np.newaxis]
    return np.array([below[i, j - 1] and below[j, i] for i, j in problem.pairs])


def _merge(problem: Problem, lower: Solution, free: NDArray[np.bool_], upper: Solution) -> Solution:
    """Combine the free pairs of one solution with the other pairs of another."""
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
    """Solve some pairs, on the whole kernel if the cache has room for it."""
    if not kernel.fits(len(problem.rows.array)):
        return _solve_apart(problem, C, pairs, n_threads)
    whole = kernel.whole(problem.rows, problem.gamma, n_threads=n_threads)

    def one(pair: tuple[int, int]) -> Any:
        (first, _), (second, _) = (problem.spans[number] for number in pair)
        return _minimize(problem, C, pair, whole, (first, second))

    return _collect(problem, pairs, threads.run(one, pairs, threads=n_threads))


def _solve_apart(
    problem: Problem, C: float, pairs: Sequence[tuple[int, int]], n_threads: int
) -> Solution:
    """Solve pairs on separate kernels, as many in parallel as the memory allows."""
    largest = max(kernel.size(problem.counts[i] + problem.counts[j]) for i, j in pairs)
    at_once = max(1, min(n_threads, cache.limit() // 2 // largest))

    def one(pair: tuple[int, int]) -> Any:
        with cache.reserve(largest):
            apart = kernel.among(problem.rows, [problem.spans[i] for i in pair], problem.gamma)
            return _minimize(problem, C, pair, apart, (0, problem.counts[pair[0]]))

    with threads.single_blas():
        return _collect(problem, pairs, threads.run(one, pairs, threads=at_once))


def warm_up() -> None:
    """Load the compiled solver."""
    from sweepmark.svm.smo import minimize

    matrix = np.eye(2, dtype=np.float32)
    matrix.flags.writeable = False  # as all kernels are, to avoid a second compilation
    minimize(matrix, 0, 1, 1, 1, 1.0, 1.0, 1.0, -1)


def _minimize(
    problem: Problem,
    C: float,
    pair: tuple[int, int],
    matrix: NDArray[np.float32],
    starts: tuple[int, int],
) -> Any:
    from sweepmark.svm.smo import minimize  # loaded when it is needed; see `svm.warm_up`

    (i, j), (first, second) = pair, starts
    return minimize(
        matrix,
        first,
        problem.counts[i],
        second,
        problem.counts[j],
        C * problem.weights[i],
        C * problem.weights[j],
        problem.tol,
        problem.max_iter,
    )


def _collect(problem: Problem, pairs: Sequence[tuple[int, int]], solved: Sequence[Any]) -> Solution:
    """Assemble the solutions of the pairs."""
    index = {pair: number for number, pair in enumerate(problem.pairs)}
    coefficients = np.zeros((len(problem.counts) - 1, len(problem.rows.array)))
    intercepts = np.zeros(len(index))
    n_iter = np.zeros(len(index), dtype=np.int32)
    status = 0
    for (i, j), (dual, intercept, steps, given_up) in zip(pairs, solved, strict=True):
        cut = problem.counts[i]
        coefficients[j - 1, slice(*problem.spans[i])] = dual[:cut]
        coefficients[i, slice(*problem.spans[j])] = dual[cut:]
        number = index[i, j]
        intercepts[number] = intercept
        n_iter[number] = steps
        status |= given_up
    return Solution(coefficients, intercepts, n_iter, status)
