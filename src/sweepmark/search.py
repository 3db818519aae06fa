"""How the next trial's parameters are chosen: Optuna's fence beside the ledger's.

Trial n is a function of (seed, n) and, for an adaptive search, of the results up to n - lag and
the parameters of the trials after that. Nothing else enters, so that the trials are the same for
any number of workers and after any interruption.
"""

from __future__ import annotations

import itertools
import warnings
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from sweepmark.errors import ConfigurationError
from sweepmark.space import Choice, Options, Range

if TYPE_CHECKING:
    from collections.abc import Iterator

    import optuna

    from sweepmark.config.schema import SamplerConfig, SweepConfig
    from sweepmark.space import Axis, Params, Space

__all__ = ["GridSearch", "RandomSearch", "Search", "TpeSearch", "create_search"]

LARGEST_GRID = 10_000
"""Grids beyond it need ``sweep.allow_large=true``."""


class Search(Protocol):
    """Chooses trials in order.

    Attributes
    ----------
    n_trials : int
        How many there are.
    lag : int or None
        Before trial n is asked for, the results up to n - lag must have been told; those that
        were told besides are not used for it. None needs none.
    """

    n_trials: int
    lag: int | None

    def ask(self, number: int) -> Params:
        """Return the parameters of the next trial."""
        ...

    def note(self, number: int, params: Params) -> None:
        """Take the parameters of the next trial as already decided."""
        ...

    def tell(self, number: int, value: float | None) -> None:
        """Take the objective of a trial, None if it failed."""
        ...


def create_search(space: Space, sampler: SamplerConfig, sweep: SweepConfig, *, seed: int) -> Search:
    """Return the search that a configuration asks for.

    Raises
    ------
    ConfigurationError
        If the sampler cannot search that space, or the grid is larger than was consented to.
    """
    if sampler.name == "grid":
        return GridSearch(space, n_trials=sweep.n_trials, allow_large=sweep.allow_large)
    if sweep.n_trials is None:
        raise ConfigurationError(
            f"sampler={sampler.name} needs a number of trials. Set sweep.n_trials=30, say."
        )
    if sampler.name == "random":
        return RandomSearch(space, seed=seed, n_trials=sweep.n_trials)
    return TpeSearch(space, sampler, sweep, seed=seed)


class _Memoryless:
    """A search whose trials depend on their number alone."""

    lag: int | None = None

    def note(self, number: int, params: Params) -> None:
        """Need nothing."""

    def tell(self, number: int, value: float | None) -> None:
        """Need nothing."""


class GridSearch(_Memoryless):
    """Every cell of a finite space, in order."""

    def __init__(
        self, space: Space, *, n_trials: int | None = None, allow_large: bool = False
    ) -> None:
        next(space.cells())  # refuses a range
        self.n_trials = min(space.size, n_trials or space.size)
        if self.n_trials > LARGEST_GRID and not allow_large:
            raise ConfigurationError(
                f"the grid has {self.n_trials:,} cells, and above {LARGEST_GRID:,} a word of "
                "consent is needed. Set sweep.allow_large=true, or take sampler=random with "
                "sweep.n_trials=…"
            )
        self._space = space
        self._cells: Iterator[tuple[int, Params]] = enumerate(space.cells())

    def ask(self, number: int) -> Params:
        """Return the cell of that number."""
        for position, cell in self._cells:
            if position == number:
                return cell
        self._cells = enumerate(self._space.cells())
        return next(itertools.islice(self._space.cells(), number, None))


class RandomSearch(_Memoryless):
    """Independent points: uniform over choices and ranges, log-uniform where a range says so."""

    def __init__(self, space: Space, *, seed: int, n_trials: int) -> None:
        self._space = space
        self._seed = seed
        self.n_trials = n_trials

    def ask(self, number: int) -> Params:
        """Return a point drawn from a generator seeded by (seed, number)."""
        generator = np.random.default_rng([self._seed, number])
        params: Params = {}
        for axis in _opened(self._space, params):
            params[axis.name] = _draw(axis, generator)
        return params


def _opened(space: Space, params: Params) -> Iterator[Axis]:
    """Yield the axes to choose on, reading the options from ``params`` as they are chosen."""
    for axis in space.axes:
        yield axis
        if isinstance(axis, Options):
            yield from axis.options[params[axis.name]]


def _draw(axis: Axis, generator: np.random.Generator) -> Any:
    if isinstance(axis, Options):
        return list(axis.options)[generator.integers(len(axis.options))]
    if isinstance(axis, Choice):
        return axis.values[generator.integers(len(axis.values))]
    if axis.integer and not axis.log:
        return int(generator.integers(int(axis.low), int(axis.high), endpoint=True))
    share = generator.random()
    if not axis.log:
        return float(axis.low + share * (axis.high - axis.low))
    if axis.integer:  # each integer owns the half-open interval around it
        low, high = np.log(axis.low - 0.5), np.log(axis.high + 0.5)
        drawn = round(float(np.exp(low + share * (high - low))))
        return int(min(max(drawn, axis.low), axis.high))
    low, high = np.log(axis.low), np.log(axis.high)
    return float(min(max(np.exp(low + share * (high - low)), axis.low), axis.high))


class TpeSearch:
    """Optuna's tree-structured Parzen estimator, seeded anew for each trial.

    Trial n is proposed by a study made for it alone. In it the trials up to n - lag are finished,
    however many results are known, and those after are RUNNING, which TPE takes into account
    (constant_liar). A study that lived on would remember of its own proposals more than their
    parameters, so that a replay would part from it.
    """

    def __init__(
        self, space: Space, sampler: SamplerConfig, sweep: SweepConfig, *, seed: int
    ) -> None:
        self._space = space
        self._seed = seed
        self._n_startup_trials = sampler.n_startup_trials
        self._direction = sweep.direction
        self._trials: list[optuna.trial.FrozenTrial] = []
        self._results: dict[int, float | None] = {}
        self._n_finished = 0
        self.n_trials = sweep.n_trials or 0
        self._lag = sampler.lag
        self.lag: int | None = sampler.lag

    def ask(self, number: int) -> Params:
        """Return a point proposed from what may be known."""
        import optuna

        self._finish(number)
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        state = np.random.SeedSequence([self._seed, number]).generate_state(1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)  # group
            sampler = optuna.samplers.TPESampler(
                seed=int(state[0]),
                n_startup_trials=self._n_startup_trials,
                multivariate=True,
                group=True,
                constant_liar=True,
            )
        study = optuna.create_study(direction=self._direction, sampler=sampler)
        study.add_trials(self._trials)
        trial = study.ask()
        params: Params = {}
        for axis in _opened(self._space, params):
            params[axis.name] = _suggest(trial, axis)
        self.note(number, params)
        return params

    def note(self, number: int, params: Params) -> None:
        """Take the trial as RUNNING."""
        import optuna

        del number  # trials come in order
        axes = {axis.name: axis for axis in self._space.active(params)}
        self._trials.append(
            optuna.trial.create_trial(
                state=optuna.trial.TrialState.RUNNING,
                params={name: _internal(axis, params[name]) for name, axis in axes.items()},
                distributions={name: _distribution(axis) for name, axis in axes.items()},
            )
        )

    def tell(self, number: int, value: float | None) -> None:
        """Keep the result for the trials that may know it."""
        self._results[number] = value

    def _finish(self, number: int) -> None:
        """Finish the trials whose results trial ``number`` may know."""
        from optuna.trial import TrialState

        while self._n_finished <= number - self._lag:
            value = self._results.pop(self._n_finished)
            trial = self._trials[self._n_finished]
            trial.state = TrialState.FAIL if value is None else TrialState.COMPLETE
            trial.value = value
            trial.datetime_complete = trial.datetime_start
            self._n_finished += 1


def _suggest(trial: optuna.Trial, axis: Axis) -> Any:
    if isinstance(axis, Options):
        return trial.suggest_categorical(axis.name, list(axis.options))
    if isinstance(axis, Choice):
        return axis.values[trial.suggest_categorical(axis.name, range(len(axis.values)))]
    if axis.integer:
        return trial.suggest_int(axis.name, int(axis.low), int(axis.high), log=axis.log)
    return trial.suggest_float(axis.name, axis.low, axis.high, log=axis.log)


def _internal(axis: Axis, value: Any) -> Any:
    """Return what the study knows a value by: choices go by position, being of any type."""
    if not isinstance(axis, Choice):
        return value
    return [repr(item) for item in axis.values].index(repr(value))  # 1, 1.0 and True are equal


def _distribution(axis: Axis) -> optuna.distributions.BaseDistribution:
    from optuna import distributions

    if isinstance(axis, Options):
        return distributions.CategoricalDistribution(list(axis.options))
    if isinstance(axis, Choice):
        return distributions.CategoricalDistribution(range(len(axis.values)))
    if isinstance(axis, Range) and axis.integer:
        return distributions.IntDistribution(int(axis.low), int(axis.high), log=axis.log)
    return distributions.FloatDistribution(axis.low, axis.high, log=axis.log)
