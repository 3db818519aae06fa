"""What the doctor finds, the command it names for it, and that the command mends it."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sweepmark.cli import main
from sweepmark.coordinator import rebuild
from sweepmark.data import published_digest
from sweepmark.doctor import Finding, examine
from sweepmark.errors import OwnedError, StoreError
from sweepmark.report.results import read_result
from sweepmark.report.summary import result_document
from sweepmark.store import Store, owned
from tiny import dataset_config, flaky, go_on, grid, run, unsteady

if TYPE_CHECKING:
    from program import Program
    from sweepmark.report.results import SweepResult

MLFLOW = {"name": "mlflow", "artifacts": "all"}


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store of a finished sweep and one with a failed trial, and a copy of it."""
    root = tmp_path_factory.mktemp("clinic")
    obstacle = root / "obstacle"
    obstacle.touch()
    store = Store(root / "mlruns")
    run(grid(tracking=MLFLOW), store)
    run(flaky(obstacle, tracking=MLFLOW), store, trusted=("flaky",))
    shutil.copytree(store.root, root / "whole")
    return root


@pytest.fixture
def patient(clinic: Path) -> Store:
    """The store as it was made, and where: in another place it would be one that was moved."""
    shutil.rmtree(clinic / "mlruns")
    return Store(shutil.copytree(clinic / "whole", clinic / "mlruns"))


def kill(store: Store, sweep_id: str) -> None:
    """Leave what a kill after the first trial does."""
    path = store.journal_path(sweep_id)
    lines = path.read_bytes().splitlines(keepends=True)
    first = next(
        place for place, line in enumerate(lines) if json.loads(line)["event"] == "outcome"
    )
    path.write_bytes(b"".join(lines[: first + 1]))
    with closing(sqlite3.connect(store.root / "mlflow.db")) as db, db:
        db.execute("UPDATE runs SET status = 'RUNNING' WHERE name = ?", (sweep_id,))


def problems(store: Store, **options: bool) -> list[Finding]:
    return [f for f in examine(store, **options) if f.state == "problem"]


def told(store: Store) -> dict[str, Any]:
    """Return what both databases say of the sweeps, less what is drawn anew each time."""
    runs = (
        "SELECT s.value, t.value, r.status, r.start_time, r.end_time, r.name FROM runs r "
        "JOIN tags s ON s.run_uuid = r.run_uuid AND s.key = 'sweepmark.sweep_id' "
        "LEFT JOIN tags t ON t.run_uuid = r.run_uuid AND t.key = 'sweepmark.search.trial' "
        "ORDER BY 1, 2"
    )
    of_run = (
        "SELECT s.value, t.value, x.key, x.value FROM {} x "
        "JOIN tags s ON s.run_uuid = x.run_uuid AND s.key = 'sweepmark.sweep_id' "
        "LEFT JOIN tags t ON t.run_uuid = x.run_uuid AND t.key = 'sweepmark.search.trial' "
        "WHERE x.key NOT IN ('mlflow.parentRunId', 'mlflow.log-model.history', "
        "'mlflow.note.content') ORDER BY 1, 2, 3"
    )
    trials = (
        "SELECT study_name, number, state, value FROM trials JOIN studies USING (study_id) "
        "LEFT JOIN trial_values USING (trial_id) ORDER BY 1, 2"
    )
    with closing(sqlite3.connect(store.root / "mlflow.db")) as db:
        said = {"runs": db.execute(runs).fetchall()}
        for table in ("params", "latest_metrics", "tags"):
            said[table] = db.execute(of_run.format(table)).fetchall()
    with closing(sqlite3.connect(store.root / "optuna.db")) as db:
        said["trials"] = db.execute(trials).fetchall()
    return said


# Rebuilding


def test_lost_databases_are_made_anew_and_nothing_is_fitted(
    patient: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = told(patient)
    ended = {row[0]: row[4] for row in before["runs"] if row[1] is None}
    journals = {name: patient.journal_path(name).read_bytes() for name in patient.sweep_ids()}
    for name in ("mlflow.db", "optuna.db", "artifacts"):
        path = patient.root / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert {f.subject for f in problems(patient)} == {"mlflow.db", "optuna.db"}
    assert all(f.mend == ("sweepmark", "doctor", "--rebuild") for f in problems(patient))
    monkeypatch.setattr("sweepmark.evaluation.evaluate.evaluate", None)
    for _ in range(2):
        for sweep_id in patient.sweep_ids():
            rebuild(sweep_id, store=patient, say=lambda _: None)
        after = told(patient)
        for table, rows in before.items():
            if table == "runs":  # the sweep's own run ends with its journal
                assert [row[:4] for row in after[table]] == [row[:4] for row in rows]
            else:
                assert after[table] == rows
    for row in after["runs"]:
        assert row[1] is not None or abs(row[4] - ended[row[0]]) < 60_000
    assert problems(patient) == []
    assert journals == {name: patient.journal_path(name).read_bytes() for name in journals}


def test_killed_sweep_is_shown_as_far_as_it_got_and_goes_on(patient: Store) -> None:
    sweep_id = patient.sweep_ids()[0]
    whole = result_document(read_result(patient, sweep_id))
    kill(patient, sweep_id)
    shutil.rmtree(patient.root / "artifacts")
    for name in ("mlflow.db", "optuna.db"):
        (patient.root / name).unlink()
    rebuild(sweep_id, store=patient, say=lambda _: None)
    said = told(patient)
    assert said["runs"][-1][1] is not None
    assert [row[2] for row in said["runs"] if row[1] is None] == ["KILLED"]
    assert len(said["trials"]) == len(said["runs"]) - 1 < len(whole["trials"])
    (interrupted,) = [f for f in problems(patient) if sweep_id in f.message]
    assert interrupted.mend == ("sweepmark", "resume", sweep_id)
    again = result_document(go_on(sweep_id, patient))
    assert [t["metrics"] for t in again["trials"]] == [t["metrics"] for t in whole["trials"]]
    assert [row[2] for row in told(patient)["runs"] if row[1] is None] == ["FINISHED"]


def test_what_runs_is_left_alone(patient: Store) -> None:
    sweep_id = patient.sweep_ids()[0]
    kill(patient, sweep_id)
    with owned(patient.lock_path(sweep_id)):
        with pytest.raises(OwnedError):
            rebuild(sweep_id, store=patient, say=lambda _: None)
        assert problems(patient) == []
        assert [f.message for f in examine(patient) if f.subject == "sweep"] == [
            f"{sweep_id} is running"
        ]


def test_rebuild_does_not_compute_what_the_store_has_lost(patient: Store) -> None:
    shutil.rmtree(patient.root / "evaluations")
    with pytest.raises(StoreError, match="is not there"):
        rebuild(patient.sweep_ids()[0], store=patient, say=lambda _: None)
    assert {f.mend[:2] for f in problems(patient)} == {("sweepmark", "resume")}


def shown(store: Store, sweep_id: str) -> dict[str, Any]:
    """Return what a sweep's runs and its study say of its figures, by trial."""
    metrics = (
        "SELECT t.value, x.key, x.value FROM latest_metrics x "
        "JOIN tags s ON s.run_uuid = x.run_uuid AND s.key = 'sweepmark.sweep_id' "
        "LEFT JOIN tags t ON t.run_uuid = x.run_uuid AND t.key = 'sweepmark.search.trial' "
        "WHERE s.value = ? AND x.key IN ('accuracy', 'cv_accuracy', 'fit_seconds') ORDER BY 1, 2"
    )
    trials = (
        "SELECT number, value FROM trials JOIN studies USING (study_id) "
        "LEFT JOIN trial_values USING (trial_id) WHERE study_name = ? ORDER BY 1"
    )
    with closing(sqlite3.connect(store.root / "mlflow.db")) as db:
        said: dict[str, Any] = {"runs": db.execute(metrics, (sweep_id,)).fetchall()}
    with closing(sqlite3.connect(store.root / "optuna.db")) as db:
        said["study"] = db.execute(trials, (sweep_id,)).fetchall()
    return said


def expected(result: SweepResult) -> dict[str, Any]:
    """Return what they have to say of a result."""
    assert result.test is not None
    assert result.chosen is not None
    chosen = result.chosen.metrics["cv_accuracy"]
    runs: list[tuple[str | None, str, float]] = [
        (None, "accuracy", result.test.metrics["accuracy"]),
        (None, "cv_accuracy", chosen),
    ]
    values = [trial.metrics["cv_accuracy"] for trial in result.trials]
    for trial, value in zip(result.trials, values, strict=True):
        number = str(trial.number)
        runs += [(number, "cv_accuracy", value), (number, "fit_seconds", trial.fit_seconds)]
    return {"runs": runs, "study": list(enumerate(values))}


@pytest.mark.parametrize("is_steady", [True, False])
def test_what_was_lost_is_shown_as_it_came_out_again(
    patient: Store, tmp_path: Path, *, is_steady: bool
) -> None:
    dice = tmp_path / "dice"
    asked = unsteady(dice, tracking=MLFLOW)
    first = run(asked, patient, trusted=("flaky",))
    assert shown(patient, first.sweep_id) == expected(first)
    for trial in first.trials[1:3]:
        shutil.rmtree(patient.root / "evaluations" / trial.keys[0])
    assert first.test is not None
    shutil.rmtree(patient.root / "evaluations" / first.test.keys[0])
    if not is_steady:
        dice.write_text("7")
    for _ in range(2):
        again = go_on(first.sweep_id, patient, trusted=("flaky",))
        assert shown(patient, first.sweep_id) == expected(again)
        rebuild(first.sweep_id, store=patient, say=lambda _: None)
        assert shown(patient, first.sweep_id) == expected(again)
        ours = [f for f in problems(patient, full=True) if first.sweep_id in f.message]
        assert ours == []
    assert (expected(again) == expected(first)) is is_steady
    assert [t.metrics == u.metrics for t, u in zip(first.trials, again.trials, strict=True)] == [
        True,
        is_steady,
        is_steady,
        True,
    ]


# Finding


def test_healthy_store_has_no_problem_and_is_not_changed(patient: Store) -> None:
    def content() -> dict[str, bytes]:
        files = [path for path in patient.root.rglob("*") if path.is_file()]
        return {str(path): path.read_bytes() for path in files}

    before = content()
    assert problems(patient, full=True) == []
    assert content() == before


def test_store_that_is_not_there_is_no_problem_and_not_made(tmp_path: Path) -> None:
    assert problems(Store(tmp_path / "mlruns")) == []
    assert list(tmp_path.iterdir()) == []


def test_run_left_running_is_named_with_its_mend(patient: Store) -> None:
    sweep_id = patient.sweep_ids()[0]
    with closing(sqlite3.connect(patient.root / "mlflow.db")) as db, db:
        db.execute("UPDATE runs SET status = 'RUNNING' WHERE name = ?", (sweep_id,))
    (found,) = problems(patient)
    assert "is shown as RUNNING" in found.message
    rebuild(sweep_id, store=patient, say=lambda _: None)
    assert problems(patient) == []


def test_damage_is_named_with_the_file(patient: Store) -> None:
    first, second = patient.sweep_ids()
    key = read_result(patient, second).trials[1].keys[0]
    (patient.root / "evaluations" / key / "evaluation.json").write_text("{")
    with patient.journal_path(first).open("a") as file:
        file.write("nonsense\n")
    (patient.root / "optuna.db").write_bytes(b"no database" * 1000)
    (patient.root / "evaluations" / ".tmp-x").mkdir()
    by_subject = {f.subject: f for f in problems(patient)}
    assert by_subject["sweep"].mend[0] == "mv"
    assert first in by_subject["sweep"].message
    assert by_subject["evaluation"].mend == ("sweepmark", "resume", second)
    assert by_subject["optuna.db"].mend[0] == "mv"
    assert [f.mend for f in examine(patient) if f.subject == "left over"] == [
        ("rm", "-r", str(patient.root / "evaluations" / ".tmp-x"))
    ]


def test_predictions_are_read_where_all_is_wanted(patient: Store) -> None:
    key = patient.evaluations.keys()[0]
    (patient.root / "evaluations" / key / "predictions.npz").write_bytes(b"PK")
    assert problems(patient) == []
    assert [f.subject for f in problems(patient, full=True)] == ["evaluation"]


def test_other_schema_is_told(patient: Store) -> None:
    for name in ("mlflow.db", "optuna.db"):
        with closing(sqlite3.connect(patient.root / name)) as db, db:
            db.execute("UPDATE alembic_version SET version_num = 'x'")
    with closing(sqlite3.connect(patient.root / "optuna.db")) as db, db:
        db.execute("UPDATE version_info SET schema_version = 1")
    assert {f.subject for f in problems(patient)} == {"mlflow.db", "optuna.db"}


def test_damaged_data_set_is_mended_by_the_command_that_is_named(
    program: Program, digits_cache: Path, tmp_path: Path
) -> None:
    cache = Path(shutil.copytree(digits_cache, tmp_path / "damaged"))
    own: dict[str, Any] = {"SWEEPMARK_CACHE": str(cache)}
    digest = published_digest(dataset_config("digits"))
    (array,) = cache.glob(f"datasets/{digest}*/train_y.npy")
    content = bytearray(array.read_bytes())
    content[-8] ^= 1
    array.chmod(0o644)
    array.write_bytes(content)
    found = program.run("doctor", "--json", code=1, **own).document
    (fault,) = [f for f in found["findings"] if f["state"] == "problem"]
    assert found["ok"] is False
    assert fault["mend"] == "sweepmark data fetch digits"
    program.run("data", "fetch", "digits", **own)
    assert program.run("doctor", **own).out.endswith("nothing is wrong\n")
    assert program.left() == []


def test_command_line_rebuilds_and_says_so(
    patient: Store, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(patient.root.parent)
    (patient.root / "optuna.db").unlink()
    assert main(["doctor"]) == 1
    assert "-> sweepmark doctor --rebuild" in capsys.readouterr().out
    gone = patient.sweep_ids()[0]
    kill(patient, gone)
    patient.journal_path(gone).unlink()
    assert main(["doctor", "--rebuild"]) == 0
    shown = capsys.readouterr()
    assert f"{patient.sweep_ids()[0]}: as its journal says" in shown.err
    assert f"its sweep {gone} is gone" in shown.err
    assert "nothing is wrong" in shown.out
    assert main(["doctor", "--store", str(patient.root), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ok"] is True


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_store_that_cannot_be_written_to_is_a_problem(patient: Store) -> None:
    patient.root.chmod(0o500)
    assert [f.subject for f in problems(patient)] == ["store"]
    patient.root.chmod(0o700)
