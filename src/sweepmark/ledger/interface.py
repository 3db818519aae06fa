"""What a Ledger does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from sweepmark.search.trial import Trial

__all__ = ["Ledger", "is_next"]


class Ledger(Protocol):
    """The trials of one sweep, in order."""

    @property
    def count(self) -> int:
        """How many trials are in it."""
        ...

    def record(self, trial: Trial, *, value: float | None) -> None:
        """Add a finished trial; one that is there already is left alone.

        Parameters
        ----------
        trial : Trial
            Its number is at most ``count``: trials are added in order, without a gap.
        value : float or None
            The objective; None or NaN counts as failed.

        Raises
        ------
        ValueError
            If a trial before it is missing.
        """
        ...

    def clear(self) -> None:
        """Remove all trials, so that they can be recorded again: finished ones never change."""
        ...

    def close(self) -> None:
        """Let go of the database."""
        ...


def is_next(trial: Trial, count: int) -> bool:
    """Tell whether a trial is the one to be added; if not, it is there already.

    Raises
    ------
    ValueError
        If a trial before it is missing.
    """
    if trial.number > count:
        raise ValueError(
            f"trials must be recorded in order, but trial {trial.number} came after {count - 1}."
        )
    return trial.number == count
