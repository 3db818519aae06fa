"""The files that let a reader look closely at a trial."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import precision_recall_curve, roc_curve

from picture_cards import note_texts
from pixels import is_whole, read_png
from sweepmark.evaluation.evaluate import evaluate
from sweepmark.plots.curves import ranked
from sweepmark.scores.merging import merge_trial
from sweepmark.scores.mistakes import errors
from sweepmark.specification.specify import specify
from sweepmark.tracking.trial_artifacts import predictions_csv, trial_artifacts
from tiny import config, digits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sweepmark.scores.scorecard import Scorecard

TABLES = {
    "accuracy_per_label.csv",
    "classification_report.json",
    "classification_report.txt",
    "confusion_matrix.csv",
    "predictions.csv",
    "predictions.npz",
    "taken_for.csv",
}
PICTURES = {
    "confusion_matrix.png",
    "misclassified.png",
    "precision_recall_curve.png",
    "roc_curve.png",
}
STANDARD = TABLES - {"accuracy_per_label.csv", "taken_for.csv"} | {"confusion_matrix.png"}
NAMES = [str(label) for label in range(10)]
DETECTOR = ("task=is_digit", "classifier=logistic", "preprocess=scale")


@pytest.fixture(scope="module")
def card() -> Scorecard:
    (one,) = specify(config("classifier=logistic", "preprocess=scale"), digits())
    return evaluate(one)


@pytest.fixture(scope="module")
def detector() -> Scorecard:
    values: dict[str, Any] = {"evaluation__threshold": "recall>=0.8", "evaluation__n_splits": 3}
    (one,) = specify(config(*DETECTOR, task__positive=8, split__size=600, **values), digits())
    return evaluate(one)


def called(card: Scorecard, names: Sequence[str]) -> Scorecard:
    return replace(card, names=tuple(names))


def read(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def size(content: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(content)) as image:
        image.load()
        return image.size


def test_predictions_are_a_table_with_the_score_of_each_class(card: Scorecard) -> None:
    rows = read(predictions_csv(called(card, NAMES)))
    assert list(rows[0]) == ["row", "actual", "predicted", *(f"score_{name}" for name in NAMES)]
    scored = card.predictions
    assert [int(row["row"]) for row in rows] == scored.rows.tolist()
    assert [int(row["actual"]) for row in rows] == scored.y_true.tolist()
    assert [int(row["predicted"]) for row in rows] == scored.y_pred.tolist()
    found = [[float(row[f"score_{name}"]) for name in NAMES] for row in rows]
    assert scored.scores is not None
    np.testing.assert_allclose(np.array(found), scored.scores, rtol=1e-8)


def test_two_classes_have_one_score_and_names(detector: Scorecard) -> None:
    rows = read(predictions_csv(called(detector, ["not 8", "8, surely"])))
    assert list(rows[0]) == ["row", "actual", "predicted", "score"]
    assert {row["actual"] for row in rows} == {"not 8", "8, surely"}
    bare = replace(detector, predictions=replace(detector.predictions, scores=None))
    assert list(read(predictions_csv(bare))[0]) == ["row", "actual", "predicted"]


def test_accuracy_per_label_and_what_it_was_taken_for_agree(card: Scorecard) -> None:
    files = trial_artifacts(called(card, NAMES), digits(), everything=True)
    wrong = dict.fromkeys(NAMES, 0)
    for row in read(files["taken_for.csv"]):
        assert row["label"] != row["taken_for"]
        wrong[row["label"]] += int(row["count"])
    for row in read(files["accuracy_per_label.csv"]):
        assert int(row["n_rows"]) - int(row["n_correct"]) == wrong[row["label"]]
        assert float(row["accuracy"]) == int(row["n_correct"]) / int(row["n_rows"])
    assert sum(wrong.values()) == len(errors(card)) > 0


@pytest.mark.parametrize(
    ("evaluation", "prefix"),
    [
        ({"method": "test"}, ""),
        ({"method": "validation", "validation_fraction": 0.25}, "validation_"),
        ({"method": "cv", "n_splits": 3}, "pooled_"),
    ],
)
def test_figures_go_by_the_rows_they_are_of(
    evaluation: dict[str, Any], prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = note_texts(monkeypatch)
    values: dict[str, Any] = {f"evaluation__{name}": value for name, value in evaluation.items()}
    asked = config(*DETECTOR, task__positive=8, split__size=400, **values)
    card = merge_trial([evaluate(one) for one in specify(asked, digits())])
    files = trial_artifacts(card, digits(), everything=True)
    name = f"{prefix}accuracy"
    assert card.accuracy_name == name
    described = json.loads(files["classification_report.json"])
    assert described[name] == card.metrics[name]
    assert f"{name} " in files["classification_report.txt"].decode()
    assert list(read(files["accuracy_per_label.csv"])[0])[-1] == name
    share = f"({name} {100 * card.metrics[name]:.2f} %)"
    for title in ("rows correct", "rows misclassified"):
        (found,) = {text for text in written if title in text and "0 of 0" not in text}
        assert share in found
    for figure in ("roc_auc", "average_precision"):
        assert f"{prefix}{figure} {card.metrics[f'{prefix}{figure}']:.4f}" in written
    assert {f"{prefix}precision", f"{prefix}recall"} <= set(written)
    bare = [text for text in written if re.search(r"(?<!_)(accuracy|roc_auc)\b", text)]
    assert bool(bare) == (not prefix)


def test_files_are_those_that_the_scores_allow(card: Scorecard, detector: Scorecard) -> None:
    multi, two = (
        trial_artifacts(card, digits(), everything=True),
        trial_artifacts(detector, digits(), everything=True),
    )
    assert set(multi) == TABLES | PICTURES
    assert set(two) == TABLES | PICTURES | {"threshold.png", "thresholds.csv"}
    for files in (multi, two):
        assert all(is_whole(read_png(files[name])) for name in files if name.endswith(".png"))
    bare = replace(card, predictions=replace(card.predictions, scores=None))
    ranked = {"roc_curve.png", "precision_recall_curve.png"}
    assert set(trial_artifacts(bare, digits(), everything=True)) == TABLES | PICTURES - ranked
    trained = replace(card, curves={"train_accuracy": (0.5, 0.75)})
    assert set(trial_artifacts(trained, digits(), everything=True)) == TABLES | PICTURES | {
        "training_curves.png"
    }
    assert list(json.loads(two["classification_report.json"]))[:2] == ["not 8", "8"]


def test_ranking_is_that_of_scikit_learn(detector: Scorecard) -> None:
    (found,) = ranked(detector).values()
    y, scores = detector.predictions.y_true, detector.predictions.scores
    precision, recall, thresholds = precision_recall_curve(y, scores)
    np.testing.assert_array_equal(found.threshold[::-1], thresholds)
    np.testing.assert_allclose(found.precision[::-1], precision[:-1])
    np.testing.assert_allclose(found.recall[::-1], recall[:-1])
    fall_out, hit_rate, _ = roc_curve(y, scores, drop_intermediate=False)
    np.testing.assert_allclose(found.false_positive_rate, fall_out[1:])
    np.testing.assert_allclose(found.recall, hit_rate[1:])
    listed = read(trial_artifacts(detector, digits(), everything=True)["thresholds.csv"])
    assert list(listed[0]) == ["threshold", "precision", "recall", "false_positive_rate"]
    for name, values in found._asdict().items():
        assert [float(row[name]) for row in listed] == values.tolist()


@pytest.mark.parametrize("extreme", [[np.inf, -np.inf], [1e308, -1e308], [1e20], [0.0], [1e-310]])
def test_extreme_scores_are_drawn(detector: Scorecard, extreme: list[float]) -> None:
    scores = np.resize(extreme, len(detector.predictions.rows))
    for figures in ({}, {"threshold": 1e20}):
        predictions = replace(detector.predictions, scores=scores)
        card = replace(detector, predictions=predictions, metrics=figures)
        files = trial_artifacts(card, digits(), everything=True)
        assert all(is_whole(read_png(files[name])) for name in ("roc_curve.png", "threshold.png"))


def test_two_columns_of_two_classes_are_ranked_by_the_second(detector: Scorecard) -> None:
    scores = detector.predictions.scores
    assert scores is not None
    both = replace(detector.predictions, scores=np.stack([-scores, scores], axis=1))
    (expected,) = ranked(detector).values()
    (found,) = ranked(replace(detector, predictions=both)).values()
    np.testing.assert_array_equal(found.recall, expected.recall)
    trial_artifacts(replace(detector, predictions=both), digits(), everything=True)


def test_lost_scores_rank_nothing(card: Scorecard) -> None:
    assert card.predictions.scores is not None
    lost = np.full_like(card.predictions.scores, np.nan)
    assert not ranked(replace(card, predictions=replace(card.predictions, scores=lost)))


def test_equal_scorecards_are_equal_files(detector: Scorecard) -> None:
    first, second = (trial_artifacts(detector, digits(), everything=True) for _ in range(2))
    assert first == second


def test_standard_ones_are_a_part_of_all(detector: Scorecard) -> None:
    every = trial_artifacts(detector, digits(), everything=True)
    standard = trial_artifacts(detector, digits(), everything=False)
    assert set(standard) == STANDARD
    assert standard.items() <= every.items()


@pytest.mark.parametrize("n_epochs", [1, 2, 300])
def test_training_is_drawn_as_loss_and_error_side_by_side(card: Scorecard, n_epochs: int) -> None:
    falling = tuple(1 / (epoch + 1) for epoch in range(n_epochs))
    curves = {"train_loss": falling, "validation_loss": falling, "train_accuracy": falling}
    both, one = (
        trial_artifacts(replace(card, curves=some), digits(), everything=True)
        for some in (curves, {"train_accuracy": falling})
    )
    sizes = [size(each["training_curves.png"]) for each in (both, one)]
    assert 1.9 < sizes[0][0] / sizes[1][0] < 2.2


@pytest.mark.parametrize(
    "y",
    [
        [1.0, 1.0],
        [np.nan, 1.0],
        [np.nan, np.nan],
        [1.7e308, -1.7e308],
        [np.inf, -np.inf],
        [1e-300, 0.0],
        [1e20, 1e20],
        [1e20, 1e20 * (1 + 1e-15)],
        [5.0],
    ],
)
def test_training_of_hardly_anything_is_drawn(card: Scorecard, y: list[float]) -> None:
    one = replace(card, curves={"train_loss": tuple(y)})
    files = trial_artifacts(one, digits(), everything=True)
    assert is_whole(read_png(files["training_curves.png"]))
