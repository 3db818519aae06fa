"""``sweepmark run``, ``sweep`` and ``resume``."""

from __future__ import annotations

import argparse
import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING

from sweepmark.cli.output import json_only, print_document, print_lines
from sweepmark.commands import command_line
from sweepmark.errors import ConfigurationError, unknown_name
from sweepmark.terminal import escape

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from sweepmark.cli.parser import Parser
    from sweepmark.config import Folders
    from sweepmark.coordinator import LaunchOptions
    from sweepmark.report.results import SweepResult
    from sweepmark.search.blueprint import Blueprint

__all__ = [
    "add_composition",
    "compose",
    "define_resume",
    "define_run",
    "define_sweep",
    "print_configuration",
    "sweep_name",
]

_OVERRIDES = (
    "overrides: GROUP=OPTION takes another option of a group, KEY=VALUE sets a value, "
    "+KEY=VALUE adds one."
)


def define_run(parser: Parser) -> None:
    """Add the arguments of ``run`` and its ``handler``, which returns the exit code."""
    _define(parser, "[OVERRIDE ...]", _run)
    add_composition(parser)
    _add_execution(parser)


def define_sweep(parser: Parser) -> None:
    """Add the arguments of ``sweep`` and its ``handler``, which returns the exit code."""
    _define(parser, "[NAME] [OVERRIDE ...]", _sweep)
    parser.add_argument(
        "name",
        metavar="NAME",
        nargs="?",
        help="a sweep, see --list; or none, and overrides such as C=1,10",
    )
    parser.add_flag("--list", "the sweeps there are")
    add_composition(parser)
    _add_execution(parser)
    parser.add_flag("--retry-failed", "try the failed trials of the last one again")
    parser.add_flag("--yes", "start it even if it takes longer than plan.max_hours")


def define_resume(parser: Parser) -> None:
    """Add the arguments of ``resume`` and its ``handler``, which returns the exit code."""
    _define(parser, "[SWEEP]", _resume)
    parser.add_argument("sweep", metavar="SWEEP", nargs="?", help="its id (default: the latest)")
    parser.add_flag("--retry-failed", "try failed trials again")
    _add_execution(parser, fresh=False)


def _define(parser: Parser, words: str, handler: object) -> None:
    parser.usage = f"{parser.prog} {words} [options]"
    parser.set_defaults(handler=handler, only_prints=False)


def _groups_help(folders: Folders) -> str:
    lines = [_OVERRIDES, "", "groups and their options:"]
    for group, options in folders.groups().items():
        if options:
            lines += ["", f"{group}:"]
            width = max(map(len, options))
            lines += [escape(f"  {option:<{width}}  {text}") for option, text in options.items()]
    return "\n".join(lines)


def add_composition(parser: Parser) -> None:
    """Add overrides, and the options that say how they are composed."""
    parser.explain = lambda args: _groups_help(_folders(args))
    parser.add_argument("overrides", metavar="OVERRIDE", nargs="*", help="such as classifier=knn")
    parser.add_list(
        "--config-dir",
        "FOLDER",
        "a folder of your own groups (classifier/x.yaml) and sweeps (sweeps/x.yaml)",
    )
    parser.add_argument(
        "--cfg", choices=["job"], help="print the composed configuration and do nothing"
    )
    parser.add_argument("-m", "--multirun", action="store_true", help=argparse.SUPPRESS)


def _add_execution(parser: Parser, *, fresh: bool = True) -> None:
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--json", action="store_true", help="one JSON document on standard output")
    shown.add_argument("--csv", action="store_true", help="the leaderboard as CSV, all columns")
    shown.add_argument("--wide", action="store_true", help="tables with all columns, however wide")
    parser.add_list("--trust", "PACKAGE", "also build classes of this package")
    parser.add_flag(
        "--accept-versions", "begin anew with today's libraries what other versions began"
    )
    if fresh:
        parser.add_flag("--fresh", "compute everything, also what is there already")


def _folders(args: argparse.Namespace) -> Folders:
    from sweepmark.config import Folders

    return Folders.of(getattr(args, "config_dir", None) or [])


def _options(args: argparse.Namespace) -> LaunchOptions:
    from sweepmark.coordinator import LaunchOptions

    return LaunchOptions(
        trusted=tuple(args.trust),
        fresh=getattr(args, "fresh", False),
        retry_failed=getattr(args, "retry_failed", False),
        accept_versions=args.accept_versions,
        yes=getattr(args, "yes", False),
    )


def compose(args: argparse.Namespace, sweep: str | None) -> Blueprint:
    """Return the blueprint of a sweep, or of a run for None.

    Raises
    ------
    ConfigurationError
        If there is no such sweep, or anything in the configuration is wrong.
    """
    from sweepmark.config import Composer
    from sweepmark.search.blueprint import Blueprint

    folders = _folders(args)
    if args.multirun:
        command = command_line("sweep", *filter(None, [sweep]), *args.overrides)
        raise ConfigurationError(
            f"-m (multirun) is Hydra's; several configurations are a sweep here. Take `{command}`."
        )
    if sweep is not None and sweep not in folders.sweeps():
        raise ConfigurationError(unknown_name("sweep", sweep, folders.sweeps()))
    for name in folders.sweeps():
        if sweep is None and name in args.overrides:
            words = [word for word in args.overrides if word != name]
            command = command_line("sweep", name, *words)
            raise ConfigurationError(f"{name!r} is a sweep: `{command}`.")
    with Composer(folders) as composer:
        return Blueprint.compose(composer, sweep, args.overrides)


def _run(args: argparse.Namespace) -> int:
    return _launch(args, None)


def _sweep(args: argparse.Namespace) -> int:
    if args.list:
        return _list(args)
    return _launch(args, sweep_name(args))


def sweep_name(args: argparse.Namespace) -> str:
    """Return the name of a sweep; if overrides alone are given, they remain the overrides.

    Raises
    ------
    ConfigurationError
        If nothing is given.
    """
    from sweepmark.search.adhoc import AD_HOC, is_named

    if args.name is None:
        raise ConfigurationError(
            "a sweep must be named, or a parameter given several values, such as "
            f"classifier.C=1,10. See `{command_line('sweep', '--list')}`."
        )
    if not is_named(args.name):
        args.name, args.overrides = AD_HOC, [args.name, *args.overrides]
    return str(args.name)


def _list(args: argparse.Namespace) -> int:
    args.only_prints = True
    sweeps = _folders(args).sweeps()
    width = max(map(len, sweeps))
    print_lines(f"{sweep.name:<{width}}  {sweep.description}" for sweep in sweeps.values())
    return 0


def _launch(args: argparse.Namespace, name: str | None) -> int:
    with json_only(args.json or args.csv), _in_advance(args):
        blueprint = compose(args, name)
        result = None if args.cfg else _execute(blueprint, args)
    return print_configuration(blueprint, args) if result is None else _show(result, args)


def _in_advance(args: argparse.Namespace) -> AbstractContextManager[None]:
    """Have what workers need imported while this process composes, unless none are wanted."""
    if args.cfg or "engine=serial" in args.overrides:
        return nullcontext()
    from sweepmark.engine.process import helper_in_advance

    return helper_in_advance()


def _execute(blueprint: Blueprint, args: argparse.Namespace) -> SweepResult:
    from sweepmark.coordinator import create_progress, launch
    from sweepmark.store import Store

    store = Store(args.store)
    store.check()
    progress = create_progress(lambda sweep_id: _advise(args, sweep_id))
    return launch(blueprint, store=store, options=_options(args), progress=progress)


def print_configuration(blueprint: Blueprint, args: argparse.Namespace) -> int:
    """Print the composed configuration and return the exit code."""
    import yaml

    args.only_prints = True
    print_lines(yaml.safe_dump(blueprint.shown_tree, sort_keys=False).splitlines())
    return 0


def _resume(args: argparse.Namespace) -> int:
    with json_only(args.json or args.csv):
        from sweepmark.coordinator import create_progress, resume
        from sweepmark.engine.process import helper_in_advance
        from sweepmark.store import Store

        store = Store(args.store)
        sweep_id = store.match(args.sweep)
        store.check()
        progress = create_progress(lambda sweep_id: _advise(args, sweep_id))
        with helper_in_advance():
            result = resume(sweep_id, store=store, options=_options(args), progress=progress)
    return _show(result, args)


def _advise(args: argparse.Namespace, sweep_id: str) -> None:
    """Set the advice for a user who stops the program: how to resume."""
    command = command_line("resume", sweep_id)
    args.interruptions.advice = f"What is finished is kept; go on with: {command}"


def _show(result: SweepResult, args: argparse.Namespace) -> int:
    from sweepmark.report.summary import leaderboard_csv, result_document

    if args.json:
        print_document(result_document(result))
    elif args.csv:
        print_lines(leaderboard_csv(result).decode().splitlines())
    else:
        from sweepmark.cli.tables import print_result

        print_result(result, store=args.store, wide=args.wide)
    sys.stdout.flush()
    return 1 if result.is_short else 0
