"""A worker process as its parent sees it: started without waiting, spoken to, killed, reaped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from multiprocessing.connection import Pipe
from typing import TYPE_CHECKING, Any

from sweepmark.engine.worker import PROGRAM
from sweepmark.errors import StoreError

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

__all__ = ["WorkerProcess"]

_STDERR = 2

_THREAD_LIMITS = (
    "BLIS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


class WorkerProcess:
    """A new interpreter that runs :func:`sweepmark.engine.worker.main`.

    A plain subprocess and not :class:`multiprocessing.Process`, which would import the parent's
    main module once more, changes the environment only by changing the parent's, and leaves a
    resource tracker behind. Three things keep it apart from the terminal: its own process group,
    so that Ctrl-C goes to the coordinator alone, no standard input, and standard output on
    standard error, because ``--json`` owns the other.

    Parameters
    ----------
    evaluate : str
        ``module:name`` of the function that does the work.
    threads : int
        BLAS and OpenMP threads; libraries read it from the environment when they are imported.
    memory : int or None
        Bytes above which it is killed; the kernel refuses it a multiple of them.

    Attributes
    ----------
    connection : Connection
        Where it answers; at its end when the process is dead.
    """

    def __init__(self, *, evaluate: str, threads: int, memory: int | None = None) -> None:
        self.connection: Connection[Any, Any]
        self.connection, theirs = Pipe()
        lifeline, self._lifeline = os.pipe()
        numbers = (theirs.fileno(), lifeline, os.getpid(), memory or 0)
        arguments = [str(number) for number in numbers]
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-P", "-c", PROGRAM, *arguments],
                env=os.environ | dict.fromkeys(_THREAD_LIMITS, str(threads)),
                stdin=subprocess.DEVNULL,
                stdout=_STDERR,
                pass_fds=(theirs.fileno(), lifeline),
                process_group=0,
            )
        except OSError as error:
            self._hang_up()
            raise StoreError(f"a worker process could not be started: {error}") from error
        finally:
            theirs.close()
            os.close(lifeline)
        with suppress(OSError):  # dead already: the connection is at its end, which says so
            self.connection.send(sys.path)
            self.connection.send(evaluate)

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
            return int(psutil.Process(self._process.pid).memory_info().rss)
        except psutil.Error:
            return 0

    def kill(self) -> None:
        """Kill it, and whatever it started, without waiting for its end."""
        if self._process.returncode is None:  # its number is not free for another process yet
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def reap(self) -> str:
        """Wait for its end and say how it came: "was killed by SIGKILL", "ended with code 1"."""
        code = self._process.wait()
        self._hang_up()
        if code >= 0:
            return f"ended with code {code}"
        return f"was killed by {_signal_name(-code)}"

    def _hang_up(self) -> None:
        self.connection.close()
        if self._lifeline >= 0:
            os.close(self._lifeline)
            self._lifeline = -1


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"
