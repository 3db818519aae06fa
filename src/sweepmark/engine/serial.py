"""The serial engine: evaluations run in this process, one after the other, for debugging."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Self

from sweepmark.engine.interface import Clock, Engine, Failure, Outcome, call
from sweepmark.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sweepmark.config.schema import EngineConfig
    from sweepmark.engine.interface import Evaluate, Job

__all__ = ["SerialEngine"]


class SerialEngine(Engine):
    """Run evaluations in this process, inside :meth:`wait`; there are no limits.

    Parameters
    ----------
    evaluate : callable or None
        Evaluates a job; None is :func:`sweepmark.engine.work.evaluate_job`.
    clock : Clock or None
        Timestamps the outcomes.
    warm_up : sequence of str
        ``module:name`` of functions that are called before the first job.
    """

    is_apart = False

    def __init__(
        self,
        *,
        evaluate: Evaluate | None = None,
        clock: Clock | None = None,
        warm_up: Sequence[str] = (),
    ) -> None:
        self.n_slots = 1
        self._warm_up = warm_up
        self._evaluate = evaluate
        self._clock = clock or Clock()
        self._job: Job | None = None
        self._closed = False

    @classmethod
    def check(cls, config: EngineConfig) -> None:
        """Raise if an option needs worker processes."""
        for name, value in (("timeout", config.timeout), ("memory", config.memory)):
            if value is not None:
                raise ConfigurationError(
                    f"engine=serial runs evaluations in its own process and cannot limit them, "
                    f"but got engine.{name}={value:g}. Take engine=local, or leave engine.{name} "
                    "out."
                )
        if config.workers not in {None, 1}:
            raise ConfigurationError(
                f"engine=serial has one worker, but got engine.workers={config.workers}. "
                "Take engine=local, or leave engine.workers out."
            )

    @classmethod
    def create(  # noqa: PLR0913 -- each has a default of its own
        cls,
        config: EngineConfig,  # noqa: ARG003 -- has no option for this engine
        *,
        evaluate: Evaluate | None = None,
        n_jobs: int | None = None,  # noqa: ARG003
        clock: Clock | None = None,
        warm_up: Sequence[str] = (),
    ) -> Self:
        """Return a new engine."""
        return cls(evaluate=evaluate, clock=clock, warm_up=warm_up)

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
        scorecard = failure = None
        names, self._warm_up = self._warm_up, ()
        call(names)
        started = time.monotonic()
        try:
            scorecard = self._function()(job)
        except Exception as exception:  # noqa: BLE001 - any exception is the job's outcome
            failure = Failure.of(exception)
        return [
            Outcome(
                job=job,
                scorecard=scorecard,
                failure=failure,
                slot=0,
                started=self._clock.date(started),
                ended=self._clock.date(time.monotonic()),
            )
        ]

    def cancel(self, slot: int) -> None:
        """Discard the job."""
        if slot == 0:
            self._job = None

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
