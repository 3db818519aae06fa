"""``sweepmark archive`` and ``restore``: a sweep in one file, and back in a store."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from sweepmark.cli.output import print_lines, show_size
from sweepmark.cli.parser import path_argument
from sweepmark.commands import command_line

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from sweepmark.cli.parser import Parser
    from sweepmark.coordinator import DataNote

__all__ = ["define_archive", "define_restore"]

_ARCHIVE = """\
Write a sweep or a single run into one zip file: its journal, its evaluations and its models, each
with its SHA-256. Data sets are not in it.
"""
_RESTORE = """\
Add the sweep of an archive to the store, and to its MLflow and Optuna. The archive is checked as
whatever comes from elsewhere. Evaluations that the store has are kept.
"""


def define_archive(parser: Parser) -> None:
    """Add the arguments of ``archive`` and its ``handler``, which returns the exit code."""
    parser.description = _ARCHIVE
    parser.add_argument("sweep", metavar="SWEEP", help="its id, the beginning of it, or latest")
    parser.add_argument("file", metavar="FILE", type=path_argument, help="the zip file to write")
    parser.add_flag("--force", "replace a file that exists")
    parser.set_defaults(handler=_archive, only_prints=False)


def define_restore(parser: Parser) -> None:
    """Add the arguments of ``restore`` and its ``handler``, which returns the exit code."""
    parser.description = _RESTORE
    parser.add_argument(
        "file", metavar="FILE", type=path_argument, help="an archive of `sweepmark archive`"
    )
    parser.set_defaults(handler=_restore, only_prints=False)


def _archive(args: argparse.Namespace) -> int:
    from sweepmark.coordinator import archive
    from sweepmark.store import Store

    store = Store(args.store)
    sweep_id = store.match(args.sweep)
    notes = archive(store, sweep_id, args.file, replace=args.force)
    written = f"wrote {args.file}: {sweep_id}, {show_size(args.file.stat().st_size)}"
    print_lines([written, *_data_lines(notes)])
    return 0


def _restore(args: argparse.Namespace) -> int:
    from sweepmark.coordinator import create_progress, restore
    from sweepmark.store import Store

    args.interruptions.advice = "Do it again: what was restored is kept."
    progress = create_progress(lambda _: None)
    found = restore(Store(args.store), args.file, say=progress.say)
    n_new, n_kept = found.n_new, found.n_kept
    print_lines([f"restored {found.sweep_id}: evaluations added: {n_new}, were there: {n_kept}"])
    print_lines(_data_lines([note for note in found.data if not note.is_here]))
    sys.stdout.flush()
    if found.problem is None:
        return 0
    mend = command_line("doctor", "--rebuild", store=args.store)
    print_lines(
        [f"it is not in MLflow yet: {found.problem}", f"then: {mend}"],
        file=sys.stderr,
    )
    return 1


def _data_lines(notes: Sequence[DataNote]) -> Iterator[str]:
    for note in notes:
        how = f": `{command_line('data', 'fetch', note.name)}`" if note.can_be_fetched else ""
        yield f"its data set {note.name} is not in the archive (SHA-256 {note.digest[:16]}…){how}"
