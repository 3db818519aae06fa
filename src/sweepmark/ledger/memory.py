"""A Ledger in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweepmark.ledger.interface import is_next

if TYPE_CHECKING:
    from sweepmark.search.trial import Trial

__all__ = ["MemoryLedger"]


class MemoryLedger:
    """Keeps trials for as long as the process lives.

    Attributes
    ----------
    trials : list of (Trial, float or None)
        The recorded trials and objectives.
    """

    def __init__(self) -> None:
        self.trials: list[tuple[Trial, float | None]] = []

    @property
    def count(self) -> int:
        """See :attr:`Ledger.count`."""
        return len(self.trials)

    def record(self, trial: Trial, *, value: float | None) -> None:
        """See :meth:`Ledger.record`."""
        if is_next(trial, self.count):
            self.trials.append((trial, value))

    def clear(self) -> None:
        """See :meth:`Ledger.clear`."""
        self.trials.clear()

    def close(self) -> None:
        """See :meth:`Ledger.close`."""
