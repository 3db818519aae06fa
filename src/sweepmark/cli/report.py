"""``sweepmark report``: a sweep or run as one HTML page."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING

from sweepmark.cli.output import print_lines
from sweepmark.cli.parser import path_argument
from sweepmark.commands import command_line
from sweepmark.errors import ConfigurationError, StoreError, SweepmarkError

if TYPE_CHECKING:
    import argparse

    from sweepmark.cli.parser import Parser
    from sweepmark.report.results import SweepResult
    from sweepmark.store import Store

__all__ = ["PAGES", "check_outside", "define"]

PAGES = (".html", ".htm")
"""How the name of a page ends."""
_ARTIFACT = "report.html"
_AUTHOR = re.compile(r"[^\W_.][^/\\\x00-\x1f\x7f]{0,79}")

_DESCRIPTION = """\
One HTML file that needs nothing but itself: what was asked and what it cost, the leaderboard, the
metric over the swept parameters, their importances, the confusion matrix, the errors, warnings,
versions, and the commands that repeat it. It is logged on the sweep's MLflow run too.
"""


def define(parser: Parser) -> None:
    """Add the arguments of the verb and its ``handler``, which returns the exit code."""
    parser.description = _DESCRIPTION
    parser.add_argument(
        "entries",
        metavar="SWEEP|RUN",
        nargs="?",
        help="a sweep, a single run, or an MLflow run of one; a beginning will do (default: the "
        "last)",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="PATH",
        type=path_argument,
        help="an .html file, or a folder for it (default: beside the store, named by the sweep)",
    )
    parser.add_argument(
        "--author",
        metavar="TEXT",
        help="whose it is; names the file by accuracy and author, such as 96%%_anna.html",
    )
    parser.add_list("--config-dir", "FOLDER", "a folder with sweeps of your own, for their texts")
    parser.set_defaults(handler=_report, only_prints=False)


def _report(args: argparse.Namespace) -> int:
    from sweepmark.data.export import write_whole
    from sweepmark.report.replay import read_sweep
    from sweepmark.report.report_page import report_page
    from sweepmark.report.runs import find_result
    from sweepmark.store import LATEST, Store

    _check_author(args.author)
    if args.output is not None:
        _check_output(args.output, args.store)
    store = Store(args.store)
    name = args.entries or LATEST
    result, number = find_result(name, store, with_losses=True)
    if number is not None and not result.blueprint.is_run:
        command = command_line("report", result.sweep_id)
        raise ConfigurationError(
            f"a report is of a whole sweep, but {name} is a trial of {result.sweep_id}. Name the "
            f"sweep: `{command}`."
        )
    target = _target(args, result)
    history, _ = read_sweep(store, result.sweep_id)
    question = _question(args, result)
    content = report_page(result, history, store, question=question, author=args.author)
    try:
        write_whole(target, lambda path: path.write_bytes(content))
    except StoreError as error:
        raise StoreError(f"{error}. Name another place: -o FILE.html.") from None
    print_lines([f"wrote {target}", _log(result, store, content)])
    return 0


def _check_author(author: str | None) -> None:
    if author is not None and not _AUTHOR.fullmatch(author):
        raise ConfigurationError(
            "--author must be a name of 1 to 80 characters that begins with a letter or digit and "
            f"has no slash or control character, but got {author!r}."
        )


def _check_output(path: Path, store: Path) -> None:
    if not path.is_dir() and path.suffix.lower() not in PAGES:
        raise ConfigurationError(
            f"-o must name an .html file or an existing folder, but got {str(path)!r}."
        )
    check_outside(path, store)


def check_outside(path: Path, store: Path) -> None:
    """Raise if an output would lie in a store.

    Raises
    ------
    ConfigurationError
        If it would.
    """
    if path.resolve().is_relative_to(store.resolve()):
        raise ConfigurationError(f"-o must be outside of the store {store}, but got {str(path)!r}.")


def _target(args: argparse.Namespace, result: SweepResult) -> Path:
    if args.output is not None and not args.output.is_dir():
        return Path(args.output)
    folder = args.store.parent if args.output is None else args.output
    return Path(folder / _name(args.author, result))


def _name(author: str | None, result: SweepResult) -> str:
    """Return the name of the file; a per cent that was not reached is not claimed."""
    from sweepmark.scores.metric_names import ACCURACY

    if author is None:
        return f"{result.sweep_id}.html"
    if result.test is None or ACCURACY not in result.test.metrics:
        raise ConfigurationError(
            f"--author names the file by the accuracy on the test part, but {result.sweep_id} has "
            "none. Name the file: -o FILE.html."
        )
    percent = math.floor(round(100 * result.test.metrics[ACCURACY], 9))
    return f"{percent}%_{author}.html"


def _question(args: argparse.Namespace, result: SweepResult) -> str:
    """Return the description of a sweep, or the source of an experiment."""
    from sweepmark.config import Folders

    blueprint = result.blueprint
    sweeps = Folders.of(args.config_dir).sweeps()
    if not blueprint.is_run:
        known = sweeps.get(blueprint.name)
        return known.description if known is not None else f"Sweep {blueprint.name}"
    experiment = blueprint.config.experiment
    return "A single run" if experiment is None else f"{experiment.name}: {experiment.source}"


def _log(result: SweepResult, store: Store, content: bytes) -> str:
    """Log the page on the sweep's own run, and say so or why not."""
    from sweepmark.tracking import create_tracker, is_tracked
    from sweepmark.tracking.records import Artifact

    config = result.blueprint.config.tracking
    if not is_tracked(config):
        return f"not logged in MLflow: tracking={config.name}"
    tracker = create_tracker(config, store=store.root)
    try:
        run_id = tracker.attach(sweep_id=result.sweep_id, artifacts=[Artifact(_ARTIFACT, content)])
    except SweepmarkError as error:
        return f"not logged in MLflow: {error}"
    finally:
        tracker.close()
    return f"logged in MLflow: {_ARTIFACT} of run {run_id}"
