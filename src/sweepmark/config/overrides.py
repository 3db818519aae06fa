"""Overrides from the command line, parsed by Hydra's grammar and checked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sweepmark.commands import command_line
from sweepmark.config.folders import EXPERIMENT
from sweepmark.config.texts import as_typed
from sweepmark.config.tree import TARGET, Tree, lookup
from sweepmark.errors import ConfigurationError, unknown_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hydra.core.override_parser.types import Override

__all__ = [
    "GLOBAL_GROUPS",
    "changes_kind",
    "check_key",
    "first_paragraph",
    "is_change",
    "is_no_choice",
    "is_plain",
    "parse_overrides",
    "written",
]

GLOBAL_GROUPS = (EXPERIMENT, "sweep")
"""Groups whose options choose options of other groups."""

_NONE = re.compile(
    r"""
    '(?:\\.|[^'\\])*' | "(?:\\.|[^"\\])*"      # texts in quotes stay
    | (?P<before>[=\[,:(]\s*) None (?=\s*(?:[\]),}]|$))
    """,
    re.VERBOSE,
)
_RULE = re.compile(r"([\w.+]+)=(\w+ *[<>]=? *[\w.\-]*)")


def parse_overrides(overrides: Sequence[str], *, may_sweep: bool = False) -> list[Override]:
    """Return overrides as parsed by Hydra, with ``None`` as null unless it is in quotes.

    Parameters
    ----------
    overrides : sequence of str
        As typed.
    may_sweep : bool
        Whether they may give several values.

    Raises
    ------
    ConfigurationError
        If one is not of the form ``key=value``, or is for Hydra itself.
    """
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    parser = OverridesParser.create()
    parsed = []
    for text in overrides:
        try:
            item = parser.parse_override(_quoted(_with_null(as_typed(text))))
        except HydraException as error:
            raise ConfigurationError(
                f"an override must read key=value, but got {text!r}: {first_paragraph(str(error))}"
            ) from None
        if item.is_sweep_override() and not may_sweep:
            command = command_line("sweep", *overrides)
            raise ConfigurationError(
                f"an override must give one value, but got {text!r}. To try several, sweep over "
                f"them: `{command}`."
            )
        if item.key_or_group.partition(".")[0] == "hydra":
            raise ConfigurationError(
                f"Hydra itself is not configured here, but got {text!r}. "
                "Folders of your own come in by --config-dir."
            )
        parsed.append(item)
    return parsed


def _with_null(text: str) -> str:
    """Return an override with Python's ``None`` as ``null``: to Hydra it is a text of four letters.

    Examples
    --------
    >>> _with_null("classifier={max_depth:None,criterion:'None'}")
    "classifier={max_depth:null,criterion:'None'}"
    """
    return _NONE.sub(lambda found: f"{found['before']}null" if found["before"] else found[0], text)


def _quoted(text: str) -> str:
    """Quote a rule such as ``precision>=0.9``: Hydra's grammar does not allow ``>``."""
    found = _RULE.fullmatch(text)
    return f"{found[1]}='{found[2]}'" if found else text


def is_no_choice(item: Override) -> bool:
    """Return whether an override chooses no sweep or experiment, which is the default."""
    return item.key_or_group in GLOBAL_GROUPS and not item.is_delete() and item.value() is None


def written(item: Override) -> str:
    """Return an override as typed."""
    return str(item.input_line)


def check_key(tree: Tree, item: Override) -> None:
    """Raise if a key does not exist, unless the override adds it (``+``).

    Raises
    ------
    ConfigurationError
        With the existing keys.
    """
    if item.is_add() or item.is_force_add():
        return
    path = item.key_or_group.split(".")
    node: Any = tree
    for depth, part in enumerate(path):
        if not isinstance(node, dict):
            parent = ".".join(path[:depth])
            raise ConfigurationError(
                f"{parent} has no keys below it, but got {written(item)!r}. Set {parent}=…"
            )
        if part not in node:
            here = ".".join(path[:depth])
            prefix = f"{here}." if here else ""
            message = unknown_name("key", prefix + part, [prefix + k for k in node])
            if TARGET in node and depth == len(path) - 1 and not item.is_delete():
                message += f" Another parameter of its class is added: +{written(item)}"
            raise ConfigurationError(message)
        node = node[part]


def is_plain(item: Override) -> bool:
    """Return whether an override sets a value, without merging, adding or deleting keys."""
    return not is_change(item) and not isinstance(item.value(), dict)


def is_change(item: Override) -> bool:
    """Return whether an override adds or deletes a key."""
    return bool(item.is_add() or item.is_force_add() or item.is_delete())


def changes_kind(tree: Tree, item: Override) -> bool:
    """Return whether an override replaces a list by a range or vice versa: Hydra cannot merge."""
    if item.is_delete():
        return False
    kinds = {type(lookup(tree, item.key_or_group)), type(item.value())}
    return kinds == {dict, list}


def first_paragraph(text: str) -> str:
    """Return the first paragraph of a message of Hydra."""
    return text.split("\n\n", maxsplit=1)[0].strip()
