"""Delivery: each settled trial reaches tracker and ledger once, and the ledger in order."""

from __future__ import annotations

import sqlite3
import subprocess
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from sweepmark.coordinator.delivery import Delivery, git_records, git_state
from sweepmark.ledger import MemoryLedger
from sweepmark.report.results import read_result
from sweepmark.report.trials import merged
from sweepmark.store import History, Store, read_journal
from sweepmark.tracking import MemoryTracker
from sweepmark.tracking.records import Artifact, Metric, Model, Param, Tag
from tiny import blueprint, changed, flaky, grid, load_digits, run

if TYPE_CHECKING:
    from pathlib import Path

    from sweepmark.report.results import SweepResult
    from sweepmark.search.trial import Trial


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("delivery") / "mlruns")


@pytest.fixture(scope="module")
def result(kept: Store) -> SweepResult:
    return run(grid(), kept)


STANDARD = {
    "classification_report.json",
    "classification_report.txt",
    "config.yaml",
    "confusion_matrix.csv",
    "confusion_matrix.png",
    "overrides.txt",
    "predictions.csv",
    "predictions.npz",
}
OTHERS = {
    "accuracy_per_label.csv",
    "misclassified.png",
    "precision_recall_curve.png",
    "roc_curve.png",
    "taken_for.csv",
}


class Receivers:
    """A delivery of a finished sweep to a tracker and a ledger in memory."""

    def __init__(self, result: SweepResult, kept: Store, **tracking: Any) -> None:
        self.store, self.trials = kept, result.trials
        self.tracker, self.ledger = MemoryTracker(), MemoryLedger()
        self.told: list[int] = []
        self.parent = self.tracker.open_parent(
            sweep_id=result.sweep_id, name="s", records=[], started=0.0
        )
        self.result = result
        self.tracking = {f"tracking__{name}": value for name, value in tracking.items()}

    def delivery(self, *, parent: bool = True) -> Delivery:
        journal = read_journal(self.store.journal_path(self.result.sweep_id))
        return Delivery(
            sweep_id=self.result.sweep_id,
            blueprint=changed(self.result.blueprint, **self.tracking),
            history=History.of(journal),
            tracker=self.tracker,
            ledger=self.ledger,
            parent=self.parent if parent else None,
            load=load_digits,
            holdings=self.result.holdings,
            progress=lambda trial: self.told.append(trial.number),
        )

    def deliver(self, delivery: Delivery, trial: Trial) -> None:
        cards = (
            []
            if trial.status == "failed"
            else [self.store.evaluations.scorecard(key) for key in trial.keys]
        )
        delivery.settled(trial, cards)

    def records(self, number: int, kind: type) -> dict[str, Any]:
        run_id = self.tracker.delivered(self.result.sweep_id)[number]
        records = self.tracker.runs[run_id].records.values()
        return {
            getattr(one, "name", getattr(one, "path", "")): one
            for one in records
            if isinstance(one, kind)
        }


def test_trials_reach_the_ledger_in_order_however_they_are_settled(
    result: SweepResult, kept: Store
) -> None:
    receivers = Receivers(result, kept)
    delivery = receivers.delivery()
    for number, expected in ((2, 0), (0, 1), (3, 1), (1, 4)):
        receivers.deliver(delivery, result.trials[number])
        assert receivers.ledger.count == expected
    assert [trial.number for trial, _ in receivers.ledger.trials] == [0, 1, 2, 3]
    values = [value for _, value in receivers.ledger.trials]
    assert values == [trial.metrics["cv_accuracy"] for trial in result.trials]
    assert receivers.told == [2, 0, 3, 1]


def test_second_delivery_leaves_what_is_there_alone(result: SweepResult, kept: Store) -> None:
    receivers = Receivers(result, kept)
    receivers.deliver(receivers.delivery(), result.trials[0])
    first = dict(receivers.tracker.delivered(result.sweep_id))
    again = receivers.delivery()
    for trial in result.trials:
        receivers.deliver(again, replace(trial, metrics=dict(trial.metrics)))
    assert receivers.tracker.delivered(result.sweep_id)[0] == first[0]
    assert len(receivers.tracker.runs) == 1 + 4
    assert again.run_ids == dict(receivers.tracker.delivered(result.sweep_id))
    assert receivers.ledger.count == 4


def test_child_has_its_parameters_figures_and_files(result: SweepResult, kept: Store) -> None:
    receivers = Receivers(result, kept, artifacts="all")
    receivers.deliver(receivers.delivery(), result.trials[2])
    assert receivers.records(2, Param)["classifier.C"].value == 10.0
    figures = receivers.records(2, Metric)
    assert figures["cv_accuracy"].value == result.trials[2].metrics["cv_accuracy"]
    assert "confusion_matrix.png" in receivers.records(2, Artifact)
    assert receivers.records(2, Model) == {}
    run_id = receivers.tracker.delivered(result.sweep_id)[2]
    assert receivers.tracker.runs[run_id].parent == receivers.parent
    assert receivers.tracker.runs[run_id].status == "FINISHED"


@pytest.mark.parametrize(
    ("artifacts", "of_child", "of_single"),
    [
        ("all", "every", "every"),
        ("standard", "some", "every"),
        ("best", "no", "every"),
        ("none", "no", "no"),
    ],
)
def test_artifacts_are_those_asked_for(
    result: SweepResult, kept: Store, artifacts: str, of_child: str, of_single: str
) -> None:
    for parent, expected in ((True, of_child), (False, of_single)):
        receivers = Receivers(result, kept, artifacts=artifacts)
        receivers.deliver(receivers.delivery(parent=parent), result.trials[2])
        paths = set(receivers.records(2, Artifact))
        has = {"no": set(), "some": STANDARD, "every": STANDARD | OTHERS}[expected]
        assert paths == has


def test_failed_child_is_marked_and_has_no_figures(result: SweepResult, kept: Store) -> None:
    receivers = Receivers(result, kept)
    failed = replace(result.trials[0], status="failed", reason="error", message="no", metrics={})
    receivers.deliver(receivers.delivery(), failed)
    run_id = receivers.tracker.delivered(result.sweep_id)[0]
    assert receivers.tracker.runs[run_id].status == "FAILED"
    assert receivers.records(0, Tag)["sweepmark.reason"].value == "error"
    assert receivers.records(0, Metric) == receivers.records(0, Artifact) == {}
    assert [value for _, value in receivers.ledger.trials] == [None]


@pytest.mark.parametrize(
    ("wanted", "of_child", "of_run"),
    [("all", True, True), ("best", False, True), ("none", False, False)],
)
def test_files_are_those_that_are_wanted(
    kept: Store, result: SweepResult, wanted: str, of_child: object, of_run: object
) -> None:
    child = Receivers(result, kept, artifacts=wanted)
    child.deliver(child.delivery(), result.trials[0])
    assert bool(child.records(0, Artifact)) is of_child
    single = run(changed(blueprint(None), split__size=120), kept)
    alone = Receivers(single, kept, artifacts=wanted)
    alone.deliver(alone.delivery(parent=False), single.trials[0])
    assert bool(alone.records(0, Artifact)) is of_run
    assert len(alone.records(0, Model)) == 1


def test_trial_of_read_results_is_the_one_that_was_delivered(
    result: SweepResult, kept: Store
) -> None:
    trial = read_result(kept, result.sweep_id).trials[1]
    card = merged(trial.keys, result.holdings)
    assert dict(card.metrics) == dict(trial.metrics)


def test_folder_outside_a_repository_has_no_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert git_state() is None
    monkeypatch.setenv("PATH", "")
    assert git_state() is None


def test_repository_is_named_by_commit_and_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a").write_text("1")
    for command in (
        ["init", "-q"],
        ["add", "a"],
        ["-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-qm", "a"],
    ):
        subprocess.run(["git", *command], check=True, timeout=60)  # noqa: S607 -- the user's git
    clean = git_state()
    assert clean is not None
    assert len(clean["commit"]) == 40
    assert clean["dirty"] == "false"
    (tmp_path / "a").write_text("2")
    assert git_state() == clean | {"dirty": "true"}


def test_commit_that_is_shown_is_the_one_the_sweep_was_begun_in() -> None:
    opened = {"event": "opened", "at": 0.0, "git": {"commit": "c0ffee", "dirty": "true"}}
    assert git_records(History.of([opened])) == [
        Tag("mlflow.source.git.commit", "c0ffee"),
        Tag("sweepmark.git_dirty", "true"),
    ]
    assert git_records(History.of([opened | {"git": None}])) == []


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
        "AND t.key = 'sweepmark.search.trial' ORDER BY 1"
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
