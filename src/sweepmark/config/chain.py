"""Several options of one group after one another: `preprocess=[deskew,scale]`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sweepmark.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

__all__ = ["CHAIN", "check_chain", "find_chain"]

CHAIN = "preprocess"
"""The group that takes several options: their steps follow one another in the order given."""


def find_chain(choices: Iterable[Mapping[str, Any]]) -> list[str] | None:
    """Return the chain that was chosen, None if one option was: Hydra tells of options only.

    Parameters
    ----------
    choices : iterable of mapping of str to option
        What the command line, and then each part that it names, chooses for groups.
    """
    found = next((chosen[CHAIN] for chosen in choices if CHAIN in chosen), None)
    return [str(option) for option in found] if isinstance(found, list) else None


def check_chain(chain: Sequence[str], steps: Callable[[str], Iterable[str]]) -> None:
    """Refuse steps of one name: they would be merged into one, in the place of the first.

    Parameters
    ----------
    chain : sequence of str
        Options.
    steps : callable
        Tells the names of an option's steps.

    Raises
    ------
    ConfigurationError
        Naming the step and both options.
    """
    owners: dict[str, str] = {}
    for option in chain:
        for step in steps(option):
            if step in owners:
                raise ConfigurationError(
                    f"each step of a chain must stand once, but {owners[step]} and {option} both "
                    f"have a step {step!r}, got {CHAIN}=[{','.join(chain)}]."
                )
            owners[step] = option
