"""What every Tracker promises, tried on each of them."""

from __future__ import annotations

import math
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pytest

from sweepmark.errors import NotFoundError, StoreError
from sweepmark.store.database import database_uri
from sweepmark.tracking import MemoryTracker, MlflowTracker, Tracker, mlflow_database
from sweepmark.tracking.interface import LEFT_OUT_TAG, match_run
from sweepmark.tracking.records import Artifact, DataInput, Metric, Param, Record, Tag

if TYPE_CHECKING:
    from collections.abc import Iterator

Observe = Callable[[Tracker, str], dict[str, Any]]

PATIENCE = 5.0  # seconds

RECORDS: list[Record] = [
    Param("classifier.C", 1.0),
    Param("classifier.kernel", None),
    Metric("accuracy", 0.9),
    Metric("cv_accuracy", 0.8, step=0),
    Metric("cv_accuracy", 0.7, step=1),
    Tag("status", "complete"),
    Artifact("reports/classification_report.txt", b"precision"),
    DataInput(name="digits", digest="a" * 64, context="train", source="x", n_rows=9, n_features=64),
]


def observe_memory(tracker: Tracker, run_id: str) -> dict[str, Any]:
    assert isinstance(tracker, MemoryTracker)
    run = tracker.runs[run_id]
    records = run.records.values()
    return {
        "name": run.name,
        "status": run.status,
        "times": (run.started, run.ended),
        "parent": run.parent,
        "params": {r.name: str(r.value) for r in records if isinstance(r, Param)},
        "metrics": {r.name: r.value for r in records if isinstance(r, Metric)},
        "tags": {r.name: r.value for r in records if isinstance(r, Tag)},
        "artifacts": {r.path: r.content for r in records if isinstance(r, Artifact)},
        "data": [(r.name, r.context) for r in records if isinstance(r, DataInput)],
    }


def observe_mlflow(tracker: Tracker, run_id: str) -> dict[str, Any]:
    from mlflow import MlflowClient

    assert isinstance(tracker, MlflowTracker)
    uri = database_uri(tracker._database)  # noqa: SLF001 -- looked at from outside
    run = MlflowClient(uri).get_run(run_id)
    assert run.inputs is not None
    assert run.info.artifact_uri is not None
    root = Path(url2pathname(urlsplit(run.info.artifact_uri).path))
    files = [path for path in root.rglob("*") if path.is_file()]
    ended = run.info.end_time
    return {
        "name": run.info.run_name,
        "status": run.info.status,
        "times": (run.info.start_time / 1000, ended / 1000 if ended else None),
        "parent": run.data.tags.get("mlflow.parentRunId"),
        "params": run.data.params,
        "metrics": run.data.metrics,
        "tags": run.data.tags,
        "artifacts": {path.relative_to(root).as_posix(): path.read_bytes() for path in files},
        "data": [(i.dataset.name, i.tags[0].value) for i in run.inputs.dataset_inputs],
    }


@pytest.fixture(params=["memory", "mlflow"])
def tracker(request: pytest.FixtureRequest, store: Path) -> Iterator[Tracker]:
    if request.param == "memory":
        yield MemoryTracker()
        return
    made = MlflowTracker(store, experiment="sweepmark")
    assert mlflow_database(store).exists()
    yield made
    made.close()


@pytest.fixture
def observe(tracker: Tracker) -> Observe:
    return observe_memory if isinstance(tracker, MemoryTracker) else observe_mlflow


def log(tracker: Tracker, number: int, **changes: Any) -> str:
    arguments: dict[str, Any] = {
        "sweep_id": "s1",
        "number": number,
        "name": f"trial {number}",
        "parent": None,
        "records": RECORDS,
        "started": 100.0,
        "ended": 101.5,
        "failed": False,
    }
    return tracker.log_trial(**(arguments | changes))


def test_trial_is_logged_whole_below_its_parent(tracker: Tracker, observe: Observe) -> None:
    parent = tracker.open_parent(sweep_id="s1", name="my sweep", records=[], started=99.0)
    child = observe(tracker, log(tracker, 0, parent=parent))
    assert child["name"] == "trial 0"
    assert child["status"] == "FINISHED"
    assert child["times"] == (100.0, 101.5)
    assert child["parent"] == parent
    assert child["params"] == {"classifier.C": "1.0", "classifier.kernel": "None"}
    assert child["metrics"] == {"accuracy": 0.9, "cv_accuracy": 0.7}
    assert child["artifacts"] == {"reports/classification_report.txt": b"precision"}
    assert child["data"] == [("digits", "train")]
    assert (
        child["tags"].items()
        >= {
            "status": "complete",
            "sweepmark.sweep_id": "s1",
            "sweepmark.search.trial": "0",
        }.items()
    )


def test_trial_is_logged_once(tracker: Tracker, observe: Observe) -> None:
    first = log(tracker, 0)
    again = log(tracker, 0, records=[Metric("accuracy", 0.1)])
    assert again == first
    assert observe(tracker, first)["metrics"]["accuracy"] == 0.9


def test_failed_trial_is_failed(tracker: Tracker, observe: Observe) -> None:
    assert observe(tracker, log(tracker, 0, failed=True))["status"] == "FAILED"


def test_failed_trial_that_was_tried_again_is_written_again(
    tracker: Tracker, observe: Observe
) -> None:
    why = [Tag("sweepmark.status", "failed"), Tag("sweepmark.reason", "killed"), Tag("own", "x")]
    first = log(tracker, 0, failed=True, records=[Param("classifier.C", 1.0), *why])
    again = log(tracker, 0, records=[*RECORDS, Tag("sweepmark.status", "complete")], ended=200.0)
    assert again == first
    run = observe(tracker, first)
    assert (run["status"], run["times"][1]) == ("FINISHED", 200.0)
    assert run["metrics"]["accuracy"] == 0.9
    assert run["tags"]["sweepmark.status"] == "complete"
    assert run["tags"]["own"] == "x"
    assert "sweepmark.reason" not in run["tags"]
    assert log(tracker, 0, records=[Metric("accuracy", 0.1)], ended=200.0) == first
    assert observe(tracker, first)["metrics"]["accuracy"] == 0.9


def test_trial_that_came_out_once_more_is_written_again(tracker: Tracker, observe: Observe) -> None:
    first = log(tracker, 0)
    for _ in range(2):
        assert log(tracker, 0, records=[Metric("accuracy", 0.1)], ended=200.0) == first
        assert observe(tracker, first)["metrics"]["accuracy"] == 0.1
    assert dict(tracker.delivered("s1")) == {0: first}


def test_what_is_no_number_is_left_out_and_named(tracker: Tracker, observe: Observe) -> None:
    metrics = [Metric("accuracy", 0.5), Metric("roc_auc", math.nan), Metric("loss", math.inf)]
    run = observe(tracker, log(tracker, 0, records=metrics))
    assert run["metrics"] == {"accuracy": 0.5}
    assert run["tags"][LEFT_OUT_TAG] == "roc_auc, loss"


def test_trial_without_records_is_whole(tracker: Tracker, observe: Observe) -> None:
    run_id = log(tracker, 0, records=[])
    assert observe(tracker, run_id)["status"] == "FINISHED"
    assert dict(tracker.delivered("s1")) == {0: run_id}


def test_long_names_that_begin_alike_are_two(tracker: Tracker, observe: Observe) -> None:
    names = [f"{'x' * 300}{number}" for number in range(3)]
    records = [*(Param(name, name) for name in names), *(Metric(name, 0.5) for name in names)]
    run = observe(tracker, log(tracker, 0, records=records))
    assert sorted(run["params"].values()) == names
    assert len(run["metrics"]) == 3


def test_more_than_one_call_takes_is_logged_whole(tracker: Tracker, observe: Observe) -> None:
    records = [
        *(Param(f"p{number}", number) for number in range(250)),
        *(Metric(f"m{number}", number) for number in range(900)),
        *(Tag(f"t{number}", "x") for number in range(250)),
    ]
    for ended in (101.5, 200.0):  # made, and written again
        run = observe(tracker, log(tracker, 0, records=records, ended=ended))
        assert (len(run["params"]), len(run["metrics"])) == (250, 900)
        assert len([name for name in run["tags"] if name.startswith("t")]) == 250


def test_trials_of_other_sweeps_are_left_alone(tracker: Tracker, observe: Observe) -> None:
    other = log(tracker, 0, sweep_id="another")
    log(tracker, 0, records=[Metric("accuracy", 0.1)])
    assert observe(tracker, other)["metrics"]["accuracy"] == 0.9


def test_delivered_are_the_whole_trials_of_the_sweep(tracker: Tracker) -> None:
    tracker.open_parent(sweep_id="s1", name="sweep", records=[], started=99.0)
    ids = {number: log(tracker, number) for number in (0, 2)}
    log(tracker, 1, sweep_id="another")
    assert tracker.delivered("s1") == ids
    assert tracker.delivered("unheard of") == {}


def test_parent_is_found_again_and_runs_again(tracker: Tracker, observe: Observe) -> None:
    run_id = tracker.open_parent(
        sweep_id="s1", name="sweep", records=[Param("a", 1), Tag("t", "1")], started=99.0
    )
    assert observe(tracker, run_id)["status"] == "RUNNING"
    tracker.close_parent(run_id=run_id, records=[Metric("m", 1)], ended=105.0, status="KILLED")
    assert observe(tracker, run_id)["status"] == "KILLED"
    again = tracker.open_parent(
        sweep_id="s1", name="sweep", records=[Param("a", 1), Tag("t", "2")], started=110.0
    )
    assert again == run_id
    assert observe(tracker, run_id)["status"] == "RUNNING"
    tracker.close_parent(run_id=run_id, records=[Metric("m", 2)], ended=120.0, status="FINISHED")
    run = observe(tracker, run_id)
    assert (run["status"], run["times"]) == ("FINISHED", (99.0, 120.0))
    assert (run["metrics"], run["tags"]["t"]) == ({"m": 2}, "2")


def test_one_that_nobody_holds_is_writable_at_once(tracker: Tracker) -> None:
    started = time.monotonic()
    tracker.await_writable(seconds=PATIENCE)
    assert time.monotonic() - started < PATIENCE


def test_a_database_that_another_program_holds_is_not_waited_for_longer(store: Path) -> None:
    tracker = MlflowTracker(store, experiment="sweepmark")
    database = mlflow_database(store)
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        started = time.monotonic()
        with pytest.raises(StoreError, match=r"mlflow\.db cannot be used: database is locked"):
            tracker.await_writable(seconds=0.3)
        assert 0.3 <= time.monotonic() - started < PATIENCE


def test_runs_are_located_by_id_or_prefix(tracker: Tracker) -> None:
    parent = tracker.open_parent(sweep_id="s1", name="sweep", records=[], started=99.0)
    child = log(tracker, 3, parent=parent)
    assert tracker.locate(child) == ("s1", 3)
    assert tracker.locate(child[:12]) == ("s1", 3)
    assert tracker.locate(parent) == ("s1", None)


@pytest.mark.parametrize("wanted", ["0" * 32, "", "%", "x' OR 1=1", "abc"])
def test_unknown_run_is_not_found(tracker: Tracker, wanted: str) -> None:
    log(tracker, 0)
    with pytest.raises(NotFoundError, match="no run has the id"):
        tracker.locate(wanted)


def test_prefix_must_be_unique_and_long_enough() -> None:
    known = ["abcdef1", "abcdef2", "abcdef"]
    assert match_run("abcdef", known) == "abcdef"
    with pytest.raises(NotFoundError, match="several runs: abcdef1, abcdef2"):
        match_run("abcdef", known[:2])
    with pytest.raises(NotFoundError, match="no run"):
        match_run("abcde", known)


def test_files_are_attached_to_the_sweeps_own_run(tracker: Tracker, observe: Observe) -> None:
    parent = tracker.open_parent(sweep_id="s1", name="my sweep", records=[], started=99.0)
    child = log(tracker, 0, parent=parent)
    tracker.close_parent(run_id=parent, records=[], ended=102.0, status="FINISHED")
    for content in (b"first", b"second"):
        run_id = tracker.attach(sweep_id="s1", artifacts=[Artifact("report.html", content)])
        assert run_id == parent
    seen = observe(tracker, parent)
    assert seen["artifacts"] == {"report.html": b"second"}
    assert (seen["status"], seen["times"]) == ("FINISHED", (99.0, 102.0))
    assert "report.html" not in observe(tracker, child)["artifacts"]


def test_files_of_a_single_run_are_attached_to_it(tracker: Tracker, observe: Observe) -> None:
    run_id = log(tracker, 0, parent=None)
    assert tracker.attach(sweep_id="s1", artifacts=[Artifact("report.html", b"x")]) == run_id
    assert observe(tracker, run_id)["artifacts"]["report.html"] == b"x"
    assert observe(tracker, run_id)["status"] == "FINISHED"
    with pytest.raises(NotFoundError, match="no run of s2"):
        tracker.attach(sweep_id="s2", artifacts=[])
