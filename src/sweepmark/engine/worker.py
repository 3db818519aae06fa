"""The worker process of the local engine: does jobs until its parent is gone.

What passes over the connection, in order: the parent's ``sys.path``, the name of the function and
those of what is called before the first job, once; back comes None when that is done, or a Failure;
then a Job and its Reply in turn.
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
"""What a new interpreter is told; its arguments are those of :class:`Means`."""

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
    """What a worker is given.

    Attributes
    ----------
    connection : int
        Descriptor of its end of the connection.
    lifeline : int
        Descriptor of a pipe whose other end is the parent's.
    parent : int
        The parent's process id.
    memory : int
        Bytes that it may come to hold; 0: no limit.
    threads : int
        BLAS and OpenMP threads.
    """

    connection: int
    lifeline: int
    parent: int
    memory: int
    threads: int

    def arguments(self) -> list[str]:
        """Return what :meth:`read` reads."""
        return [str(value) for value in astuple(self)]

    @classmethod
    def read(cls, arguments: Iterable[str]) -> Self:
        """Take it from the arguments of a program."""
        connection, lifeline, parent, memory, threads = map(int, arguments)
        return cls(
            connection=connection, lifeline=lifeline, parent=parent, memory=memory, threads=threads
        )

    def environment(self) -> dict[str, str]:
        """Return the variables that limit the threads of libraries still to be imported."""
        return dict.fromkeys(_THREAD_LIMITS, str(self.threads))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Reply:
    """What became of a job, and how many seconds it took."""

    scorecard: Scorecard | None = None
    failure: Failure | None = None
    seconds: float


def main() -> None:
    """Run as a worker in an interpreter of its own."""
    _run(Means.read(sys.argv[1:]))


def main_of_fork(means: Means, signals: Iterable[int]) -> NoReturn:
    """Run as a worker in a fork, which first becomes what a new interpreter would be.

    Parameters
    ----------
    means : Means
        What it is given.
    signals : iterable of int
        Which are to be blocked; all are until then, since the parent's handlers are not ours.
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
    except Exception:  # noqa: BLE001 - what the interpreter would do
        traceback.print_exc()
    finally:
        os._exit(code)  # what the parent wants done at its exit is not ours to do


def _run(means: Means) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the coordinator decides what Ctrl-C means
    take_name()
    keep_from_terminal()
    # What an estimator prints must not fail its fit, whoever reads it.
    sys.stdout, sys.stderr = (cast("TextIO", Outlet(each)) for each in (sys.stdout, sys.stderr))
    die_with_parent(means.lifeline, means.parent)
    die_before_parent()
    # Whatever breaks the connection, it means that the parent closed it and wants us gone.
    with suppress(EOFError, OSError), Connection(means.connection) as connection:
        serve(connection, memory=means.memory)


def serve(connection: Connection[Any, Any], *, memory: int = 0) -> None:
    """Import the functions, say so, then do one job after the other until the parent hangs up.

    Parameters
    ----------
    connection : Connection
        To the parent.
    memory : int
        Bytes that this process may come to hold; the parent kills it beyond that. 0: no limit.
    """
    sys.path[:] = connection.recv()
    gc.disable()  # what is imported stays: the collector need not look through it, then or later
    try:
        evaluate: Evaluate = pkgutil.resolve_name(connection.recv())
        call(connection.recv())
    except Exception as exception:  # noqa: BLE001 - the parent is told, whatever it is
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
    """Do a job; whatever it raises is its outcome."""
    scorecard = failure = None
    started = time.monotonic()
    try:
        scorecard = evaluate(job)
    except Exception as exception:  # noqa: BLE001 - see above
        failure = Failure.of(exception)
    return Reply(scorecard=scorecard, failure=failure, seconds=time.monotonic() - started)


def _answer(connection: Connection[Any, Any], reply: Reply) -> None:
    """Send a reply, or why it cannot be sent: pickling is over before the first byte is written."""
    try:
        connection.send(reply)
    except OSError:
        raise
    except Exception as exception:  # noqa: BLE001 - pickling calls foreign code
        connection.send(Reply(failure=Failure.of(exception), seconds=reply.seconds))


def _limit_threads(means: Means) -> None:
    """Limit the threads of libraries, of those imported as of those to come."""
    from threadpoolctl import threadpool_limits

    os.environ.update(means.environment())
    threadpool_limits(means.threads)
