"""What only the MLflow Tracker does: its rows, its limits, its files, its models."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import warnings
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.dummy import DummyClassifier

from sweepmark.errors import StoreError
from sweepmark.specification import models
from sweepmark.store.database import database_uri
from sweepmark.tracking import MlflowTracker, is_moved, mlflow_database
from sweepmark.tracking.location import artifacts_folder
from sweepmark.tracking.records import Artifact, DataInput, Metric, Model, Param, Record, Tag

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlflow import MlflowClient


def data_input(context: str, n_rows: int) -> DataInput:
    return DataInput(
        name="mnist",
        digest="0123456789abcdef" * 4,
        context=context,
        source="https://example.org/mnist",
        n_rows=n_rows,
        n_features=784,
    )


RECORDS: list[Record] = [
    *(Param(f"p{number}", number) for number in range(3)),
    Param("layers", [8, 8]),
    *(Metric("cv_accuracy", 0.5 + step / 10, step=step) for step in (2, 0, 1)),
    Metric("accuracy", 1),
    Metric("nothing", float("nan")),
    Tag("mlflow.note.content", "# A note"),
    data_input("train", 30),
    data_input("test", 10),
]


@pytest.fixture
def tracker(store: Path) -> Iterator[MlflowTracker]:
    made = MlflowTracker(store, experiment="sweepmark")
    yield made
    made.close()


@pytest.fixture
def client(store: Path) -> MlflowClient:
    from mlflow import MlflowClient

    return MlflowClient(database_uri(mlflow_database(store)))


def log(tracker: MlflowTracker, number: int, records: list[Record] = RECORDS) -> str:
    return tracker.log_trial(
        sweep_id="s1",
        number=number,
        name="trial",
        parent=None,
        records=records,
        started=100.0,
        ended=101.5,
        failed=False,
    )


def fitted_model() -> tuple[Model, Any]:
    X, y = load_digits(return_X_y=True)
    estimator = DummyClassifier().fit(X, y)
    requirements = ("scikit-learn==1.9.1", "skops==0.16.0")
    content = models.dump(estimator)
    facts = {"n_features": 64, "dtype": "uint8", "answers": "int64"}
    return Model(content=content, requirements=requirements, **facts), X  # type: ignore[arg-type]


def test_half_written_child_is_written_again(
    tracker: MlflowTracker, client: MlflowClient, store: Path
) -> None:
    tracker.open_parent(sweep_id="s1", name="sweep", records=[], started=99.0)
    (experiment,) = client.search_experiments(filter_string="name = 'sweepmark'")
    identity = {"sweepmark.sweep_id": "s1", "sweepmark.search.trial": "0"}
    left = client.create_run(experiment.experiment_id, start_time=5, tags=identity, run_name="x")
    client.log_batch(left.info.run_id, params=[], metrics=[], tags=[])
    client.log_param(left.info.run_id, "p0", "another value")

    again = MlflowTracker(store, experiment="sweepmark")
    assert again.delivered("s1") == {}
    assert log(again, 0) == left.info.run_id
    assert again.delivered("s1") == {0: left.info.run_id}
    again.close()
    run = client.get_run(left.info.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.metrics["accuracy"] == 1
    assert run.data.params["p2"] == "2"


def test_limits_of_mlflow_are_kept(tracker: MlflowTracker, client: MlflowClient) -> None:
    records: list[Record] = [
        *(Param(f"p{number}", number) for number in range(250)),
        *(Metric(f"m{number}", number) for number in range(1700)),
        *(Tag(f"t{number}", "x") for number in range(250)),
        Param("long", "x" * 7000),
        Param("odd (name) [0]", ""),
        Tag("long", "x" * 9000),
    ]
    data = client.get_run(log(tracker, 0, records)).data
    assert len(data.params) == 252
    assert len(data.metrics) == 1700
    assert len([name for name in data.tags if name.startswith("t")]) == 250
    assert data.params["long"] == "x" * 5997 + "..."
    assert len(data.tags["long"]) == 8000


def test_names_that_mlflow_would_not_tell_apart(
    tracker: MlflowTracker, client: MlflowClient
) -> None:
    """The longest have their first 250 characters in common, others what MLflow does not take."""
    long = "x" * 250
    names = [long, f"{long}1", f"{long}2", "a(b)", "a[b]", "a_b_", "a//b", "a__b"]
    records: list[Record] = [Param(name, name) for name in names]
    metrics = [Metric(name, number) for number, name in enumerate(names)]
    data = client.get_run(log(tracker, 0, [*records, *metrics])).data
    assert sorted(data.params.values()) == sorted(names)
    assert sorted(data.metrics.values()) == list(range(len(names)))
    assert {name for name, value in data.params.items() if name == value} == {long, "a_b_", "a__b"}


@pytest.mark.parametrize(
    "name",
    [
        *("recall_n/a", "recall_a//b", "recall_km/", "recall_a/../b", "../x", "/x", ".", "..", ""),
        *("..a", "x" * 249 + "/y", "x" * 236 + "/y" * 20, "odd (name) [0]"),
    ],
)
def test_names_that_mlflow_takes_for_paths(
    tracker: MlflowTracker, client: MlflowClient, name: str
) -> None:
    """A label may look like one, and its recall is a metric."""
    data = client.get_run(log(tracker, 0, [Metric(name, 0.5), Param(name, "p"), Tag(name, "t")]))
    ((kept, value),) = data.data.metrics.items()
    assert (value, data.data.params[kept], data.data.tags[kept]) == (0.5, "p", "t")
    assert (kept == name) is (name == "recall_n/a")


def test_artifact_must_stay_within_its_run(tracker: MlflowTracker, store: Path) -> None:
    with pytest.raises(ValueError, match="within its run"):
        log(tracker, 0, [Artifact("../../escaped.txt", b"")])
    assert not list(store.rglob("escaped.txt"))
    assert tracker.delivered("s1") == {}


def test_environment_and_old_stores_are_of_no_effect(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLFLOW_RUN_ID", "f" * 32)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/elsewhere.db")
    monkeypatch.chdir(tmp_path)
    (store / "0").mkdir()
    (store / "0" / "meta.yaml").write_text("experiment_id: 0\n")
    tracker = MlflowTracker(Path("mlruns"), experiment="another experiment")
    parent = tracker.open_parent(sweep_id="s1", name="sweep", records=RECORDS, started=99.0)
    log(tracker, 0, [*RECORDS, Artifact("a.txt", b"a"), fitted_model()[0]])
    tracker.close_parent(run_id=parent, records=[], ended=102.0, status="FINISHED")
    tracker.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mlruns"]
    assert len(list(store.rglob("a.txt"))) == 1
    assert capfd.readouterr() == ("", "")


def test_database_of_a_moved_store_is_not_written_to(tracker: MlflowTracker, store: Path) -> None:
    log(tracker, 0, [Artifact("a.txt", b"a")])
    tracker.close()
    moved = store.rename(store.with_name("moved here"))
    assert is_moved(moved)
    again = MlflowTracker(moved, experiment="sweepmark")
    with pytest.raises(StoreError, match="wants artifacts written to"):
        log(again, 1, [Artifact("b.txt", b"b")])
    again.close()
    assert not store.exists()
    assert not list(moved.rglob("b.txt"))


def test_store_that_is_reached_by_a_link_was_not_moved(tracker: MlflowTracker, store: Path) -> None:
    run_id = log(tracker, 0, [Artifact("a.txt", b"a")])
    tracker.close()
    link = store.with_name("link")
    link.symlink_to(store)
    assert not is_moved(link)
    again = MlflowTracker(link, experiment="sweepmark")
    assert dict(again.delivered("s1")) == {0: run_id}
    log(again, 1, [Artifact("b.txt", b"b")])
    again.close()
    assert not is_moved(store)


@pytest.mark.parametrize("by", ["another revision", "another database"])
def test_database_of_another_mlflow_is_refused_in_one_line(store: Path, by: str) -> None:
    database = mlflow_database(store)
    if by == "another revision":
        with closing(sqlite3.connect(database)) as db, db:
            db.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
    else:
        database.unlink()
        with closing(sqlite3.connect(database)) as db, db:
            db.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
            db.execute("INSERT INTO alembic_version VALUES ('ffffffffffff')")
    tracker = MlflowTracker(store, experiment="sweepmark")
    with pytest.raises(StoreError) as refused:
        tracker.open_parent(sweep_id="s1", name="s", records=[], started=1.0)
    (line,) = refused.value.args
    assert line.startswith(f"{database} is of another version of MLflow (")
    assert f"`mlflow db upgrade sqlite:///{database}`" in line
    assert "--rebuild`" in line
    assert "\n" not in line


def test_model_is_shown_and_loads(tracker: MlflowTracker, client: MlflowClient) -> None:
    import mlflow

    model, X = fitted_model()
    parent = tracker.open_parent(sweep_id="s1", name="sweep", records=[], started=99.0)
    for _ in range(3):  # delivered again and again by replays
        tracker.close_parent(
            run_id=parent, records=[Metric("accuracy", 0.5), model], ended=101, status="FINISHED"
        )
    run = client.get_run(parent)
    assert run.outputs is not None
    (output,) = run.outputs.model_outputs
    logged = client.get_logged_model(output.model_id)
    assert logged.status == "READY"
    assert logged.metrics is not None
    assert [(metric.key, metric.value) for metric in logged.metrics] == [("accuracy", 0.5)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow's own, while it imports itself
        loaded = mlflow.pyfunc.load_model(logged.artifact_location)
    assert str(loaded.metadata.signature.inputs) == "[Tensor('uint8', (-1, 64))]"
    np.testing.assert_array_equal(
        loaded.predict(X.astype(np.uint8)), models.load(model.content).predict(X)
    )
    requirements = mlflow.pyfunc.get_model_dependencies(logged.artifact_location)
    assert Path(requirements).read_text() == "scikit-learn==1.9.1\nskops==0.16.0"


def test_a_model_of_a_table_takes_its_columns_by_name(
    tracker: MlflowTracker, client: MlflowClient
) -> None:
    import mlflow
    import pandas as pd

    columns = {"age": "number", "port": "text"}
    model = replace(fitted_model()[0], n_features=2, dtype="mixed", columns=columns)
    run = client.get_run(log(tracker, 0, [*RECORDS, model]))
    assert run.outputs is not None
    logged = client.get_logged_model(run.outputs.model_outputs[0].model_id)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow's own, while it imports itself
        loaded = mlflow.pyfunc.load_model(logged.artifact_location)
    assert loaded.metadata.signature.inputs.input_names() == ["age", "port"]
    from mlflow.exceptions import MlflowException

    for ages in ([22.0, None], [22, 23]):  # as pandas reads a column without missing values
        frame = pd.DataFrame({"port": ["S", None], "age": ages})
        assert len(loaded.predict(frame)) == 2
    with pytest.raises(MlflowException, match="missing inputs"):
        loaded.predict(frame[["age"]])


def test_a_model_of_numbers_without_names_takes_integers(
    tracker: MlflowTracker, client: MlflowClient
) -> None:
    import mlflow

    model, X = fitted_model()
    run = client.get_run(log(tracker, 0, [*RECORDS, replace(model, dtype="float64", columns={})]))
    assert run.outputs is not None
    logged = client.get_logged_model(run.outputs.model_outputs[0].model_id)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow's own, while it imports itself
        loaded = mlflow.pyfunc.load_model(logged.artifact_location)
    for dtype in (np.int64, np.uint8, np.float64):
        np.testing.assert_array_equal(
            loaded.predict(X.astype(dtype)), models.load(model.content).predict(X)
        )


def test_database_that_is_none_is_told(store: Path) -> None:
    mlflow_database(store).write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreError, match=r"mlflow\.db cannot be used: file is not a database"):
        MlflowTracker(store, experiment="sweepmark").delivered("s1")


def test_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    tracker = MlflowTracker(tmp_path / "file" / "mlruns", experiment="sweepmark")
    with pytest.raises(StoreError, match=r"file/mlruns/mlflow\.db cannot be used"):
        tracker.open_parent(sweep_id="s1", name="sweep", records=[], started=0.0)


def test_reading_makes_no_store(tmp_path: Path) -> None:
    tracker = MlflowTracker(tmp_path / "mlruns", experiment="sweepmark")
    assert tracker.delivered("s1") == {}
    with pytest.raises(LookupError):
        tracker.locate("0" * 32)
    tracker.close()
    assert not (tmp_path / "mlruns").exists()


@pytest.mark.parametrize(
    ("said", "is_tried_again"),
    [
        ("UNIQUE constraint failed: datasets.experiment_id, datasets.name", True),
        ("UNIQUE constraint failed: runs.run_uuid", False),
    ],
)
def test_data_that_another_program_logs_at_the_same_moment(
    store: Path, monkeypatch: pytest.MonkeyPatch, said: str, *, is_tried_again: bool
) -> None:
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    log_inputs = MlflowClient.log_inputs
    obstacles = [MlflowException(f"(sqlite3.IntegrityError) {said}")]

    def log_later(self: MlflowClient, *given: Any) -> None:
        if obstacles:
            raise obstacles.pop()
        log_inputs(self, *given)

    monkeypatch.setattr(MlflowClient, "log_inputs", log_later)
    tracker = MlflowTracker(store, experiment="sweepmark")
    records = [data_input("training", 100)]
    if is_tried_again:
        tracker.open_parent(sweep_id="s1", name="s1", records=records, started=0.0)
        with closing(sqlite3.connect(mlflow_database(store))) as connection:
            assert connection.execute("SELECT name FROM datasets").fetchall() == [("mnist",)]
    else:
        with pytest.raises(MlflowException, match="run_uuid"):
            tracker.open_parent(sweep_id="s1", name="s1", records=records, started=0.0)
    tracker.close()


PROGRAM = """
import sys
from pathlib import Path
from sweepmark.ledger import OptunaLedger
from sweepmark.tracking.records import Metric
from sweepmark.search.space import Space
from sweepmark.tracking import MlflowTracker, is_moved, mlflow_database
from sweepmark.search.trial import Trial
store, name = Path(sys.argv[1]), sys.argv[2]
sys.stdin.read()
tracker = MlflowTracker(store, experiment="sweepmark")
parent = tracker.open_parent(sweep_id=name, name=name, records=[], started=1.0)
tracker.log_trial(sweep_id=name, number=0, name="t", parent=parent, records=[Metric("m", 1.0)],
    started=1.0, ended=2.0, failed=False)
tracker.close_parent(run_id=parent, records=[], ended=3.0, status="FINISHED")
ledger = OptunaLedger(store, sweep_id=name, space=Space(()))
ledger.record(Trial(number=0, status="complete"), value=1.0)
"""


@pytest.mark.slow
def test_four_processes_start_on_a_new_store(tmp_path: Path) -> None:
    store = tmp_path / "mlruns"
    started = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(store), f"s{number}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=os.environ | {"PYTHONWARNINGS": "ignore"},
        )
        for number in range(4)
    ]
    for process in started:
        assert process.stdin is not None
        process.stdin.close()
        process.stdin = None
    for process in started:
        assert process.communicate(timeout=120) == (b"", b"")
        assert process.returncode == 0
    with closing(sqlite3.connect(mlflow_database(store))) as connection:
        names = connection.execute("SELECT name FROM experiments ORDER BY name").fetchall()
        statuses = connection.execute("SELECT status FROM runs").fetchall()
    assert names == [("Default",), ("sweepmark",)]
    assert statuses == [("FINISHED",)] * 8
    with closing(sqlite3.connect(store / "optuna.db")) as connection:
        assert connection.execute("SELECT count(*) FROM trials").fetchone() == (4,)


# A database from elsewhere

ELSEWHERE = ("file:///{outside}", "file://{inside}/../../outside", "s3://bucket/x", "/{outside}")


@pytest.mark.parametrize("uri", ELSEWHERE)
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE runs SET artifact_uri = ?",
        "UPDATE experiments SET artifact_location = ? WHERE experiment_id > 0",
    ],
    ids=["run", "experiment"],
)
def test_nothing_is_written_where_only_a_database_says_so(
    store: Path, uri: str, change: str
) -> None:
    outside = store.parent / "outside"
    outside.mkdir()
    uri = uri.format(outside=outside, inside=artifacts_folder(store))
    tracker = MlflowTracker(store, experiment="sweepmark")
    run_id = tracker.open_parent(sweep_id="s1", name="s", records=[], started=1.0)
    tracker.close()
    with closing(sqlite3.connect(store / "mlflow.db")) as db, db:
        db.execute(change, (uri,))
    with pytest.raises(StoreError, match="wants artifacts written to"):
        tracker.close_parent(
            run_id=run_id, records=[Artifact("x.txt", b"x")], ended=2.0, status="FINISHED"
        )
    tracker.close()
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize("text", ["x", "-1", "9" * 5000, "", "../.."])
def test_trial_tag_that_is_no_number_is_none_of_ours(store: Path, text: str) -> None:
    tracker = MlflowTracker(store, experiment="sweepmark")
    parent = tracker.open_parent(sweep_id="s1", name="s", records=[], started=1.0)
    tracker.close()
    with closing(sqlite3.connect(store / "mlflow.db")) as db, db:
        row = ("sweepmark.search.trial", text, parent)
        db.execute("INSERT INTO tags (key, value, run_uuid) VALUES (?, ?, ?)", row)
    assert tracker.delivered("s1") == {}
    with pytest.raises(LookupError, match="was not made by sweepmark"):
        tracker.locate(parent)
    tracker.close()


def test_model_does_not_say_itself_whom_to_trust() -> None:
    from skops.io import dumps

    from flaky import Flaky
    from sweepmark.specification.models import trusted_types, unknown_types

    content = dumps(Flaky())
    assert unknown_types(content) == ["flaky.Flaky"]
    assert trusted_types(content) == []
