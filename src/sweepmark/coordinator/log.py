"""The SweepLog: what a running sweep knows of itself, and writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from sweepmark.search.blueprint import Blueprint
    from sweepmark.store import Entry, History, Journal

__all__ = ["SweepLog"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepLog:
    """The configuration of a sweep, its journal, and what the journal comes to.

    Attributes
    ----------
    sweep_id : str
        The sweep's id.
    blueprint : Blueprint
        The configuration of the sweep.
    journal : Journal
        Receives decisions and outcomes before they take effect.
    history : History
        The content of the journal so far, which is reused.
    clock : callable
        Seconds since the epoch; never runs backwards.
    """

    sweep_id: str
    blueprint: Blueprint
    journal: Journal
    history: History
    clock: Callable[[], float]

    def record(self, event: str, **details: Any) -> Entry:
        """Append an entry to the journal and update the history."""
        entry = self.journal.append(event, at=self.clock(), **details)
        self.history.take(entry)
        return entry
