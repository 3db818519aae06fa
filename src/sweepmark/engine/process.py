"""A worker process as its parent sees it: started without waiting, spoken to, killed, reaped."""

from __future__ import annotations

import os
import signal
import sys
import warnings
from contextlib import suppress
from multiprocessing.connection import Pipe
from typing import TYPE_CHECKING, Any

from sweepmark.engine.worker import PROGRAM, Means, main_of_fork
from sweepmark.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.connection import Connection

__all__ = ["WorkerProcess"]


class WorkerProcess:
    """A process that runs :func:`sweepmark.engine.worker.serve`.

    It is a new interpreter or a fork of this one, and neither by :mod:`multiprocessing`, which
    would import the main module once more or go through a process between, and leaves a resource
    tracker behind. Three things keep it apart from the terminal: its own process group, so that
    Ctrl-C goes to the coordinator alone, no standard input, and standard output on standard error,
    because ``--json`` owns the other.

    Parameters
    ----------
    evaluate : str
        ``module:name`` of the function that does the work.
    warm_up : sequence of str
        Likewise, of functions that are called before that.
    threads : int
        BLAS and OpenMP threads; libraries read it from the environment when they are imported.
    memory : int or None
        Bytes above which it is killed; the kernel refuses it a multiple of them.
    fork : bool
        Whether it is forked, with all that this process has imported. No other thread may hold a
        lock then: nobody would release the worker's copy of it.

    Attributes
    ----------
    connection : Connection
        Where it answers; at its end when the process is dead.
    """

    def __init__(
        self,
        *,
        evaluate: str,
        warm_up: Sequence[str] = (),
        threads: int,
        memory: int | None = None,
        fork: bool = False,
    ) -> None:
        self.connection: Connection[Any, Any]
        self.connection, theirs = Pipe()
        lifeline, self._lifeline = os.pipe()
        means = Means(
            connection=theirs.fileno(),
            lifeline=lifeline,
            parent=os.getpid(),
            memory=memory or 0,
            threads=threads,
        )
        try:
            self._number = _fork(means) if fork else _new_interpreter(means)
        except OSError as error:
            self._hang_up()
            raise StoreError(f"a worker process could not be started: {error}") from error
        finally:
            theirs.close()
            os.close(lifeline)
        self._code: int | None = None
        with suppress(OSError):  # dead already: the connection is at its end, which says so
            self.connection.send(sys.path)
            self.connection.send(evaluate)
            self.connection.send(warm_up)

    def send(self, message: bytes) -> bool:
        """Send a pickled object; False if the process is dead."""
        try:
            self.connection.send_bytes(message)
        except OSError:
            return False
        return True

    def resident(self) -> int:
        """Return the bytes of its resident memory; 0 if it is dead."""
        import psutil

        try:
            return int(psutil.Process(self._number).memory_info().rss)
        except psutil.Error:
            return 0

    def kill(self) -> None:
        """Kill it, and whatever it started, without waiting for its end."""
        if self._code is None:  # its number is not free for another process yet
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._number, signal.SIGKILL)

    def reap(self) -> str:
        """Wait for its end and say how it came: "was killed by SIGKILL", "ended with code 1"."""
        if self._code is None:
            self._code = os.waitstatus_to_exitcode(os.waitpid(self._number, 0)[1])
            self._hang_up()
        if self._code >= 0:
            return f"ended with code {self._code}"
        return f"was killed by {_signal_name(-self._code)}"

    def _hang_up(self) -> None:
        self.connection.close()
        if self._lifeline >= 0:
            os.close(self._lifeline)
            self._lifeline = -1


def _new_interpreter(means: Means) -> int:
    """Start a worker that imports all by itself; return its process id."""
    for descriptor in (means.connection, means.lifeline):
        os.set_inheritable(descriptor, True)  # noqa: FBT003 - has no keyword
    return os.posix_spawn(
        sys.executable,
        [sys.executable, "-P", "-c", PROGRAM, *means.arguments()],
        os.environ | means.environment(),
        setpgroup=0,
        setsigdef=[signal.SIGPIPE, signal.SIGXFSZ],  # which Python itself ignores
    )


def _fork(means: Means) -> int:
    """Fork a worker; return its process id."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()  # or what waits there would be printed twice
    signals = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of threads: see `fork` above
            number = os.fork()
        if not number:
            main_of_fork(means, signals)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, signals)
    with suppress(OSError):  # it has done so itself
        os.setpgid(number, number)
    return number


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"
