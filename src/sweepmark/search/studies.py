"""Adaptive searches, by Optuna's samplers."""

from __future__ import annotations

import importlib.util
import warnings
from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.config.rules import Natural  # noqa: TC001 -- validation reads the fields' types
from sweepmark.config.schema import SamplerConfig
from sweepmark.errors import ConfigurationError
from sweepmark.scores.directions import better_end
from sweepmark.search.interface import Search
from sweepmark.search.space import Choice, Options

if TYPE_CHECKING:
    import optuna

    from sweepmark.config.schema import SweepConfig
    from sweepmark.search.space import Axis, Params, Space

__all__ = ["GpSearch", "StudyOptions", "StudySearch", "TpeSearch"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyOptions(SamplerConfig):
    """Options of Optuna's samplers.

    Attributes
    ----------
    n_startup_trials : int
        The first trials, which are random.
    """

    n_startup_trials: Natural = 10


class StudySearch(Search):
    """A search by an Optuna sampler, which is created and seeded anew for each trial.

    Trial n is proposed by a new study in which the trials up to n - lag are finished, however many
    results are known, and later ones are RUNNING, which the samplers take into account. A
    persistent study would store more of its own proposals than their parameters, so that a resumed
    sweep could choose other trials.
    """

    learns = True
    options = StudyOptions

    def __init__(
        self, space: Space, sampler: StudyOptions, sweep: SweepConfig, *, seed: int
    ) -> None:
        super().__init__(space, sampler, sweep, seed=seed)
        self._n_startup_trials = sampler.n_startup_trials
        self.n_before_learning = min(sampler.n_startup_trials, self.n_trials)
        self._direction = better_end(sweep.objective, sweep.direction)
        self._trials: list[optuna.trial.FrozenTrial] = []
        self._results: dict[int, float | None] = {}
        self._n_finished = 0
        self._lag = sampler.lag

    def ask(self, number: int) -> Params:
        """Return a point proposed from the results up to n - lag."""
        import optuna

        self._finish(number)
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        state = np.random.SeedSequence([self._seed, number]).generate_state(1)
        sampler = self._sampler(int(state[0]))
        study = optuna.create_study(direction=self._direction, sampler=sampler)
        study.add_trials(self._trials)
        trial = study.ask()
        params: Params = {}
        for axis in self._space.active(params):
            params[axis.name] = _suggest(trial, axis)
        self.note(number, params)
        return params

    @abstractmethod
    def _sampler(self, seed: int) -> optuna.samplers.BaseSampler:
        """Return a sampler that depends only on the seed."""

    def note(self, number: int, params: Params) -> None:
        """Add the trial as RUNNING."""
        import optuna

        del number  # trials are added in order
        axes = {axis.name: axis for axis in self._space.active(params)}
        self._trials.append(
            optuna.trial.create_trial(
                state=optuna.trial.TrialState.RUNNING,
                params={name: _internal(axis, params[name]) for name, axis in axes.items()},
                distributions={name: _distribution(axis) for name, axis in axes.items()},
            )
        )

    def tell(self, number: int, value: float | None) -> None:
        """Store the result for the trials that may use it."""
        self._results[number] = value

    def _finish(self, number: int) -> None:
        """Finish the trials whose results trial ``number`` may use."""
        from optuna.trial import TrialState

        while self._n_finished <= number - self._lag:
            value = self._results.pop(self._n_finished)
            trial = self._trials[self._n_finished]
            trial.state = TrialState.FAIL if value is None else TrialState.COMPLETE
            trial.value = value
            trial.datetime_complete = trial.datetime_start
            self._n_finished += 1


class TpeSearch(StudySearch):
    """Optuna's tree-structured Parzen estimator; it avoids RUNNING trials (constant_liar)."""

    def _sampler(self, seed: int) -> optuna.samplers.BaseSampler:
        import optuna

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)  # group
            return optuna.samplers.TPESampler(
                seed=seed,
                n_startup_trials=self._n_startup_trials,
                multivariate=True,
                group=True,
                constant_liar=True,
            )


class GpSearch(StudySearch):
    """Optuna's Gaussian process; RUNNING trials count as evaluated. It needs PyTorch.

    Parameters that not all trials have, such as those of an option, are sampled at random; the
    process is fitted to the others.

    Raises
    ------
    ConfigurationError
        If PyTorch is not installed.
    """

    def __init__(
        self, space: Space, sampler: StudyOptions, sweep: SweepConfig, *, seed: int
    ) -> None:
        super().__init__(space, sampler, sweep, seed=seed)
        if importlib.util.find_spec("torch") is None:
            raise ConfigurationError(
                "sampler=gp needs PyTorch, which is not installed. Run `pip install "
                "'sweepmark[gp]'`, or take sampler=tpe."
            )

    def _sampler(self, seed: int) -> optuna.samplers.BaseSampler:
        import optuna
        import torch

        torch.set_num_threads(1)  # the number of threads affects last digits
        return optuna.samplers.GPSampler(
            seed=seed,
            n_startup_trials=self._n_startup_trials,
            warn_independent_sampling=False,
        )


def _suggest(trial: optuna.Trial, axis: Axis) -> Any:
    if isinstance(axis, Options):
        return trial.suggest_categorical(axis.name, list(axis.options))
    if isinstance(axis, Choice):
        return axis.values[trial.suggest_categorical(axis.name, range(len(axis.values)))]
    if axis.integer:
        return trial.suggest_int(axis.name, int(axis.low), int(axis.high), log=axis.log)
    return trial.suggest_float(axis.name, axis.low, axis.high, log=axis.log)


def _internal(axis: Axis, value: Any) -> Any:
    """Return the internal value in the study: choices, which may be of any type, by position."""
    if not isinstance(axis, Choice):
        return value
    return [repr(item) for item in axis.values].index(repr(value))  # 1, 1.0 and True are equal


def _distribution(axis: Axis) -> optuna.distributions.BaseDistribution:
    from optuna import distributions

    if isinstance(axis, Options):
        return distributions.CategoricalDistribution(list(axis.options))
    if isinstance(axis, Choice):
        return distributions.CategoricalDistribution(range(len(axis.values)))
    if axis.integer:
        return distributions.IntDistribution(int(axis.low), int(axis.high), log=axis.log)
    return distributions.FloatDistribution(axis.low, axis.high, log=axis.log)
