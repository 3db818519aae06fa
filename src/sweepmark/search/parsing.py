"""Parsing of ``sweep.space`` into axes, and of the options that it sweeps."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sweepmark.config import lookup
from sweepmark.config.values import convert, is_number
from sweepmark.errors import ConfigurationError, unknown_name
from sweepmark.search.space import Axis, Choice, Options, Range, Space
from sweepmark.specification.components import TARGET, known_parameters, parameter_kinds

if TYPE_CHECKING:
    from sweepmark.config import Tree
    from sweepmark.config.values import Kinds

__all__ = ["Defaults", "combinations", "parse_space"]

_OF_COMPONENTS = {"preprocess", "classifier"}
_MISSING = object()
_PLAIN_NAME = re.compile(r"[\w.\-]+")
_RANGE_KEYS = {"low", "high", "log"}


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a configuration has at a path if some options are chosen.

    Attributes
    ----------
    trees : mapping of str to tree
        The composed configuration by canonical JSON of each combination of options.
    """

    trees: Mapping[str, Tree]

    def value(self, options: Mapping[str, str], path: str) -> Any:
        """Return the value at a path; of a parameter that no YAML has, its class's default.

        Raises
        ------
        LookupError
            If there is none; the message lists the paths that there are.
        """
        tree = next(self._under(options))
        found = lookup(tree, path, _MISSING)
        if found is not _MISSING:
            return found
        parent, _, name = path.rpartition(".")
        node = lookup(tree, parent) if parent else tree
        keys = list(node or ()) if isinstance(node, dict) else []
        if path.partition(".")[0] in _OF_COMPONENTS and TARGET in keys:
            known = known_parameters(node[TARGET])
            if known is None or name in known:
                return None if known is None else known[name]
            keys = list(known)
        raise LookupError(unknown_name("path", path, [_join(parent, key) for key in keys]))

    def kinds(self, options: Mapping[str, str], path: str) -> Kinds | None:
        """Return the kinds of number that are distinguished at a path."""
        found = {_kinds_at(tree, path) for tree in self._under(options)}
        return found.pop() if len(found) == 1 else None  # options may choose the class

    def _under(self, options: Mapping[str, str]) -> Iterator[Tree]:
        for combination, tree in self.trees.items():
            if options.items() <= json.loads(combination).items():
                yield tree


def _kinds_at(tree: Tree, path: str) -> Kinds | None:
    parent, _, name = path.rpartition(".")
    node = lookup(tree, parent) if parent else tree
    if path.partition(".")[0] in _OF_COMPONENTS:
        return parameter_kinds(node.get(TARGET), name) if isinstance(node, dict) else None
    default = node.get(name) if isinstance(node, dict) else None
    return frozenset({float}) if isinstance(default, float) else None


def combinations(tree: Tree) -> tuple[list[str], list[dict[str, str]]]:
    """Return the config groups that ``sweep.space`` sweeps, and each combination of options."""
    space = lookup(tree, "sweep.space", {})
    groups = {
        str(group): [_option_name(option) for option in node["option"]]
        for group, node in (space.items() if isinstance(space, dict) else ())
        if isinstance(node, dict) and isinstance(node.get("option"), list | dict)
    }
    chosen = itertools.product(*groups.values()) if groups else ()
    return [*groups], [dict(zip(groups, options, strict=True)) for options in chosen]


def parse_space(document: Mapping[str, Any], defaults: Defaults) -> Space:
    """Read ``sweep.space``.

    Parameters
    ----------
    document : mapping
        Has the structure of the configuration's tree. A list is a choice, ``{low, high, log}`` a
        range, ``{option: …}`` in the place of a group its options.
    defaults : Defaults
        The composed configurations.

    Raises
    ------
    ConfigurationError
        If a path does not exist, a list is empty or has duplicates, or a range is invalid.
    """
    axes = tuple(_axes(document, prefix="", options={}, path="", look=defaults))
    if not axes:
        raise ConfigurationError(
            "sweep.space must name a parameter or more, but is empty. Give one several values, "
            "such as classifier.C=1,10."
        )
    return Space(axes)


def _axes(
    node: Mapping[str, Any],
    *,
    prefix: str,
    options: Mapping[str, str],
    path: str,
    look: Defaults,
) -> Iterator[Axis]:
    for key, value in node.items():
        name, place = _join(prefix, str(key)), _join(path, str(key))
        if isinstance(value, Mapping) and "option" in value:
            yield _options(name, value, nested=bool(options or prefix), look=look)
        elif isinstance(value, Mapping) and not ("low" in value or "high" in value):
            if not value:
                raise ConfigurationError(f"sweep.space.{name} must list values, but is empty.")
            yield from _axes(value, prefix=name, options=options, path=place, look=look)
        else:
            yield _leaf(name, place, value, options=options, look=look)


def _options(name: str, node: Mapping[str, Any], *, nested: bool, look: Defaults) -> Options:
    if nested:
        raise ConfigurationError(f"sweep.space.{name}: only a whole config group has options.")
    if set(node) != {"option"}:
        extra = ", ".join(sorted(set(node) - {"option"}))
        raise ConfigurationError(
            f"sweep.space.{name} sweeps options, so parameters stand below an option, "
            f"but got {extra} beside it."
        )
    return Options(
        name,
        {
            option: tuple(
                _axes(
                    opened,
                    prefix=f"{name}.{option}",
                    options={name: option},
                    path=name,
                    look=look,
                )
            )
            for option, opened in _listed(name, node["option"])
        },
    )


def _listed(name: str, listed: Any) -> list[tuple[str, Mapping[str, Any]]]:
    """Return the options with their axes; options in a plain list have none."""
    pairs = list(listed.items()) if isinstance(listed, Mapping) else []
    if isinstance(listed, list):
        pairs = [(option, None) for option in listed]
    names = [_option_name(option) for option, _ in pairs]
    if not pairs or len(set(names)) < len(names):
        raise ConfigurationError(
            f"sweep.space.{name}.option must list options, each once, but got {listed!r}."
        )
    for option, opened in pairs:
        if not isinstance(opened, Mapping | None):
            raise ConfigurationError(
                f"sweep.space.{name}.option.{option} must be a mapping of parameters, or empty, "
                f"but got {opened!r}."
            )
        if opened and not _PLAIN_NAME.fullmatch(str(option)):
            raise ConfigurationError(
                f"sweep.space.{name}.option.{option} must not open parameters: they are named by "
                "their option, and a chain has no name. Make it one YAML."
            )
    return [(_option_name(option), opened or {}) for option, opened in pairs]


def _option_name(option: Any) -> str:
    """Return an option as written on the command line; a list is a chain.

    Examples
    --------
    >>> _option_name(["deskew", "scale"])
    '[deskew,scale]'
    """
    return f"[{','.join(map(str, option))}]" if isinstance(option, list) else str(option)


def _leaf(
    name: str, path: str, value: Any, *, options: Mapping[str, str], look: Defaults
) -> Choice | Range:
    try:
        default = look.value(options, path)
    except LookupError as error:
        raise ConfigurationError(f"sweep.space.{name}: {error}") from None
    kinds = look.kinds(options, path)
    if isinstance(value, Mapping):
        return _range(name, path, value, default, kinds)
    if not isinstance(value, list):
        raise ConfigurationError(
            f"sweep.space.{name} must be a list of values or a range {{low, high, log}}, "
            f"but got {value!r}. Write [{value}] for one value."
        )
    if not value:
        raise ConfigurationError(f"sweep.space.{name} must list a value or more, but is empty.")
    values = tuple(convert(item, kinds) for item in value)
    if len({repr(item) for item in values}) < len(values):
        raise ConfigurationError(f"sweep.space.{name} must list each value once, got {value!r}.")
    return Choice(name, path, values)


def _range(
    name: str, path: str, node: Mapping[str, Any], default: Any, kinds: Kinds | None
) -> Range:
    unknown = set(node) - _RANGE_KEYS
    low: Any = node.get("low")
    high: Any = node.get("high")
    log = node.get("log", False)
    if unknown or not is_number(low) or not is_number(high) or not isinstance(log, bool):
        raise ConfigurationError(
            f"sweep.space.{name} must be {{low: number, high: number, log: true or false}}, "
            f"but got {dict(node)!r}."
        )
    if not low < high or (log and low <= 0):
        rule = "0 < low < high" if log else "low < high"
        raise ConfigurationError(
            f"sweep.space.{name}: {rule} must hold, but got (low={low}, high={high})."
        )
    takes_integers = not isinstance(default, float) if kinds is None else int in kinds
    integer = isinstance(low, int) and isinstance(high, int) and takes_integers
    number = int if integer else float
    return Range(name, path, number(low), number(high), log, integer)


def _join(prefix: str, key: str) -> str:
    return f"{prefix}.{key}" if prefix else key
