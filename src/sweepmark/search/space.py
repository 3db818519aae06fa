"""The axes of a search, and the Space that they form.

A parameter is named by its path in the configuration, ``classifier.C``. Below a swept option the
name includes that option, ``classifier.svc.C``, because another option may have a parameter of the
same name.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sweepmark.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Axis", "Choice", "Options", "Params", "Range", "Space"]

Params = dict[str, Any]
"""One point of a space: values by parameter name, active parameters only."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A parameter that takes one of the values listed."""

    name: str
    path: str
    values: tuple[Any, ...]

    @property
    def is_single(self) -> bool:
        """Whether there is nothing to choose."""
        return len(self.values) == 1


@dataclass(frozen=True, slots=True)
class Range:
    """A parameter that takes any value from low to high, both included."""

    name: str
    path: str
    low: float
    high: float
    log: bool
    integer: bool

    @property
    def is_single(self) -> bool:
        """Whether there is nothing to choose."""
        return self.low == self.high


@dataclass(frozen=True, slots=True)
class Options:
    """A config group of which one option is chosen; each option may have further axes."""

    name: str
    options: Mapping[str, tuple[Axis, ...]]

    @property
    def is_single(self) -> bool:
        """Whether there is nothing to choose, but for what the option opens."""
        return len(self.options) == 1


Axis = Choice | Range | Options


@dataclass(frozen=True, slots=True)
class Space:
    """The axes of a search, in the order of the sweep's YAML."""

    axes: tuple[Axis, ...]

    def all_axes(self) -> Iterator[Axis]:
        """Yield every axis, including those below options."""
        yield from _walk(self.axes)

    @property
    def size(self) -> int:
        """The number of cells of a finite space."""
        return _size(self.axes)

    def cells(self) -> Iterator[Params]:
        """Yield every point of a finite space; the last axis changes fastest."""
        return _cells(self.axes)

    def combinations(self) -> Iterator[dict[str, str]]:
        """Yield every combination of options, by group; a single empty one if there are none."""
        groups = [axis for axis in self.axes if isinstance(axis, Options)]
        for chosen in itertools.product(*(axis.options for axis in groups)):
            yield dict(zip((axis.name for axis in groups), chosen, strict=True))

    def active(self, params: Mapping[str, Any]) -> Iterator[Axis]:
        """Yield the axes that are active at a point; an option is read once its axes are due."""
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
