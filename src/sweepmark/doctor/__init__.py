"""The doctor: what is wrong with this machine, the store and the data, and what mends it."""

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
    """Look at everything that a sweep depends on; nothing is changed.

    Parameters
    ----------
    store : Store
        The store; it need not exist.
    full : bool
        Whether every evaluation is read whole, and large data sets too.
    """
    return [
        *examine_machine(store.root),
        *examine_store(store, full=full),
        *examine_databases(store),
        *examine_datasets(full=full),
    ]
