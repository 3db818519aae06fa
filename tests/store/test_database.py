from __future__ import annotations

import sqlite3
from contextlib import closing
from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest

from sweepmark.errors import NotFoundError, StoreError
from sweepmark.store.database import create_once, translated

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _no_template(empty_cache: Path) -> None:
    """Let no other test's database be copied."""
    assert not empty_cache.exists()


def make(path: Path, *, table: str = "t") -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(f"CREATE TABLE {table} (x)")
    connection.close()


def test_database_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "store" / "a.db"
    create_once(path, make, library="optuna")
    create_once(path, lambda _: pytest.fail("it is there already"), library="optuna")
    assert path.stat().st_size > 0


def test_failed_creation_leaves_no_database(tmp_path: Path) -> None:
    def fail(path: Path) -> None:
        make(path)
        raise sqlite3.OperationalError("database or disk is full")

    with pytest.raises(StoreError, match="is full"):
        create_once(tmp_path / "a.db", fail, library="optuna")
    assert [path.name for path in tmp_path.iterdir()] == [".a.db.lock"]


def test_what_a_killed_process_left_is_cleared_away(tmp_path: Path) -> None:
    (tmp_path / ".a.db.new").write_bytes(b"half")
    create_once(tmp_path / "a.db", make, library="optuna")
    with sqlite3.connect(tmp_path / "a.db") as connection:
        assert connection.execute("SELECT * FROM t").fetchall() == []
    connection.close()


def test_second_store_gets_a_copy(tmp_path: Path, empty_cache: Path) -> None:
    create_once(tmp_path / "a.db", make, library="optuna")
    create_once(tmp_path / "b.db", lambda _: pytest.fail("it can be copied"), library="optuna")
    assert (tmp_path / "a.db").read_bytes() == (tmp_path / "b.db").read_bytes()
    (template,) = (empty_cache / "databases").iterdir()
    assert template.name == f"optuna-{version('optuna')}.db"
    create_once(tmp_path / "c.db", lambda path: make(path, table="u"), library="mlflow")
    assert (tmp_path / "c.db").read_bytes() != (tmp_path / "a.db").read_bytes()


@pytest.mark.parametrize("damage", [b"", b"no database", b"half"])
def test_damaged_template_is_not_copied_but_replaced(
    tmp_path: Path, empty_cache: Path, damage: bytes
) -> None:
    create_once(tmp_path / "a.db", make, library="optuna")
    (template,) = (empty_cache / "databases").iterdir()
    whole = template.read_bytes()
    template.write_bytes(whole[: len(whole) // 2] if damage == b"half" else damage)
    create_once(tmp_path / "b.db", make, library="optuna")
    with closing(sqlite3.connect(tmp_path / "b.db")) as connection:
        assert connection.execute("SELECT * FROM t").fetchall() == []
    assert template.read_bytes() == whole


def test_cache_that_cannot_be_written_is_done_without(tmp_path: Path, empty_cache: Path) -> None:
    empty_cache.write_text("no folder")
    create_once(tmp_path / "a.db", make, library="optuna")
    assert (tmp_path / "a.db").stat().st_size > 0


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
