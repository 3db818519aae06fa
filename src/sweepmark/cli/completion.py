"""Completion for bash: verbs, options and ids; Hydra completes groups, choices and keys.

``eval "$(sweepmark -sc install=bash)"`` enables it: the shell then calls ``sweepmark -sc
query=bash`` with the command line up to the cursor in COMP_LINE.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sweepmark.cli.output import STORE, print_lines
from sweepmark.errors import ConfigurationError, SweepmarkError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sweepmark.cli.parser import Parser
    from sweepmark.config import Folders

__all__ = ["complete"]

# Readline replaces only the text after the last "=", so completions must not include what precedes.
_INSTALL = """\
_sweepmark() {
    local line=${COMP_LINE:0:COMP_POINT} IFS=$'\\n' word
    word=${line##* }
    COMPREPLY=($(COMP_LINE=$line sweepmark -sc query=bash 2>/dev/null))
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=.] ]]; then
        compopt -o nospace 2>/dev/null
    fi
    if [[ $word == *=* && $COMP_WORDBREAKS == *=* ]]; then
        COMPREPLY=("${COMPREPLY[@]#"${word%"${word##*=}"}"}")
    fi
}
complete -o default -F _sweepmark sweepmark
"""
_UNINSTALL = """\
complete -r sweepmark
unset -f _sweepmark
"""


@dataclass(slots=True)
class _Line:
    """A command line, up to and including the word to be completed.

    Attributes
    ----------
    parser : Parser
        The parser of the verb given.
    words : list of str
        The positional words, without verbs, options and their values.
    values : dict of str to list of str
        The values given for each option.
    pending : str
        The option whose value is completed; empty if none is.
    last : str
        The word to complete.
    """

    parser: Parser
    words: list[str] = field(default_factory=list)
    values: dict[str, list[str]] = field(default_factory=dict)
    pending: str = ""
    last: str = ""

    @property
    def verb(self) -> str:
        """The verb given, with its sub-verb, such as ``data show``."""
        return self.parser.prog.partition(" ")[2]

    @property
    def folders(self) -> Folders:
        """The folders that configurations are read from."""
        from sweepmark.config import Folders

        return Folders.of(self.values.get("--config-dir", ()))


def complete(words: Sequence[str], *, parser: Parser) -> int:
    """Handle ``install=bash``, ``uninstall=bash`` or ``query=bash``."""
    match list(words):
        case ["install=bash"]:
            print_lines(_INSTALL.splitlines())
        case ["uninstall=bash"]:
            print_lines(_UNINSTALL.splitlines())
        case ["query=bash"]:
            line = _read(os.environ.get("COMP_LINE", ""), parser)
            try:
                print_lines(found for found in _candidates(line) if found.startswith(line.last))
            except SweepmarkError:  # the line is incomplete or wrong; a message would not be seen
                return 0
        case _:
            raise ConfigurationError(
                "completion is for bash: -sc install=bash, -sc uninstall=bash or -sc query=bash, "
                f"but got {' '.join(words)!r}."
            )
    return 0


def _read(text: str, parser: Parser) -> _Line:
    *before, last = text.split(" ")
    line = _Line(parser, last=last)
    for word in filter(None, before[1:]):
        if line.pending:
            line.values.setdefault(line.pending, []).append(word)
            line.pending = ""
        elif word.startswith("-"):
            name, _, value = word.partition("=")
            if value:
                line.values.setdefault(name, []).append(value)
            elif line.parser.takes_value(name):
                line.pending = name
        elif word in line.parser.verbs and not line.words:
            line.parser = line.parser.verbs[word]
        else:
            line.words.append(word)
    return line


def _candidates(line: _Line) -> Iterable[str]:
    if line.pending:
        return line.folders.groups()["grade"] if line.pending == "--rule" else ()
    if line.last.startswith("-"):
        return line.parser.options()
    if line.parser.verbs:
        return () if line.words else line.parser.verbs
    return _words(line)


def _words(line: _Line) -> Iterable[str]:
    """Return the words that a verb accepts at this place."""
    found: Iterable[str] = ()
    match line.verb.split(), line.words:
        case ["resume"], []:
            found = _sweep_ids(line)
        case (["compare" | "grade"], _) | (["predict"], []):
            found = ("latest", *_sweep_ids(line))
        case ["run"], chosen:
            found = _overrides(line, chosen)
        case ["sweep"], []:
            found = line.folders.sweeps()
        case ["sweep"], [name, *chosen]:
            found = _overrides(line, [f"sweep={name}", *chosen])
        case ["data", verb], [] if verb != "list":
            found = line.folders.groups()["dataset"]
        case ["data", _], [name, *chosen]:
            keys = _overrides(line, [f"dataset={name}", *chosen])
            found = [key for key in keys if key.startswith("dataset.")]
    return found


def _sweep_ids(line: _Line) -> Iterable[str]:
    from sweepmark.store import Store

    store = Path(line.values.get("--store", [STORE])[-1]).expanduser().absolute()
    return (found for found in Store(store).sweep_ids() if found not in line.words)


def _overrides(line: _Line, chosen: Sequence[str]) -> Iterable[str]:
    from sweepmark.config import Composer

    with Composer(line.folders) as composer:
        return composer.completions(chosen, line.last)
