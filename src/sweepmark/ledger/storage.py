"""The database of Optuna studies, a store's ``optuna.db``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweepmark.errors import StoreError, command_line
from sweepmark.store.database import LOCK_TIMEOUT, create_once, database_uri, read_only, translated

if TYPE_CHECKING:
    from pathlib import Path

    from optuna.storages import RDBStorage

__all__ = [
    "create_database",
    "ledger_database",
    "ledger_schema_problem",
    "open_storage",
    "study_sizes",
]


def ledger_database(store: Path) -> Path:
    """Return the path of a store's studies."""
    return store.absolute() / "optuna.db"


def study_sizes(store: Path) -> dict[str, int]:
    """Return the number of trials of each study of a store, by sweep_id.

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
    """Create a database without studies, unless it exists."""
    create_once(path, _create, library="optuna")


def open_storage(path: Path) -> RDBStorage:
    """Return Optuna's storage on a database, which is created if necessary.

    Raises
    ------
    StoreError
        If it is of another version of Optuna.
    """
    from optuna.storages import RDBStorage

    try:
        return RDBStorage(
            database_uri(path), engine_kwargs={"connect_args": {"timeout": LOCK_TIMEOUT}}
        )
    except RuntimeError as error:
        command = command_line("doctor", "--rebuild", store=path.parent)
        raise StoreError(
            f"{path} is of another Optuna version: {error} Move it away: `{command}` makes it anew."
        ) from error


def _create(path: Path) -> None:
    open_storage(path).engine.dispose()
