"""Worker processes from the coordinator's side: start, send, kill and await their end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from multiprocessing.connection import Pipe
from multiprocessing.reduction import send_handle
from typing import TYPE_CHECKING, Any

from sweepmark.engine.helper import PROGRAM
from sweepmark.engine.worker import thread_limits
from sweepmark.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection

    from sweepmark.engine.worker import Settings

__all__ = ["Helper", "WorkerProcess", "helper_in_advance"]

_WORK = "sweepmark.engine.work"
_STDERR = 2
_VARIABLES = thread_limits(1) | {
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    "PYTHONSAFEPATH": "1",
}
"""Keep libraries from starting threads when they are imported, and interpreters that they start
from importing what lies in the current folder."""

_in_advance: list[Helper] = []


@contextmanager
def helper_in_advance() -> Iterator[None]:
    """Start a helper process that imports what workers need, meanwhile; an engine may take it."""
    helper = Helper()
    _in_advance.append(helper)
    try:
        yield
    finally:
        with suppress(ValueError):  # an engine took it
            _in_advance.remove(helper)
            helper.close()


class Helper:
    """The helper process, of which an engine has one.

    It and the workers are kept from the terminal: their process groups are others, so that Ctrl-C
    reaches only the coordinator; they have no standard input; and their standard output is standard
    error, because ``--json`` needs the former.

    Parameters
    ----------
    preload : str or None
        A module that all workers need.

    Raises
    ------
    StoreError
        If it cannot be started.
    """

    def __init__(self, *, preload: str | None = _WORK) -> None:
        self._requests: Connection[Any, Any]
        self._requests, theirs = Pipe()
        self._n_workers = 0
        try:
            with theirs:
                self._process = _launch(theirs.fileno(), preload)
        except OSError as error:
            self._requests.close()
            raise _cannot_start(error) from error

    @classmethod
    def take(cls) -> Helper:
        """Return the one that was started in advance, or a new one."""
        try:
            return _in_advance.pop()
        except IndexError:
            return cls()

    def start(self, settings: Settings) -> WorkerProcess:
        """Have a worker started, without waiting for it."""
        connection, theirs = Pipe()
        number = self._n_workers
        self._n_workers += 1
        try:
            with theirs:
                self._requests.send((number, settings))
                send_handle(self._requests, theirs.fileno(), self._process.pid)
        except OSError as error:
            connection.close()
            raise _cannot_start(error) from error
        return WorkerProcess(self, number, connection)

    def end(self, number: int) -> int:
        """Kill a worker and its child processes; return its exit code.

        Raises
        ------
        StoreError
            If it could not be started, or the helper process was killed.
        """
        try:
            self._requests.send((number, None))
            while (answer := self._requests.recv())[0] != number:
                pass  # an earlier answer, for which the wait was interrupted
        except (EOFError, OSError) as error:
            raise _cannot_start("its helper process ended") from error
        code = answer[1]
        if isinstance(code, str):
            raise _cannot_start(code)
        return int(code)

    def close(self) -> None:
        """Kill all workers and wait until they have ended."""
        assert self._process.stdin is not None  # noqa: S101 - a pipe
        self._process.stdin.close()
        self._process.wait()
        self._requests.close()


class WorkerProcess:
    """A process that runs :func:`sweepmark.engine.worker.main`.

    Attributes
    ----------
    connection : Connection
        Receives its messages; at end of file when the process is dead.
    pid : int or None
        Its process id, once it has reported it.
    """

    def __init__(self, helper: Helper, number: int, connection: Connection[Any, Any]) -> None:
        self.connection = connection
        self.pid: int | None = None
        self._helper = helper
        self._number = number

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
            return int(psutil.Process(self.pid).memory_info().rss)
        except psutil.Error:
            return 0

    def end(self) -> str:
        """Kill it and return how it ended: "was killed by SIGKILL", "ended with code 1"."""
        code = self._helper.end(self._number)
        self.connection.close()
        return f"ended with code {code}" if code >= 0 else f"was killed by {_signal_name(-code)}"


def _launch(descriptor: int, preload: str | None) -> subprocess.Popen[bytes]:
    """Start a helper process."""
    return subprocess.Popen(  # noqa: S603 -- this interpreter
        [sys.executable, "-P", "-c", PROGRAM, str(descriptor), *filter(None, [preload])],
        stdin=subprocess.PIPE,
        stdout=_STDERR,
        pass_fds=[descriptor],
        env=os.environ | _VARIABLES,
        process_group=0,
    )


def _cannot_start(cause: object) -> StoreError:
    return StoreError(f"a worker process could not be started: {cause}")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"
