"""Searches whose trials depend only on their number: grid, random and quasi-random search."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.errors import ConfigurationError
from sweepmark.search.interface import Search
from sweepmark.search.space import Choice, Options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scipy.stats.qmc import QMCEngine

    from sweepmark.config.schema import SamplerConfig, SweepConfig
    from sweepmark.search.space import Axis, Params, Space

__all__ = ["LARGEST_GRID", "GridSearch", "RandomSearch", "SobolSearch"]

LARGEST_GRID = 10_000
"""Number of cells above which a grid needs ``sweep.allow_large=true``."""


class GridSearch(Search):
    """Every cell of a finite space, in order."""

    def __init__(
        self, space: Space, sampler: SamplerConfig, sweep: SweepConfig, *, seed: int
    ) -> None:
        next(space.cells())  # raises on a range
        super().__init__(space, sampler, sweep, seed=seed)
        self._cells: Iterator[tuple[int, Params]] = enumerate(space.cells())

    def _count(self, sampler: SamplerConfig, sweep: SweepConfig) -> int:
        del sampler
        count = min(self._space.size, sweep.n_trials or self._space.size)
        if count > LARGEST_GRID and not sweep.allow_large:
            raise ConfigurationError(
                f"the grid has {count:,} cells, and above {LARGEST_GRID:,} a word of "
                "consent is needed. Set sweep.allow_large=true, or take sampler=random with "
                "sweep.n_trials=…"
            )
        return count

    def ask(self, number: int) -> Params:
        """Return the cell of that number."""
        for position, cell in self._cells:
            if position == number:
                return cell
        self._cells = enumerate(self._space.cells())
        return next(itertools.islice(self._space.cells(), number, None))


class RandomSearch(Search):
    """Random points: uniform over choices and ranges, log-uniform over ``log`` ranges."""

    def ask(self, number: int) -> Params:
        """Return a point drawn from a generator seeded by (seed, number)."""
        generator = np.random.default_rng([self._seed, number])
        params: Params = {}
        for axis in self._space.active(params):
            params[axis.name] = _draw(axis, generator)
        return params


class SobolSearch(Search):
    """Points of a scrambled Sobol sequence, which cover the space more evenly than random ones.

    Trial n is point n of the sequence that the seed scrambles, by ``scipy.stats.qmc.Sobol`` (I.
    Sobol, 1967; A. Owen's scrambling, 1998). Every axis has its own dimension, even if it is not
    active, so that no axis depends on the other options.
    """

    def __init__(
        self, space: Space, sampler: SamplerConfig, sweep: SweepConfig, *, seed: int
    ) -> None:
        super().__init__(space, sampler, sweep, seed=seed)
        self._dimensions = {axis.name: place for place, axis in enumerate(space.all_axes())}
        self._sequence: QMCEngine | None = None

    def ask(self, number: int) -> Params:
        """Return point ``number`` of the sequence."""
        shares = self._shares(number)
        params: Params = {}
        for axis in self._space.active(params):
            params[axis.name] = _at(axis, float(shares[self._dimensions[axis.name]]))
        return params

    def _shares(self, number: int) -> Any:
        if self._sequence is None or self._sequence.num_generated > number:
            self._sequence = self._begin()
        if skipped := number - self._sequence.num_generated:  # SciPy cannot skip 0 points
            self._sequence.fast_forward(skipped)
        return self._sequence.random(1)[0]

    def _begin(self) -> QMCEngine:
        """Return the sequence at its first point."""
        from scipy.stats.qmc import Sobol

        generator = np.random.default_rng(self._seed)
        return Sobol(len(self._dimensions), scramble=True, rng=generator)


def _draw(axis: Axis, generator: np.random.Generator) -> Any:
    if isinstance(axis, Options):
        return list(axis.options)[generator.integers(len(axis.options))]
    if isinstance(axis, Choice):
        return axis.values[generator.integers(len(axis.values))]
    if axis.integer and not axis.log:
        return int(generator.integers(int(axis.low), int(axis.high), endpoint=True))
    return _at(axis, generator.random())


def _at(axis: Axis, share: float) -> Any:
    """Return the value of an axis at a fraction in [0, 1) of its extent."""
    if isinstance(axis, Options | Choice):
        values = axis.options if isinstance(axis, Options) else axis.values
        return list(values)[int(share * len(values))]
    if not axis.log:
        if axis.integer:
            return int(axis.low) + int(share * (axis.high - axis.low + 1))
        return float(axis.low + share * (axis.high - axis.low))
    if axis.integer:  # each integer has an interval of equal length
        low, high = np.log(axis.low - 0.5), np.log(axis.high + 0.5)
        drawn = round(float(np.exp(low + share * (high - low))))
        return int(min(max(drawn, axis.low), axis.high))
    low, high = np.log(axis.low), np.log(axis.high)
    return float(min(max(np.exp(low + share * (high - low)), axis.low), axis.high))
