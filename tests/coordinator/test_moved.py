"""A store that was moved or copied: MLflow's database is made anew, and nothing in it is lost."""

from __future__ import annotations

import os
import shutil
import threading
from typing import TYPE_CHECKING

import pytest

from sweepmark.cli import main
from sweepmark.coordinator import mend_moved
from sweepmark.store import Store, owned
from sweepmark.store.database import alone, database_uri
from sweepmark.tracking import MlflowTracker, is_moved, mlflow_database
from sweepmark.tracking.location import folder_of
from tiny import blueprint, changed, go_on, grid, run

if TYPE_CHECKING:
    from pathlib import Path

    from mlflow import MlflowClient
    from mlflow.entities import Run

    from program import Called

TRACKED = {"name": "mlflow", "artifacts": "all"}


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store with a sweep, a single run, and a run of the user's own; not to be written to."""
    store = Store(tmp_path_factory.mktemp("original") / "mlruns")
    run(grid(tracking=TRACKED), store)
    run(changed(blueprint(None), tracking=TRACKED), store)
    experiment = client(store).get_experiment_by_name("sweepmark")
    assert experiment is not None
    client(store).create_run(experiment.experiment_id, run_name="my own")
    return store


@pytest.fixture
def moved(original: Store, tmp_path: Path) -> Store:
    return Store(shutil.copytree(original.root, tmp_path / "mlruns"))


def client(store: Store) -> MlflowClient:
    from mlflow import MlflowClient

    return MlflowClient(database_uri(mlflow_database(store.root)))


def runs(store: Store) -> dict[str, Run]:
    """Return all runs of a store by sweep and trial, or by name."""
    experiments = [e.experiment_id for e in client(store).search_experiments()]
    return {
        f"{run.data.tags.get('sweepmark.sweep_id', run.info.run_name)}/"
        f"{run.data.tags.get('sweepmark.search.trial')}": run
        for run in client(store).search_runs(experiments)
    }


def files(run: Run) -> set[Path]:
    folder = folder_of(run.info.artifact_uri)
    return {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}


def mend(store: Store) -> list[str]:
    said: list[str] = []
    mend_moved(store, say=said.append)
    return said


def assert_as_in(original: Store, store: Store) -> None:
    """Assert that MLflow shows what it did, here, and that no other artifacts lie about."""
    before, after = runs(original), runs(store)
    own = before.pop("my own/None")
    assert own.info.run_name == "my own"
    assert after.keys() == before.keys()
    for name, shown in after.items():
        assert shown.data.metrics == before[name].data.metrics
        assert shown.data.params == before[name].data.params
        assert shown.info.status == "FINISHED"
        assert folder_of(shown.info.artifact_uri).is_relative_to(store.root)
        assert files(shown) == files(before[name])
    ids = {shown.info.run_id for shown in after.values()}
    folders = {path.name for path in (store.root / "artifacts").iterdir()} - {"models"}
    assert folders <= ids
    assert not is_moved(store.root)
    assert mend(store) == []


def test_moved_store_is_made_right_by_one_who_meets_it(
    original: Store, moved: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    journals = {name: moved.journal_path(name).read_bytes() for name in moved.sweep_ids()}
    known = runs(original)[f"{moved.sweep_ids()[0]}/1"].info.run_id
    monkeypatch.setattr("sweepmark.evaluation.evaluate.evaluate", None)
    (line,) = mend(moved)
    assert f"{moved.root} was moved or copied" in line
    assert (original.root / "artifacts").as_uri() in line
    assert "made anew from 2 journals" in line
    assert "with 1 runs of which there is no journal" in line
    kept = moved.root / "moved-1"
    assert line.endswith(f"it is kept in {kept}.")
    assert_as_in(original, moved)
    assert journals == {name: moved.journal_path(name).read_bytes() for name in journals}
    assert {path.name for path in kept.iterdir()} >= {"artifacts", "mlflow.db"}
    tracker = MlflowTracker(moved.root, experiment="sweepmark")
    assert tracker.locate(known) == (moved.sweep_ids()[0], 1)  # an id noted before the move
    tracker.close()


def test_moved_once_more_keeps_both(original: Store, moved: Store, tmp_path: Path) -> None:
    mend(moved)
    further = Store(moved.root.rename(tmp_path / "further"))
    (line,) = mend(further)
    assert line.endswith(f"it is kept in {further.root / 'moved-2'}.")
    assert (further.root / "moved-1" / "mlflow.db").exists()
    assert_as_in(original, further)


def move_artifacts(store: Store) -> None:
    (store.root / ".moved").mkdir()
    (store.root / "artifacts").rename(store.root / ".moved" / "artifacts")


def move_both(store: Store) -> None:
    move_artifacts(store)
    (store.root / "mlflow.db").rename(store.root / ".moved" / "mlflow.db")


def forget_location(store: Store) -> None:
    move_both(store)
    (store.root / ".mlflow.db.location").unlink()


def rebuild_half(store: Store) -> None:
    forget_location(store)
    tracker = MlflowTracker(store.root, experiment="sweepmark")
    tracker.open_parent(sweep_id=store.sweep_ids()[0], name="half", records=[], started=1.0)
    tracker.close()


@pytest.mark.parametrize("done", [move_artifacts, move_both, forget_location, rebuild_half])
@pytest.mark.parametrize("is_moved_on", [False, True])
def test_rebuilding_that_was_killed_is_done_again(
    original: Store, moved: Store, tmp_path: Path, done: object, *, is_moved_on: bool
) -> None:
    assert callable(done)
    done(moved)
    if is_moved_on:
        moved = Store(moved.root.rename(tmp_path / "further"))
    (line,) = mend(moved)
    assert "with 1 runs of which there is no journal" in line
    after, before = runs(moved), runs(original)
    del before["my own/None"]
    assert after.keys() == before.keys()
    assert {shown.info.status for shown in after.values()} == {"FINISHED"}
    assert (moved.root / "moved-1" / "mlflow.db").exists()
    assert not (moved.root / ".moved").exists()
    assert mend(moved) == []


def test_what_cannot_be_rebuilt_is_named_and_the_rest_is_there(
    original: Store, moved: Store
) -> None:
    sweep_id, run_id = moved.sweep_ids()
    with owned(moved.lock_path(sweep_id)):
        _, line = mend(moved)
    assert line.startswith(f"{sweep_id} is not in MLflow yet: a sweep has one coordinator")
    assert list(runs(moved)) == [f"{run_id}/0"]
    go_on(sweep_id, moved)
    assert_as_in(original, moved)


def test_two_programs_at_once_do_it_once(original: Store, moved: Store) -> None:
    said: list[str] = []
    other = threading.Thread(target=lambda: said.extend(mend(moved)))
    with alone(moved.root / ".moved"):  # as a process does that is at it
        other.start()
        other.join(1)
        assert other.is_alive()
        assert said == []
    said += mend(moved)
    other.join(60)
    assert len(said) == 1
    assert_as_in(original, moved)


def test_doctor_names_it_and_rebuilds_it(
    original: Store, moved: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--store", str(moved.root))
    assert main(["doctor", *words]) == 1
    found = capsys.readouterr().out
    assert f"{moved.root} was moved: its artifacts are not in file://" in found
    assert f"-> sweepmark doctor --store {moved.root} --rebuild" in found
    assert not (moved.root / "moved-1").exists()
    assert main(["doctor", "--rebuild", *words]) == 0
    assert f"-> rm -r {moved.root / 'moved-1'}" in capsys.readouterr().out
    assert_as_in(original, moved)


def test_sweep_that_goes_on_elsewhere_shows_all_of_it(original: Store, moved: Store) -> None:
    sweep_id = moved.sweep_ids()[0]
    assert go_on(sweep_id, moved).state == "complete"
    assert_as_in(original, moved)


def test_folder_that_is_only_read(moved: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {path: path.read_bytes() for path in moved.root.rglob("*") if path.is_file()}
    monkeypatch.setattr(os, "access", lambda *_: False)
    (line,) = mend(moved)
    assert "cannot be made anew in a read-only folder" in line
    assert {path: path.read_bytes() for path in before} == before


def test_program_says_so_once_and_not_on_standard_output(original: Store, called: Called) -> None:
    shutil.copytree(original.root, called.store)
    assert called.run("data", "list").err == ""
    assert "was moved" in called.run("doctor", code=1).out
    first = called.run("grade", "latest", "--json")
    assert first.err.count("was moved or copied") == 1
    assert first.document["points"] is not None
    assert "moved" not in called.run("grade", "latest").err
    assert_as_in(original, Store(called.store))
