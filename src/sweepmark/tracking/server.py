"""The MLflow server on a store, for the UI."""

from __future__ import annotations

import errno
import os
import socket
import sys
from typing import TYPE_CHECKING

from sweepmark.database import database_uri
from sweepmark.errors import StoreError
from sweepmark.tracking.mlflow import artifacts_folder, mlflow_database

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["HOST", "free_port", "server_command", "server_environment"]

HOST = "127.0.0.1"
_PORTS_TRIED = 100


def server_command(store: Path, *, port: int) -> list[str]:
    """Return the command that serves a store's runs, to this machine only.

    uvicorn (``mlflow server``'s default) is what checks the Host header and so keeps web pages
    of other sites out; any option for another server would switch that check off.
    """
    hosts = ",".join(f"{name}:{port}" for name in ("localhost", HOST))
    return [
        *(sys.executable, "-m", "mlflow", "server"),
        *("--backend-store-uri", database_uri(mlflow_database(store))),
        *("--default-artifact-root", artifacts_folder(store).as_uri()),
        *("--host", HOST, "--port", str(port), "--workers", "1"),
        *("--allowed-hosts", hosts),
    ]


def server_environment() -> dict[str, str]:
    """Return the environment to start the server in: nothing calls home, no job runner."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "_MLFLOW_"))}
    return kept | {
        "DO_NOT_TRACK": "true",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }


def free_port(port: int) -> int:
    """Return a port, or the next one above it that is not taken.

    Raises
    ------
    StoreError
        If none of the next hundred is free.
    """
    for candidate in range(port, min(port + _PORTS_TRIED, 65536)):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            # As the server does: a port that merely waits out its last connection is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, candidate))
            except OSError as error:
                if error.errno not in {errno.EADDRINUSE, errno.EACCES}:
                    raise
            else:
                return candidate
    raise StoreError(f"no port from {port} to {port + _PORTS_TRIED - 1} is free. Set --port.")
