"""Validation of a plain tree: a typed Config, or one error with every wrong key and value."""

from __future__ import annotations

import json
import re
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from sweepmark.config.registry import Registry, RegistryOfSeveral
from sweepmark.config.rules import adapter, broken, shown
from sweepmark.config.schema import Config
from sweepmark.config.tree import leaves
from sweepmark.errors import ConfigurationError, unknown_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pydantic_core import ErrorDetails

__all__ = ["validate"]

_SURROGATE = re.compile(r"\\ud[89a-f]|[\ud800-\udfff]")


def validate(tree: Mapping[str, Any]) -> Config:
    """Check a resolved configuration tree and return it typed.

    Raises
    ------
    ConfigurationError
        With each wrong key and the valid keys, and each wrong value and its rule.
    """
    from pydantic import ValidationError

    try:
        config: Config = adapter(Config).validate_json(json.dumps(tree, default=_refuse))
    except ValidationError as error:
        raise ConfigurationError(*_messages(error.errors(), tree)) from None
    return config


def _refuse(value: object) -> None:
    raise ConfigurationError(
        "a value must be a text, a number, true, false, null, a list or a mapping, but got "
        f"{shown(value)}."
    )


def _messages(errors: Iterable[ErrorDetails], tree: Mapping[str, Any]) -> Iterator[str]:
    for error in errors:
        path, rule, value = broken(error)
        if error["type"] == "unexpected_keyword_argument":
            yield unknown_name("key", path, _siblings(error["loc"], tree))
        elif error["type"] == "name":
            yield error["msg"]
        elif error["type"] == "json_invalid":
            wrong = next(item for item in leaves(tree) if _SURROGATE.search(str(item)))
            yield f"{wrong[0]} must be Unicode, but got {shown(wrong[1])}. Rename it in UTF-8."
        elif error["type"] == "missing":
            yield f"{path} must be given."
        else:
            setting = re.sub(r"\.\d+(\..*)?$", "", path)  # an override sets a list as a whole
            yield f"{path} {rule}, but got {value}. Set {setting}=…"


def _siblings(location: tuple[int | str, ...], tree: Any) -> list[str]:
    """Return the valid keys beside a wrong one."""
    cls: Any = Config
    for part in location[:-1]:
        tree = tree[part] if isinstance(tree, dict) else {}
        if isinstance(cls, RegistryOfSeveral):
            cls = cls.find(str(part)).options
            continue
        hint = get_type_hints(cls, include_extras=True).get(str(part))
        cls = next((item for item in get_args(hint) if isinstance(item, Registry)), None)
        if cls is None:
            cls = next(_dataclasses(hint), None)
        elif not isinstance(cls, RegistryOfSeveral):
            cls = cls.find(tree["name"]).options
        if cls is None:
            return []
    prefix = "".join(f"{part}." for part in location[:-1])
    return [prefix + field.name for field in fields(cls)]


def _dataclasses(hint: Any) -> Iterator[Any]:
    """Yield the dataclasses that a type mentions."""
    if is_dataclass(hint):
        yield hint
    for argument in get_args(hint):
        yield from _dataclasses(argument)
