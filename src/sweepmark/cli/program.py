"""``sweepmark``: the parser, exit codes, and what becomes of errors.

Heavy libraries are imported by the verb that needs them: ``--help`` needs none.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from sweepmark import __version__
from sweepmark.errors import SweepmarkError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

__all__ = ["main"]

_STORE = "mlruns"
_OUR_BUG = 70

_EPILOG = """\
exit codes: 0 done; 1 done but short (a failed trial, a grade below --require); 2 wrong usage,
configuration or data, before any trial; 3 stopped by the environment, resumable; 70 a bug of
ours, with its log file named; 130 and 143 after SIGINT and SIGTERM.
"""


class _Terminated(KeyboardInterrupt):
    """SIGTERM arrived: treated as Ctrl-C, but for the exit code."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        What stands behind the program's name; that of this process if None.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["-sc"]:
        from sweepmark.cli.completion import complete

        return complete(words[1:])
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    try:
        return _dispatch(words)
    except SweepmarkError as error:
        _say(f"error: {error}")
        return error.exit_code
    except KeyboardInterrupt as stop:
        number = signal.SIGTERM if isinstance(stop, _Terminated) else signal.SIGINT
        _say(f"stopped by {number.name}. Go on with: sweepmark resume")
        return 128 + number
    except BrokenPipeError:  # the reader of our output left; nothing more can be said
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except Exception as error:  # noqa: BLE001 -- a bug of ours must leave its trace
        _say(f"bug: {type(error).__name__}: {error}. Its traceback is in {_log()}")
        return _OUR_BUG


def _dispatch(words: Sequence[str]) -> int:
    if words[:1] == ["-sc"]:
        from sweepmark.cli.completion import complete

        return complete(words[1:])
    parser = _parser()
    args, rest = parser.parse_known_args(words)
    options = [word for word in rest if word.startswith("-")]
    if options or (rest and not hasattr(args, "overrides")):
        parser.error(f"unrecognized arguments: {' '.join(options or rest)}")
    if rest:  # argparse takes positional words in one run only; overrides may follow an option
        args.overrides = [*args.overrides, *rest]
    if hasattr(args, "store"):
        args.store = args.store.expanduser().absolute()
    code: int = args.handler(args)
    return code


def _parser() -> argparse.ArgumentParser:
    from sweepmark.cli import data, grade, sweep, ui

    parser = argparse.ArgumentParser(
        prog="sweepmark",
        description="Sweeps for scikit-learn: configured by Hydra, searched by Optuna, tracked in "
        "MLflow, graded.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"sweepmark {__version__}")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--store",
        metavar="PATH",
        type=Path,
        default=Path(_STORE),
        help="the folder that keeps everything (default: mlruns in the current folder)",
    )
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    sweep.add_parsers(verbs, common)
    grade.add_parser(verbs, common)
    ui.add_parser(verbs, common)
    data.add_parser(verbs, common)
    return parser


def _store(words: Sequence[str]) -> Path:
    """Return the store that a command line names, also one that could not be parsed."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--store", type=Path, default=Path(_STORE))
    known, _ = parser.parse_known_args(words)
    store: Path = known.store
    return store.expanduser().absolute()


def _stop(number: int, frame: FrameType | None) -> None:
    """Stop in order at the first signal, at once at the second."""
    del frame
    signal.signal(signal.SIGINT, _leave)
    signal.signal(signal.SIGTERM, _leave)
    raise _Terminated if number == signal.SIGTERM else KeyboardInterrupt


def _leave(number: int, frame: FrameType | None) -> None:
    del frame
    os._exit(128 + number)


def _say(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201 -- messages go to standard error


def _log() -> Path:
    """Write the current traceback to a file and return its path."""
    name = f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
    for folder in (_store(sys.argv) / "logs", Path(tempfile.gettempdir())):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(traceback.format_exc(), encoding="utf-8")
        except OSError:
            continue
        return folder / name
    traceback.print_exc()
    return Path("the lines above")
