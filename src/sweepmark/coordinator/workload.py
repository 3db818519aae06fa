"""The Workload: evaluations that trials wait for, each computed once however many want it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sweepmark.coordinator.placement import Placement

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sweepmark.engine import Engine, Failure, Job, Outcome

__all__ = ["Workload"]

_RETRIED = {"killed", "memory"}
_READY_PER_SLOT = 64
"""Enough to choose from: the cells of a usual grid on the folds that a worker has."""


@dataclass(slots=True)
class Workload:
    """Hands jobs to an engine's free slots, each to the one that has most of its work done.

    Attributes
    ----------
    engine : Engine
        What computes.
    retries : int
        Further attempts for an evaluation whose worker was killed or ran out of memory.
    """

    engine: Engine
    retries: int
    _ready: dict[str, Job] = field(default_factory=dict)
    _placement: Placement = field(default_factory=Placement)
    _waiting: dict[str, list[int]] = field(default_factory=dict)
    _attempts: Counter[str] = field(default_factory=Counter)

    @property
    def is_ample(self) -> bool:
        """Whether so much is ready that no worker will wait for a decision."""
        return len(self._ready) >= _READY_PER_SLOT * self.engine.n_slots

    @property
    def has_room(self) -> bool:
        """Whether a slot has nothing to do."""
        return len(self._ready) < len(self.engine.idle())

    def want(self, job: Job, *, trial: int) -> None:
        """Let a trial wait for an evaluation; one that is under way is not begun again."""
        key = job.specification.key
        if key not in self._waiting:
            self._waiting[key] = []
            self._ready[key] = job
        self._waiting[key].append(trial)

    def forget(self, keys: Iterable[str], *, trial: int) -> None:
        """Let a trial wait no longer; what no other wants is not begun."""
        for key in keys:
            self._waiting[key].remove(trial)
            if not self._waiting[key] and key in self._ready:
                self._placement.forget(self._ready.pop(key))
                del self._waiting[key]

    def dispatch(self) -> None:
        """Give the free slots something to do."""
        for slot in self.engine.idle():
            job = self._next_job(slot)
            if job is None:
                break
            self._attempts[job.specification.key] += 1
            self.engine.submit(job, slot=slot)

    def wait(self, timeout: float | None = None) -> list[Outcome]:
        """Return what came back, after ``timeout`` seconds at most.

        An outcome that is tried again is returned too: see :meth:`settle`.
        """
        return self.engine.wait(timeout)

    def _next_job(self, slot: int) -> Job | None:
        if not self._ready:
            return None
        job = self._placement.choose(self._ready.values(), slot)
        return self._ready.pop(job.specification.key)

    def owner(self, key: str) -> int:
        """Return the first trial that waits for an evaluation; -1 if none does any more."""
        waiting = self._waiting[key]
        return waiting[0] if waiting else -1

    def attempts(self, key: str) -> int:
        """Return how often an evaluation was begun."""
        return self._attempts[key]

    def settle(self, job: Job, failure: Failure | None) -> list[int] | None:
        """Return the trials whose wait an outcome ends; None if it is tried again."""
        key = job.specification.key
        if failure is not None and self._may_retry(key, failure):
            self._ready = {key: job} | self._ready
            return None
        self._placement.forget(job)
        return self._waiting.pop(key)

    def _may_retry(self, key: str, failure: Failure) -> bool:
        wanted = bool(self._waiting[key])
        return wanted and failure.reason in _RETRIED and self._attempts[key] <= self.retries
