"""Validation of a plain tree: a typed Config, or one error with every wrong key and value."""

from __future__ import annotations

import math
import re
from dataclasses import fields, is_dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from sweepmark.config.registry import Registry, RegistryOfSeveral
from sweepmark.config.schema import Config
from sweepmark.errors import ConfigurationError, unknown_name
from sweepmark.terminal import cut

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pydantic import TypeAdapter
    from pydantic_core import ErrorDetails

__all__ = ["validate"]

_LARGEST_INTEGER = 2**63


def validate(tree: Mapping[str, Any]) -> Config:
    """Check a resolved configuration tree and return it typed.

    Raises
    ------
    ConfigurationError
        With each wrong key and the valid keys, and each wrong value and its rule.
    """
    from pydantic import ValidationError

    try:
        config = _adapter().validate_python(dict(tree))
    except ValidationError as error:
        raise ConfigurationError(*_messages(error.errors(), tree)) from None
    if wrong := [*_not_finite(tree), *_taken_for_numbers(tree, config)]:
        raise ConfigurationError(*wrong)
    return config


@cache
def _adapter() -> TypeAdapter[Config]:
    from pydantic import ConfigDict, TypeAdapter

    strictness = ConfigDict(extra="forbid", arbitrary_types_allowed=True)
    for cls in _dataclasses(Config):
        cls.__pydantic_config__ = strictness
    return TypeAdapter(Config)


def _dataclasses(cls: Any) -> Iterable[Any]:
    """Yield a dataclass and every dataclass that its fields' types mention."""
    if is_dataclass(cls):
        yield cls
        for hint in get_type_hints(cls).values():
            yield from _dataclasses(hint)
    for argument in get_args(cls):
        yield from _dataclasses(argument)


def _messages(errors: Iterable[ErrorDetails], tree: Mapping[str, Any]) -> Iterable[str]:
    for error in errors:
        path = ".".join(str(part) for part in error["loc"])
        if error["type"] in {"unexpected_keyword_argument", "extra_forbidden"}:
            yield unknown_name("key", path, _siblings(error["loc"], tree))
        elif error["type"] == "name":
            yield error["msg"]
        elif error["type"] in {"missing", "missing_keyword_only_argument", "missing_argument"}:
            yield f"{path} must be given."
        else:
            rule = error["msg"].removeprefix("Value error, ")
            rule = re.sub("^(.*? )?should ", "must ", rule)  # "Input should be …"
            rule = rule.partition(", unable")[0].partition(", got")[0]
            yield f"{path} {rule}, but got {cut(repr(error['input']), 80)}. Set {path}=…"


def _not_finite(node: Any, path: str = "") -> Iterable[str]:
    """Yield errors for NaN and infinity: JSON cannot represent them, so they have no hash."""
    if isinstance(node, dict):
        for key, item in node.items():
            yield from _not_finite(item, f"{path}.{key}" if path else str(key))
    elif isinstance(node, list):
        for item in node:
            yield from _not_finite(item, path)
    elif isinstance(node, float) and not math.isfinite(node):
        yield f"{path} must be finite, but got {node}. Set {path}=…"
    elif isinstance(node, int) and abs(node) >= _LARGEST_INTEGER:
        yield f"{path} must be an integer below 2**63 in size. Set {path}=…"


def _taken_for_numbers(node: Any, typed: Any, path: str = "") -> Iterable[str]:
    """Yield errors for true and false in place of numbers, which pydantic converts to 1 and 0."""
    if is_dataclass(typed) and isinstance(node, dict):
        for key, item in node.items():
            name = f"{path}.{key}" if path else key
            yield from _taken_for_numbers(item, getattr(typed, key), name)
    elif isinstance(node, bool) and not isinstance(typed, bool):
        yield f"{path} must be a number, but got {str(node).lower()}. Set {path}=…"


def _siblings(location: tuple[int | str, ...], tree: Any) -> list[str]:
    """Return the valid keys beside a wrong one."""
    cls: Any = Config
    for part in location[:-1]:
        tree = tree[part] if isinstance(tree, dict) else {}
        if isinstance(cls, RegistryOfSeveral):
            cls = cls.find(str(part)).options
            continue
        hint = get_type_hints(cls, include_extras=True).get(str(part))
        found = [item for item in get_args(hint) if isinstance(item, Registry)]
        if not found:
            cls = next(iter(_dataclasses(hint)), None)
        elif isinstance(found[0], RegistryOfSeveral):
            cls = found[0]
        else:
            cls = found[0].find(tree["name"]).options
        if cls is None:
            return []
    prefix = "".join(f"{part}." for part in location[:-1])
    return [prefix + field.name for field in fields(cls)]
