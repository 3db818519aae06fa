"""What an evaluation.json and its predictions may say, part by part."""

from __future__ import annotations

import copy
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sweepmark.scores.scorecard import Predictions, Scorecard
from sweepmark.store.documents import contradiction, find_invalid

FIGURES: dict[str, Any] = {
    "specification": {"method": {"name": "test"}},
    "scorecard": {
        "metrics": {"accuracy": 0.5},
        "classes": [0, 1, 5],
        "names": ["no", "yes", "who knows"],
        "positive": 5,
        "n_positive": 3,
        "n_train": 7,
        "n_test": 4,
        "fit_seconds": 0.25,
        "predict_seconds": 0.125,
        "warnings": ["ConvergenceWarning: too few"],
        "curves": {"train_loss": [0.5, None, 1]},
        "work": {"kernel_hits": 3, "shared_seconds": 0.5},
    },
    "origin": {"sweep_id": "s-1", "trial": 0, "started": 10.0, "ended": 12.5},
}
ABOVE = math.nextafter(1e300, math.inf)
NO_NUMBERS = [None, True, "3", [3], ABOVE, -ABOVE, math.nan, math.inf]
COUNTS = ("n_train", "n_test", "n_positive", "fit_seconds", "predict_seconds")
WRONG: dict[str, list[Any]] = {
    "origin.sweep_id": [None, 3, ["s-1"]],
    "origin.more": [1],
    **{f"origin.{name}": NO_NUMBERS for name in ("trial", "started", "ended")},
    "scorecard.metrics": [None, [], ["accuracy"], {}, {"loss": 1.0}, {"validation_accuracy": 0.5}],
    "scorecard.metrics.roc_auc": NO_NUMBERS,
    "scorecard.classes": [[0, "1", 5], [0, 1.5, 5], [0, None, 5], [1, 0, 5], [0, 5, 5]],
    "scorecard.names": [
        None, "abc", {"a": 1, "b": 2, "c": 3}, ["a", "b"], ["a", "b", "c", "d"], ["a", "b", 3],
    ],
    "scorecard.positive": [True, 4, 1.0, "1", [1]],
    "scorecard.warnings": [None, "text", {"text": 1}, ["text", 1], [None]],
    **{f"scorecard.{name}": NO_NUMBERS for name in COUNTS},
    "scorecard.curves": [None, [], [[1.0]], {"loss": []}, {"loss": 3}, {"loss": {"1": 2}}],
    "scorecard.curves.train_loss": [[0.5, True], [0.5, "1"], ["1", 0.5], [ABOVE]],
    "scorecard.work": [None, [], [3]],
    "scorecard.work.kernel_hits": NO_NUMBERS,
}  # fmt: skip
NAMED = {
    "positive": "positive class",
    **dict.fromkeys(COUNTS, "counts and seconds"),
}


def changed(path: str, value: Any) -> dict[str, Any]:
    figures = copy.deepcopy(FIGURES)
    *parents, last = path.split(".")
    node = figures
    for parent in parents:
        node = node[parent]
    node[last] = value
    return figures


def test_what_is_written_is_right() -> None:
    assert find_invalid(FIGURES) is None


@pytest.mark.parametrize(
    ("path", "value"), [(path, value) for path, values in WRONG.items() for value in values]
)
def test_what_none_writes_is_named_and_nothing_else(path: str, value: Any) -> None:
    section, part = path.split(".")[:2]
    name = section if section == "origin" else NAMED.get(part, part)
    assert find_invalid(changed(path, value)) == f"{name} cannot be right"


@pytest.mark.parametrize("part", ["scorecard", "origin"])
@pytest.mark.parametrize("value", [None, [], "text"])
def test_part_that_is_no_mapping_is_lacking(part: str, value: Any) -> None:
    assert find_invalid(changed(part, value)) == "it lacks a part"
    assert find_invalid([FIGURES]) == "it is no mapping"


@pytest.mark.parametrize("name", FIGURES["origin"])
def test_origin_must_be_whole(name: str) -> None:
    figures = copy.deepcopy(FIGURES)
    del figures["origin"][name]
    assert find_invalid(figures) == "origin cannot be right"


def test_names_and_the_positive_class_are_those_of_classes() -> None:
    for classes in (None, {"0": 0, "1": 1, "5": 5}):
        said = find_invalid(changed("scorecard.classes", classes))
        assert said == "classes, names, positive class cannot be right"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("scorecard.positive", None),
        ("scorecard.positive", 0),
        ("scorecard.classes", [-3, 1, 5]),
        ("scorecard.warnings", []),
        ("scorecard.curves", {}),
        ("scorecard.curves.train_loss", [None]),
        ("scorecard.work", {}),
        ("scorecard.n_train", 9.9e299),
        ("scorecard.n_test", 0),
        ("scorecard.fit_seconds", -1),
        ("scorecard.metrics.log_loss", -9.9e299),
        ("specification", None),
        ("specification.method", None),
    ],
)
def test_what_may_be_is_taken(path: str, value: Any) -> None:
    assert find_invalid(changed(path, value)) is None


def test_headline_of_a_validation_is_of_the_rows_held_out() -> None:
    figures = changed("specification.method.name", "validation")
    assert find_invalid(figures) == "metrics cannot be right"
    figures["scorecard"]["metrics"] = {"validation_accuracy": 0.5}
    assert find_invalid(figures) is None


PREDICTIONS = Predictions(
    rows=np.array([0, 7, 9]), y_true=np.array([0, 1, 1]), y_pred=np.array([1, 1, 0]), scores=None
)
CARD = Scorecard(
    metrics={"accuracy": 1 / 3},
    classes=(0, 1),
    predictions=PREDICTIONS,
    n_train=7,
    n_test=3,
    fit_seconds=0.0,
    predict_seconds=0.0,
)
LISTS, MANY = "rows and labels must be lists of integers", "there must be 3 rows and labels"
LABELS, SCORES = "labels must be among the classes [0, 1]", "scores must be numbers, a row each"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        *[
            ({name: values}, LISTS)
            for name in ("rows", "y_true", "y_pred")
            for values in (np.zeros(3), np.zeros((3, 1), int), np.zeros(3, bool), np.array("a"))
        ],
        *[({name: np.zeros(2, int)}, MANY) for name in ("rows", "y_true", "y_pred")],
        ({name: np.zeros(4, int) for name in ("rows", "y_true", "y_pred")}, MANY),
        ({"rows": np.array([0, -1, 2])}, "rows must not be negative"),
        ({"y_true": np.array([0, 1, 2])}, LABELS),
        ({"y_pred": np.array([-1, 1, 0])}, LABELS),
        ({"scores": np.zeros(3, int)}, SCORES),
        ({"scores": np.zeros((3, 2), bool)}, SCORES),
        ({"scores": np.zeros((3, 3))}, SCORES),
        ({"scores": np.zeros((3, 1))}, SCORES),
        ({"scores": np.zeros(2)}, SCORES),
        ({"scores": np.zeros((2, 3))}, SCORES),
    ],
)
def test_predictions_that_do_not_fit_are_told(changes: dict[str, Any], says: str) -> None:
    assert contradiction(replace(CARD, predictions=replace(PREDICTIONS, **changes))) == says


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"scores": np.zeros(3)},
        {"scores": np.full((3, 2), np.nan, np.float32)},
        {"rows": np.zeros(3, np.uint16)},
        {"y_pred": np.zeros(3, np.int8)},
    ],
)
def test_predictions_that_fit_are_taken(changes: dict[str, Any]) -> None:
    assert contradiction(replace(CARD, predictions=replace(PREDICTIONS, **changes))) is None


def test_no_rows_contradict_nothing() -> None:
    none = np.zeros(0, int)
    empty = Predictions(rows=none, y_true=none, y_pred=none, scores=None)
    assert contradiction(replace(CARD, predictions=empty, n_test=0)) is None
