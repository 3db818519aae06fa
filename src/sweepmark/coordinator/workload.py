"""The Workload: evaluations that trials wait for, each computed once for all its trials."""

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
"""Ready jobs per slot that give Placement enough choice: a usual grid on the folds of a worker."""


@dataclass(slots=True)
class Workload:
    """Submits jobs to an engine's free slots, preferring slots that can reuse cached work.

    Attributes
    ----------
    engine : Engine
        Computes evaluations.
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
        """Whether enough jobs are ready that no worker will wait for a decision."""
        return len(self._ready) >= _READY_PER_SLOT * self.engine.n_slots

    @property
    def has_room(self) -> bool:
        """Whether there are fewer ready jobs than idle slots."""
        return len(self._ready) < len(self.engine.idle())

    def want(self, job: Job, *, trial: int) -> None:
        """Register that a trial waits for an evaluation; a running one is not started again."""
        key = job.specification.key
        if key not in self._waiting:
            self._waiting[key] = []
            self._ready[key] = job
        self._waiting[key].append(trial)

    def forget(self, keys: Iterable[str], *, trial: int) -> None:
        """Unregister a trial; evaluations that no other trial waits for are not started."""
        for key in keys:
            self._waiting[key].remove(trial)
            if not self._waiting[key] and key in self._ready:
                self._placement.forget(self._ready.pop(key))
                del self._waiting[key]

    def dispatch(self) -> None:
        """Submit jobs to the free slots."""
        for slot in self.engine.idle():
            job = self._next_job(slot)
            if job is None:
                break
            self._attempts[job.specification.key] += 1
            self.engine.submit(job, slot=slot)

    def wait(self, timeout: float | None = None) -> list[Outcome]:
        """Return finished outcomes, after ``timeout`` seconds at most.

        Outcomes that will be retried are included: see :meth:`settle`.
        """
        return self.engine.wait(timeout)

    def _next_job(self, slot: int) -> Job | None:
        if not self._ready:
            return None
        job = self._placement.choose(self._ready.values(), slot)
        return self._ready.pop(job.specification.key)

    def owner(self, key: str) -> int:
        """Return the first trial that waits for an evaluation; -1 if none does."""
        waiting = self._waiting[key]
        return waiting[0] if waiting else -1

    def attempts(self, key: str) -> int:
        """Return the number of attempts of an evaluation."""
        return self._attempts[key]

    def settle(self, job: Job, failure: Failure | None) -> list[int] | None:
        """Return the trials that an outcome completes; None if the evaluation is retried."""
        key = job.specification.key
        if failure is not None and self._may_retry(key, failure):
            self._ready = {key: job} | self._ready
            return None
        self._placement.forget(job)
        return self._waiting.pop(key)

    def _may_retry(self, key: str, failure: Failure) -> bool:
        wanted = bool(self._waiting[key])
        return wanted and failure.reason in _RETRIED and self._attempts[key] <= self.retries
