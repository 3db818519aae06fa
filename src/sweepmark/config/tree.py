"""A configuration as a tree of plain values: looked up, changed, resolved."""

from __future__ import annotations

import re
import sys
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from sweepmark.config.growth import check_growth
from sweepmark.config.values import is_integer
from sweepmark.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["TARGET", "Tree", "as_floats", "leaves", "lookup", "place", "plain", "resolve"]

Tree = dict[str, Any]
"""A configuration as plain values; interpolations are unresolved text."""

TARGET = "_target_"
"""The key that names a component's class."""

_PLAIN_POINTER = re.compile(r"\$\{([A-Za-z_][\w.]*)\}")
_SPACE = "space"
_LARGEST_FLOAT = sys.float_info.max
_NOWHERE = object()


def lookup(tree: Mapping[str, Any], path: str, default: Any = None) -> Any:
    """Return the value at a dotted path, or the default if there is none.

    Examples
    --------
    >>> lookup({"split": {"size": 10}}, "split.size")
    10
    """
    node: Any = tree
    for part in path.split("."):
        if not isinstance(node, dict) or part not in node:
            return default
        node = node[part]
    return node


def leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the dotted path and the value of everything in a tree that is no mapping.

    Examples
    --------
    >>> dict(leaves({"split": {"size": 10}, "seed": 0}))
    {'split.size': 10, 'seed': 0}
    """
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def place(tree: Tree, path: str, value: Any) -> None:
    """Set the value at a dotted path, in place; a previous value is replaced, not merged.

    Examples
    --------
    >>> tree = {"space": {"C": [1, 2], "gamma": [3]}}
    >>> place(tree, "space.C", {"low": 1, "high": 2})
    >>> tree
    {'space': {'C': {'low': 1, 'high': 2}, 'gamma': [3]}}
    """
    *parents, last = path.split(".")
    node = tree
    for part in parents:
        node = node.setdefault(part, {})
    node[last] = deepcopy(value)


def plain(value: Any) -> Any:
    """Return a value with all mapping keys converted to text, as after a JSON round trip."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def as_floats(value: Any, default: Any) -> Any:
    """Return a value with floats for integers wherever the default has a float.

    Components and search spaces are left unchanged: only the class decides what an integer means.

    Examples
    --------
    >>> as_floats({"train_ratio": 1, "size": 3}, {"train_ratio": 0.75, "size": 2})
    {'train_ratio': 1.0, 'size': 3}
    >>> as_floats({"_target_": "A", "share": 1}, {"_target_": "A", "share": 1.0})
    {'_target_': 'A', 'share': 1}
    """
    if isinstance(value, dict) and isinstance(default, dict):
        if TARGET in value or TARGET in default:
            return value
        return {
            key: item if key == _SPACE else as_floats(item, default.get(key))
            for key, item in value.items()
        }
    if isinstance(default, float) and is_integer(value):
        return float(value) if abs(value) <= _LARGEST_FLOAT else value
    return value


def resolve(tree: Tree) -> Tree:
    """Return the tree with its interpolations replaced by their targets.

    Raises
    ------
    ConfigurationError
        If the target of an interpolation does not exist.
    """
    try:
        resolved: Tree = _filled(tree, tree)
    except LookupError:
        return _resolve_by_omegaconf(tree)
    return resolved


def _filled(node: Any, tree: Tree) -> Any:
    """Return a copy with simple interpolations of plain values resolved.

    This covers nearly every tree and avoids OmegaConf, which builds a node for each value.

    Raises
    ------
    LookupError
        If there is an interpolation of another kind.
    """
    if isinstance(node, dict):
        return {key: _filled(item, tree) for key, item in node.items()}
    if isinstance(node, list):
        return [_filled(item, tree) for item in node]
    if not isinstance(node, str) or "${" not in node:
        return node
    pointer = _PLAIN_POINTER.fullmatch(node)
    target = _NOWHERE if pointer is None else lookup(tree, pointer[1], _NOWHERE)
    if target is _NOWHERE or isinstance(target, dict | list) or "${" in str(target):
        raise LookupError(node)
    return target


def _resolve_by_omegaconf(tree: Tree) -> Tree:
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    check_growth(tree)
    try:
        resolved = OmegaConf.to_container(OmegaConf.create(tree), resolve=True)
    except OmegaConfBaseException as error:
        reason = str(error).split("\n", maxsplit=1)[0]
        raise ConfigurationError(f"an interpolation cannot be resolved: {reason}") from None
    return {str(key): value for key, value in dict(resolved).items()}  # type: ignore[arg-type]
