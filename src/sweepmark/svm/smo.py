"""Sequential minimal optimisation of one pair of classes, compiled.

The algorithm is libsvm's without shrinking, step for step: the working set by second-order
information (Fan, Chen and Lin, JMLR 6, 2005, WSS 2), the kernel in float32, all else in float64,
ties going to the last row. Every element is computed by the same operations, so that the result has
libsvm's bits. It is faster because the rows of a class are contiguous, so that no loop checks
labels and all loops are vectorised, and because the kernel is not copied.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sweepmark.svm.compilation import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vector = NDArray[np.float64]

__all__ = ["minimize"]

_TAU = 1e-12  # libsvm's, in place of a quadratic coefficient that is not positive
_CHUNK = 64  # values searched per block
# Needed to vectorise a maximum; the kernel is finite.
_NO_NAN = frozenset({"nnan", "nsz"})


@compiled(allowing=_NO_NAN)
def _least(values: Vector, scratch: Vector) -> float:
    """Return the minimum, by element-wise minima of both halves until one value is left."""
    n = (len(values) + 1) // 2
    _lesser(scratch[:n], values[:n], values[len(values) - n :])
    while n > 1:
        half = (n + 1) // 2
        _lesser(scratch[:half], scratch[:half], scratch[n - half : n])
        n = half
    return float(scratch[0])


@compiled(allowing=_NO_NAN)
def _lesser(target: Vector, left: Vector, right: Vector) -> None:
    for t in range(len(target)):
        target[t] = left[t] if left[t] < right[t] else right[t]  # noqa: FURB136 - min is slower


@compiled(allowing=_NO_NAN)
def _last(values: Vector, wanted: float) -> int:
    """Return the last position of a value, or -1."""
    for stop in range(len(values), 0, -_CHUNK):
        start = max(stop - _CHUNK, 0)
        chunk = values[start:stop]
        hits = 0
        for t in range(len(chunk)):
            hits += chunk[t] == wanted
        if hits:
            for t in range(len(chunk) - 1, -1, -1):
                if chunk[t] == wanted:
                    return start + t
    return -1


@compiled(allowing=_NO_NAN)
def _rate(gains: Vector, down: Vector, row: NDArray[np.float32], up: float) -> None:
    """Compute the change of the objective for each row paired with the chosen one."""
    for t in range(len(gains)):
        gap = up - down[t]
        curvature = 2.0 - 2.0 * row[t]
        gain = -(gap * gap) / (curvature if curvature > 0 else _TAU)
        gains[t] = gain if gap > 0 else np.inf


@compiled(allowing=_NO_NAN)
def _follow(  # noqa: PLR0913, PLR0917
    gradient: Vector,
    alpha: Vector,
    lowerable: Vector,
    raisable: Vector,
    row_i: NDArray[np.float32],
    row_j: NDArray[np.float32],
    step_i: float,
    step_j: float,
    C: float,
) -> None:
    """Update a class's gradient after a step, and which of its variables may change."""
    for t in range(len(gradient)):
        g = gradient[t] + (row_i[t] * step_i + row_j[t] * step_j)
        gradient[t] = g
        lowerable[t] = -g if alpha[t] > 0 else np.inf
        raisable[t] = g if alpha[t] < C else np.inf


@compiled(allowing=_NO_NAN)
def _changed(  # noqa: C901, PLR0912, PLR0913, PLR0917 - the cases of a square's corners
    is_one_class: bool,  # noqa: FBT001
    old_i: float,
    old_j: float,
    gradient_i: float,
    gradient_j: float,
    curvature: float,
    C_i: float,
    C_j: float,
) -> tuple[float, float]:
    """Return the two dual variables that minimise the objective within their bounds."""
    curvature = curvature if curvature > 0 else _TAU
    if is_one_class:
        delta = (gradient_i - gradient_j) / curvature
        total = old_i + old_j
        new_i, new_j = old_i - delta, old_j + delta
        if total > C_i:
            if new_i > C_i:
                new_i, new_j = C_i, total - C_i
        elif new_j < 0:
            new_i, new_j = total, 0.0
        if total > C_j:
            if new_j > C_j:
                new_i, new_j = total - C_j, C_j
        elif new_i < 0:
            new_i, new_j = 0.0, total
        return new_i, new_j
    delta = (-gradient_i - gradient_j) / curvature
    difference = old_i - old_j
    new_i, new_j = old_i + delta, old_j + delta
    if difference > 0:
        if new_j < 0:
            new_i, new_j = difference, 0.0
    elif new_i < 0:
        new_i, new_j = 0.0, -difference
    if difference > C_i - C_j:
        if new_i > C_i:
            new_i, new_j = C_i, C_i - difference
    elif new_j > C_j:
        new_i, new_j = C_j + difference, C_j
    return new_i, new_j


@compiled(allowing=_NO_NAN)
def _threshold(
    gradient: Vector, alpha: Vector, n_first: int, C_first: float, C_second: float
) -> float:
    """Return the intercept: the mean over free variables, or the middle of the interval allowed."""
    n_free = 0
    free, upper, lower = 0.0, np.inf, -np.inf
    for t in range(len(alpha)):
        is_first = t < n_first
        value = gradient[t] if is_first else -gradient[t]
        if alpha[t] > 0 and alpha[t] < (C_first if is_first else C_second):
            n_free += 1
            free += value
        elif is_first == (alpha[t] > 0):
            lower = max(lower, value)
        else:
            upper = min(upper, value)
    return free / n_free if n_free else (upper + lower) / 2


@compiled(allowing=_NO_NAN)
def minimize(  # noqa: PLR0913, PLR0917 - compiled functions take plain values
    kernel: NDArray[np.float32],
    first: int,
    n_first: int,
    second: int,
    n_second: int,
    C_first: float,
    C_second: float,
    tol: float,
    max_iter: int,
) -> tuple[NDArray[np.float64], float, int, bool]:
    """Solve the dual problem of two classes.

    Parameters
    ----------
    kernel : ndarray of shape (n_rows, n_rows), float32
        An RBF kernel: symmetric, with diagonal 1.
    first, n_first : int
        Start and number of the rows of the positive class.
    second, n_second : int
        Start and number of the rows of the negative class.
    C_first, C_second : float
        Upper bounds of the dual variables, by class.
    tol : float
        Tolerance of the optimality conditions.
    max_iter : int
        Maximum number of steps; -1 is no limit.

    Returns
    -------
    coefficients : ndarray of shape (n_first + n_second,), float64
        Dual variables times labels.
    intercept : float
    n_iter : int
        Steps taken.
    given_up : bool
        Whether ``max_iter`` was reached.
    """
    n = n_first + n_second
    alpha = np.zeros(n)
    gradient = np.full(n, -1.0)
    # label * gradient of the rows whose label * alpha may increase, and its negative for those
    # whose may decrease: the minimum of both violates the optimality conditions most. Infinity
    # for the others.
    up, down, gains = np.full(n, np.inf), np.full(n, np.inf), np.empty(n)
    up[:n_first] = down[n_first:] = -1.0
    scratch = np.empty(n // 2 + 1)
    n_iter = 0
    given_up = False
    while True:
        if n_iter == max_iter:
            given_up = True
            break

        # The row that violates most, and the one that, paired with it, lowers the objective most
        highest = -_least(up, scratch)
        if highest == -np.inf:
            break
        i = _last(up, -highest)
        row = kernel[first + i if i < n_first else second + i - n_first]
        row_1, row_2 = row[first : first + n_first], row[second : second + n_second]
        _rate(gains[:n_first], down[:n_first], row_1, highest)
        _rate(gains[n_first:], down[n_first:], row_2, highest)
        best = _least(gains, scratch)
        if highest - _least(down, scratch) < tol or best == np.inf:
            break
        j = _last(gains, best)

        # Update both variables and the gradient
        n_iter += 1
        y_i, C_i = (1.0, C_first) if i < n_first else (-1.0, C_second)
        y_j, C_j = (1.0, C_first) if j < n_first else (-1.0, C_second)
        other = kernel[first + j if j < n_first else second + j - n_first]
        old_i, old_j = alpha[i], alpha[j]
        alpha[i], alpha[j] = _changed(
            y_i == y_j,
            old_i,
            old_j,
            gradient[i],
            gradient[j],
            2.0 - 2.0 * (row_1[j] if j < n_first else row_2[j - n_first]),
            C_i,
            C_j,
        )
        step_i, step_j = y_i * (alpha[i] - old_i), y_j * (alpha[j] - old_j)
        _follow(
            gradient[:n_first],
            alpha[:n_first],
            down[:n_first],
            up[:n_first],
            row_1,
            other[first : first + n_first],
            step_i,
            step_j,
            C_first,
        )
        _follow(
            gradient[n_first:],
            alpha[n_first:],
            up[n_first:],
            down[n_first:],
            row_2,
            other[second : second + n_second],
            -step_i,
            -step_j,
            C_second,
        )

    rho = _threshold(gradient, alpha, n_first, C_first, C_second)
    for t in range(n_first, n):
        if alpha[t] > 0:  # keeps the sign of zeros
            alpha[t] = -alpha[t]
    return alpha, -rho, n_iter, given_up
