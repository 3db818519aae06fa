"""The choice of precision for distances between training rows.

Distances are computed by matrix products, ‖x‖² + ‖y‖² - 2x·y, whose error scales with the longest
row, not with the distance. Let L be the largest ‖x‖² and eps the spacing of the type at 1 (2⁻²³ of
float32, 2⁻⁵² of float64). Rounding rows and their norms costs a distance a few eps·L, and a
product's sum of d terms an error that grows like √d until BLAS cuts it into blocks. Measured on
rows far from the origin, whose sums grow the most, with 1 to 3,000 columns: 4 eps·L (root of the
mean square), and 16 eps·L at the most. The kernel is exp(-gamma · distance): its relative error e
is the exponent's, 16 eps·gamma·L at the most. It must not exceed ``tol``, the violation of the
optimality conditions that the solver tolerates anyway (or 10⁻³, if ``tol`` is larger); and as
decisions are sums of kernels times dual variables, which reach up to C (times the largest class
weight), it must be smaller in proportion for C above 10::

    gamma · L · max(1, C / 10) ≤ 2¹⁹ · min(tol, 10⁻³) for float32
    gamma · L · max(1, C / 10) ≤ 2⁴⁸ · min(tol, 10⁻³) for float64

Values that underflow or are rounded to a subnormal number have an additional absolute error, at
most d · 2⁻¹⁴⁹ for float32 and d · 2⁻¹⁰⁷⁴ for float64, in the exponent times gamma ≤ 2⁴⁸ · 10⁻³ / L.
L must be within the ranges below so that this is negligible, and no square and no gamma overflows.
A kernel below float32's smallest number is 0, as it is in libsvm's training, which keeps its kernel
in float32 too.

Libsvm's training computes the same sum in float64. Where float64 is not sufficient, its fits depend
on its own rounding errors, so they are left to libsvm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MANY", "choose_dtype", "squared_norms"]

MANY = 1000  # rows from which float32 is worthwhile
_ERROR = 16.0  # error of a distance, in units of the type's spacing times the largest squared norm
_LARGEST_TOL = 1e-3
_COMMON_BOUND = 10.0  # bound of dual variables up to which they do not amplify the error noticeably
_SINGLE_RANGE = (2.0**-40, 2.0**40)  # range of the largest squared norm
_DOUBLE_RANGE = (2.0**-900, 2.0**900)


def choose_dtype(
    longest: float, *, n_rows: int, gamma: float, tol: float, bound: float
) -> type[np.floating[Any]] | None:
    """Return the dtype for distances of training rows; None leaves the fit to libsvm.

    Parameters
    ----------
    longest : float
        Largest squared norm of a row; infinity where it overflows.
    n_rows : int
    gamma, tol : float
        As in :class:`sklearn.svm.SVC`.
    bound : float
        The largest bound of a dual variable: C times the largest class weight.

    Examples
    --------
    >>> choose_dtype(100.0, n_rows=2000, gamma=1.0, tol=1e-3, bound=1.0).__name__
    'float32'
    >>> choose_dtype(100.0, n_rows=2000, gamma=10.0, tol=1e-3, bound=1.0).__name__
    'float64'
    >>> choose_dtype(100.0, n_rows=2000, gamma=1e10, tol=1e-3, bound=1.0)
    """
    error = _ERROR * gamma * longest * max(1.0, bound / _COMMON_BOUND)
    allowed = min(tol, _LARGEST_TOL)
    if n_rows >= MANY and _is_within(np.float32, _SINGLE_RANGE, longest, error, allowed):
        return np.float32
    return np.float64 if _is_within(np.float64, _DOUBLE_RANGE, longest, error, allowed) else None


def _is_within(
    dtype: type[np.floating[Any]],
    bounds: tuple[float, float],
    longest: float,
    error: float,
    allowed: float,
) -> bool:
    """Return whether the range and precision of a dtype are sufficient."""
    least, most = bounds
    return least <= longest <= most and error * float(np.finfo(dtype).eps) <= allowed


def squared_norms(X: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return every row's squared norm."""
    norms: NDArray[np.float64] = np.einsum("ij,ij->i", X, X)
    return norms
