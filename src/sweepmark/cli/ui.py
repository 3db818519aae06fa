"""``sweepmark ui``: MLflow's UI on this store."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

from sweepmark.cli.signals import Stopped
from sweepmark.errors import StoreError

if TYPE_CHECKING:
    import argparse

    from sweepmark.cli.parser import Parser

__all__ = ["define"]

_DEFAULT_PORT = 5000


def define(parser: Parser) -> None:
    """Add the arguments of the verb and its ``handler``, which returns the exit code."""
    parser.description = "Serve the runs of this store on 127.0.0.1 until Ctrl-C."
    parser.add_argument(
        "--port",
        type=int,
        default=_DEFAULT_PORT,
        metavar="N",
        help=f"default {_DEFAULT_PORT}; if it is taken, the next free one",
    )
    parser.set_defaults(handler=_serve, only_prints=False)


def _serve(args: argparse.Namespace) -> int:
    from sweepmark.tracking import (
        free_port,
        runs_page,
        start_server,
        stop_server,
        unused_variables,
        wait_until_up,
    )

    port = free_port(args.port)
    if port != args.port:
        sys.stderr.write(f"Port {args.port} is taken; {port} is the next free one.\n")
    if line := unused_variables(args.store):
        sys.stderr.write(f"{line}\n")
    server = start_server(args.store, port=port)
    try:
        wait_until_up(server, port=port)
        sys.stdout.write(f"MLflow's UI is at {runs_page(port)} (Ctrl-C ends it).\n")
        sys.stdout.flush()
        ended = server.wait()
        raise StoreError(
            f"the MLflow server ended by itself (exit code {ended}): see its messages above. "
            "Start it again."
        )
    except Stopped as stop:
        if stop.number != signal.SIGINT:
            raise
        return 0
    finally:
        stop_server(server)
