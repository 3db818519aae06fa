"""The interface of searches, and iteration over the active axes of a space."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from sweepmark.search.space import Options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sweepmark.search.space import Axis, Params, Space

__all__ = ["Search", "opened"]


class Search(Protocol):
    """Chooses the parameters of trials, in order.

    Attributes
    ----------
    n_trials : int
        Number of trials.
    lag : int or None
        Before trial n is requested, the results up to n - lag must have been passed to
        :meth:`tell`; later results are not used for it. None if no results are needed.
    """

    n_trials: int
    lag: int | None

    def ask(self, number: int) -> Params:
        """Return the parameters of the next trial."""
        ...

    def note(self, number: int, params: Params) -> None:
        """Record the parameters of the next trial, which are decided already."""
        ...

    def tell(self, number: int, value: float | None) -> None:
        """Record the objective of a trial; None if it failed."""
        ...


def opened(space: Space, params: Params) -> Iterator[Axis]:
    """Yield the active axes, reading each option from ``params`` once it has been chosen."""
    for axis in space.axes:
        yield axis
        if isinstance(axis, Options):
            yield from axis.options[params[axis.name]]
