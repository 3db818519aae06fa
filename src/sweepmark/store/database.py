"""SQLite files of the store: atomic creation, and translation of errors to StoreError."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from contextlib import AbstractContextManager, closing
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING
from urllib.parse import quote

from sweepmark.data import cache
from sweepmark.errors import StoreError
from sweepmark.failpoints import failpoint
from sweepmark.files import explained, lock, open_itself, write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = [
    "LOCK_TIMEOUT",
    "PATIENCE",
    "alone",
    "await_write_lock",
    "create_once",
    "database_uri",
    "read_only",
    "translated",
]

LOCK_TIMEOUT = 20.0
"""Seconds to wait for SQLite's write lock; MLflow waits as long (mlflow/store/db/utils.py)."""

PATIENCE = 5.0
"""Seconds to wait for a lock in interactive commands."""


def database_uri(path: Path) -> str:
    """Return SQLAlchemy's URI of a SQLite file.

    Examples
    --------
    >>> from pathlib import Path
    >>> database_uri(Path("/store/optuna.db"))
    'sqlite:////store/optuna.db'
    """
    return f"sqlite:///{path.absolute()}"


def create_once(path: Path, create: Callable[[Path], None], *, library: str) -> None:
    """Create a database if it does not exist; one process does, concurrent ones wait.

    The file gets its name when it is finished, so that a process killed during a migration leaves
    no partial database behind. The cache keeps a new database for each version of the library,
    because a copy takes milliseconds and MLflow's migrations two seconds.

    Parameters
    ----------
    path : Path
        The path of the database.
    create : callable
        Creates a new database at a given path.
    library : str
        The package whose version determines the schema.

    Raises
    ------
    StoreError
        If the folder is not writable or the disk is full.
    """
    if path.exists():
        return
    with translated(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with alone(path):
            if path.exists():
                return
            unfinished = path.with_name(f".{path.name}.new")
            template = cache.root() / "databases" / f"{library}-{version(library)}.db"

            def write(unfinished: Path) -> None:
                _remove(unfinished)
                if not _copy(template, unfinished):
                    create(unfinished)
                    _keep(unfinished, template)

            try:
                migrated = partial(failpoint, "database.migrated")
                write_whole(path, write, unfinished=unfinished, written=migrated)
                failpoint("database.named")
            finally:
                _remove(unfinished)


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold the lock of a file or folder within a ``with`` block; other processes wait for it."""
    name = f".{path.name.removeprefix('.')}.lock"
    with open(path.with_name(name), "ab", opener=open_itself) as file:
        lock(file, on_wait=lambda: None)
        yield


def _copy(template: Path, target: Path) -> bool:
    """Copy an existing, intact database; return False if there is none."""
    if not os.access(template, os.R_OK):
        return False
    shutil.copyfile(template, target)
    if _is_whole(target):
        return True
    _remove(target)
    return False


def _is_whole(path: Path) -> bool:
    with contextlib.suppress(sqlite3.DatabaseError), closing(sqlite3.connect(path)) as database:
        (tables,) = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
        return tables > 0 and database.execute("PRAGMA quick_check").fetchall() == [("ok",)]
    return False


def _keep(database: Path, template: Path) -> None:
    """Store a copy of a new database in the cache; a cache that is not writable is ignored."""
    with contextlib.suppress(OSError):
        template.parent.mkdir(parents=True, exist_ok=True)
        write_whole(template, partial(shutil.copyfile, database))


@contextlib.contextmanager
def read_only(path: Path) -> Iterator[sqlite3.Connection]:
    """Open an existing database read-only, translating errors to StoreError.

    Raises
    ------
    StoreError
        If it does not exist, is not a database, or is locked by another program.
    """
    uri = f"file:{quote(str(path.absolute()))}?mode=ro"
    with (
        translated(path),
        closing(sqlite3.connect(uri, uri=True, timeout=PATIENCE)) as connection,
    ):
        yield connection


def await_write_lock(path: Path, *, seconds: float) -> None:
    """Wait until the write lock of a database can be taken, with a timeout in seconds.

    Raises
    ------
    sqlite3.OperationalError
        If another program held it until the timeout.
    """
    with closing(sqlite3.connect(path, timeout=seconds, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")


def translated(path: Path) -> AbstractContextManager[None]:
    """Translate errors of the file system and SQLite into a StoreError that names the path."""

    def explain(error: Exception) -> StoreError | None:
        cause = _environmental(error)
        if cause is None:
            return None
        return StoreError(f"{path} cannot be used: {cause}. {_advice(cause)}")

    return explained(Exception, explain)


def _remove(path: Path) -> None:
    for suffix in ("", "-journal", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _environmental(error: BaseException | None) -> Exception | None:
    """Return the environmental error that caused an exception, or None if there is none."""
    while error is not None:
        if isinstance(error, OSError | sqlite3.OperationalError):
            return error
        # "file is not a database", "database disk image is malformed"
        if type(error) is sqlite3.DatabaseError:
            return error
        error = error.__cause__ or error.__context__
    return None


def _advice(cause: Exception) -> str:
    if "locked" in str(cause):
        return "Another program holds it: end that one, then resume."
    if type(cause) is sqlite3.DatabaseError:
        return "Move it away: it is rebuilt from the journal and the evaluations by `resume`."
    return "Free space or mend the folder's permissions, then resume."
