"""Validation of a plain tree: a typed Config, or one error with every wrong key and value."""

from __future__ import annotations

import math
import re
from dataclasses import fields, is_dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from sweepmark.config.registry import Registry
from sweepmark.config.schema import Config
from sweepmark.errors import ConfigurationError, unknown_name
from sweepmark.terminal import cut

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pydantic import TypeAdapter
    from pydantic_core import ErrorDetails

__all__ = ["validate"]

_FILE_NAME = re.compile(r"[A-Za-z0-9_][\w.\-]{0,100}")
_SHA256 = re.compile(r"[0-9A-Fa-f]{64}")
_NPM_NAME = re.compile(r"(@[\w\-][\w.\-]*/)?[\w\-][\w.\-]*")
_APT_NAME = re.compile(r"[a-z0-9][a-z0-9+.\-]+")
_LARGEST_INTEGER = 2**63
_NPM = re.compile(r"\d[\w.+\-]*")


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
    if wrong := [*_not_finite(tree), *_taken_for_numbers(tree, config), *_not_plain(config)]:
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
            rule = re.sub("^.*? should ", "must ", error["msg"])  # "Input should be …"
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


def _not_plain(config: Config) -> Iterable[str]:
    """Yield errors for names that would escape a folder, or the registry of npm or apt-get."""
    for role, file in config.dataset.files.items():
        if not _FILE_NAME.fullmatch(file.name):
            yield f"dataset.files.{role}.name must be a plain file name, but got {file.name!r}."
        if not _SHA256.fullmatch(file.sha256):
            yield f"dataset.files.{role}.sha256 must be hexadecimal, but got {file.sha256!r}."
    npm = config.dataset.npm
    if npm is not None and not (_NPM_NAME.fullmatch(npm.package) and _NPM.fullmatch(npm.version)):
        yield (
            "dataset.npm must name a package of the registry and its exact version, "
            f"but got {npm.package!r} and {npm.version!r}."
        )
    apt = config.dataset.apt
    if apt is not None and (not _APT_NAME.fullmatch(apt.package) or apt.package.endswith(".deb")):
        yield f"dataset.apt must name a package of Debian's archive, but got {apt.package!r}."
    if any(not url.startswith(("http://", "https://")) for url in _urls(config)):
        yield f"dataset.mirrors and index_pages must be http or https, but got {_urls(config)}."


def _urls(config: Config) -> list[str]:
    return [*config.dataset.mirrors, *config.dataset.index_pages]


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
        hint = get_type_hints(cls, include_extras=True).get(str(part))
        tree = tree[part] if isinstance(tree, dict) else {}
        found = [item for item in get_args(hint) if isinstance(item, Registry)]
        cls = found[0].find(tree["name"]).options if found else next(iter(_dataclasses(hint)), None)
        if cls is None:
            return []
    prefix = "".join(f"{part}." for part in location[:-1])
    return [prefix + field.name for field in fields(cls)]
