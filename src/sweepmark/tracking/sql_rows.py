"""Insertion of a finished run into MLflow's SQLite database, in one transaction.

MlflowClient takes seven transactions and four to six times as long for the same rows. So complete
runs are inserted directly if the schema is known here; anything else is written by MlflowClient.
``tests/tracking/test_mlflow.py`` compares the rows of both.
"""

from __future__ import annotations

import sqlite3
import uuid
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sweepmark.store.database import LOCK_TIMEOUT
from sweepmark.tracking.entities import (
    USER_TAG,
    dataset_inputs,
    finite_metrics,
    param_texts,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from sweepmark.tracking.records import Record

__all__ = ["FinishedRun", "insert_run", "is_known_schema", "relocate"]

_KNOWN_REVISIONS = {"dc11669786a5"}
"""Alembic revisions of known schemas (mlflow 3.17); add one if the row comparison passes on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedRun:
    """A finished run; times in milliseconds since the epoch."""

    run_id: str
    experiment_id: str
    name: str
    status: Literal["FINISHED", "FAILED"]
    started: int
    ended: int
    tags: Mapping[str, str]
    records: Sequence[Record]


def is_known_schema(database: Path) -> bool:
    """Return whether the schema of a database is known here."""
    with closing(sqlite3.connect(database, timeout=LOCK_TIMEOUT)) as connection:
        revisions = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    return {revision for (revision,) in revisions} <= _KNOWN_REVISIONS


def relocate(database: Path, artifacts: str) -> None:
    """Replace the old base URI of artifacts by the current one."""
    columns = (
        ("experiments", "artifact_location"),
        ("runs", "artifact_uri"),
        ("logged_models", "artifact_location"),
    )
    with closing(sqlite3.connect(database, timeout=LOCK_TIMEOUT)) as db, db:
        # MLflow's default experiment: created with the database, and never purged.
        row = db.execute("SELECT artifact_location FROM experiments WHERE experiment_id = 0")
        (location,) = row.fetchone() or (f"{artifacts}/0",)
        before = location.removesuffix("/0")
        if before == artifacts:
            return
        for table, column in columns:
            db.execute(
                f"UPDATE {table} SET {column} = ? || substr({column}, ?) "  # noqa: S608 -- ours
                f"WHERE {column} = ? OR substr({column}, 1, ?) = ?",
                (artifacts, len(before) + 1, before, len(before) + 1, f"{before}/"),
            )


def insert_run(database: Path, run: FinishedRun, *, artifact_uri: str) -> None:
    """Insert a run with its tags, parameters, metrics and dataset inputs, atomically."""
    with closing(sqlite3.connect(database, timeout=LOCK_TIMEOUT, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        with db:
            _insert_info(db, run, artifact_uri)
            _insert_values(db, run)
            _insert_inputs(db, run)


def _insert_info(db: sqlite3.Connection, run: FinishedRun, artifact_uri: str) -> None:
    row = {
        "run_uuid": run.run_id,
        "name": run.name,
        "source_type": "UNKNOWN",
        "source_name": "",
        "entry_point_name": "",
        "user_id": run.tags[USER_TAG],
        "status": run.status,
        "start_time": run.started,
        "end_time": run.ended,
        "source_version": "",
        "lifecycle_stage": "active",
        "artifact_uri": artifact_uri,
        "experiment_id": int(run.experiment_id),
    }
    _insert(db, "runs", tuple(row), [tuple(row.values())])


def _insert_values(db: sqlite3.Connection, run: FinishedRun) -> None:
    tags = {**run.tags, "mlflow.runName": run.name}
    for table, texts in (("tags", tags), ("params", param_texts(run.records))):
        rows = [(name, text, run.run_id) for name, text in texts.items()]
        _insert(db, table, ("key", "value", "run_uuid"), rows)
    metrics = {(name, step): value for name, value, step in finite_metrics(run.records)}
    rows_of = [
        (name, value, run.ended, step, False, run.run_id)
        for (name, step), value in sorted(metrics.items())
    ]
    columns = ("key", "value", "timestamp", "step", "is_nan", "run_uuid")
    _insert(db, "metrics", columns, rows_of)
    latest = {row[0]: row for row in rows_of}  # ascending steps: the last one remains
    _insert(db, "latest_metrics", columns, latest.values())


def _insert_inputs(db: sqlite3.Connection, run: FinishedRun) -> None:
    for entry in dataset_inputs(run.records):
        data = entry.dataset
        place = (int(run.experiment_id), data.name, data.digest)
        columns = ("dataset_uuid", "experiment_id", "name", "digest")
        content = ("dataset_source_type", "dataset_source", "dataset_schema", "dataset_profile")
        values = (data.source_type, data.source, data.schema, data.profile)
        rows = [(uuid.uuid4().hex, *place, *values)]
        _insert(db, "datasets", columns + content, rows, verb="INSERT OR IGNORE")
        (dataset_id,) = db.execute(
            "SELECT dataset_uuid FROM datasets WHERE experiment_id = ? AND name = ? AND digest = ?",
            place,
        ).fetchone()
        input_id = uuid.uuid4().hex
        _insert(
            db,
            "inputs",
            ("input_uuid", "source_type", "source_id", "destination_type", "destination_id"),
            [(input_id, "DATASET", dataset_id, "RUN", run.run_id)],
        )
        tags = [(input_id, tag.key, tag.value) for tag in entry.tags]
        _insert(db, "input_tags", ("input_uuid", "name", "value"), tags)


def _insert(
    db: sqlite3.Connection,
    table: str,
    columns: tuple[str, ...],
    rows: Iterable[tuple[object, ...]],
    *,
    verb: str = "INSERT",
) -> None:
    names = ", ".join(columns)
    places = ", ".join("?" * len(columns))
    db.executemany(f"{verb} INTO {table} ({names}) VALUES ({places})", rows)
