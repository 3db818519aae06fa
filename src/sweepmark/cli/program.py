"""``sweepmark``: the verbs, exit codes and error handling.

Heavy libraries are imported by the verb that needs them: ``--help`` needs none.
"""

from __future__ import annotations

import argparse
import gc
import os
import pkgutil
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from sweepmark import __version__
from sweepmark.cli.output import print_lines
from sweepmark.cli.parser import Parser, add_verb
from sweepmark.cli.signals import Interruptions, Stopped, exit_code
from sweepmark.commands import STORE, calling
from sweepmark.errors import StoreError, SweepmarkError, refusal
from sweepmark.terminal import cut, fill_missing, outlets, redact

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["VERBS", "main", "run"]

VERBS = {
    "run": ("sweep:define_run", "one evaluation: one trial, one MLflow run"),
    "sweep": ("sweep:define_sweep", "a sweep of sweeps/; an unfinished one of the same goes on"),
    "plan": ("plan:define", "what a sweep would do: trials, hours, memory, disk; starts nothing"),
    "resume": ("sweep:define_resume", "replay an interrupted sweep to its end"),
    "compare": ("compare:define", "what a run gets wrong, or two runs side by side"),
    "grade": ("grade:define", "points by the bands"),
    "report": ("report:define", "one HTML page on a sweep or run, for any browser"),
    "predict": ("predict:define", "labels for new rows, or for a picture of a digit"),
    "register": ("register:define", "put the model of a run into MLflow's model registry"),
    "archive": ("archive:define_archive", "write a sweep into one file"),
    "restore": ("archive:define_restore", "add the sweep of such a file to the store"),
    "forget": ("forget:define", "remove a sweep and everything that only it uses"),
    "ui": ("ui:define", "open MLflow's UI on this store"),
    "data": ("data:define", "list, fetch, describe, show and export data sets"),
    "doctor": ("doctor:define", "what is wrong with machine, store and data, and what mends it"),
    "completion": ("completion:define", "print what has a shell complete words at the tab key"),
}
"""For each verb, the function that adds its arguments to its parser, and its line in the help."""

_OUR_BUG = 70

_GC_THRESHOLD = 50_000  # objects; Python's default is 700 or 2,000

_EPILOG = """\
exit codes: 0 done; 1 done but short (a failed trial, a grade below --require); 2 wrong usage,
configuration or data, before any trial; 3 stopped by the environment, resumable, or output that
could not be written; 70 a bug of ours, with its log file named; 130 and 143 after SIGINT and
SIGTERM (or SIGHUP); 141 where the reader of what is only printed goes away.
"""
_LONGEST_MESSAGE = 4000  # characters of one line of a message


def run() -> int:
    """Entry point of the installed program: :func:`main` with fewer garbage collections.

    Importing scikit-learn and MLflow creates many objects that live until the end. Collecting among
    them repeatedly takes 0.6 s during the imports, and as long again at exit.
    """
    if "_ARGCOMPLETE" in os.environ:  # a shell asks, and reads from descriptor 8
        from sweepmark.cli.completion import complete

        complete(_parser())
    fill_missing()
    gc.set_threshold(_GC_THRESHOLD)
    try:
        return main()
    finally:
        gc.freeze()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        The arguments; None takes those of this process.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    interruptions = Interruptions()
    args = argparse.Namespace(only_prints=True, mends=True, interruptions=interruptions)
    with outlets() as (out, err):
        code = _outcome(words, args)
        out.flush()
        err.flush()
        if code > 1 or not (out.fault or err.fault):
            return code
        if out.is_full or err.is_full:
            name, fault = ("output", out.fault) if out.is_full else ("error", err.fault)
            reason = fault.strerror if fault else ""
            _say(f"error: standard {name} cannot be written: {reason}. {interruptions.advice}")
            return StoreError.exit_code
        return 128 + signal.SIGPIPE if args.only_prints else code


def _outcome(words: Sequence[str], args: argparse.Namespace) -> int:
    """Run the verb, print errors and return the exit code."""
    try:
        return _dispatch(words, args)
    except SweepmarkError as error:
        first, *others = map(str, error.args or ("",))
        _say(f"error: {first}", *others)
        return error.exit_code
    except SystemExit as done:  # --help and --version
        return int(done.code or 0)
    except KeyboardInterrupt as stop:
        _stop(stop, args)
    except Exception as error:  # noqa: BLE001 -- the traceback of a bug must be logged
        if isinstance(error.__cause__, KeyboardInterrupt):
            _stop(
                error.__cause__, args
            )  # Python 3.11 wraps what is raised while a class is created
        if (refused := refusal(error)) is not None:
            _say(f"error: {refused}")
            return refused.exit_code
        _say(f"bug: {type(error).__name__}: {error}. Its traceback is in {_log(args)}")
        return _OUR_BUG


def _stop(stop: KeyboardInterrupt, args: argparse.Namespace) -> NoReturn:
    """Say what stopped the program, and end it."""
    number = stop.number if isinstance(stop, Stopped) else signal.SIGINT
    _say(args.interruptions.message(number))
    sys.stdout.flush()
    os._exit(exit_code(number))  # a second signal must not kill Python during its exit


def _dispatch(words: Sequence[str], args: argparse.Namespace) -> int:
    _parser().read(words, into=args)
    args.store = getattr(args, "store", Path(STORE)).absolute()
    with calling(
        store=args.store,
        config_dirs=getattr(args, "config_dir", ()),
        trusted=getattr(args, "trust", ()),
    ):
        if args.mends and args.store.is_dir():
            _mend_moved(args.store)
        code: int = args.handler(args)
    return code


def _mend_moved(root: Path) -> None:
    """Make MLflow's database anew if the store was moved."""
    from sweepmark.tracking import is_moved

    if is_moved(root):
        from sweepmark.coordinator import mend_moved
        from sweepmark.store import Store

        mend_moved(Store(root), say=_say)


def _parser() -> Parser:
    parser = Parser(
        prog="sweepmark",
        description="Sweeps for scikit-learn: configured by Hydra, searched by Optuna, tracked in\n"
        "MLflow, graded.",
        epilog=_EPILOG,
    )
    parser.add_argument("--version", action="version", version=f"sweepmark {__version__}")
    verbs = parser.add_subparsers(metavar="VERB", title="verbs")
    for name, (place, summary) in VERBS.items():
        define = pkgutil.resolve_name(f"sweepmark.cli.{place}")
        define(add_verb(verbs, name, summary))
    return parser


def _say(*lines: str) -> None:
    print_lines((cut(line, _LONGEST_MESSAGE).rstrip() for line in lines), file=sys.stderr)
    sys.stderr.flush()


def _log(args: argparse.Namespace) -> Path:
    """Write the current traceback to a file and return its path."""
    name = f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
    own = getattr(args, "store", Path(STORE)).absolute() / "logs"
    for folder in (own, Path(tempfile.gettempdir())):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if folder == own and folder.is_symlink():  # a store may have been made by somebody else
                continue
            with (folder / name).open("x", encoding="utf-8") as file:  # does not follow links
                file.write(redact(traceback.format_exc()))
        except OSError:
            continue
        return folder / name
    traceback.print_exc()
    return Path("the lines above")
