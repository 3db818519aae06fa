"""The argument parser of all verbs: argparse, with errors that list the options."""

from __future__ import annotations

import argparse
import itertools
from typing import TYPE_CHECKING, Any, NoReturn

from sweepmark.commands import STORE
from sweepmark.errors import ConfigurationError, unknown_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    Verbs = argparse._SubParsersAction["Parser"]  # noqa: SLF001 -- no other name

__all__ = ["Parser", "add_verb", "path_argument"]


def add_verb(verbs: Verbs, name: str, summary: str) -> Parser:
    """Add a verb, whose line in the help is also the description of its own help."""
    described = f"{summary[0].upper()}{summary[1:]}."
    return verbs.add_parser(name, help=summary, description=described)


def path_argument(text: str) -> Path:
    """Return the path that a word of the command line names."""
    from sweepmark.config.places import given_path

    return given_path(text, what="PATH")


def _is_option(word: str, names: Sequence[str]) -> bool:
    """Return whether a word is an option: ``-o``, ``-oFILE``, ``--output`` or ``--output=FILE``."""
    return any(
        word == name or word.startswith(f"{name}=" if name.startswith("--") else name)
        for name in names
        if name.startswith("--") == word.startswith("--")
    )


class _Help(argparse.Action):
    """The help action: what ``explain`` returns, which may take time, is read when asked for."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        del values, option_string
        if isinstance(parser, Parser) and parser.explain is not None:
            parser.epilog = parser.explain(namespace)
        parser.print_help()
        parser.exit()


class Parser(argparse.ArgumentParser):
    """An argument parser without abbreviations that takes words and options in any order.

    Each takes ``--store``, so that it can be given before or after the verb. Errors are raised, not
    printed, so that all messages have the same form.

    Attributes
    ----------
    explain : callable or None
        Returns the end of the help, given the options that precede ``--help``.
    """

    def __init__(self, **settings: Any) -> None:
        form = argparse.RawDescriptionHelpFormatter
        super().__init__(allow_abbrev=False, formatter_class=form, add_help=False, **settings)
        self.explain: Callable[[argparse.Namespace], str] | None = None
        self.set_defaults(parser=self)  # the innermost of nested parsers wins
        self.add_argument("-h", "--help", action=_Help, nargs=0, help="this text")
        self.add_argument(
            "--store",
            metavar="PATH",
            type=path_argument,
            default=argparse.SUPPRESS,
            help=f"the folder that keeps everything (default: {STORE} in the current folder)",
        )

    def add_flag(self, name: str, summary: str) -> None:
        """Add an option without a value."""
        self.add_argument(name, action="store_true", help=summary)

    def add_list(self, name: str, metavar: str, summary: str) -> None:
        """Add an option that may be given several times, each time with a value."""
        self.add_argument(name, metavar=metavar, action="append", default=[], help=summary)

    def read(self, words: Sequence[str], *, into: argparse.Namespace) -> None:
        """Parse a command line.

        Parameters
        ----------
        words : sequence of str
            The arguments of the program.
        into : Namespace
            Receives the values.

        Raises
        ------
        ConfigurationError
            If no verb is named, or a word or option is wrong.
        """
        _check_none_empty([self.prog, *words])
        args, rest = self.parse_known_args(words, into)
        for word in rest:
            if word.startswith("-"):
                option = word.partition("=")[0]
                raise ConfigurationError(unknown_name("option", option, args.parser.options()))
        if not hasattr(args, "handler"):
            args.parser.error(f"a verb must be named: {', '.join(args.parser.verbs)}")
        args.parser.check_repetition(words)
        if rest:
            args.parser.error(f"nothing more is expected, but got {' '.join(rest)!r}")

    def parse_known_args(  # type: ignore[override]  # words are always given here
        self, args: Sequence[str], namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Parse a verb's words; options come first, as argparse takes words in one piece only."""
        return super().parse_known_args(args if self.verbs else self._sorted(args), namespace)

    def _sorted(self, words: Sequence[str]) -> list[str]:
        options: list[str] = []
        others: list[str] = []
        pending = ""
        for word in words:
            if pending:
                options += [pending, word]
                pending = ""
            elif self._takes_value(word):
                pending = word
            else:
                (options if word.startswith("-") else others).append(word)
        return [*options, *others, *filter(None, [pending])]

    def _takes_value(self, word: str) -> bool:
        action = self._option_string_actions.get(word)
        return action is not None and action.nargs is None

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing the usage and exiting."""
        raise ConfigurationError(f"{message}. See `{self.prog} --help`.")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is None or value in action.choices:
            return
        kind = max(action.option_strings, key=len, default=str(action.metavar).lower())
        raise ConfigurationError(unknown_name(kind, str(value), map(str, action.choices)))

    @property
    def verbs(self) -> list[str]:
        """Its verbs; empty if it has none."""
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 -- no other name
                return list(action.choices)
        return []

    def check_repetition(self, words: Sequence[str]) -> None:
        """Raise if an option that takes one value is given several: only the last would count."""
        options = list(itertools.takewhile(lambda word: word != "--", words))
        for action in self._actions:
            names = action.option_strings
            given = sum(_is_option(word, names) for word in options)
            if names and given > 1 and isinstance(action, argparse._StoreAction):  # noqa: SLF001 -- no other name
                raise ConfigurationError(
                    f"{'/'.join(names)} must be given once, but it was given {given} times. "
                    "Leave out the others."
                )

    def options(self) -> list[str]:
        """Return the long names of its options."""
        return [
            name
            for action in self._actions
            if action.help != argparse.SUPPRESS
            for name in action.option_strings
            if name.startswith("--")
        ]


def _check_none_empty(words: Sequence[str]) -> None:
    """Raise on what an unset variable of a shell leaves: nothing takes an empty word."""
    for before, word in itertools.pairwise(words):
        option, _, value = word.partition("=")
        if not word or (word.startswith("--") and word != option and not value):
            place = option or f"the word after {before}"
            raise ConfigurationError(
                f"{place} must not be empty, but got {word!r}. Is a variable of the shell unset?"
            )
