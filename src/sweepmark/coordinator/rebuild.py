"""Rebuilding a sweep's runs and study from its journal and evaluations, without fitting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweepmark.coordinator.datasets import Datasets
from sweepmark.coordinator.projections import Projections
from sweepmark.report.replay import read_sweep
from sweepmark.report.results import build_trial, read_result
from sweepmark.scores.merging import merge_trial
from sweepmark.store import owned
from sweepmark.tracking import is_tracked

if TYPE_CHECKING:
    from collections.abc import Callable

    from sweepmark.store import History, Holdings, Store

__all__ = ["rebuild"]


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
    with owned(store.lock_path(sweep_id)):
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
                _deliver(shown, history, store.holdings(sweep_id, history))
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
