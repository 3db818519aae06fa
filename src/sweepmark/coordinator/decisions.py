"""Decisions: what parameters the next trial has, and whether there is a next one.

A decision depends on the journal and on the trials it may know, never on how fast workers are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sweepmark.search import Search
    from sweepmark.search.axes import Params
    from sweepmark.search.blueprint import Blueprint
    from sweepmark.search.trial import Trial
    from sweepmark.store import Entry, History

__all__ = ["Decisions", "EntryWriter"]


class EntryWriter(Protocol):
    """Writes an entry to the journal and takes it into the history."""

    def __call__(self, event: str, **details: object) -> Entry:
        """Write an event."""
        ...


@dataclass(slots=True, kw_only=True)
class Decisions:
    """Decides trials one after the other, and when a budget forbids another.

    Attributes
    ----------
    blueprint : Blueprint
        What is asked for.
    search : Search
        What chooses the trials' parameters; new.
    history : History
        What the journal says so far; what it has decided is taken over.
    record : EntryWriter
        Where decisions go before they are acted on.
    clock : callable
        Seconds since the epoch; never runs backwards.
    """

    blueprint: Blueprint
    search: Search
    history: History
    record: EntryWriter
    clock: Callable[[], float]
    _n_told: int = 0
    _is_reached: bool = False

    @property
    def n_trials(self) -> int:
        """How many trials there are, if no budget ends the sweep before."""
        return self.search.n_trials

    @property
    def needs_results(self) -> bool:
        """Whether the search looks at what came out."""
        return self.search.lag is not None

    @property
    def _lag(self) -> int | None:
        """How far behind the results are that a decision takes into account; None needs none."""
        if self.blueprint.sweep.target is not None:
            return self.search.lag or self.blueprint.config.sampler.lag
        return self.search.lag

    def is_due(self, number: int, settled: Mapping[int, Trial]) -> bool:
        """Tell whether the trials are settled that the decision on a trial takes into account."""
        lag = self._lag
        if lag is None:
            return True
        return all(earlier in settled for earlier in range(self._n_told, number - lag + 1))

    def tell(self, number: int, settled: Mapping[int, Trial]) -> None:
        """Take the results into account that trial ``number`` may know, no others."""
        lag = self._lag
        while lag is not None and self._n_told <= number - lag:
            value = settled[self._n_told].metrics.get(self.blueprint.sweep.objective or "")
            self.search.tell(self._n_told, value)
            self._is_reached = self._is_reached or self._reaches_target(value)
            self._n_told += 1

    def _reaches_target(self, value: float | None) -> bool:
        target = self.blueprint.sweep.target
        if value is None or target is None:
            return False
        return value >= target if self.blueprint.direction == "maximize" else value <= target

    def exhausted(self, number: int) -> Literal["timeout", "target"] | None:
        """Return which budget forbids a trial; one that is on record has been begun."""
        if number in self.history.params:
            return None
        if self._is_reached:
            return "target"
        timeout = self.blueprint.sweep.timeout
        if timeout is not None and self.history.seconds_at(self.clock()) >= timeout:
            return "timeout"
        return None

    def decide(self, number: int) -> Params:
        """Return a trial's parameters, as they are on record or, now, chosen and recorded."""
        recorded = self.history.params.get(number)
        if recorded is not None:
            self.search.note(number, recorded)
            return recorded
        params = self.search.ask(number)
        self.record("trial", number=number, params=params)
        return params

    def params(self, number: int) -> Params:
        """Return the parameters of a trial of a search that needs no results."""
        return self.search.ask(number)

    @property
    def tick(self) -> float | None:
        """Seconds after which the time is journalled, where a budget of time is to be summed."""
        timeout = self.blueprint.sweep.timeout
        return None if timeout is None else min(max(timeout / 20, 0.5), 30.0)

    def keep_time(self) -> None:
        """Journal that time has passed, so that a kill costs the budget a tick at most."""
        tick = self.tick
        if tick is None or self.history.is_complete:
            return
        if self.history.silence(self.clock()) >= tick:
            self.record("running")
