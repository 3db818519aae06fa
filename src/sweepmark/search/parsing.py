"""Parsing of ``sweep.space`` into axes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sweepmark.config.values import Kinds, convert, is_number
from sweepmark.errors import ConfigurationError
from sweepmark.search.space import Axis, Choice, Options, Range, Space

__all__ = ["Defaults", "KindsAt", "option_name", "parse_space"]

Defaults = Callable[[Mapping[str, str], str], Any]
"""A function of (options by group, path in the configuration) that returns the value at the path.

Raises LookupError if there is none.
"""

KindsAt = Callable[[Mapping[str, str], str], Kinds | None]
"""A function of (options by group, path) that returns the kinds of number distinguished there."""

_PLAIN_NAME = re.compile(r"[\w.\-]+")
_RANGE_KEYS = {"low", "high", "log"}


@dataclass(frozen=True, slots=True)
class _Look:
    """The lookups of a path."""

    defaults: Defaults
    kinds: KindsAt


def parse_space(document: Mapping[str, Any], defaults: Defaults, kinds: KindsAt) -> Space:
    """Read ``sweep.space``.

    Parameters
    ----------
    document : mapping
        Has the structure of the configuration's tree. A list is a choice, ``{low, high, log}`` a
        range, ``{option: …}`` in the place of a group its options.
    defaults : callable
        Returns the value at a path; raises LookupError, with a message, if there is none.
    kinds : callable
        Returns the kinds of number distinguished at a path.

    Raises
    ------
    ConfigurationError
        If a path does not exist, a list is empty or has duplicates, or a range is invalid.
    """
    axes = tuple(_axes(document, prefix="", options={}, path="", look=_Look(defaults, kinds)))
    if not axes:
        raise ConfigurationError("sweep.space must name a parameter or more, but is empty.")
    return Space(axes)


def _axes(
    node: Mapping[str, Any],
    *,
    prefix: str,
    options: Mapping[str, str],
    path: str,
    look: _Look,
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


def _options(name: str, node: Mapping[str, Any], *, nested: bool, look: _Look) -> Options:
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
    names = [option_name(option) for option, _ in pairs]
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
    return [(option_name(option), opened or {}) for option, opened in pairs]


def option_name(option: Any) -> str:
    """Return an option as written on the command line; a list is a chain.

    Examples
    --------
    >>> option_name(["deskew", "scale"])
    '[deskew,scale]'
    """
    return f"[{','.join(map(str, option))}]" if isinstance(option, list) else str(option)


def _leaf(
    name: str, path: str, value: Any, *, options: Mapping[str, str], look: _Look
) -> Choice | Range:
    try:
        default = look.defaults(options, path)
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
