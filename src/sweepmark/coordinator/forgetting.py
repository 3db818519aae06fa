"""Forgetting a sweep: everything of it that no other sweep uses is removed.

The journal goes last. Until then the sweep is there, and a removal that was killed is done again.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from sweepmark.errors import NotFoundError, OwnedError
from sweepmark.failpoints import failpoint
from sweepmark.ledger import remove_study
from sweepmark.store import is_owned, owned
from sweepmark.store.belongings import (
    evaluation_folders,
    find_belongings,
    metrics_files,
    remove_evaluations,
    remove_journal,
    size,
)
from sweepmark.tracking import remove_runs, run_folders

if TYPE_CHECKING:
    from sweepmark.store import Store

__all__ = ["Loss", "find_forgettable", "forget", "survey"]


@dataclass(frozen=True, slots=True)
class Loss:
    """What is removed with a sweep.

    Attributes
    ----------
    n_evaluations, n_runs : int
        Evaluations that no other sweep uses, and runs in MLflow.
    evaluation_bytes, run_bytes : int
        The size of their files.
    n_shared : int
        Evaluations that stay, since other sweeps use them.
    """

    n_evaluations: int
    evaluation_bytes: int
    n_runs: int
    run_bytes: int
    n_shared: int


def find_forgettable(store: Store, name: str) -> str:
    """Return the only sweep whose id equals or starts with a name, also one that is half removed.

    Raises
    ------
    NotFoundError
        If there is none, or several.
    """
    try:
        return store.match(name)
    except NotFoundError:
        if os.sep not in name and os.path.lexists(store.lock_path(name)):
            return name
        raise


def survey(store: Store, sweep_id: str) -> Loss:
    """Return what would be removed with a sweep; nothing is changed.

    Raises
    ------
    StoreError
        If a journal or a database cannot be read.
    """
    if not store.journal_path(sweep_id).exists():
        return Loss(0, 0, 0, 0, 0)
    found = find_belongings(store, sweep_id)
    runs = run_folders(store.root, sweep_id)
    kept = [*evaluation_folders(store, found.own), *metrics_files(store, found.own)]
    return Loss(
        n_evaluations=len(found.own),
        evaluation_bytes=size(kept),
        n_runs=len(runs),
        run_bytes=size([*chain.from_iterable(runs.values())]),
        n_shared=len(found.shared),
    )


def forget(store: Store, sweep_id: str) -> None:
    """Remove a sweep: its runs, its study, evaluations that only it uses, and its journal.

    Raises
    ------
    OwnedError
        If it or another sweep is running or being restored: that one may be about to use an
        evaluation of this one.
    StoreError
        If something cannot be read or removed; called again, it goes on.
    """
    with owned(store.lock_path(sweep_id)):
        _check_alone(store, sweep_id)
        if store.journal_path(sweep_id).exists():
            own = find_belongings(store, sweep_id).own
            remove_runs(store.root, sweep_id)
            remove_study(store.root, sweep_id)
            failpoint("forget.study")
            remove_evaluations(store, own)
            failpoint("forget.evaluations")
        remove_journal(store, sweep_id)


def _check_alone(store: Store, sweep_id: str) -> None:
    """Raise if another sweep is running, or is being restored: that one has no journal yet."""
    for lock in sorted(store.lock_path(sweep_id).parent.glob("*.lock")):
        if lock.stem != sweep_id and is_owned(lock):
            raise OwnedError(
                "no sweep of a store must be running or be restored while another one is "
                f"forgotten, but {lock.stem} is. Wait for it, or stop it."
            )
