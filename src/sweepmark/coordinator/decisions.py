"""Decisions: the parameters of the next trial, and whether a budget forbids one.

A decision depends on the journal and on results up to ``lag`` trials back, never on worker speed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sweepmark.coordinator.datasets import count_training_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sweepmark.config.schema import Config
    from sweepmark.coordinator.log import SweepLog
    from sweepmark.data import Dataset
    from sweepmark.search import Search
    from sweepmark.search.space import Params
    from sweepmark.search.trial import Trial

__all__ = ["Decisions"]


@dataclass(slots=True, kw_only=True)
class Decisions:
    """Decides trials one after the other, and when a budget is exhausted.

    Attributes
    ----------
    log : SweepLog
        Has the decisions that are reused, and is told each new one before it takes effect.
    search : Search
        A new search, which chooses the trials' parameters.
    """

    log: SweepLog
    search: Search
    _n_told: int = 0
    _is_reached: bool = False

    @property
    def n_trials(self) -> int:
        """The number of trials, unless a budget ends the sweep earlier."""
        return self.search.n_trials

    @property
    def needs_results(self) -> bool:
        """Whether the search depends on results."""
        return self.search.lag is not None

    @property
    def _lag(self) -> int | None:
        """Number of trials by which results lag behind a decision; None if it needs no results."""
        if self.log.blueprint.sweep.target is not None:
            return self.search.lag or self.log.blueprint.config.sampler.lag
        return self.search.lag

    def is_due(self, number: int, settled: Mapping[int, Trial]) -> bool:
        """Return whether all trials that the decision on a trial depends on are settled."""
        lag = self._lag
        if lag is None:
            return True
        return all(earlier in settled for earlier in range(self._n_told, number - lag + 1))

    def tell(self, number: int, settled: Mapping[int, Trial]) -> None:
        """Pass to the search the results that trial ``number`` may depend on, and no others."""
        lag = self._lag
        while lag is not None and self._n_told <= number - lag:
            value = settled[self._n_told].metrics.get(self.log.blueprint.sweep.objective or "")
            self.search.tell(self._n_told, value)
            self._is_reached = self._is_reached or self._reaches_target(value)
            self._n_told += 1

    def _reaches_target(self, value: float | None) -> bool:
        target = self.log.blueprint.sweep.target
        if value is None or target is None:
            return False
        return value >= target if self.log.blueprint.direction == "maximize" else value <= target

    def exhausted(self, number: int) -> Literal["timeout", "target"] | None:
        """Return which budget forbids a trial, if any; a journalled trial is always allowed."""
        if number in self.log.history.params:
            return None
        if self._is_reached:
            return "target"
        timeout = self.log.blueprint.sweep.timeout
        if timeout is not None and self.log.history.seconds_at(self.log.clock()) >= timeout:
            return "timeout"
        return None

    def decide(self, number: int) -> Params:
        """Return a trial's parameters: the journalled ones, or new ones, which are journalled."""
        recorded = self.log.history.params.get(number)
        if recorded is not None:
            self.search.note(number, recorded)
            return recorded
        params = self.search.ask(number)
        self.log.record("trial", number=number, params=params)
        return params

    def headline(self, load: Callable[[Config], Dataset]) -> int | None:
        """Return the trial whose model is kept: a run, or the largest of growing subsets.

        A sweep that selects keeps the model of its final evaluation instead.

        Parameters
        ----------
        load : callable
            Returns a configuration's data set.
        """
        sweep, config = self.log.blueprint.sweep, self.log.blueprint.config
        if sweep.objective is not None or config.evaluation.method != "test":
            return None
        if not self.log.blueprint.sweeps_rows:
            return 0
        numbers = range(self.n_trials)
        return max(numbers, key=lambda number: (self._n_train(number, load), -number))

    def _n_train(self, number: int, load: Callable[[Config], Dataset]) -> int:
        """Return the training rows of a trial of a search that needs no results."""
        return count_training_rows(self.log.blueprint.config_at(self.search.ask(number)), load)

    @property
    def tick(self) -> float | None:
        """Interval in seconds at which elapsed time is journalled; None without a time budget."""
        timeout = self.log.blueprint.sweep.timeout
        return None if timeout is None else min(max(timeout / 20, 0.5), 30.0)

    def keep_time(self) -> None:
        """Journal elapsed time, so that a kill loses at most one tick of the time budget."""
        tick = self.tick
        if tick is None or self.log.history.is_complete:
            return
        if self.log.history.silence(self.log.clock()) >= tick:
            self.log.record("running")
