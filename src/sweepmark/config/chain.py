"""Chains: several options of one group in sequence, such as `preprocess=[deskew,scale]`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sweepmark.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

__all__ = ["CHAIN", "check_chain", "find_chain"]

CHAIN = "preprocess"
"""The group that takes several options; their steps are applied in the order given."""


def find_chain(choices: Iterable[Mapping[str, Any]]) -> list[str] | None:
    """Return the chain that was chosen, or None if a single option was; Hydra reports only options.

    Parameters
    ----------
    choices : iterable of mapping of str to option
        The choices of the command line, then of each sweep or experiment that it names.
    """
    found = next((chosen[CHAIN] for chosen in choices if CHAIN in chosen), None)
    return [str(option) for option in found] if isinstance(found, list) else None


def check_chain(chain: Sequence[str], steps: Callable[[str], Iterable[str]]) -> None:
    """Raise if two options have a step of the same name: Hydra would merge them into one.

    Parameters
    ----------
    chain : sequence of str
        Options.
    steps : callable
        Returns the names of an option's steps.

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
