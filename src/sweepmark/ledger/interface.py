"""The interface of a Ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from sweepmark.search.trial import Trial

__all__ = ["Ledger", "is_next"]


class Ledger(Protocol):
    """A record of one sweep's trials, in order."""

    @property
    def count(self) -> int:
        """The number of trials recorded."""
        ...

    def record(self, trial: Trial, *, value: float | None) -> None:
        """Add a finished trial; a trial that is recorded already is not changed.

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
        """Close the database."""
        ...


def is_next(trial: Trial, count: int) -> bool:
    """Return whether a trial is the next one to be added; if not, it is recorded already.

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
