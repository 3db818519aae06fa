"""Rebuilding runs and studies from journals and evaluations, without fitting."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from sweepmark.coordinator.datasets import Datasets
from sweepmark.coordinator.projections import Projections
from sweepmark.errors import StoreError, SweepmarkError
from sweepmark.report.registration import register_again
from sweepmark.report.replay import read_sweep
from sweepmark.report.results import read_result
from sweepmark.report.trials import build_trial
from sweepmark.scores.merging import merge_trial
from sweepmark.store import owned
from sweepmark.tracking import (
    count_others,
    is_moved,
    is_tracked,
    kept_databases,
    noted_location,
    own_environment,
    set_aside,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from sweepmark.store import History, Holdings, Store

__all__ = ["mend_moved", "rebuild"]


def mend_moved(store: Store, *, say: Callable[[str], None]) -> None:
    """Make MLflow's database of a moved store anew; any other store is left as it is.

    Its artifacts are not where it says, and MLflow cannot be told another place. What is in it is
    kept beside. An interrupted rebuilding is done again by the next call.

    Parameters
    ----------
    store : Store
        The store.
    say : callable
        Called with a line that says so, and with one for each sweep that cannot be rebuilt now.

    Raises
    ------
    StoreError
        If the store cannot be written.
    """
    if not is_moved(store.root):
        return
    before = noted_location(store.root)
    moved = f"{store.root} was moved or copied, and MLflow's database names artifacts in {before}"
    if not os.access(store.root, os.W_OK):
        say(f"{moved}. They are not found: the database cannot be made anew in a read-only folder.")
        return
    with set_aside(store.root) as kept:
        if kept is None:
            return
        sweep_ids = store.sweep_ids()
        say(
            f"{moved}. It is made anew from {len(sweep_ids)} journals and their evaluations; as it "
            f"was, {_others(store, sweep_ids)}it is kept in {kept}."
        )
        for sweep_id in sweep_ids:
            try:
                rebuild(sweep_id, store=store, say=say)
            except SweepmarkError as error:
                say(f"{sweep_id} is not in MLflow yet: {error}")
        with suppress(StoreError):  # its version of MLflow may be another
            for database in kept_databases(store.root)[:1]:
                for line in register_again(store, database):
                    say(line)


def _others(store: Store, sweep_ids: list[str]) -> str:
    """Return a clause on the runs that are in the old database only."""
    n_others = 0
    with suppress(StoreError):  # its version of MLflow may be another
        n_others = sum(count_others(path, sweep_ids) for path in kept_databases(store.root)[:1])
    return f"with {n_others} runs of which there is no journal, " if n_others else ""


def rebuild(sweep_id: str, *, store: Store, say: Callable[[str], None]) -> None:
    """Deliver to MLflow and Optuna the trials of a sweep that they lack.

    The journal is not changed: an interrupted sweep remains interrupted, and its run is shown as
    killed. Complete runs are not changed, so the operation is idempotent.

    Parameters
    ----------
    sweep_id : str
        Its full id.
    store : Store
        The store that contains it.
    say : callable
        Called with a line for each step of fetching data.

    Raises
    ------
    OwnedError
        If it is running.
    StoreError
        If its journal or an evaluation is damaged or missing.
    DataError
        If its data set is unavailable.
    """
    datasets = Datasets(say)
    with own_environment(), owned(store.lock_path(sweep_id)):
        history, blueprint = read_sweep(store, sweep_id)
        datasets.expect(history.opened["data"])
        if not is_tracked(blueprint.config.tracking):
            return
        read_result(store, sweep_id)  # raises on missing evaluations before anything is written
        with Projections(
            sweep_id=sweep_id, blueprint=blueprint, history=history, store=store, load=datasets.load
        ) as shown:
            if _is_stale(shown.ledger.count, history):
                shown.ledger.clear()
            try:
                _deliver(shown, history, store.holdings(sweep_id, history, blueprint.requests))
                result = read_result(store, sweep_id, run_ids=shown.run_ids)
                if history.is_complete:
                    shown.finish(result, ended=history.last)
                    return
            except BaseException:
                shown.interrupt(ended=history.last)
                raise
            shown.interrupt(ended=history.last)


def _deliver(shown: Projections, history: History, holdings: Holdings) -> None:
    for number, outcome in sorted(history.outcomes.items()):
        keys = [] if outcome["status"] == "failed" else outcome["keys"]
        cards = [holdings.scorecard(key) for key in keys]
        card = merge_trial(cards) if cards else None
        shown.settled(build_trial(number, history.params[number], outcome, card), cards)


def _is_stale(count: int, history: History) -> bool:
    """Return whether a study has trials that differ from those of the journal."""
    return bool(count) and (bool(history.retried) or count > len(history.outcomes))
