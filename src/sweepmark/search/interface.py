"""What every search is to the coordinator, and going through the axes of a space."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from sweepmark.search.axes import Options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sweepmark.search.axes import Axis, Params, Space

__all__ = ["Search", "opened"]


class Search(Protocol):
    """Chooses trials in order.

    Attributes
    ----------
    n_trials : int
        How many there are.
    lag : int or None
        Before trial n is asked for, the results up to n - lag must have been told; those that
        were told besides are not used for it. None needs none.
    """

    n_trials: int
    lag: int | None

    def ask(self, number: int) -> Params:
        """Return the parameters of the next trial."""
        ...

    def note(self, number: int, params: Params) -> None:
        """Take the parameters of the next trial as already decided."""
        ...

    def tell(self, number: int, value: float | None) -> None:
        """Take the objective of a trial, None if it failed."""
        ...


def opened(space: Space, params: Params) -> Iterator[Axis]:
    """Yield the axes to choose on, reading the options from ``params`` as they are chosen."""
    for axis in space.axes:
        yield axis
        if isinstance(axis, Options):
            yield from axis.options[params[axis.name]]
