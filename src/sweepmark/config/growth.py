"""An upper bound of a tree's size after its interpolations are resolved, without resolving them."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sweepmark.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["LARGEST_GROWTH", "check_growth"]

LARGEST_GROWTH = 1_000_000
"""Maximum of values plus characters of a resolved tree."""

_INTERPOLATION = re.compile(r"\$\{([^{}]*)")
_WORD = re.compile(r"\.*[\w.]+")
_NOWHERE = object()

_Path = tuple[str, ...]


def check_growth(tree: Mapping[str, Any]) -> None:
    """Raise if nested interpolations would grow the tree beyond the limit.

    Raises
    ------
    ConfigurationError
        If the resolved tree would exceed the limit.
    """
    try:
        weight = _Scale(tree).weigh(tree, ())
    except RecursionError:
        weight = math.inf
    if weight > LARGEST_GROWTH:
        raise ConfigurationError(
            f"interpolations must stand for at most {LARGEST_GROWTH:,} characters together, but "
            "these multiply to more. Write them out."
        )


@dataclass(slots=True)
class _Scale:
    """Computes the weight of each node once; each target of an interpolation counts in full."""

    tree: Mapping[str, Any]
    known: dict[_Path, float] = field(default_factory=dict)

    def weigh(self, node: Any, path: _Path) -> float:
        if path not in self.known:
            self.known[path] = 0.0  # OmegaConf raises on cycles
            self.known[path] = 1 + sum(self._parts(node, path))
        return self.known[path]

    def _parts(self, node: Any, path: _Path) -> Iterator[float]:
        if isinstance(node, str):
            yield len(node)
            for target in _targets(node, path):
                found = self._at(target)
                if found is not _NOWHERE:
                    yield self.weigh(found, target)
        for key, item in _items(node):
            yield self.weigh(item, (*path, key))

    def _at(self, path: _Path) -> Any:
        node: Any = self.tree
        for part in path:
            node = dict(_items(node)).get(part, _NOWHERE)
        return node


def _items(node: Any) -> list[tuple[str, Any]]:
    if isinstance(node, dict):
        return [(str(key), item) for key, item in node.items()]
    return [(str(key), item) for key, item in enumerate(node)] if isinstance(node, list) else []


def _targets(text: str, path: _Path) -> Iterator[_Path]:
    """Yield the paths that a text's interpolations refer to; dotted ones are relative."""
    for inner in _INTERPOLATION.findall(text):
        for word in _WORD.findall(inner.replace("[", ".").replace("]", "")):
            name = word.lstrip(".")
            n_dots = len(word) - len(name)
            start = path[: len(path) - n_dots] if n_dots else ()
            yield (*start, *filter(None, name.split(".")))
