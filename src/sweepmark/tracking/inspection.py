"""Read-only inspection of MLflow's database by SQL."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sweepmark.store.database import read_only
from sweepmark.tracking.interface import DELIVERED_TAG, SWEEP_TAG, TRIAL_TAG
from sweepmark.tracking.sql_rows import is_known_schema
from sweepmark.tracking.storage import mlflow_database

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["RunState", "mlflow_schema_problem", "run_states"]


@dataclass(frozen=True, slots=True)
class RunState:
    """A sweepmark run in MLflow's database.

    Attributes
    ----------
    run_id : str
        The run's id.
    sweep_id : str
        The sweep that it belongs to.
    trial : str or None
        The trial's number; None for a parent run.
    status : str
        ``RUNNING``, ``FINISHED``, ``FAILED`` or ``KILLED``.
    is_whole : bool
        Whether it was written completely.
    """

    run_id: str
    sweep_id: str
    trial: str | None
    status: str
    is_whole: bool


def run_states(store: Path) -> list[RunState]:
    """Return every sweepmark run in a store, including runs deleted by the user.

    Raises
    ------
    StoreError
        If the database cannot be read.
    """
    query = (
        "SELECT r.run_uuid, s.value, t.value, r.status, d.value IS NOT NULL FROM runs r "
        "JOIN tags s ON s.run_uuid = r.run_uuid AND s.key = ? "
        "LEFT JOIN tags t ON t.run_uuid = r.run_uuid AND t.key = ? "
        "LEFT JOIN tags d ON d.run_uuid = r.run_uuid AND d.key = ?"
    )
    with read_only(mlflow_database(store)) as connection:
        rows = connection.execute(query, (SWEEP_TAG, TRIAL_TAG, DELIVERED_TAG)).fetchall()
    return [
        RunState(run_id, sweep_id, trial, status, is_whole=bool(whole) and status != "RUNNING")
        for run_id, sweep_id, trial, status, whole in rows
    ]


def mlflow_schema_problem(store: Path) -> str | None:
    """Return why this MLflow cannot use a store's database; None if it can."""
    database = mlflow_database(store)
    try:
        if is_known_schema(database):
            return None
        with closing(sqlite3.connect(database)) as connection:
            found = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    except sqlite3.Error as error:
        return str(error)
    from mlflow.store.db.utils import _get_latest_schema_revision

    newest = _get_latest_schema_revision()  # type: ignore[no-untyped-call]
    if found == [(newest,)]:
        return None
    return f"its schema is {found}, but this MLflow has {newest}"
