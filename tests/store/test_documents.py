"""What an evaluation.json and its predictions may say, part by part."""

from __future__ import annotations

import copy
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sweepmark.scores.predictions import Predictions
from sweepmark.store.documents import contradiction, find_invalid

FIGURES: dict[str, Any] = {
    "specification": {"method": {"name": "test"}},
    "scorecard": {
        "recorded": {"log_loss": 0.5},
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
COUNTS, SECONDS = ("n_train", "n_test", "n_positive"), ("fit_seconds", "predict_seconds")
WRONG: dict[str, list[Any]] = {
    "origin.sweep_id": [None, 3, ["s-1"]],
    "origin.more": [1],
    **{f"origin.{name}": NO_NUMBERS for name in ("trial", "started", "ended")},
    "specification": [None, [], "text"],
    "scorecard.recorded": [None, [], ["log_loss"]],
    "scorecard.recorded.log_loss": NO_NUMBERS,
    "scorecard.metrics": [{"accuracy": 0.5}],
    "scorecard.classes": [[0, "1", 5], [0, 1.5, 5], [0, None, 5], [1, 0, 5], [0, 5, 5]],
    "scorecard.names": [None, "abc", {"a": 1, "b": 2, "c": 3}, ["a", "b", 3]],
    "scorecard.positive": [True, 1.0, "1", [1]],
    "scorecard.warnings": [None, "text", {"text": 1}, ["text", 1], [None]],
    **{f"scorecard.{name}": [*NO_NUMBERS, -1, 0.5] for name in COUNTS},
    **{f"scorecard.{name}": NO_NUMBERS for name in SECONDS},
    "scorecard.curves": [None, [], [[1.0]], {"loss": []}, {"loss": 3}, {"loss": {"1": 2}}],
    "scorecard.curves.train_loss": [[0.5, True], [0.5, "1"], ["1", 0.5], [ABOVE]],
    "scorecard.work": [None, [], [3]],
    "scorecard.work.kernel_hits": NO_NUMBERS,
}  # fmt: skip


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
    name = ".".join(path.split(".")[: 2 if path.startswith("scorecard") else 1])
    assert find_invalid(changed(path, value)) == f"{name} cannot be right"


@pytest.mark.parametrize("part", ["scorecard", "origin"])
@pytest.mark.parametrize("value", [None, [], "text"])
def test_part_that_is_no_mapping_is_lacking(part: str, value: Any) -> None:
    assert find_invalid(changed(part, value)) == f"{part} cannot be right"
    assert find_invalid([FIGURES]) == "the document cannot be right"


@pytest.mark.parametrize("name", FIGURES["origin"])
def test_origin_must_be_whole(name: str) -> None:
    figures = copy.deepcopy(FIGURES)
    del figures["origin"][name]
    assert find_invalid(figures) == "origin cannot be right"


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
        ("scorecard.fit_seconds", -1),
        ("scorecard.recorded.log_loss", -9.9e299),
        ("scorecard.recorded", {}),
        ("origin.trial", -1),
        ("specification.method", None),
    ],
)
def test_what_may_be_is_taken(path: str, value: Any) -> None:
    assert find_invalid(changed(path, value)) is None


PREDICTIONS = Predictions(
    rows=np.array([0, 7, 9]), y_true=np.array([0, 1, 1]), y_pred=np.array([1, 1, 0]), scores=None
)
CARD: dict[str, Any] = {"classes": [0, 1], "names": ["no", "yes"], "positive": 1, "n_test": 3}
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
    assert contradiction(CARD, replace(PREDICTIONS, **changes)) == says


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
    assert contradiction(CARD, replace(PREDICTIONS, **changes)) is None


def test_no_rows_are_told() -> None:
    none = np.zeros(0, int)
    empty = Predictions(rows=none, y_true=none, y_pred=none, scores=None)
    assert contradiction(CARD | {"n_test": 0}, empty) == "there must be some rows and labels"


def test_a_list_of_scores_is_of_two_classes() -> None:
    more = {"classes": [0, 1, 5], "names": ["a", "b", "c"]}
    assert contradiction(CARD | more, replace(PREDICTIONS, scores=np.zeros(3))) == SCORES
    assert contradiction(CARD | more, replace(PREDICTIONS, scores=np.zeros((3, 3)))) is None


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"names": ["no"]}, "there must be a name for each class"),
        ({"names": ["a", "b", "c"]}, "there must be a name for each class"),
        ({"positive": 4}, "the positive class must be among the classes [0, 1]"),
    ],
)
def test_names_and_the_positive_class_are_those_of_classes(
    changes: dict[str, Any], says: str
) -> None:
    assert contradiction(CARD | changes, PREDICTIONS) == says
    assert contradiction(CARD | {"positive": None}, PREDICTIONS) is None
