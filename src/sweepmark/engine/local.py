"""The local engine: one killable worker process per slot on this machine."""

from __future__ import annotations

import math
import os
import pickle
import sys
import time
from dataclasses import dataclass, field
from multiprocessing import connection
from typing import TYPE_CHECKING, Self

from sweepmark.engine.interface import Clock, Engine, Failure, Outcome
from sweepmark.engine.process import Helper
from sweepmark.engine.worker import Settings
from sweepmark.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sweepmark.config.schema import EngineConfig
    from sweepmark.engine.interface import Evaluate, Job
    from sweepmark.engine.worker import Reply
    from sweepmark.scores.scorecard import Scorecard

__all__ = ["LocalEngine"]

_DEFAULT = "sweepmark.engine.work:evaluate_job"  # by name: it is imported in other processes only
_FALSE_STARTS = 3  # consecutive deaths before the first job after which the engine gives up
_MEMORY_INTERVAL = 0.2  # seconds between two checks of the workers' memory
_REFUSED = ("SIGSEGV", "SIGBUS", "SIGABRT")  # how C code ends after a failed allocation
_GIB = 2**30


@dataclass(slots=True)
class _Slot:
    """A slot for one job: its process, and the job from submission to outcome."""

    number: int
    process: WorkerProcess
    ready: bool = False
    false_starts: int = 0
    job: Job | None = None
    message: bytes = field(default=b"", repr=False)
    started: float | None = None  # time.monotonic when the job was sent to the process


class LocalEngine(Engine):
    """Run evaluations in worker processes, one per slot.

    The constructor does not wait; workers start in parallel and receive jobs as soon as they are
    ready. A worker that dies is replaced.

    Parameters
    ----------
    workers : int
        Number of workers.
    threads : int
        BLAS and OpenMP threads of each worker.
    timeout : float or None
        Maximum seconds of an evaluation, after which the worker is killed.
    memory : int or None
        Maximum resident memory of a worker in bytes, above which it is killed. A single allocation
        that is too fast for that check is refused by the kernel.
    evaluate : callable or None
        Evaluates a job; must be importable by its name. None is
        :func:`sweepmark.engine.work.evaluate_job`.
    clock : Clock or None
        Timestamps the outcomes.
    warm_up : sequence of str
        ``module:name`` of functions that each worker calls before its first job, so that their time
        is not counted in a job.
    """

    is_apart = True

    def __init__(  # noqa: PLR0913 -- each has a default of its own
        self,
        *,
        workers: int,
        threads: int = 1,
        timeout: float | None = None,
        memory: int | None = None,
        evaluate: Evaluate | None = None,
        clock: Clock | None = None,
        warm_up: Sequence[str] = (),
    ) -> None:
        self.n_slots = workers
        self._timeout = timeout
        self._memory = memory
        self._clock = clock or Clock()
        self._settings = Settings(
            path=tuple(sys.path),
            evaluate=_DEFAULT if evaluate is None else _name(evaluate),
            warm_up=warm_up,
            threads=threads,
            memory=memory,
        )
        self._slots: list[_Slot] = []
        self._helper = Helper.take() if evaluate is None else Helper(preload=None)
        try:
            for number in range(workers):
                self._slots.append(_Slot(number, self._helper.start(self._settings)))
        except BaseException:
            self.close()
            raise

    @classmethod
    def create(  # noqa: PLR0913 -- each has a default of its own
        cls,
        config: EngineConfig,
        *,
        evaluate: Evaluate | None = None,
        n_jobs: int | None = None,
        clock: Clock | None = None,
        warm_up: Sequence[str] = (),
    ) -> Self:
        """Return a new engine, whose workers are as many as cores unless configured."""
        workers = config.workers or _usable_cores()
        return cls(
            workers=min(workers, n_jobs or workers),
            threads=config.threads,
            timeout=config.timeout,
            memory=None if config.memory is None else int(config.memory * _GIB),
            evaluate=evaluate,
            clock=clock,
            warm_up=warm_up,
        )

    def idle(self) -> list[int]:
        """Return the free slots, even if their workers are not ready."""
        return [slot.number for slot in self._slots if slot.job is None]

    def submit(self, job: Job, *, slot: int) -> None:
        """Send a job to the worker of a slot, as soon as that is ready."""
        self._check_free(slot)
        message = pickle.dumps(job)
        place = self._slots[slot]
        place.job, place.message = job, message
        self._send(place)

    def wait(self, timeout: float | None = None) -> list[Outcome]:
        """Return finished outcomes; time and memory limits are enforced while waiting."""
        deadline = math.inf if timeout is None else time.monotonic() + timeout
        outcomes: list[Outcome] = []
        while not outcomes and any(slot.job for slot in self._slots):
            outcomes = self._listen(self._pause(deadline)) + self._enforce_limits()
            if time.monotonic() >= deadline:
                break
        return outcomes

    def cancel(self, slot: int) -> None:
        """Cancel the job of a slot; if it is running, its worker is killed and replaced."""
        place = self._slots[slot]
        if place.started is not None:
            self._replace(place)
        place.job = place.started = None

    def close(self) -> None:
        """Kill all workers and wait until they have ended."""
        slots, self._slots = self._slots, []
        self._helper.close()
        for slot in slots:
            slot.process.connection.close()

    def _replace(self, slot: _Slot) -> str:
        """Kill the worker of a slot, start another, and return how the old one ended."""
        end = slot.process.end()
        slot.ready = False
        slot.process = self._helper.start(self._settings)
        return end

    def _send(self, slot: _Slot) -> None:
        """Send the job of a slot to its worker, if it has a job and the worker is ready."""
        if slot.ready and slot.job is not None and slot.process.send(slot.message):
            slot.started = time.monotonic()

    def _pause(self, deadline: float) -> float | None:
        """Return the seconds until the next check of a limit; None if there is none."""
        now = time.monotonic()
        pauses = [deadline - now]
        started = [slot.started for slot in self._slots if slot.started is not None]
        if self._timeout is not None and started:
            pauses.append(min(started) + self._timeout - now)
        if self._memory is not None and started:
            pauses.append(_MEMORY_INTERVAL)
        shortest = max(min(pauses), 0.0)
        return None if math.isinf(shortest) else shortest

    def _listen(self, pause: float | None) -> list[Outcome]:
        """Process messages and deaths of workers within ``pause`` seconds."""
        slots = {slot.process.connection: slot for slot in self._slots}
        speaking = connection.wait(list(slots), pause)
        heard = [self._hear(slot) for link, slot in slots.items() if link in speaking]
        return [outcome for outcome in heard if outcome is not None]

    def _hear(self, slot: _Slot) -> Outcome | None:
        """Process one message of a worker, or its death."""
        try:
            message: Reply | Failure | int = slot.process.connection.recv()
        except (EOFError, OSError):
            return self._bury(slot)
        if isinstance(message, Failure):
            raise _cannot_start(f"it said: {message.message}", message.traceback)
        if isinstance(message, int):
            slot.ready, slot.false_starts, slot.process.pid = True, 0, message
            self._send(slot)
            return None
        return self._finish(
            slot,
            scorecard=message.scorecard,
            failure=message.failure,
            seconds=message.seconds,
        )

    def _bury(self, slot: _Slot) -> Outcome | None:
        """Replace a dead worker; a job that it had not started goes to the next one."""
        slot.false_starts += not slot.ready
        end = self._replace(slot)
        if slot.false_starts >= _FALSE_STARTS:
            raise _cannot_start(f"{slot.false_starts} in a row {end}, see above")
        if slot.started is None:
            return None
        failure = Failure(reason="killed", message=f"the worker {end} in mid-evaluation")
        if self._memory is not None and end.endswith(_REFUSED):
            failure = Failure(
                reason="memory",
                message=f"the worker {end}, as libraries in C do that are refused memory: it may "
                f"hold {self._memory / _GIB:.2f} GiB. Raise engine.memory.",
            )
        return self._finish(slot, failure=failure)

    def _enforce_limits(self) -> list[Outcome]:
        """Kill the workers whose evaluation exceeded a limit."""
        outcomes = []
        for slot in self._slots:
            if slot.started is not None and (failure := self._excess(slot, slot.started)):
                self._replace(slot)
                outcomes.append(self._finish(slot, failure=failure))
        return outcomes

    def _excess(self, slot: _Slot, started: float) -> Failure | None:
        """Return which limit an evaluation exceeded, if any."""
        seconds = time.monotonic() - started
        if self._timeout is not None and seconds >= self._timeout:
            return Failure(
                reason="timeout",
                message=f"an evaluation may take {self._timeout:g} s, but it took {seconds:.1f} s "
                "and was killed. Raise engine.timeout.",
            )
        if self._memory is not None and (held := slot.process.resident()) > self._memory:
            return Failure(
                reason="memory",
                message=f"a worker may hold {self._memory / _GIB:.2f} GiB, but it held "
                f"{held / _GIB:.2f} GiB and was killed. Raise engine.memory.",
            )
        return None

    def _finish(
        self,
        slot: _Slot,
        *,
        scorecard: Scorecard | None = None,
        failure: Failure | None = None,
        seconds: float | None = None,
    ) -> Outcome:
        """Free a slot and return the outcome of its job, which took ``seconds`` or until now."""
        job, started = slot.job, slot.started
        assert job is not None  # noqa: S101 - only jobs that were sent are finished
        assert started is not None  # noqa: S101 - likewise
        slot.job = slot.started = None
        return Outcome(
            job=job,
            scorecard=scorecard,
            failure=failure,
            slot=slot.number,
            started=self._clock.date(started),
            ended=self._clock.date(time.monotonic() if seconds is None else started + seconds),
        )


def _name(evaluate: Evaluate) -> str:
    """Return the name that a worker can import a function by."""
    module, name = evaluate.__module__, getattr(evaluate, "__qualname__", "<locals>")
    if module == "__main__" or "<locals>" in name or "<lambda>" in name:
        msg = f"a worker imports its function by name, but got {evaluate!r} of module {module}"
        raise ValueError(msg)
    return f"{module}:{name}"


def _cannot_start(cause: str, trace: str = "") -> StoreError:
    return StoreError(
        f"a worker of the local engine must be able to start, but {cause}",
        *trace.splitlines(),
        "Take engine=serial to see the same without worker processes.",
    )


def _usable_cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
