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

    measure = _Measure()
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        measure.take(event)
        if measure.depth > _DEEPEST:
            raise ConfigurationError(f"{path} must be nested at most {_DEEPEST} deep.")
        if measure.longest_bare > _LONGEST_BARE:
            raise ConfigurationError(
                f"{path} must have no number or bare word of more than {_LONGEST_BARE:,} "
                "characters. Put it in quotes."
            )
        if measure.total > LARGEST_DOCUMENT:
            raise ConfigurationError(
                f"{path} must stand for at most {LARGEST_DOCUMENT:,} values, but its aliases "
                "multiply to more. Write them out."
            )


class _Measure:
    """The size of a document, accumulated over its parser events.

    An alias, and so a merge key, counts with the size of its target.
    """

    def __init__(self) -> None:
        self.total = 0.0
        self.longest_bare = 0
        self._open: list[tuple[str | None, float]] = []
        self._anchors: dict[str, float] = {}

    @property
    def depth(self) -> int:
        return len(self._open)

    def take(self, event: yaml.Event) -> None:
        import yaml

        if isinstance(event, yaml.CollectionStartEvent):
            self._open.append((event.anchor, self.total))
            if event.anchor:
                self._anchors[event.anchor] = math.inf  # an alias inside its own anchor
            self.total += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = self._open.pop()
            if anchor:
                self._anchors[anchor] = self.total - before
        elif isinstance(event, yaml.AliasEvent):
            self.total += self._anchors.get(event.anchor or "", 1)
        elif isinstance(event, yaml.ScalarEvent):
            self.total += 1
            if event.anchor:
                self._anchors[event.anchor] = 1
            if event.style is None:
                self.longest_bare = max(self.longest_bare, len(event.value))
