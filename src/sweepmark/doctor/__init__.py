"""The doctor: checks of the machine, the store and the data, with a remedy for each problem."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweepmark.doctor.databases import examine_databases
from sweepmark.doctor.datasets import examine_datasets
from sweepmark.doctor.finding import Finding
from sweepmark.doctor.machine import examine_machine
from sweepmark.doctor.store import examine_store

if TYPE_CHECKING:
    from sweepmark.store import Store

__all__ = ["Finding", "examine"]


def examine(store: Store, *, full: bool = False) -> list[Finding]:
    """Check everything that a sweep depends on, without changing anything.

    Parameters
    ----------
    store : Store
        The store; it need not exist.
    full : bool
        Whether to read every evaluation completely and to hash large data sets.
    """
    return [
        *examine_machine(store.root),
        *examine_store(store, full=full),
        *examine_databases(store),
        *examine_datasets(full=full),
    ]
