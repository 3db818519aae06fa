"""Checks of MLflow's and Optuna's databases against the journals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweepmark.doctor.finding import note, ok, problem
from sweepmark.doctor.store import is_running
from sweepmark.errors import StoreError, SweepmarkError, command_line
from sweepmark.ledger import ledger_database, ledger_schema_problem, study_sizes
from sweepmark.report.replay import read_sweep
from sweepmark.store.database import read_only
from sweepmark.tracking import (
    is_moved,
    is_tracked,
    kept_databases,
    mlflow_database,
    noted_location,
    run_states,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sweepmark.doctor.finding import Finding
    from sweepmark.store import History, Store
    from sweepmark.tracking import RunState

__all__ = ["examine_databases", "orphans"]

_REBUILD = ("sweepmark", "doctor", "--rebuild")


def examine_databases(store: Store) -> list[Finding]:
    """Check both databases, and find runs and trials that are missing or still shown as running."""
    if not store.root.is_dir():
        return []
    shown = dict(_shown(store))
    findings: list[Finding] = []
    mlflow, optuna = mlflow_database(store.root), ledger_database(store.root)
    if shown or mlflow.exists():
        findings += _mlflow(store, mlflow, shown)
    swept = {name: history for name, (history, is_run) in shown.items() if not is_run}
    if swept or optuna.exists():
        findings += _optuna(store, optuna, swept)
    return findings


def orphans(store: Store) -> list[RunState]:
    """Return runs that are RUNNING in MLflow though their sweep has no journal."""
    if not mlflow_database(store.root).exists():
        return []
    known = set(store.sweep_ids())
    return [
        run
        for run in run_states(store.root)
        if run.status == "RUNNING" and run.sweep_id not in known
    ]


def _shown(store: Store) -> Iterator[tuple[str, tuple[History, bool]]]:
    """Yield the tracked sweeps that are not running, each with whether it is a single run."""
    for sweep_id in store.sweep_ids():
        try:
            history, blueprint = read_sweep(store, sweep_id)
        except SweepmarkError:
            continue  # reported with the journals
        if is_tracked(blueprint.config.tracking) and not is_running(store, sweep_id):
            yield sweep_id, (history, blueprint.is_run)


def _database(
    name: str, path: Path, store: Path, schema: Callable[[Path], str | None] = lambda _: None
) -> list[Finding]:
    """Return why a database cannot be used."""
    again = command_line("doctor", "--rebuild", store=store)
    if not path.exists():
        return [problem(name, f"{path} is not there, but sweeps are", *_REBUILD)]
    try:
        with read_only(path) as connection:
            (answer,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except StoreError as error:
        move = ("mv", str(path), f"{path}.damaged")
        locked = "locked" in str(error)
        text = str(error) if locked else f"{error} Then: {again}"
        return [problem(name, text, *(() if locked else move))]
    reason = schema(store) if answer == "ok" else f"it is damaged: {answer}"
    if reason is not None:
        text = f"{path} cannot be used: {reason}. Move it away, then: {again}"
        return [problem(name, text, "mv", str(path), f"{path}.damaged")]
    return []


def _mlflow(store: Store, path: Path, shown: dict[str, tuple[History, bool]]) -> list[Finding]:
    if is_moved(store.root):
        text = f"{store.root} was moved: its artifacts are not in {noted_location(store.root)}"
        return [problem("mlflow.db", text, *_REBUILD)]
    if findings := _database("mlflow.db", path, store.root):
        return findings
    try:
        runs = run_states(store.root)
    except StoreError as error:
        return [problem("mlflow.db", str(error), "mv", str(path), f"{path}.damaged")]
    findings = []
    if kept := [str(database.parent) for database in kept_databases(store.root)]:
        text = f"{len(kept)} databases with artifacts from before the store was moved"
        findings.append(note("mlflow.db", text, "rm", "-r", *kept))
    for sweep_id, (history, is_run) in shown.items():
        own = [run for run in runs if run.sweep_id == sweep_id]
        missing = len(history.outcomes) - sum(run.is_whole for run in own if run.trial is not None)
        if missing > 0 or (not is_run and all(run.trial is not None for run in own)):
            findings.append(problem("mlflow.db", f"{sweep_id} lacks runs in MLflow", *_REBUILD))
        elif any(run.status == "RUNNING" for run in own):
            mend = ("sweepmark", "resume", sweep_id) if not history.is_complete else _REBUILD
            text = f"{sweep_id} is shown as RUNNING, but no process runs it"
            findings.append(problem("mlflow.db", text, *mend))
    findings += [
        problem("mlflow.db", f"run {run.run_id} is RUNNING, but {run.sweep_id} is gone", *_REBUILD)
        for run in orphans(store)
    ]
    return [*findings, ok("mlflow.db", f"{len(runs)} runs")]


def _optuna(store: Store, path: Path, swept: dict[str, History]) -> list[Finding]:
    if findings := _database("optuna.db", path, store.root, ledger_schema_problem):
        return findings
    try:
        sizes = study_sizes(store.root)
    except StoreError as error:
        return [problem("optuna.db", str(error))]
    findings = [
        problem("optuna.db", f"{sweep_id} lacks trials in its study", *_REBUILD)
        for sweep_id, history in swept.items()
        if sizes.get(sweep_id, 0) < _settled_in_order(history)
    ]
    return [*findings, ok("optuna.db", f"{len(sizes)} studies")]


def _settled_in_order(history: History) -> int:
    """Return the number of settled trials before the first gap; a study has no others."""
    number = 0
    while number in history.outcomes:
        number += 1
    return number
