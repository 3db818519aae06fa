"""Hydra's sweep syntax on a command line, written as overrides of ``sweep.space``."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from sweepmark.config.overrides import parse_overrides, written
from sweepmark.config.tree import plain
from sweepmark.config.words import override_word
from sweepmark.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hydra.core.override_parser.types import Override, RangeSweep

__all__ = ["Swept", "swept"]

_MOST_VALUES = 10_000


@dataclass(frozen=True, slots=True)
class Swept:
    """Overrides of which some gave several values.

    Attributes
    ----------
    words : list of str
        The overrides; those that gave several values set ``sweep.space``.
    values : dict of str to value
        What the other ones set, by key.
    has_range : bool
        Whether a range is searched.
    """

    words: list[str]
    values: dict[str, Any]
    has_range: bool


def swept(overrides: Sequence[str], groups: Mapping[str, Iterable[str]]) -> Swept:
    """Write overrides that give several values as overrides of ``sweep.space``.

    Parameters
    ----------
    overrides : sequence of str
        ``1,3,5`` and ``choice(1,3,5)`` are choices, and so is ``range(1,10)``, whose end is not
        included; ``interval(0.1,10)`` is a range, ``tag(log,interval(0.1,10))`` one on a
        logarithmic scale; their ends are included.
    groups : mapping of str to iterable of str
        The config groups with their options; of a group, ``glob(s*)`` takes the matching ones.

    Raises
    ------
    ConfigurationError
        If one is not of Hydra's grammar, or ``shuffle`` or ``glob`` has no meaning.
    """
    parsed = parse_overrides(overrides, may_sweep=True)
    nodes = {item.key_or_group: _node(item, groups) for item in parsed if item.is_sweep_override()}
    words = [
        override_word(f"++sweep.space.{item.key_or_group}", nodes[item.key_or_group])
        if item.is_sweep_override()
        else text
        for text, item in zip(overrides, parsed, strict=True)
    ]
    return Swept(
        words=words,
        values={item.key_or_group: item.value() for item in parsed if not item.is_sweep_override()},
        has_range=any("low" in node for node in nodes.values()),
    )


def _node(item: Override, groups: Mapping[str, Iterable[str]]) -> dict[str, Any] | list[Any]:
    """Return what ``sweep.space`` has for an override that gives several values."""
    from hydra.core.override_parser.types import Glob, IntervalSweep, RangeSweep

    name: str = item.key_or_group
    value: Any = item.value()
    if isinstance(value, IntervalSweep):
        return {"low": value.start, "high": value.end, "log": "log" in value.tags}
    values: list[Any]
    if isinstance(value, Glob):
        if name not in groups:
            raise ConfigurationError(
                f"glob(…) is for the options of a group, but got {written(item)!r}. "
                f"Groups: {', '.join(groups)}."
            )
        values = list(value.filter(list(groups[name])))
    elif value.shuffle:
        raise ConfigurationError(
            f"the trials of a grid come in the order of its values, but got {written(item)!r}. "
            "Leave shuffle out; sampler=random draws at random."
        )
    elif isinstance(value, RangeSweep):
        values = _ranged(value, written(item))
    else:
        values = [_plain(each) for each in value.list]
    if not 0 < len(values) <= _MOST_VALUES:
        raise ConfigurationError(
            f"an override must give 1 to {_MOST_VALUES:,} values, but got {written(item)!r}."
        )
    return {"option": values} if name in groups else values


def _ranged(value: RangeSweep, text: str) -> list[Any]:
    """Return the first values of a ``range``, as many as are taken and one more."""
    from hydra.errors import HydraException

    try:
        return list(islice(value.range(), _MOST_VALUES + 1))
    except (HydraException, ValueError, ArithmeticError) as error:
        raise ConfigurationError(
            f"a range must be of finite numbers and have a step that is not 0, but got {text!r}."
        ) from error


def _plain(value: Any) -> Any:
    from hydra.core.override_parser.types import QuotedString

    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value.text if isinstance(value, QuotedString) else plain(value)
