"""The Space a sweep searches: choices, ranges, and options that open parameters of their own.

A parameter is named by its place in the configuration, ``classifier.C``; below an option by that
option too, ``classifier.svc.C``, because another option may have a parameter of the same name.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sweepmark.errors import ConfigurationError

__all__ = ["Axis", "Choice", "Defaults", "Options", "Params", "Range", "Space", "parse_space"]

Params = dict[str, Any]
"""One point of a space: parameter name to value; only what is active there."""

Defaults = Callable[[Mapping[str, str], str], Any]
"""(options chosen by group, path in the configuration) to the value standing there.

Raises LookupError if nothing stands there.
"""

_RANGE_KEYS = {"low", "high", "log"}


@dataclass(frozen=True, slots=True)
class Choice:
    """A parameter that takes one of the values listed."""

    name: str
    path: str
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Range:
    """A parameter that takes any value from low to high, both included."""

    name: str
    path: str
    low: float
    high: float
    log: bool
    integer: bool


@dataclass(frozen=True, slots=True)
class Options:
    """A config group of which one option is taken; each opens axes of its own."""

    name: str
    options: Mapping[str, tuple[Axis, ...]]


Axis = Choice | Range | Options


@dataclass(frozen=True, slots=True)
class Space:
    """The axes of a search, in the order of the YAML."""

    axes: tuple[Axis, ...]

    @property
    def is_finite(self) -> bool:
        """Whether it can be gone through cell by cell."""
        return not any(isinstance(axis, Range) for axis in self.all_axes())

    def all_axes(self) -> Iterator[Axis]:
        """Yield every axis, those below options too."""
        yield from _walk(self.axes)

    @property
    def size(self) -> int:
        """How many cells a finite space has."""
        return _size(self.axes)

    def cells(self) -> Iterator[Params]:
        """Yield every point of a finite space; the last axis changes fastest."""
        return _cells(self.axes)

    def combinations(self) -> Iterator[dict[str, str]]:
        """Yield every combination of options, by group; one empty one if there are none."""
        groups = [axis for axis in self.axes if isinstance(axis, Options)]
        for chosen in itertools.product(*(axis.options for axis in groups)):
            yield dict(zip((axis.name for axis in groups), chosen, strict=True))

    def active(self, params: Mapping[str, Any]) -> Iterator[Axis]:
        """Yield the axes that have a value at a point, options before what they open."""
        for axis in self.axes:
            yield axis
            if isinstance(axis, Options):
                yield from axis.options[params[axis.name]]

    def placed(self, params: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, Any]]:
        """Return a point as options by group and values by path in the configuration."""
        options: dict[str, str] = {}
        values: dict[str, Any] = {}
        for axis in self.active(params):
            if isinstance(axis, Options):
                options[axis.name] = params[axis.name]
            else:
                values[axis.path] = params[axis.name]
        return options, values


def _walk(axes: tuple[Axis, ...]) -> Iterator[Axis]:
    for axis in axes:
        yield axis
        if isinstance(axis, Options):
            for opened in axis.options.values():
                yield from _walk(opened)


def _size(axes: tuple[Axis, ...]) -> int:
    size = 1
    for axis in axes:
        if isinstance(axis, Options):
            size *= sum(_size(opened) for opened in axis.options.values())
        elif isinstance(axis, Choice):
            size *= len(axis.values)
    return size


def _cells(axes: tuple[Axis, ...]) -> Iterator[Params]:
    if not axes:
        yield {}
        return
    first, rest = axes[0], axes[1:]
    for head in _axis_cells(first):
        for tail in _cells(rest):
            yield head | tail


def _axis_cells(axis: Axis) -> Iterator[Params]:
    if isinstance(axis, Options):
        for option, opened in axis.options.items():
            for params in _cells(opened):
                yield {axis.name: option} | params
    elif isinstance(axis, Choice):
        for value in axis.values:
            yield {axis.name: value}
    else:
        raise ConfigurationError(
            f"the grid sampler needs lists, but {axis.name} is a range from {axis.low} to "
            f"{axis.high}. List its values, or take sampler=random or sampler=tpe."
        )


def parse_space(document: Mapping[str, Any], defaults: Defaults) -> Space:
    """Read ``sweep.space``.

    Parameters
    ----------
    document : mapping
        Mirrors the configuration's tree. A list is a choice, ``{low, high, log}`` a range,
        ``{option: …}`` in the place of a group its options.
    defaults : callable
        Tells what stands at a path; raises LookupError with the message if nothing does.

    Raises
    ------
    ConfigurationError
        If a path does not exist, a list is empty or says a value twice, or a range is none.
    """
    axes = tuple(_axes(document, prefix="", options={}, path="", defaults=defaults))
    if not axes:
        raise ConfigurationError("sweep.space must name a parameter or more, but is empty.")
    return Space(axes)


def _axes(
    node: Mapping[str, Any],
    *,
    prefix: str,
    options: Mapping[str, str],
    path: str,
    defaults: Defaults,
) -> Iterator[Axis]:
    for key, value in node.items():
        name, place = _join(prefix, str(key)), _join(path, str(key))
        if isinstance(value, Mapping) and "option" in value:
            yield _options(name, value, nested=bool(options or prefix), defaults=defaults)
        elif isinstance(value, Mapping) and not ("low" in value or "high" in value):
            if not value:
                raise ConfigurationError(f"sweep.space.{name} must list values, but is empty.")
            yield from _axes(value, prefix=name, options=options, path=place, defaults=defaults)
        else:
            yield _leaf(name, place, value, options=options, defaults=defaults)


def _options(name: str, node: Mapping[str, Any], *, nested: bool, defaults: Defaults) -> Options:
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
                    defaults=defaults,
                )
            )
            for option, opened in _listed(name, node["option"])
        },
    )


def _listed(name: str, listed: Any) -> list[tuple[str, Mapping[str, Any]]]:
    """Return the options and what each opens; a plain list opens nothing."""
    pairs = list(listed.items()) if isinstance(listed, Mapping) else []
    if isinstance(listed, list):
        pairs = [(option, None) for option in listed]
    names = [str(option) for option, _ in pairs]
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
    return [(str(option), opened or {}) for option, opened in pairs]


def _leaf(
    name: str, path: str, value: Any, *, options: Mapping[str, str], defaults: Defaults
) -> Choice | Range:
    try:
        default = defaults(options, path)
    except LookupError as error:
        raise ConfigurationError(f"sweep.space.{name}: {error}") from None
    if isinstance(value, Mapping):
        return _range(name, path, value, default)
    if not isinstance(value, list):
        raise ConfigurationError(
            f"sweep.space.{name} must be a list of values or a range {{low, high, log}}, "
            f"but got {value!r}. Write [{value}] for one value."
        )
    if not value:
        raise ConfigurationError(f"sweep.space.{name} must list a value or more, but is empty.")
    values = tuple(float(item) if _widens(item, default) else item for item in value)
    if len({repr(item) for item in values}) < len(values):
        raise ConfigurationError(f"sweep.space.{name} must list each value once, got {value!r}.")
    return Choice(name, path, values)


def _range(name: str, path: str, node: Mapping[str, Any], default: Any) -> Range:
    unknown = set(node) - _RANGE_KEYS
    low: Any = node.get("low")
    high: Any = node.get("high")
    log = node.get("log", False)
    if unknown or not _is_number(low) or not _is_number(high) or not isinstance(log, bool):
        raise ConfigurationError(
            f"sweep.space.{name} must be {{low: number, high: number, log: true or false}}, "
            f"but got {dict(node)!r}."
        )
    if not low < high or (log and low <= 0):
        rule = "0 < low < high" if log else "low < high"
        raise ConfigurationError(
            f"sweep.space.{name}: {rule} must hold, but got (low={low}, high={high})."
        )
    integer = isinstance(low, int) and isinstance(high, int) and not isinstance(default, float)
    number = int if integer else float
    return Range(name, path, number(low), number(high), log, integer)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _widens(value: Any, default: Any) -> bool:
    return isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool)


def _join(prefix: str, key: str) -> str:
    return f"{prefix}.{key}" if prefix else key
