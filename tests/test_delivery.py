"""What MLflow and Optuna have of a sweep whose trials were tried again."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from sweepmark.store import Store
from tiny import flaky, run

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def obstacle(tmp_path: Path) -> Path:
    path = tmp_path / "obstacle"
    path.touch()
    return path


def rows(database: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(query).fetchall()


def test_trial_that_is_tried_again_takes_its_own_place(store: Path, obstacle: Path) -> None:
    plan = flaky(obstacle, tracking={"name": "mlflow", "artifacts": "none"})
    first = run(plan, Store(store), trusted=("flaky",))
    statuses = (
        "SELECT t.value, r.status, r.run_uuid FROM runs r JOIN tags t ON t.run_uuid = r.run_uuid "
        "AND t.key = 'sweepmark.trial' ORDER BY 1"
    )
    states = "SELECT number, state FROM trials ORDER BY 1"
    before = rows(store / "mlflow.db", statuses)
    assert [row[1] for row in before] == ["FAILED", "FINISHED", "FINISHED"]
    assert rows(store / "optuna.db", states) == [(0, "FAIL"), (1, "COMPLETE"), (2, "COMPLETE")]
    obstacle.unlink()
    again = run(plan, Store(store), trusted=("flaky",), retry_failed=True)
    assert again.sweep_id == first.sweep_id
    assert again.n_failed == 0
    after = rows(store / "mlflow.db", statuses)
    assert [row[1] for row in after] == ["FINISHED"] * 3
    assert [row[2] for row in after] == [row[2] for row in before]
    assert rows(store / "optuna.db", states) == [(n, "COMPLETE") for n in range(3)]
    assert rows(store / "mlflow.db", "SELECT * FROM tags WHERE key = 'sweepmark.reason'") == []
    (parent,) = rows(store / "mlflow.db", "SELECT status FROM runs WHERE name LIKE 'svc_c_gamma-%'")
    assert parent == ("FINISHED",)
