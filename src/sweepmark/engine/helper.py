"""The helper process of the local engine: owner of the standard library's fork server.

A fork server runs the main module of the process that owns it once more in each worker, which for a
script without ``if __name__ == "__main__"`` is the whole script. This process owns the fork server,
and its main module is empty. The fork server has one thread, whatever the coordinator does, and
imports once what all workers need.

The coordinator sends a number with the Settings of a worker, followed by the worker's end of a
connection, or a number with None: that worker is killed then, and the answer is the number with its
exit code, or with the reason why it could not be started. When the coordinator closes this
process's standard input, or is gone, all processes end.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import warnings
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.reduction import recv_handle
from typing import TYPE_CHECKING

from sweepmark.engine import worker

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.process import BaseProcess

__all__ = ["PROGRAM", "main"]

PROGRAM = "from sweepmark.engine.helper import main; main()"
"""The code that a new interpreter runs; its arguments are a descriptor and modules to preload."""

_LONGEST = 50  # characters of a folder for sockets, whose address has about 100
_PATIENCE = 2.0  # seconds until a killed process has ended


def main() -> None:
    """Start and kill workers until the coordinator is gone."""
    descriptor, *modules = sys.argv[1:]
    lifeline = os.dup(0)
    with open(os.devnull) as nothing:  # noqa: PTH123 - a descriptor is needed
        os.dup2(nothing.fileno(), 0)  # which workers inherit
    usual = tempfile.gettempdir()
    with tempfile.TemporaryDirectory(dir=usual if len(usual) < _LONGEST else "/tmp") as folder:  # noqa: S108 - a name nobody else knows
        tempfile.tempdir = folder  # the fork server's socket is there
        serving = threading.Thread(target=_serve, args=(int(descriptor), modules), daemon=True)
        serving.start()
        while os.read(lifeline, 1):
            pass
        _end_all()
    os._exit(0)  # the other thread may wait for a worker that the fork server never started


def _end_all() -> None:
    """Kill all processes and wait until they have ended; some may just be starting."""
    import psutil

    # The other thread may be about to start a worker, and finds the resource tracker killed.
    warnings.filterwarnings("ignore", message="resource_tracker")
    workers = multiprocessing.active_children()
    for process in workers:
        _kill(process)
    for process in workers:
        process.join(_PATIENCE)
    others = psutil.Process().children(recursive=True)  # fork server, resource tracker
    for other in others:
        with suppress(psutil.Error):
            other.kill()
    psutil.wait_procs(others, _PATIENCE)


def _serve(descriptor: int, modules: Sequence[str]) -> None:
    """Answer requests until the coordinator is gone."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["sweepmark.engine.preload", *modules])
    workers: dict[int, BaseProcess | str] = {}
    with suppress(EOFError, OSError), Connection(descriptor) as requests:
        _start(context.Process())  # the fork server begins to import
        while True:
            number, settings = requests.recv()
            if settings is None:
                requests.send((number, _end(workers.pop(number))))
                continue
            with Connection(recv_handle(requests)) as connection:
                process = context.Process(target=worker.main, args=(connection, settings))
                workers[number] = _start(process)


def _start(process: BaseProcess) -> BaseProcess | str:
    """Start a process and return it, or why that is impossible."""
    try:
        process.start()
    except (EOFError, OSError) as error:  # the former: the fork server ended
        return str(error) or "the fork server ended"
    return process


def _end(process: BaseProcess | str) -> int | str | None:
    """Kill a process and return its exit code, which is another if it had ended before."""
    if isinstance(process, str):
        return process
    _kill(process)
    process.join()
    return process.exitcode


def _kill(process: BaseProcess) -> None:
    """Kill a worker and its child processes, also those that it left behind."""
    assert process.pid is not None  # noqa: S101 - it was started
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()  # if it had no group yet
