"""The worker process of the local engine: runs jobs until its parent is gone.

Protocol of the connection: the worker sends its process id when it is ready, or a Failure. Then the
parent sends a Job and the worker answers a Reply, repeatedly.
"""

from __future__ import annotations

import gc
import os
import pkgutil
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO, cast

from sweepmark.engine.isolation import die_first, end_with_helper, limit_memory, take_name
from sweepmark.engine.job import Failure, Reply, attempt, call
from sweepmark.terminal import Outlet

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.connection import Connection

    from sweepmark.engine.job import Evaluate

__all__ = ["Settings", "main", "serve", "thread_limits"]

_THREAD_LIMITS = (
    "BLIS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a worker does and may use.

    Attributes
    ----------
    path : sequence of str
        Its ``sys.path``.
    evaluate : str
        ``module:name`` of the function that evaluates a job.
    warm_up : sequence of str
        ``module:name`` of functions that are called before the first job.
    threads : int
        BLAS and OpenMP threads.
    memory : int or None
        Bytes above which the parent kills it; the kernel's limit is a multiple of it.
    """

    path: Sequence[str]
    evaluate: str
    warm_up: Sequence[str] = ()
    threads: int = 1
    memory: int | None = None


def thread_limits(threads: int) -> dict[str, str]:
    """Return environment variables that limit the threads of libraries imported later."""
    return dict.fromkeys(_THREAD_LIMITS, str(threads))


def main(connection: Connection[Any, Any], settings: Settings) -> None:
    """Run a worker in a process of the fork server."""
    from threadpoolctl import threadpool_limits

    os.setpgid(0, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # only the coordinator handles Ctrl-C
    take_name()
    end_with_helper()
    die_first()
    os.environ.update(thread_limits(settings.threads))
    threadpool_limits(settings.threads)  # of libraries that the fork server imported
    sys.stdout, sys.stderr = map(_open_stream, (1, 2))
    # A broken connection means that the parent closed it, so the worker ends. It is not closed
    # here: its end is that of this process, which has an exit code then.
    with suppress(EOFError, OSError):
        serve(connection, settings)


def _open_stream(descriptor: int) -> TextIO:
    """Return a text stream that cannot be broken, so that no fit fails whose estimator prints."""
    file = open(descriptor, "w", 1, "utf-8", "backslashreplace", closefd=False)  # noqa: SIM115
    return cast("TextIO", Outlet(file))


def serve(connection: Connection[Any, Any], settings: Settings) -> None:
    """Import the functions, report readiness, then run jobs until the parent closes the connection.

    Parameters
    ----------
    connection : Connection
        The connection to the parent.
    settings : Settings
        What to do; the limits of threads were set before.
    """
    sys.path[:] = settings.path
    gc.disable()  # imported objects live until the end: exclude them from garbage collection
    try:
        evaluate: Evaluate = pkgutil.resolve_name(settings.evaluate)
        call(settings.warm_up)
    except Exception as exception:  # noqa: BLE001 - reported to the parent
        connection.send(Failure.of(exception))
        return
    finally:
        gc.freeze()
        gc.enable()
    if settings.memory is not None:
        limit_memory(settings.memory)
    connection.send(os.getpid())
    while True:
        _answer(connection, attempt(evaluate, connection.recv()))


def _answer(connection: Connection[Any, Any], reply: Reply) -> None:
    """Send a reply, or a Failure if it cannot be pickled (nothing has been written then)."""
    try:
        connection.send(reply)
    except OSError:
        raise
    except Exception as exception:  # noqa: BLE001 - pickling calls third-party code
        connection.send(Reply(failure=Failure.of(exception), seconds=reply.seconds))
