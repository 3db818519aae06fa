"""The worker process of the local engine: runs jobs until its parent is gone.

Protocol of the connection: the parent sends ``sys.path``, the name of the evaluating function and
the names of the functions to call before the first job; the worker answers None when these are
done, or a Failure. Then the parent sends a Job and the worker answers a Reply, repeatedly.
"""

from __future__ import annotations

import gc
import os
import pkgutil
import signal
import sys
import time
import traceback
from contextlib import suppress
from dataclasses import astuple, dataclass
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, NoReturn, Self, TextIO, cast

from sweepmark.engine.interface import Failure, call
from sweepmark.engine.isolation import (
    die_before_parent,
    die_with_parent,
    forget_handlers,
    keep_from_terminal,
    keep_open,
    limit_memory,
    open_streams,
    take_name,
)
from sweepmark.terminal import Outlet

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sweepmark.engine.interface import Evaluate, Job
    from sweepmark.scores.scorecard import Scorecard

__all__ = ["PROGRAM", "Means", "Reply", "main", "main_of_fork", "serve"]

PROGRAM = "from sweepmark.engine.worker import main; main()"
"""The code that a new interpreter runs; its arguments are those of :class:`Means`."""

_THREAD_LIMITS = (
    "BLIS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """The resources of a worker.

    Attributes
    ----------
    connection : int
        Descriptor of the worker's end of the connection.
    lifeline : int
        Descriptor of a pipe whose other end only the parent holds.
    parent : int
        The parent's process id.
    memory : int
        Memory limit in bytes; 0 is no limit.
    threads : int
        BLAS and OpenMP threads.
    """

    connection: int
    lifeline: int
    parent: int
    memory: int
    threads: int

    def arguments(self) -> list[str]:
        """Return the program arguments that :meth:`read` parses."""
        return [str(value) for value in astuple(self)]

    @classmethod
    def read(cls, arguments: Iterable[str]) -> Self:
        """Parse program arguments."""
        connection, lifeline, parent, memory, threads = map(int, arguments)
        return cls(
            connection=connection, lifeline=lifeline, parent=parent, memory=memory, threads=threads
        )

    def environment(self) -> dict[str, str]:
        """Return environment variables that limit the threads of libraries imported later."""
        return dict.fromkeys(_THREAD_LIMITS, str(self.threads))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Reply:
    """The result of a job and its seconds."""

    scorecard: Scorecard | None = None
    failure: Failure | None = None
    seconds: float


def main() -> None:
    """Run a worker in a new interpreter."""
    _run(Means.read(sys.argv[1:]))


def main_of_fork(means: Means, signals: Iterable[int]) -> NoReturn:
    """Run a worker in a fork, after resetting inherited state.

    Parameters
    ----------
    means : Means
        The worker's resources.
    signals : iterable of int
        Signals to block afterwards; all are blocked until the parent's handlers are removed.
    """
    code = 1
    try:
        os.setpgid(0, 0)
        forget_handlers()
        signal.pthread_sigmask(signal.SIG_SETMASK, signals)
        keep_open(means.connection, means.lifeline)
        open_streams()
        _limit_threads(means)
        _run(means)
        code = 0
    except Exception:  # noqa: BLE001 - as the interpreter does
        traceback.print_exc()
    finally:
        os._exit(code)  # do not run the parent's exit handlers


def _run(means: Means) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # only the coordinator handles Ctrl-C
    take_name()
    keep_from_terminal()
    # A broken output stream must not fail a fit whose estimator prints.
    sys.stdout, sys.stderr = (cast("TextIO", Outlet(each)) for each in (sys.stdout, sys.stderr))
    die_with_parent(means.lifeline, means.parent)
    die_before_parent()
    # A broken connection means that the parent closed it, so the worker ends.
    with suppress(EOFError, OSError), Connection(means.connection) as connection:
        serve(connection, memory=means.memory)


def serve(connection: Connection[Any, Any], *, memory: int = 0) -> None:
    """Import the functions, report readiness, then run jobs until the parent closes the connection.

    Parameters
    ----------
    connection : Connection
        The connection to the parent.
    memory : int
        Memory limit of this process in bytes, above which the parent kills it; 0 is no limit.
    """
    sys.path[:] = connection.recv()
    gc.disable()  # imported objects live until the end: exclude them from garbage collection
    try:
        evaluate: Evaluate = pkgutil.resolve_name(connection.recv())
        call(connection.recv())
    except Exception as exception:  # noqa: BLE001 - reported to the parent
        connection.send(Failure.of(exception))
        return
    finally:
        gc.freeze()
        gc.enable()
    if memory:
        limit_memory(memory)
    connection.send(None)
    while True:
        _answer(connection, _attempt(evaluate, connection.recv()))


def _attempt(evaluate: Evaluate, job: Job) -> Reply:
    """Run a job; an exception is its outcome."""
    scorecard = failure = None
    started = time.monotonic()
    try:
        scorecard = evaluate(job)
    except Exception as exception:  # noqa: BLE001 - see above
        failure = Failure.of(exception)
    return Reply(scorecard=scorecard, failure=failure, seconds=time.monotonic() - started)


def _answer(connection: Connection[Any, Any], reply: Reply) -> None:
    """Send a reply, or a Failure if it cannot be pickled (nothing has been written then)."""
    try:
        connection.send(reply)
    except OSError:
        raise
    except Exception as exception:  # noqa: BLE001 - pickling calls third-party code
        connection.send(Reply(failure=Failure.of(exception), seconds=reply.seconds))


def _limit_threads(means: Means) -> None:
    """Limit the threads of libraries imported already and later."""
    from threadpoolctl import threadpool_limits

    os.environ.update(means.environment())
    threadpool_limits(means.threads)
