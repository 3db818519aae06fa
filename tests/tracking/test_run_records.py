"""Records of runs: what MLflow is told of a trial."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import yaml

from sweepmark.config import Folders
from sweepmark.config.dataset import PLACES, DatasetConfig
from sweepmark.evaluation.evaluate import evaluate
from sweepmark.scores.scorecard import load_predictions
from sweepmark.search.trial import Trial
from sweepmark.specification.specify import specify
from sweepmark.tracking.records import Artifact, Metric, Param, Tag
from sweepmark.tracking.run_records import (
    artifact_records,
    configuration_records,
    data_record,
    model_record,
    short_name,
    trial_records,
)
from tiny import config, dataset_config, digits

if TYPE_CHECKING:
    from sweepmark.scores.scorecard import Scorecard
    from sweepmark.tracking.records import Record

TREE: dict[str, Any] = {
    "seed": 0,
    "dataset": {"name": "digits", "sources": {"mirror": {"urls": ["https://example.org"]}}},
    "task": {"name": "multiclass", "positive": None},
    "preprocess": {},
    "classifier": {"_target_": "sklearn.svm.SVC", "C": 1.0, "class_weight": None},
}
TRIAL = Trial(
    number=3,
    status="complete",
    params={"classifier.C": 1.0},
    metrics={"accuracy": 0.5},
    keys=("a", "b"),
    n_train=75,
    n_test=25,
    fit_seconds=1.5,
    predict_seconds=0.5,
    attempts=2,
)


@pytest.fixture(scope="module")
def card() -> Scorecard:
    found = evaluate(specify(config("classifier=knn"), digits())[0], keep_model=True)
    return replace(found, work={})  # what other tests of this process had done already


def by_name(records: list[Record], kind: type) -> dict[str, Any]:
    return {
        getattr(one, "name", getattr(one, "path", "")): one
        for one in records
        if isinstance(one, kind)
    }


def test_name_says_what_is_special_about_a_run() -> None:
    assert short_name({"classifier.C": 10.0, "split.size": 200}, "run") == "C=10.0 size=200"
    assert short_name({}, "run") == "run"


def test_every_resolved_parameter_is_logged_by_its_full_name() -> None:
    params = by_name(configuration_records(TREE), Param)
    assert params["classifier.C"].value == 1.0
    assert params["classifier._target_"].value == "sklearn.svm.SVC"
    assert params["seed"].value == 0
    assert not any(name.startswith(("dataset.sources", "sweep")) for name in params)


WHAT_DATA_ARE = {
    "decimal",
    "digest",
    "divisor",
    "drop",
    "encoding",
    "format",
    "header",
    "image_shape",
    "label",
    "missing",
    "n_classes",
    "name",
} | {*("path", "sample_size", "separator", "table", "test_path", "version")}


@pytest.mark.parametrize("name", Folders().groups()["dataset"])
def test_where_data_come_from_is_no_parameter(name: str) -> None:
    params = by_name(configuration_records({"dataset": asdict(dataset_config(name))}), Param)
    assert {param.split(".")[1] for param in params} == WHAT_DATA_ARE


def test_every_key_of_a_data_set_says_what_it_is_or_where() -> None:
    keys = {each.name for each in fields(DatasetConfig)}
    assert keys == {*WHAT_DATA_ARE, *PLACES, "types"}


def test_complete_trial_is_logged_with_figures_and_identity(card: Scorecard) -> None:
    records = trial_records(TRIAL, [card])
    tags, figures = by_name(records, Tag), by_name(records, Metric)
    assert tags["sweepmark.status"].value == "complete"
    assert tags["sweepmark.report.keys"].value == "a b"
    assert tags["sweepmark.attempts"].value == "2"
    values = {name: figure.value for name, figure in figures.items()}
    assert values == {
        "accuracy": 0.5,
        "fit_seconds": 1.5,
        "predict_seconds": 0.5,
        "n_train": 75,
        "n_test": 25,
    }


def test_work_that_was_shared_is_logged_as_its_sum(card: Scorecard) -> None:
    folds = [replace(card, work={"kernel_hits": n, "shared_seconds": 0.0}) for n in (1, 2)]
    figures = by_name(trial_records(TRIAL, folds), Metric)
    assert figures["work.kernel_hits"].value == 3
    assert "work.shared_seconds" not in figures  # nothing is said where nothing was


def test_folds_are_logged_as_steps(card: Scorecard) -> None:
    records = trial_records(TRIAL, [card, card, card])
    steps = [
        (one.step, one.value)
        for one in records
        if isinstance(one, Metric) and one.name == "fold_accuracy"
    ]
    assert steps == [(fold, card.metrics["accuracy"]) for fold in range(3)]


def test_curves_are_logged_as_steps_whose_last_is_the_figure(card: Scorecard) -> None:
    curves = {"train_loss": (0.5, float("nan"), 0.25), "train_accuracy": (0.5, 0.6, 0.75)}
    trial = replace(TRIAL, metrics={"accuracy": 0.5, "train_loss": 0.25, "train_accuracy": 0.75})
    records = [
        (one.name, one.step, one.value)
        for one in trial_records(trial, [replace(card, curves=curves)])
        if isinstance(one, Metric) and one.name in {"accuracy", *curves}
    ]
    assert records == [
        ("train_loss", 1, 0.5),
        ("train_loss", 3, 0.25),
        ("train_accuracy", 1, 0.5),
        ("train_accuracy", 2, 0.6),
        ("train_accuracy", 3, 0.75),
        ("accuracy", 0, 0.5),
    ]


def test_curves_of_folds_are_logged_as_their_means(card: Scorecard) -> None:
    folds = [replace(card, curves={"train_loss": values}) for values in ((1.0, 0.5), (0.5, 0.0))]
    records = trial_records(TRIAL, folds)
    found = [
        (one.step, one.value)
        for one in records
        if isinstance(one, Metric) and one.name == "cv_train_loss"
    ]
    assert found == [(1, 0.75), (2, 0.25)]


def test_failed_trial_is_logged_with_its_reason_and_no_figures() -> None:
    failed = replace(TRIAL, status="failed", reason="timeout", message="5 s were over")
    records = trial_records(failed, [])
    assert by_name(records, Metric) == {}
    tags = by_name(records, Tag)
    assert tags["sweepmark.reason"].value == "timeout"
    assert tags["sweepmark.error"].value == "5 s were over"


def test_reused_trial_is_logged_with_its_origin_and_warnings(card: Scorecard) -> None:
    reused = replace(TRIAL, status="reused", reused_from="s/0", warnings=("one", "two"))
    tags = by_name(trial_records(reused, [card]), Tag)
    assert tags["sweepmark.reused_from"].value == "s/0"
    assert tags["sweepmark.warnings"].value == "one\ntwo"


@pytest.fixture(scope="module")
def artifacts(card: Scorecard) -> dict[str, bytes]:
    records = artifact_records(card, digits(), TREE, ["classifier=knn", "seed=0"])
    return {name: one.content for name, one in by_name(records, Artifact).items()}


class TestArtifacts:
    def test_are_those_of_the_design(self, artifacts: dict[str, bytes]) -> None:
        assert set(artifacts) == {
            "classification_report.txt",
            "classification_report.json",
            "confusion_matrix.csv",
            "confusion_matrix.png",
            "misclassified.png",
            "predictions.npz",
            "predictions.csv",
            "accuracy_per_label.csv",
            "taken_for.csv",
            "roc_curve.png",
            "precision_recall_curve.png",
            "config.yaml",
            "overrides.txt",
        }

    def test_agree_with_the_scorecard(self, artifacts: dict[str, bytes], card: Scorecard) -> None:
        report = json.loads(artifacts["classification_report.json"])
        assert report["accuracy"] == card.metrics["accuracy"]
        rows = list(csv.reader(io.StringIO(artifacts["confusion_matrix.csv"].decode())))
        assert rows[0] == ["actual \\ predicted", *map(str, range(10))]
        matrix = np.array([row[1:] for row in rows[1:]], dtype=int)
        assert matrix.trace() / matrix.sum() == card.metrics["accuracy"]
        assert matrix.sum() == card.n_test
        predictions = load_predictions(artifacts["predictions.npz"])
        np.testing.assert_array_equal(predictions.y_pred, card.predictions.y_pred)
        assert yaml.safe_load(artifacts["config.yaml"]) == TREE
        assert artifacts["overrides.txt"] == b"classifier=knn\nseed=0\n"

    def test_of_a_perfect_model_show_no_misclassified_image(self, card: Scorecard) -> None:
        predictions = replace(card.predictions, y_pred=card.predictions.y_true)
        records = artifact_records(replace(card, predictions=predictions), digits(), TREE, [])
        assert by_name(records, Artifact)["misclassified.png"].content.startswith(b"\x89PNG")

    def test_of_rows_that_are_no_images_have_no_pictures_of_them(self, card: Scorecard) -> None:
        records = artifact_records(card, replace(digits(), image_shape=None), TREE, [])
        assert "misclassified.png" not in by_name(records, Artifact)

    def test_call_a_label_by_its_name(self) -> None:
        asked = config("classifier=knn", "task=is_digit", task__positive=5)
        detector = evaluate(specify(asked, digits())[0])
        found = by_name(artifact_records(detector, digits(), TREE, []), Artifact)
        lines = found["accuracy_per_label.csv"].content.decode().splitlines()
        assert [line.partition(",")[0] for line in lines] == ['"label"', '"not 5"', '"5"']
        with np.load(io.BytesIO(found["predictions.npz"].content)) as arrays:
            assert dict(zip(arrays["classes"], arrays["names"], strict=True)) == {
                0: "not 5",
                1: "5",
            }


def test_data_are_named_by_their_digest() -> None:
    record = data_record(digits(), context="training", n_rows=225)
    assert (record.digest, record.n_rows, record.n_features) == (digits().digest, 225, 64)


def test_model_has_fixed_requirements(card: Scorecard) -> None:
    assert card.model is not None
    record = model_record(card.model, digits(), config("classifier=knn"))
    assert (record.n_features, record.answers) == (64, "int64")
    assert [text.partition("==")[0] for text in record.requirements] == [
        "mlflow",
        "numpy",
        "scikit-learn",
        "scipy",
        "skops",
    ]
    assert all("==" in text for text in record.requirements)
