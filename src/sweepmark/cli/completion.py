"""``sweepmark completion``: what a shell offers at the tab key, by argcomplete.

The code that the verb prints has the shell call the program with the command line in COMP_LINE.
Verbs, options and their choices come from the parser, all else by what a word is called in the
help; Hydra completes groups, choices and keys.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from sweepmark.cli.output import print_lines
from sweepmark.commands import STORE
from sweepmark.errors import SweepmarkError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable

    from argcomplete.completers import BaseCompleter

    from sweepmark.cli.parser import Parser
    from sweepmark.config import Folders

__all__ = ["complete", "define"]

_ZSH = "(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }"


def define(parser: Parser) -> None:
    """Add the arguments of the verb and its ``handler``, which returns the exit code."""
    parser.epilog = "README.md has the line that switches it on in each of them."
    parser.add_argument("shell", metavar="SHELL", choices=["bash", "zsh", "fish"], help="its name")
    parser.set_defaults(handler=_print_code, mends=False)


def _print_code(args: argparse.Namespace) -> int:
    from argcomplete.shell_integration import shellcode

    if args.shell == "zsh":
        print_lines([_ZSH])
    print_lines(shellcode(["sweepmark"], shell=args.shell).splitlines())
    return 0


def complete(parser: Parser) -> None:
    """Answer a shell that asks for completions, and end the process."""
    from argcomplete.finders import CompletionFinder

    words = cast("BaseCompleter", _words)  # any callable will do
    CompletionFinder()(parser, always_complete_options=False, default_completer=words)


def _words(
    *, prefix: str, action: argparse.Action, parser: Parser, parsed_args: argparse.Namespace
) -> Iterable[str]:
    """Return what a word, or the value of an option, may be; choices are completed already."""
    verb = parser.prog.split()[1]
    kinds: dict[object, Callable[[], Iterable[str]]] = {
        "OVERRIDE": lambda: _overrides(prefix, parsed_args, verb=verb),
        "NAME": lambda: _sweeps(parsed_args),
        "DATASET": lambda: _folders(parsed_args).groups()["dataset"],
        "OPTION": lambda: _folders(parsed_args).groups()["grade"],
        "SWEEP": lambda: _sweep_ids(parsed_args),
        "RUN": lambda: ["latest", *_sweep_ids(parsed_args)],
        "SWEEP|RUN": lambda: ["latest", *_sweep_ids(parsed_args)],
        "SWEEP|RUN|STORE": lambda: ["latest", *_sweep_ids(parsed_args), *_files(prefix)],
        **dict.fromkeys(("PATH", "FOLDER", "FILE"), lambda: _files(prefix)),
    }
    try:
        return kinds.get(action.metavar, list)()
    except SweepmarkError:  # the line is incomplete or wrong; a message would not be seen
        return ()


def _overrides(prefix: str, args: argparse.Namespace, *, verb: str) -> Iterable[str]:
    from sweepmark.config import Composer

    chosen = list(getattr(args, "overrides", None) or [])
    if verb != "run":
        if args.name is None:
            return ()
        group = "dataset" if verb == "data" else "sweep"
        chosen.insert(0, f"{group}={args.name}")
    with Composer(_folders(args)) as composer:
        found = composer.completions(chosen, prefix)
        while len(found) == 1 and found[0].endswith(".") and found[0] != prefix:
            prefix = found[0]  # the shell would add a space to it
            found = composer.completions(chosen, prefix)
    return [word for word in found if verb != "data" or word.startswith("dataset.")]


def _folders(args: argparse.Namespace) -> Folders:
    from sweepmark.config import Folders

    return Folders.of(getattr(args, "config_dir", []))


def _sweeps(args: argparse.Namespace) -> dict[str, str]:
    return {name: sweep.description for name, sweep in _folders(args).sweeps().items()}


def _sweep_ids(args: argparse.Namespace) -> Iterable[str]:
    from sweepmark.store import Store

    store = getattr(args, "store", Path(STORE)).absolute()
    named = getattr(args, "entries", None) or ()
    return (found for found in Store(store).sweep_ids() if found not in named)


def _files(prefix: str) -> Iterable[str]:
    from argcomplete.completers import FilesCompleter

    found: Iterable[str] = FilesCompleter()(prefix)
    return found
