from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from sweepmark.database import create_once, translated
from sweepmark.errors import NotFoundError, StoreError

if TYPE_CHECKING:
    from pathlib import Path


def make(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (x)")
    connection.close()


def test_database_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "store" / "a.db"
    create_once(path, make)
    create_once(path, lambda _: pytest.fail("it is there already"))
    assert path.stat().st_size > 0


def test_failed_creation_leaves_no_database(tmp_path: Path) -> None:
    def fail(path: Path) -> None:
        make(path)
        raise sqlite3.OperationalError("database or disk is full")

    with pytest.raises(StoreError, match="is full"):
        create_once(tmp_path / "a.db", fail)
    assert [path.name for path in tmp_path.iterdir()] == [".a.db.lock"]


def test_what_a_killed_process_left_is_cleared_away(tmp_path: Path) -> None:
    (tmp_path / ".a.db.new").write_bytes(b"half")
    create_once(tmp_path / "a.db", make)
    with sqlite3.connect(tmp_path / "a.db") as connection:
        assert connection.execute("SELECT * FROM t").fetchall() == []
    connection.close()


def test_machine_fault_is_a_store_error_with_the_path(tmp_path: Path) -> None:
    wrapped = RuntimeError("some library's wrapper")
    wrapped.__cause__ = sqlite3.OperationalError("database or disk is full")
    expected = r"a\.db cannot be used: .*full.*resume"
    with pytest.raises(StoreError, match=expected), translated(tmp_path / "a.db"):
        raise wrapped


@pytest.mark.parametrize(
    "error", [sqlite3.IntegrityError("UNIQUE"), KeyError("ours"), NotFoundError("told already")]
)
def test_other_errors_stay_what_they_are(tmp_path: Path, error: Exception) -> None:
    with pytest.raises(type(error)), translated(tmp_path):
        raise error
