"""The options of a sweep: their combinations, and what stands at a path under some of them."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

from sweepmark.config import lookup
from sweepmark.errors import unknown_name
from sweepmark.search.parsing import option_name
from sweepmark.specification.components import TARGET, parameter_kinds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sweepmark.config import Tree
    from sweepmark.config.values import Kinds

__all__ = ["combinations", "defaults", "kinds", "option_groups"]

_OF_COMPONENTS = {"preprocess", "classifier"}
_MISSING = object()


def option_groups(tree: Tree) -> dict[str, list[str]]:
    """Return the config groups that ``sweep.space`` sweeps, and the options of each."""
    space = lookup(tree, "sweep.space", {})
    return {
        str(group): [option_name(option) for option in node["option"]]
        for group, node in (space.items() if isinstance(space, dict) else ())
        if isinstance(node, dict) and isinstance(node.get("option"), list | dict)
    }


def combinations(groups: Mapping[str, Sequence[str]]) -> Iterator[dict[str, str]]:
    """Yield every combination of options, by group; none if there are no groups."""
    for chosen in itertools.product(*groups.values()):
        if chosen:
            yield dict(zip(groups, chosen, strict=True))


def defaults(trees: Mapping[str, Tree]) -> Callable[[Mapping[str, str], str], Any]:
    """Return what tells the value at a path under some options, from the composed trees."""

    def default(options: Mapping[str, str], path: str) -> Any:
        tree = next(_trees_under(trees, options))
        found = lookup(tree, path, _MISSING)
        if found is _MISSING:
            parent, _, _ = path.rpartition(".")
            node = lookup(tree, parent) if parent else tree
            keys = [f"{parent}.{key}" if parent else key for key in node or ()]
            raise LookupError(unknown_name("path", path, keys))
        return found

    return default


def kinds(trees: Mapping[str, Tree]) -> Callable[[Mapping[str, str], str], Kinds | None]:
    """Return what tells the kinds of number told apart at a path under some options."""

    def kinds_under(options: Mapping[str, str], path: str) -> Kinds | None:
        found = {_kinds_at(tree, path) for tree in _trees_under(trees, options)}
        return found.pop() if len(found) == 1 else None  # options may choose the class

    return kinds_under


def _kinds_at(tree: Tree, path: str) -> Kinds | None:
    parent, _, name = path.rpartition(".")
    node = lookup(tree, parent) if parent else tree
    if path.partition(".")[0] in _OF_COMPONENTS:
        return parameter_kinds(node.get(TARGET), name) if isinstance(node, dict) else None
    default = node.get(name) if isinstance(node, dict) else None
    return frozenset({float}) if isinstance(default, float) else None


def _trees_under(trees: Mapping[str, Tree], options: Mapping[str, str]) -> Iterator[Tree]:
    for combination, tree in trees.items():
        if options.items() <= json.loads(combination).items():
            yield tree
