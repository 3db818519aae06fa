"""Estimates: how seconds and bytes that were measured on few rows grow to many, with a range."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Estimate", "extrapolate", "makespan", "plausible_growth", "total"]

_NOISE = 0.15
"""Relative uncertainty of an estimate where nothing is extrapolated: other processes run too."""

_MISFIT = 0.05
"""Relative error of a measured mean that speaks against an exponent."""

_WIDEST = 3.0
"""Maximum of high / low: a wider range would say nothing about what to do."""

_STEP = 0.1

_LINEAR = (1.0, 1.3)
_GROWTH = {
    "sklearn.dummy": _LINEAR,
    "sklearn.ensemble": _LINEAR,
    "sklearn.linear_model": _LINEAR,
    "sklearn.naive_bayes": _LINEAR,
    "sklearn.neural_network": _LINEAR,
    "sklearn.svm.LinearSVC": _LINEAR,
    "sklearn.tree": _LINEAR,
    "sweepmark.estimators": _LINEAR,
    "sklearn.neighbors": (1.0, 2.0),
    "sklearn.svm": (1.0, 3.0),
    "sweepmark.svm": (1.0, 2.3),
    "sklearn.gaussian_process": (2.0, 3.0),
}
"""Bounds of the exponent by class or module, as scikit-learn's user guide gives the complexity:
https://scikit-learn.org/stable/modules/svm.html#complexity (between n² and n³),
https://scikit-learn.org/stable/modules/tree.html#complexity (n log n),
https://scikit-learn.org/stable/modules/sgd.html#complexity (n). Predicting takes n² where each row
is compared with each; what costs little at few rows makes the exponent seem smaller."""

_UNKNOWN = (1.0, 2.0)


def plausible_growth(target: str) -> tuple[float, float]:
    """Return the bounds of the exponent with which the time of a class grows in the rows.

    Examples
    --------
    >>> plausible_growth("sklearn.svm.LinearSVC")
    (1.0, 1.3)
    >>> plausible_growth("sklearn.svm.SVC")
    (1.0, 3.0)
    """
    parts = target.split(".")
    names = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((_GROWTH[name] for name in names if name in _GROWTH), _UNKNOWN)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A quantity with its plausible range, in the unit of what was measured."""

    low: float
    middle: float
    high: float

    @classmethod
    def about(cls, value: float, *, factor: float = 1.0) -> Self:
        """Return the range from ``value / factor`` to ``value * factor``."""
        return cls(value / factor, value, value * factor)

    def __add__(self, other: Estimate) -> Estimate:
        """Return the sum; what is uncertain in both is assumed to err in the same direction."""
        return Estimate(self.low + other.low, self.middle + other.middle, self.high + other.high)

    def __mul__(self, count: float) -> Estimate:
        """Return a multiple."""
        return Estimate(self.low * count, self.middle * count, self.high * count)

    def bounded(self) -> Estimate:
        """Return the estimate with a high end of at most three times its low one."""
        if self.high <= _WIDEST * self.low or self.middle <= 0:
            return self
        below, above = self.middle / max(self.low, 1e-12), self.high / self.middle
        share = math.log(_WIDEST) / (math.log(below) + math.log(above))
        return Estimate(self.middle / below**share, self.middle, self.middle * above**share)


def total(estimates: Iterable[Estimate]) -> Estimate:
    """Return the sum of estimates."""
    return sum(estimates, start=Estimate(0.0, 0.0, 0.0))


def extrapolate(
    measured: Mapping[int, float], n: float, growth: tuple[float, float] = _UNKNOWN
) -> Estimate:
    """Return what a + b · n^p gives at ``n``, for the values measured at some sizes.

    For each exponent p within its bounds a and b ≥ 0 are fitted to relative errors by non-negative
    least squares. The middle is the mean, on a logarithmic scale, weighted by the likelihood of p;
    the range is that of all p that explain the measurements about as well as the best one, and of
    their noise. Of a single size it is unknown how much does not grow: a is 0, p is from 0 on.

    Parameters
    ----------
    measured : mapping of int to float
        Positive values by number of rows, at least one.
    n : float
        The number of rows asked for.
    growth : (float, float)
        The bounds of p.

    Examples
    --------
    >>> found = extrapolate({100: 1.1, 200: 2.1, 400: 4.1}, 1000, (1, 1.3))
    >>> round(found.middle, 1), found.low < 10.1 < found.high
    (11.1, True)
    """
    from scipy.optimize import nnls

    sizes = np.array(sorted(measured), dtype=float)
    values = np.array([max(measured[size], 1e-9) for size in sorted(measured)])
    lowest = growth[0] if len(sizes) > 1 else 0.0
    exponents = np.arange(lowest, growth[1] + _STEP / 2, _STEP)
    logs, misfits = [], []
    for exponent in exponents:
        terms = np.column_stack([np.ones_like(sizes), (sizes / sizes[-1]) ** exponent])
        terms = terms if len(sizes) > 1 else terms[:, 1:]
        coefficients, misfit = nnls(terms / values[:, None], np.ones_like(values))
        at = np.array([1.0, (n / sizes[-1]) ** exponent])[-terms.shape[1] :]
        logs.append(math.log(max(float(at @ coefficients), 1e-9)))
        misfits.append((misfit / _MISFIT) ** 2 / 2)
    likelihood = np.exp(min(misfits) - np.array(misfits))
    middle = float(np.average(logs, weights=likelihood))
    likely = np.array(logs)[likelihood > math.exp(-1)]
    noise = 2 * _NOISE / math.sqrt(len(sizes))
    ends = min(*likely, middle) - noise, max(*likely, middle) + noise
    return Estimate(math.exp(ends[0]), math.exp(middle), math.exp(ends[1]))


def makespan(work: Estimate, longest: Estimate, *, n_slots: int) -> Estimate:
    """Return the time that jobs take on slots that never wait for each other.

    Parameters
    ----------
    work : Estimate
        The sum of all jobs.
    longest : Estimate
        The longest of them.
    n_slots : int
        How many run at a time.

    Notes
    -----
    Whatever the order, it is at least work / n and at most work / n + (1 - 1 / n) · longest (R.
    Graham, SIAM Journal on Applied Mathematics, 1969); the middle is in between.
    """
    spare = (1 - 1 / n_slots) * longest.middle
    return Estimate(
        max(work.low / n_slots, longest.low),
        max(work.middle / n_slots + spare / 2, longest.middle),
        max(work.high / n_slots + spare, longest.high),
    )
