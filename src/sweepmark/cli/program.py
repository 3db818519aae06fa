"""``sweepmark``: the parser, exit codes and error handling.

Heavy libraries are imported by the verb that needs them: ``--help`` needs none.
"""

from __future__ import annotations

import argparse
import gc
import os
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from sweepmark import __version__
from sweepmark.cli.output import STORE, print_lines
from sweepmark.cli.parser import Parser
from sweepmark.cli.signals import Interruptions, Stopped, exit_code
from sweepmark.errors import StoreError, SweepmarkError
from sweepmark.terminal import cut, fill_missing, outlets, redact

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main", "run"]

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
        number = stop.number if isinstance(stop, Stopped) else signal.SIGINT
        _say(args.interruptions.message(number))
        sys.stdout.flush()
        os._exit(exit_code(number))  # a second signal must not kill Python during its exit
    except Exception as error:  # noqa: BLE001 -- the traceback of a bug must be logged
        _say(f"bug: {type(error).__name__}: {error}. Its traceback is in {_log(words)}")
        return _OUR_BUG


def _dispatch(words: Sequence[str], args: argparse.Namespace) -> int:
    if words[:1] == ["-sc"]:
        from sweepmark.cli.completion import complete

        return complete(words[1:], parser=_parser())
    _parser().read(words, into=args)
    args.store = getattr(args, "store", Path(STORE)).expanduser().absolute()
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
    from sweepmark.cli import compare, data, doctor, grade, predict, sweep, ui

    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--store",
        metavar="PATH",
        type=Path,
        default=argparse.SUPPRESS,  # so that it can be given before or after the verb
        help="the folder that keeps everything (default: mlruns in the current folder)",
    )
    parser = Parser(
        prog="sweepmark",
        parents=[common],
        description="Sweeps for scikit-learn: configured by Hydra, searched by Optuna, tracked in "
        "MLflow, graded.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"sweepmark {__version__}")
    verbs = parser.add_subparsers(metavar="VERB", title="verbs")
    sweep.add_parsers(verbs, common)
    compare.add_parser(verbs, common)
    grade.add_parser(verbs, common)
    predict.add_parser(verbs, common)
    ui.add_parser(verbs, common)
    data.add_parser(verbs, common)
    doctor.add_parser(verbs, common)
    return parser


def _store(words: Sequence[str]) -> Path:
    """Return the store given on a command line, even if that could not be parsed."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--store", type=Path, default=Path(STORE))
    known, _ = parser.parse_known_args(words)
    store: Path = known.store
    return store.expanduser().absolute()


def _say(*lines: str) -> None:
    print_lines((cut(line, _LONGEST_MESSAGE).rstrip() for line in lines), file=sys.stderr)
    sys.stderr.flush()


def _log(words: Sequence[str]) -> Path:
    """Write the current traceback to a file and return its path."""
    name = f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
    own = _store(words) / "logs"
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
