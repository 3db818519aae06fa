"""The MLflow server on a store, for the UI."""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import suppress
from typing import TYPE_CHECKING

from sweepmark.commands import command_line
from sweepmark.errors import NotFoundError, StoreError
from sweepmark.store.database import database_uri
from sweepmark.tracking.environment import OWN_VARIABLES, is_of_mlflow, own_environment
from sweepmark.tracking.location import artifacts_folder, mlflow_database
from sweepmark.tracking.storage import open_client

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "HOST",
    "free_port",
    "runs_page",
    "server_command",
    "start_server",
    "stop_server",
    "wait_until_up",
]

HOST = "127.0.0.1"
_LOCAL_HOSTS = ("localhost", "localhost:*", HOST, f"{HOST}:*", "[::1]", "[[]::1]:*")
"""What the Host header may be; one with an asterisk is a pattern of :mod:`fnmatch`."""
_PORTS_TRIED = 100
_START_SECONDS = 120.0
_STOP_SECONDS = 5.0

_KEEPER = """
import os, signal, subprocess, sys, threading
server = subprocess.Popen(sys.argv[2:])
def watch():
    os.read(int(sys.argv[1]), 1)  # returns when the other end is closed: sweepmark is gone
    os.killpg(0, signal.SIGTERM)
threading.Thread(target=watch, daemon=True).start()
sys.exit(server.wait())
"""
"""A process between this one and the server, which ends the server if this one is killed."""


def server_command(store: Path, *, port: int) -> list[str]:
    """Return the command of a server for a store's runs, on localhost only.

    uvicorn checks the Host header, which keeps web pages of other sites out; options for another
    server would disable that check. The name decides, as a tunnel has a port of its own.

    uvicorn imports from the current folder first, whatever the interpreter is told, unless it has
    another folder for applications.
    """
    hosts = ",".join(_LOCAL_HOSTS)
    return [
        *(sys.executable, "-m", "mlflow", "server"),
        *("--backend-store-uri", database_uri(mlflow_database(store))),
        *("--default-artifact-root", artifacts_folder(store).as_uri()),
        *("--host", HOST, "--port", str(port), "--workers", "1"),
        *("--allowed-hosts", hosts),
        f"--uvicorn-opts=--log-level warning --app-dir {os.devnull}",
    ]


def _environment() -> dict[str, str]:
    """Return the server's environment: no telemetry, no job runner, no code of this folder."""
    kept = {name: value for name, value in os.environ.items() if not is_of_mlflow(name)}
    return kept | {
        **OWN_VARIABLES,
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "PYTHONSAFEPATH": "1",  # which the programs that the server starts inherit
    }


def runs_page(port: int) -> str:
    """Return the URL of the newest experiment's runs, in the UI's model-training view.

    MLflow opens its GenAI view by default.
    """
    root = f"http://{HOST}:{port}"
    query = f"{root}/api/2.0/mlflow/experiments/search?max_results=1000"
    with urllib.request.urlopen(query, timeout=10) as answer:  # noqa: S310 -- our own server
        experiments = json.load(answer).get("experiments", [])
    if not experiments:
        return root
    newest = max(experiments, key=lambda item: int(item.get("last_update_time", 0)))
    return f"{root}/#/experiments/{newest['experiment_id']}/runs?workflowType=machine_learning"


def free_port(port: int) -> int:
    """Return a port, or the next higher one that is free.

    Raises
    ------
    StoreError
        If none of the next hundred is free.
    """
    for candidate in range(port, min(port + _PORTS_TRIED, 65536)):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            # As the server does: a port in TIME_WAIT counts as free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, candidate))
            except OSError as error:
                if error.errno not in {errno.EADDRINUSE, errno.EACCES}:
                    raise
            else:
                return candidate
    raise StoreError(f"no port from {port} to {port + _PORTS_TRIED - 1} is free. Set --port.")


def start_server(store: Path, *, port: int) -> subprocess.Popen[str]:
    """Start the server in its own process group.

    Its output is copied to standard error: if that were closed or full, the server itself would
    end with its first warning.

    Raises
    ------
    NotFoundError
        If the store has no runs yet.
    StoreError
        If its database cannot be read, or is of another MLflow version.
    """
    database = mlflow_database(store)
    if not database.exists():
        command = command_line("run", store=store.absolute())
        raise NotFoundError(
            f"there are no runs in {store.absolute()} yet. Do `{command}` first, or name another "
            "store with --store."
        )
    with own_environment():
        open_client(database)  # one of another MLflow version is refused in one line
    theirs, _ours = os.pipe()  # this end stays open while this process lives
    try:
        server = subprocess.Popen(  # noqa: S603 -- our own program
            [sys.executable, "-c", _KEEPER, str(theirs), *server_command(store, port=port)],
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="backslashreplace",
            pass_fds=(theirs,),
            process_group=0,
        )
    finally:
        os.close(theirs)
    threading.Thread(target=_pass_on, args=(server,), daemon=True).start()
    return server


def _pass_on(server: subprocess.Popen[str]) -> None:
    for line in server.stdout or ():
        sys.stderr.write(line)
        sys.stderr.flush()


def wait_until_up(server: subprocess.Popen[str], *, port: int) -> None:
    """Wait until the server answers.

    Raises
    ------
    StoreError
        If it ends, or does not answer in time.
    """
    deadline = time.monotonic() + _START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection((HOST, port), timeout=1):
            return
        time.sleep(0.1)
    raise StoreError(f"the MLflow server did not come up on port {port}: see its messages above.")


def stop_server(server: subprocess.Popen[str]) -> None:
    """Stop the server and its child processes."""
    for number, patience in ((signal.SIGTERM, _STOP_SECONDS), (signal.SIGKILL, None)):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(server.pid, number)
        with suppress(subprocess.TimeoutExpired):
            server.wait(patience)
    server.wait()
