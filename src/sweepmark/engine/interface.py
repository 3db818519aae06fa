"""The interface of engines: one evaluation per slot, each with an Outcome."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Self

from sweepmark.config.schema import EngineConfig
from sweepmark.engine.job import Clock, Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from sweepmark.engine.job import Evaluate, Job, Reply

__all__ = ["Engine"]


class Engine(ABC):
    """Runs evaluations, and has no other responsibility.

    An engine has numbered slots, each of which runs one job at a time. It must be used only by the
    thread that created it. As a context manager, it is closed at the end. Its parameters are those
    of :func:`sweepmark.engine.create_engine`.

    Attributes
    ----------
    config : EngineConfig
        Its options.
    n_slots : int
        Slots are numbered from 0 to ``n_slots - 1``.
    is_apart : bool
        Whether evaluations run in other processes, so that work in this one does not affect their
        timings.
    options : type
        The dataclass of its options: EngineConfig, or a subclass with further ones.
    """

    options: ClassVar[type[EngineConfig]] = EngineConfig
    n_slots: int
    is_apart: bool

    @classmethod  # noqa: B027 -- it may have nothing to refuse
    def check(cls, config: EngineConfig) -> None:
        """Raise if the engine does not support a valid combination of options.

        Raises
        ------
        ConfigurationError
            With an option that it supports.
        """

    @classmethod
    def count_slots(cls, config: EngineConfig) -> int:
        """Return how many evaluations it runs at a time, if there are enough."""
        return config.workers or _usable_cores()

    def __init__(
        self,
        config: EngineConfig,
        *,
        evaluate: Evaluate | None = None,
        n_jobs: int | None = None,
        clock: Clock | None = None,
        warm_up: Sequence[str] = (),
    ) -> None:
        self.config = config
        workers = self.count_slots(config)
        self.n_slots = min(workers, n_jobs or workers)
        self._evaluate = evaluate
        self._clock = clock or Clock()
        self._warm_up = warm_up
        self._open()

    @abstractmethod
    def _open(self) -> None:
        """Start what is needed, without waiting for it; the constructor calls this."""

    @abstractmethod
    def idle(self) -> list[int]:
        """Return the free slots, ascending; empty once the engine is closed."""

    @abstractmethod
    def submit(self, job: Job, *, slot: int) -> None:
        """Assign a job to a free slot, without waiting.

        Raises
        ------
        ValueError
            If the slot is busy or does not exist.
        """

    @abstractmethod
    def wait(self, timeout: float | None = None) -> list[Outcome]:
        """Return the outcomes of finished jobs, in any order, each once.

        Parameters
        ----------
        timeout : float or None
            Maximum seconds to wait for the first outcome; None is no limit.

        Returns
        -------
        list of Outcome
            At least one, unless the timeout expired or there is no job.

        Raises
        ------
        StoreError
            If the machine cannot run evaluations at all.
        """

    @abstractmethod
    def close(self) -> None:
        """Kill running jobs and all processes; closing again does nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exception: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _check_free(self, slot: int) -> None:
        """Raise ValueError unless ``slot`` is free."""
        free = self.idle()
        if slot not in free:
            msg = f"a job goes to a free slot, but got slot {slot}; free are {free}"
            raise ValueError(msg)

    def _outcome(self, job: Job, reply: Reply, *, slot: int, started: float) -> Outcome:
        """Return the outcome of a job that was started at a value of :func:`time.monotonic`."""
        return Outcome(
            job=job,
            scorecard=reply.scorecard,
            failure=reply.failure,
            slot=slot,
            started=self._clock.date(started),
            ended=self._clock.date(started + reply.seconds),
        )


def _usable_cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
