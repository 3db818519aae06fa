"""``sweepmark forget``: remove a sweep and everything that only it uses."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from sweepmark.cli.output import print_lines, show_size
from sweepmark.commands import command_line
from sweepmark.errors import ConfigurationError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from sweepmark.cli.parser import Parser
    from sweepmark.coordinator import Loss

__all__ = ["define"]

_DESCRIPTION = """\
Remove a sweep or a single run: its journal, its evaluations with models and metrics, its runs in
MLflow with their files, and its Optuna study. What another sweep uses stays.

It says first what that is, and asks. A removal that was interrupted is finished by doing it again.
"""


def define(parser: Parser) -> None:
    """Add the arguments of the verb and its ``handler``, which returns the exit code."""
    parser.description = _DESCRIPTION
    parser.add_argument("sweep", metavar="SWEEP", help="its id, the beginning of it, or latest")
    parser.add_flag("--yes", "do not ask")
    parser.set_defaults(handler=_forget, only_prints=False)


def _forget(args: argparse.Namespace) -> int:
    from sweepmark.coordinator import find_forgettable, forget, survey
    from sweepmark.store import Store

    store = Store(args.store)
    sweep_id = find_forgettable(store, args.sweep)
    print_lines([f"{sweep_id}:", *_lines(survey(store, sweep_id))])
    sys.stdout.flush()
    if not args.yes and not _is_meant(command_line("forget", sweep_id, "--yes", store=args.store)):
        print_lines(["nothing was removed"])
        return 1
    args.interruptions.advice = (
        f"Finish it: {command_line('forget', sweep_id, '--yes', store=args.store)}"
    )
    forget(store, sweep_id)
    print_lines([f"{sweep_id} is forgotten"])
    return 0


def _lines(loss: Loss) -> Iterator[str]:
    stay = f"; {loss.n_shared} more stay, other sweeps use them" if loss.n_shared else ""
    yield f"  evaluations: {loss.n_evaluations}, {show_size(loss.evaluation_bytes)}{stay}"
    yield f"  runs in MLflow: {loss.n_runs}, with {show_size(loss.run_bytes)} of files"
    if loss.n_runs:
        yield "    (`mlflow gc` takes their parameters and metrics out of mlflow.db too)"
    yield "  its journal, and its Optuna study if there is one"


def _is_meant(command: str) -> bool:
    """Ask on the terminal; where there is none, ``--yes`` must be given."""
    if not sys.stdin.isatty():
        raise ConfigurationError(
            "what is removed must be agreed to, but standard input is no terminal to ask on. "
            f"Agree: {command}"
        )
    try:
        answer = input("Remove all this? [y/N] ")
    except EOFError:  # Ctrl-D
        return False
    return answer.strip().lower() in {"y", "yes"}
