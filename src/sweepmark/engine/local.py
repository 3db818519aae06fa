"""The local engine: one killable worker process per slot on this machine."""

from __future__ import annotations

import math
import pickle
import sys
import time
from dataclasses import dataclass, field
from multiprocessing import connection
from typing import TYPE_CHECKING

from sweepmark.engine.interface import Engine
from sweepmark.engine.job import Failure, Reply
from sweepmark.engine.process import Helper, WorkerProcess
from sweepmark.engine.worker import Settings
from sweepmark.errors import StoreError

if TYPE_CHECKING:
    from sweepmark.engine.job import Evaluate, Job, Outcome

__all__ = ["LocalEngine"]

_WORK = "sweepmark.engine.work"  # by name: it is imported in other processes only
_FALSE_STARTS = 3  # consecutive deaths before the first job after which the engine gives up
_MEMORY_INTERVAL = 0.2  # seconds between two checks of the workers' memory
_REFUSED = ("SIGSEGV", "SIGBUS", "SIGABRT")  # how C code ends after a failed allocation
_GIB = 2**30


@dataclass(slots=True)
class _Slot:
    """A slot for one job: its process, and the job from submission to outcome."""

    number: int
    process: WorkerProcess
    false_starts: int = 0
    job: Job | None = None
    message: bytes = field(default=b"", repr=False)
    started: float | None = None  # time.monotonic when the job was sent to the process


class LocalEngine(Engine):
    """Run evaluations in worker processes, one per slot.

    Workers start in parallel and receive jobs as soon as they are ready. One that dies is replaced;
    one whose evaluation exceeds ``engine.timeout`` or ``engine.memory`` is killed. A single
    allocation that is too fast for that check is refused by the kernel. An evaluating function must
    be importable by its name.
    """

    is_apart = True

    def _open(self) -> None:
        memory = self.config.memory
        self._memory = None if memory is None else int(memory * _GIB)
        self._settings = Settings(
            path=tuple(sys.path),
            evaluate=_name(self._evaluate) if self._evaluate else f"{_WORK}:evaluate_job",
            warm_up=self._warm_up,
            threads=self.config.threads,
            memory=self._memory,
        )
        self._slots: list[_Slot] = []
        is_known = self._settings.evaluate.startswith(f"{_WORK}:")
        self._helper = Helper.take() if is_known else Helper(preload=None)
        try:
            for number in range(self.n_slots):
                self._slots.append(_Slot(number, self._helper.start(self._settings)))
        except BaseException:
            self.close()
            raise

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

    def close(self) -> None:
        """Kill all workers and wait until they have ended."""
        slots, self._slots = self._slots, []
        self._helper.close()
        for slot in slots:
            slot.process.connection.close()

    def _replace(self, slot: _Slot) -> str:
        """Kill the worker of a slot, start another, and return how the old one ended."""
        end = slot.process.end()
        slot.process = self._helper.start(self._settings)
        return end

    def _send(self, slot: _Slot) -> None:
        """Send the job of a slot to its worker, if it has a job and the worker is ready."""
        if slot.process.pid and slot.job is not None and slot.process.send(slot.message):
            slot.started = time.monotonic()

    def _pause(self, deadline: float) -> float | None:
        """Return the seconds until the next check of a limit; None if there is none."""
        now = time.monotonic()
        pauses = [deadline - now]
        started = [slot.started for slot in self._slots if slot.started is not None]
        if self.config.timeout is not None and started:
            pauses.append(min(started) + self.config.timeout - now)
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
            slot.false_starts, slot.process.pid = 0, message
            self._send(slot)
            return None
        return self._finish(slot, message)

    def _bury(self, slot: _Slot) -> Outcome | None:
        """Replace a dead worker; a job that it had not started goes to the next one."""
        slot.false_starts += slot.process.pid is None
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
        return self._fail(slot, failure)

    def _enforce_limits(self) -> list[Outcome]:
        """Kill the workers whose evaluation exceeded a limit."""
        outcomes = []
        for slot in self._slots:
            if slot.started is not None and (failure := self._excess(slot, slot.started)):
                self._replace(slot)
                outcomes.append(self._fail(slot, failure))
        return outcomes

    def _excess(self, slot: _Slot, started: float) -> Failure | None:
        """Return which limit an evaluation exceeded, if any."""
        seconds = time.monotonic() - started
        if self.config.timeout is not None and seconds >= self.config.timeout:
            return Failure(
                reason="timeout",
                message=f"an evaluation may take {self.config.timeout:g} s, but it took "
                f"{seconds:.1f} s and was killed. Raise engine.timeout.",
            )
        if self._memory is not None and (held := slot.process.resident()) > self._memory:
            return Failure(
                reason="memory",
                message=f"a worker may hold {self._memory / _GIB:.2f} GiB, but it held "
                f"{held / _GIB:.2f} GiB and was killed. Raise engine.memory.",
            )
        return None

    def _fail(self, slot: _Slot, failure: Failure) -> Outcome:
        assert slot.started is not None  # noqa: S101 - only jobs that were sent fail
        return self._finish(slot, Reply(failure=failure, seconds=time.monotonic() - slot.started))

    def _finish(self, slot: _Slot, reply: Reply) -> Outcome:
        """Free a slot and return the outcome of its job."""
        job, started = slot.job, slot.started
        assert job is not None  # noqa: S101 - only jobs that were sent are finished
        assert started is not None  # noqa: S101 - likewise
        slot.job = slot.started = None
        return self._outcome(job, reply, slot=slot.number, started=started)


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
