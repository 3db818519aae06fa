"""What the program says of labels and of the positive one: table, JSON, MLflow, predictions."""

from __future__ import annotations

import csv
import io
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score, precision_score

from program import Called
from tables import write
from tiny import write_sweep

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

QUICK = ("engine=serial", "grade=none", "preprocess=none", "classifier=logistic")
KINDS: dict[str, tuple[Any, Any]] = {
    "signs": (-1, 1),
    "churn": ("churned", "stayed"),
    "flags": (False, True),
}


@pytest.fixture(scope="module")
def tables(
    tmp_path_factory: pytest.TempPathFactory, digits_cache: Path, migrated_store: Path
) -> Iterator[Called]:
    """A folder with a table of each kind, whose second label is the most frequent one."""
    program = Called(tmp_path_factory.mktemp("labels"), cache=digits_cache)
    shutil.copytree(migrated_store, program.store)
    for kind, names in KINDS.items():
        generator = np.random.default_rng(1)
        X = generator.normal(size=(200, 2)).round(3)
        y = np.array(names)[(X[:, 0] + generator.normal(size=200) > -1).astype(int)]
        frame = pd.DataFrame({"label": y, "a": X[:, 0], "b": X[:, 1]})
        frame.to_csv(program.folder / f"{kind}.csv", index=False)
    yield program
    program.close()


def words(kind: str, *more: str) -> tuple[str, ...]:
    return ("run", "dataset=csv", f"dataset.path={kind}.csv", *QUICK, *more)


def kinds(document: Any) -> set[str]:
    return {warning["kind"] for warning in document["warnings"]}


@pytest.mark.parametrize(("kind", "second"), [(kind, names[1]) for kind, names in KINDS.items()])
def test_majority_that_is_positive_by_default_is_warned_of(
    tables: Called, kind: str, second: Any
) -> None:
    by_default = tables.run(*words(kind, "tracking=none"), "--json").document
    assert kinds(by_default) == {"positive_class"}
    (warning,) = by_default["warnings"]
    assert warning["message"].startswith(f"{second} counts as positive")
    assert "task.positive=" in warning["message"]
    (trial,) = by_default["trials"]
    assert trial["positive"] == str(second)

    chosen = tables.run(*words(kind, "tracking=none", f"task.positive={second}"), "--json").document
    assert not chosen["warnings"]
    assert chosen["trials"][0]["metrics"] == trial["metrics"]
    assert chosen["n_reused"] == 1


@pytest.mark.parametrize(("kind", "first"), [(kind, names[0]) for kind, names in KINDS.items()])
def test_what_is_positive_is_said_wherever_its_figures_are(
    tables: Called, kind: str, first: Any
) -> None:
    asked = words(kind, "tracking=none", f"task.positive={first}", "evaluation.threshold=0.5")
    shown = tables.run(*asked).out
    assert "positive" in shown
    assert f"{first} from a score of 0.5 on" in shown
    assert "warning" not in shown
    looked = tables.run("compare", "latest").out
    assert f"positive class: {first}" in looked
    document = tables.run("compare", "latest", "--ranking", 3, "--json").document
    assert document["ranked_by"] == document["positive"] == str(first)
    scores = [row["score"] for row in document["top"]]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize(("kind", "first"), [(kind, names[0]) for kind, names in KINDS.items()])
def test_predictions_have_the_files_labels_and_the_positive_ones_score(
    tables: Called, kind: str, first: Any
) -> None:
    tables.run(*words(kind, "tracking=none", f"task.positive={first}"))
    text = tables.run("predict", "latest", f"{kind}.csv").out
    rows = list(csv.DictReader(io.StringIO(text)))
    frame = pd.read_csv(tables.folder / f"{kind}.csv")
    assert [row["actual"] for row in rows] == frame["label"].astype(str).tolist()
    scores = np.array([float(row[f"score_{first}"]) for row in rows])
    assert [row["label"] for row in rows] == [
        str(KINDS[kind][0] if score > 0 else KINDS[kind][1]) for score in scores
    ]
    document = tables.run("predict", "latest", f"{kind}.csv", "--ranking", 2, "--json").document
    assert document["positive"] == str(first)
    assert [row["row"] for row in document["predictions"][:2]] == list(np.argsort(-scores)[:2])


def test_minority_that_sorts_second_is_no_reason_to_warn(tables: Called) -> None:
    rows = "".join(f"{'yes' if n % 3 == 0 else 'no'},{n % 3 + n / 99}\n" for n in range(99))
    write(tables.folder / "rare.csv", f"label,a\n{rows}")
    document = tables.run(*words("rare", "tracking=none"), "--json").document
    assert document["trials"][0]["positive"] == "yes"
    assert not document["warnings"]


def test_run_without_two_classes_has_no_positive_one(tables: Called) -> None:
    rows = "".join(f"{'rgb'[n % 3]},{n % 3 + n / 99}\n" for n in range(99))
    write(tables.folder / "colours.csv", f"label,a\n{rows}")
    document = tables.run(*words("colours", "tracking=none"), "--json").document
    assert document["trials"][0]["positive"] is None
    shown = tables.run("compare", "latest").out
    assert "positive" not in shown
    refused = tables.run(*words("colours", "task.positive=r"), code=2).err
    assert "task=is_digit" in refused


@pytest.mark.parametrize(
    ("override", "part"),
    [
        ("classifier.class_weight={-1:1,2:9}", "Options: -1, 1."),
        ("task.positive=2", "Options: -1, 1."),
        ("+sweep.objective=cv_recall_2", ""),
    ],
)
def test_label_that_there_is_not_ends_with_2_and_those_there_are(
    tables: Called, override: str, part: str
) -> None:
    before = tables.sweep_ids()
    refused = tables.run(*words("signs", "tracking=none", override), code=2)
    assert part in refused.err
    assert tables.sweep_ids() == before


def test_weights_are_written_as_the_file_has_its_labels(tables: Called) -> None:
    for kind, weights in (
        ("signs", "{-1:9,1:1}"),
        ("churn", "{churned:9,stayed:1}"),
        ("flags", "{false:9,true:1}"),
    ):
        asked = words(kind, "tracking=none", f"classifier.class_weight={weights}")
        document = tables.run(*asked, "--json").document
        recall = document["trials"][0]["metrics"][f"recall_{KINDS[kind][0]}"]
        plain = tables.run(*words(kind, "tracking=none"), "--json").document
        assert recall > plain["trials"][0]["metrics"][f"recall_{KINDS[kind][0]}"]


@pytest.mark.parametrize(("kind", "label"), [("signs", "-1"), ("churn", "churned")])
def test_recall_of_a_label_is_an_objective(
    tables: Called, tmp_path: Path, kind: str, label: str
) -> None:
    text = (
        "# recall\ndefaults:\n  - override /evaluation: cv\nsweep:\n"
        f"  objective: cv_recall_{label}\n"
        "  space:\n    classifier:\n      C: [0.01, 1.0]\n"
    )
    folder = write_sweep(tmp_path, "recalls", text)
    asked = ("dataset=csv", f"dataset.path={kind}.csv", *QUICK, "tracking=none")
    document = tables.run("sweep", "recalls", "--config-dir", folder, *asked, "--json").document
    recalls = [trial["metrics"][f"cv_recall_{label}"] for trial in document["trials"]]
    assert document["best"]["metrics"][f"cv_recall_{label}"] == max(recalls)
    other = f"sweep.objective=cv_recall_{label}x"
    words = ("sweep", "recalls", "--config-dir", folder, *asked, other)
    assert f"cv_recall_{label}" in tables.run(*words, code=2).err


@pytest.mark.filterwarnings("ignore")  # MLflow's own, while it is imported
@pytest.mark.parametrize(
    ("kind", "first", "type_"),
    [("signs", -1, "int64"), ("churn", "churned", "str"), ("flags", False, "bool")],
)
def test_logged_model_answers_as_the_file_does(
    tables: Called, kind: str, first: Any, type_: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow
    from mlflow import MlflowClient

    from sweepmark.tracking import mlflow_database

    asked = words(kind, f"task.positive={first}", f"tracking.experiment={kind}")
    (trial,) = tables.run(*asked, "--json").document["trials"]
    client = MlflowClient(f"sqlite:///{mlflow_database(tables.store)}")
    run = client.get_run(trial["run_id"])
    assert run.data.tags["sweepmark.positive"] == str(first)
    assert run.data.metrics[f"recall_{first}"] == run.data.metrics["recall"]

    (logged,) = client.search_logged_models([run.info.experiment_id])
    frame = pd.read_csv(tables.folder / f"{kind}.csv")
    X, y = frame[["b", "a"]], frame["label"].to_numpy()  # MLflow finds columns by name
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{mlflow_database(tables.store)}")
    plain = mlflow.sklearn.load_model(logged.artifact_location)
    served = mlflow.pyfunc.load_model(logged.artifact_location)
    assert plain.classes_.tolist() == list(KINDS[kind])
    answer = served.predict(X)
    assert set(answer.tolist()) == set(KINDS[kind])
    np.testing.assert_array_equal(answer, plain.predict(X[["a", "b"]].to_numpy()))
    (output,) = served.metadata.signature.outputs.inputs
    assert output.type == np.dtype(type_)

    # The figures are those of its answers for the rows that the run was scored on.
    with np.load(next(_artifacts(client, trial["run_id"], "predictions.npz"))) as arrays:
        rows = arrays["rows"]
        names = dict(zip(arrays["classes"].tolist(), arrays["names"].tolist(), strict=True))
        assert [names[code] for code in arrays["y_true"].tolist()] == y[rows].astype(str).tolist()
    y_true, y_pred = y[rows], answer[rows]
    figures = trial["metrics"]
    assert figures["f1"] == pytest.approx(f1_score(y_true, y_pred, pos_label=first))
    assert figures["precision"] == pytest.approx(precision_score(y_true, y_pred, pos_label=first))


def _artifacts(client: Any, run_id: str, name: str) -> Iterator[str]:
    uri = client.get_run(run_id).info.artifact_uri
    yield f"{uri.removeprefix('file://')}/{name}"
