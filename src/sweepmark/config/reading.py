"""YAML files as plain values, parsed as Hydra does, with limits on size and depth."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from sweepmark.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import yaml

__all__ = [
    "LARGEST_DOCUMENT",
    "LARGEST_FILE",
    "chosen_groups",
    "overridden_groups",
    "read_document",
]

LARGEST_DOCUMENT = 100_000
"""Maximum number of values in one file after expanding aliases."""

LARGEST_FILE = 500_000
"""Maximum number of characters in one file."""

_DEEPEST = 50
_LONGEST_BARE = 1_000
"""Maximum length of an unquoted scalar, because numbers are parsed digit by digit."""


def read_document(path: Path) -> dict[str, Any]:
    """Return the mapping in a YAML file; interpolations remain text.

    Raises
    ------
    ConfigurationError
        If it is not valid YAML, not a mapping, too large or too deeply nested.
    """
    import yaml
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    try:
        text = _read_text(path)
        _check_size(path, text)
        document = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError, ValueError, yaml.YAMLError) as error:
        if isinstance(error, ConfigurationError):
            raise
        raise ConfigurationError(f"{path} must be YAML in UTF-8: {error}") from None
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise ConfigurationError(f"{path} must be a mapping, but is a {type(document).__name__}.")
    try:  # Hydra's loader reads 1e-3 as a number and rejects duplicate keys
        container = OmegaConf.to_container(OmegaConf.create(text))
    except (OmegaConfBaseException, ValueError, yaml.YAMLError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from None
    return {str(key): value for key, value in dict(container).items()}  # type: ignore[arg-type]


def chosen_groups(document: Mapping[str, Any]) -> list[str]:
    """Return every config group named in a document's defaults list.

    Examples
    --------
    >>> chosen_groups({"defaults": ["_self_", {"override /classifier": "svc"}, "a/b"]})
    ['classifier', 'a']
    """
    entries = document.get("defaults")
    entries = entries if isinstance(entries, list) else []
    texts = [str(key) for entry in entries if isinstance(entry, dict) for key in entry]
    texts += [str(entry) for entry in entries if isinstance(entry, str) and "/" in entry]
    names = [text.removeprefix("override ").removeprefix("optional ") for text in texts]
    return [name.strip(" /").partition("/")[0].partition("@")[0] for name in names]


def overridden_groups(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the config groups that a sweep or an experiment overrides, with the chosen options.

    Examples
    --------
    >>> overridden_groups({"defaults": [{"override /classifier": "svc"}, "_self_"]})
    {'classifier': 'svc'}
    """
    entries = document.get("defaults") or []
    pairs = [pair for entry in entries if isinstance(entry, dict) for pair in entry.items()]
    return {
        str(key).removeprefix("override ").strip(" /"): option
        for key, option in pairs
        if str(key).startswith("override")
    }


def _read_text(path: Path) -> str:
    with path.open(encoding="utf-8") as file:
        text = file.read(LARGEST_FILE + 1)
    if len(text) > LARGEST_FILE:
        raise ConfigurationError(
            f"{path} must have at most {LARGEST_FILE:,} characters: a configuration is small. "
            "Is it the right file?"
        )
    return text


def _check_size(path: Path, text: str) -> None:
    """Raise if a document would become too large or too deep, before it is built."""
    import yaml

    try:
        size = _size(yaml.compose(text, Loader=yaml.SafeLoader), {})
    except RecursionError:
        raise ConfigurationError(f"{path} must be nested at most {_DEEPEST} deep.") from None
    except LookupError as error:
        raise ConfigurationError(
            f"{path}, line {error.args[0]}: None is a text in YAML. Write null, or 'None' in "
            "quotes if the text is meant."
        ) from None
    except OverflowError:
        raise ConfigurationError(
            f"{path} must have no number or bare word of more than {_LONGEST_BARE:,} "
            "characters. Put it in quotes."
        ) from None
    if size > LARGEST_DOCUMENT:
        raise ConfigurationError(
            f"{path} must stand for at most {LARGEST_DOCUMENT:,} values, but its aliases "
            "multiply to more. Write them out."
        )


def _size(node: yaml.Node | None, known: dict[int, float], *, depth: int = 0) -> float:
    """Return the number of values that a node stands for.

    An alias is the node of its anchor, and counts with its size; inside it, it has no end.

    Raises
    ------
    RecursionError
        If it is nested too deeply.
    LookupError
        If a bare word is Python's ``None``; with its line.
    OverflowError
        If a number or bare word is too long.
    """
    import yaml

    if id(node) in known or node is None:
        return known.get(id(node), 0)
    if isinstance(node, yaml.ScalarNode):
        if node.style is None and len(node.value) > _LONGEST_BARE:
            raise OverflowError
        if node.style is None and node.value == "None":
            raise LookupError(node.start_mark.line + 1)
        return 1
    if depth == _DEEPEST:
        raise RecursionError
    known[id(node)] = math.inf
    items = [part for item in node.value for part in (item if isinstance(item, tuple) else [item])]
    known[id(node)] = 1 + sum(_size(item, known, depth=depth + 1) for item in items)
    return known[id(node)]
