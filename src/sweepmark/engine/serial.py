"""The serial engine: evaluations run in this process, one after the other, for debugging."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sweepmark.engine.interface import Engine
from sweepmark.engine.job import attempt, call
from sweepmark.errors import ConfigurationError

if TYPE_CHECKING:
    from sweepmark.config.schema import EngineConfig
    from sweepmark.engine.job import Evaluate, Job, Outcome

__all__ = ["SerialEngine"]


class SerialEngine(Engine):
    """Run evaluations in this process, inside :meth:`wait`; there are no limits."""

    is_apart = False

    @classmethod
    def check(cls, config: EngineConfig) -> None:
        """Raise if an option needs worker processes."""
        for name, value in (("timeout", config.timeout), ("memory", config.memory)):
            if value is not None:
                raise ConfigurationError(
                    f"engine={config.name} runs evaluations in this process and cannot limit "
                    f"them, but got engine.{name}={value:g}. Take engine=local, or leave "
                    f"engine.{name} out."
                )
        if config.workers not in {None, 1}:
            raise ConfigurationError(
                f"engine={config.name} has one worker, but got engine.workers={config.workers}. "
                "Take engine=local, or leave engine.workers out."
            )

    @classmethod
    def count_slots(cls, config: EngineConfig) -> int:
        """Return 1."""
        del config
        return 1

    def _open(self) -> None:
        self._job: Job | None = None
        self._closed = False

    def idle(self) -> list[int]:
        """Return the one slot, if it is free."""
        return [] if self._job is not None or self._closed else [0]

    def submit(self, job: Job, *, slot: int) -> None:
        """Keep a job until :meth:`wait` runs it."""
        self._check_free(slot)
        self._job = job

    def wait(self, timeout: float | None = None) -> list[Outcome]:  # noqa: ARG002 - cannot be enforced
        """Run the job, without a time limit; KeyboardInterrupt and SystemExit propagate."""
        if self._job is None:
            return []
        job, self._job = self._job, None
        names, self._warm_up = self._warm_up, ()
        call(names)
        evaluate = self._function()
        started = time.monotonic()
        return [self._outcome(job, attempt(evaluate, job), slot=0, started=started)]

    def close(self) -> None:
        """Discard the job and accept no other."""
        self._job = None
        self._closed = True

    def _function(self) -> Evaluate:
        """Return the evaluating function; the default is imported when first needed."""
        if self._evaluate is None:
            from sweepmark.engine.work import evaluate_job

            self._evaluate = evaluate_job
        return self._evaluate
