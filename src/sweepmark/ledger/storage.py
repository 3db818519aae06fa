"""Where studies lie: a store's ``optuna.db``, opened, read and waited for."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from sweepmark.database import create_once, database_uri, read_only, translated
from sweepmark.errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path

    from optuna.storages import RDBStorage

__all__ = [
    "await_lock",
    "create_database",
    "ledger_database",
    "ledger_schema_problem",
    "open_storage",
    "study_sizes",
]

_LOCK_TIMEOUT = 20.0
"""Seconds to wait for SQLite's write lock; MLflow waits as long for its own."""


def ledger_database(store: Path) -> Path:
    """Return where a store's studies lie."""
    return store.absolute() / "optuna.db"


def study_sizes(store: Path) -> dict[str, int]:
    """Return how many trials each study of a store has, by sweep_id.

    Raises
    ------
    StoreError
        If the database cannot be read.
    """
    query = (
        "SELECT study_name, COUNT(trial_id) FROM studies "
        "LEFT JOIN trials ON trials.study_id = studies.study_id GROUP BY study_name"
    )
    with read_only(ledger_database(store)) as connection:
        return dict(connection.execute(query).fetchall())


def ledger_schema_problem(store: Path) -> str | None:
    """Return why this Optuna cannot use a store's database; None if it can."""
    try:
        with translated(ledger_database(store)):
            open_storage(ledger_database(store)).engine.dispose()
    except StoreError as error:
        return str(error)
    return None


def create_database(path: Path) -> None:
    """Make a database without studies, unless it is there."""
    create_once(path, _create, library="optuna")


def await_lock(path: Path) -> None:
    """Wait for the write lock as long as for every other write; then it is free to be taken.

    Optuna tries to create a trial five times over: it would keep a sweep for two minutes.
    """
    with closing(sqlite3.connect(path, timeout=_LOCK_TIMEOUT, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")


def open_storage(path: Path) -> RDBStorage:
    """Return Optuna's way into a database; one that is not there is made.

    Raises
    ------
    StoreError
        If it is of another version of Optuna.
    """
    from optuna.storages import RDBStorage

    try:
        return RDBStorage(
            database_uri(path), engine_kwargs={"connect_args": {"timeout": _LOCK_TIMEOUT}}
        )
    except RuntimeError as error:
        raise StoreError(
            f"{path} is of another Optuna version: {error} Move it away: "
            "`sweepmark doctor --rebuild` makes it anew."
        ) from error


def _create(path: Path) -> None:
    open_storage(path).engine.dispose()
