"""A worker process, from the parent's side: start, send, kill and reap."""

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

    It is a new interpreter or a fork of this one. :mod:`multiprocessing` is not used: it would
    import the main module again or need an intermediate process, and it leaves a resource tracker
    behind. The worker is isolated from the terminal: it has its own process group, so that Ctrl-C
    reaches only the coordinator; no standard input; and standard output redirected to standard
    error, because ``--json`` needs the former.

    Parameters
    ----------
    evaluate : str
        ``module:name`` of the function that evaluates a job.
    warm_up : sequence of str
        ``module:name`` of functions that are called before the first job.
    threads : int
        BLAS and OpenMP threads; set in the environment, which libraries read when imported.
    memory : int or None
        Bytes above which it is killed; the kernel limit is a multiple of it.
    fork : bool
        Whether it is forked, with all modules imported by this process. No other thread may hold a
        lock then: the worker's copy of the lock would never be released.

    Attributes
    ----------
    connection : Connection
        Receives its messages; at end of file when the process is dead.
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
        with suppress(OSError):  # dead already: the connection reports end of file
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
        """Return its resident memory in bytes; 0 if it is dead."""
        import psutil

        try:
            return int(psutil.Process(self._number).memory_info().rss)
        except psutil.Error:
            return 0

    def kill(self) -> None:
        """Kill it and its child processes, without waiting."""
        if self._code is None:  # not reaped, so its process id cannot be reused yet
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._number, signal.SIGKILL)

    def reap(self) -> str:
        """Wait for its end and return the cause: "was killed by SIGKILL", "ended with code 1"."""
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
    """Start a worker as a new interpreter; return its process id."""
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
        stream.flush()  # otherwise buffered output would be printed twice
    signals = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of threads: see `fork` above
            number = os.fork()
        if not number:
            main_of_fork(means, signals)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, signals)
    with suppress(OSError):  # the child has done so itself
        os.setpgid(number, number)
    return number


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"
