"""Overrides of keys whose type is text: the text counts as it was typed, not as Hydra's grammar."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin, get_type_hints

from sweepmark.config.registry import Registry, RegistryOfSeveral
from sweepmark.config.schema import Config
from sweepmark.config.words import quote

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["as_typed"]

_OVERRIDE = re.compile(r"(\+{0,2})([\w.]+)=(.*)", re.DOTALL)
_QUOTED = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""", re.DOTALL)
_BEFORE_POINTER = re.compile(r"(\\*)\$\{")
_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,17}")
_NULLS = ("null", "None")


def as_typed(override: str) -> str:
    r"""Return an override of a text in Hydra's quotes, so that every character of it counts.

    ``null``, ``None`` and what is in quotes as a whole remain as they are, and so does a whole
    number where the key may be one. An interpolation counts in quotes only.

    Examples
    --------
    >>> as_typed("dataset.path=train (1).csv"), as_typed('dataset.path="a b"')
    ("dataset.path='train (1).csv'", 'dataset.path="a b"')
    >>> as_typed("dataset.label=1"), as_typed("dataset.label=null"), as_typed("split.size=1")
    ("dataset.label='1'", 'dataset.label=null', 'split.size=1')
    >>> as_typed("task.positive=<=50K"), as_typed("task.positive=5")
    ("task.positive='<=50K'", 'task.positive=5')
    """
    found = _OVERRIDE.fullmatch(override)
    if found is None:
        return override
    sign, path, text = found.groups()
    kinds = _kinds_at(path)
    is_number = int in kinds and _WHOLE.fullmatch(text)
    is_read = text in _NULLS or is_number or _QUOTED.fullmatch(text)
    if str not in kinds or not kinds <= {str, int, bool} or is_read:
        return override
    escaped = _BEFORE_POINTER.sub(lambda pointer: pointer[1] * 2 + r"\${", text)
    return f"{sign}{path}={quote(escaped)}"


@cache
def _kinds_at(path: str) -> frozenset[Any]:
    """Return the types that a value at a path of the configuration may have, without None."""
    hints: list[Any] = [Config]
    for part in path.split("."):
        hints = [inner for hint in hints for inner in _below(hint, part)]
    return frozenset(kind for hint in hints for kind in _members(hint))


def _below(hint: Any, part: str) -> Iterator[Any]:
    """Yield the types of what a type has under a key."""
    registry = next((item for item in get_args(hint) if isinstance(item, Registry)), None)
    if isinstance(registry, RegistryOfSeveral):
        yield from [registry.find(part).options] if part in registry.places else []
        return
    owners = (
        [hint] if registry is None else [registry.find(name).options for name in registry.places]
    )
    for owner in owners:
        for member in _members(owner):
            if is_dataclass(member):
                hints = get_type_hints(member, include_extras=True)
                yield from [hints[part]] if part in hints else []
            elif get_origin(member) is Mapping:
                yield get_args(member)[1]


def _members(hint: Any) -> Iterator[Any]:
    """Yield the types that a type is a union of, without annotations and None."""
    if get_origin(hint) is Annotated:
        yield from _members(get_args(hint)[0])
    elif get_origin(hint) in {Union, UnionType}:
        for member in get_args(hint):
            yield from _members(member)
    elif hint is not NoneType:
        yield hint
