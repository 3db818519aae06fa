"""The argument parser of all verbs: argparse, with errors that list the options."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, NoReturn

from sweepmark.errors import ConfigurationError, unknown_name

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Parser"]


class Parser(argparse.ArgumentParser):
    """An argument parser without abbreviations that takes words and options in any order.

    Errors are raised, not printed, so that all messages have the same form.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(allow_abbrev=False, **settings)
        self.set_defaults(parser=self)  # the innermost of nested parsers wins

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
        args, rest = self.parse_known_args(words, into)
        if not hasattr(args, "handler"):
            args.parser.error(f"a verb must be named: {', '.join(args.parser.verbs)}")
        _take_rest(args, rest)

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing the usage and exiting."""
        raise ConfigurationError(f"{message}. See `{self.prog} --help`.")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is None or value in action.choices:
            return
        kind = max(action.option_strings, key=len, default="verb")
        raise ConfigurationError(unknown_name(kind, str(value), map(str, action.choices)))

    @property
    def verbs(self) -> dict[str, Parser]:
        """Its verbs and their parsers; empty if it has no verbs."""
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 -- no other name
                return dict(action.choices)
        return {}

    def options(self) -> list[str]:
        """Return the long names of its options."""
        return [
            name
            for action in self._actions
            if action.help != argparse.SUPPRESS
            for name in action.option_strings
            if name.startswith("--")
        ]

    def takes_value(self, option: str) -> bool:
        """Return whether an option takes a value."""
        action = self._option_string_actions.get(option)
        return action is not None and action.nargs is None


def _take_rest(args: argparse.Namespace, rest: Sequence[str]) -> None:
    """Accept positional words after an option too, which argparse does not."""
    for word in rest:
        if word.startswith("-"):
            option = word.partition("=")[0]
            raise ConfigurationError(unknown_name("option", option, args.parser.options()))
    taker = next((name for name in ("overrides", "entries") if hasattr(args, name)), None)
    if taker is not None:
        setattr(args, taker, [*getattr(args, taker), *rest])
    elif rest:
        args.parser.error(f"nothing more is expected, but got {' '.join(rest)!r}")
