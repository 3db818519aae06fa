"""A close look at predictions that are small enough to count by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweepmark.close_look import (
    Confusion,
    LabelAccuracy,
    ScoredRow,
    accuracy_per_label,
    confidently_wrong,
    most_confused,
    ranking,
    taken_for,
)
from sweepmark.errors import DataError
from sweepmark.scorecard import Predictions


def predicted(y_true: Any, y_pred: Any, scores: Any = None, first: int = 100) -> Predictions:
    return Predictions(
        rows=np.arange(first, first + len(y_true)),
        y_true=np.array(y_true, dtype=np.int64),
        y_pred=np.array(y_pred, dtype=np.int64),
        scores=None if scores is None else np.array(scores, dtype=np.float64),
    )


SEVENS = predicted([7, 7, 7, 7, 7, 1, 9], [7, 9, 2, 9, 1, 7, 9])


def test_what_the_sevens_were_taken_for() -> None:
    assert list(taken_for(SEVENS, 7).items()) == [(9, 2), (1, 1), (2, 1)]
    assert taken_for(SEVENS, 9) == {}
    assert taken_for(SEVENS, 4) == {}


def test_accuracy_per_label() -> None:
    found = accuracy_per_label(SEVENS, (1, 2, 7, 9))
    assert found == {
        1: LabelAccuracy(0, 1),
        2: LabelAccuracy(0, 0),
        7: LabelAccuracy(1, 5),
        9: LabelAccuracy(1, 1),
    }
    assert [each.share for each in found.values()] == [0.0, None, 0.2, 1.0]


def test_most_confused() -> None:
    assert most_confused(SEVENS, limit=2) == [Confusion(7, 9, 2), Confusion(1, 7, 1)]
    assert most_confused(predicted([1, 2], [1, 2])) == []


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1))
def test_the_counts_add_up(pairs: list[tuple[int, int]]) -> None:
    predictions = predicted([a for a, _ in pairs], [b for _, b in pairs])
    per_label = accuracy_per_label(predictions, range(5))
    assert sum(each.n_rows for each in per_label.values()) == len(pairs)
    for label, each in per_label.items():
        counts = taken_for(predictions, label)
        assert sum(counts.values()) == each.n_rows - each.n_right
        assert list(counts.values()) == sorted(counts.values(), reverse=True)
        assert label not in counts
    confused = most_confused(predictions, limit=25)
    assert sum(each.n_rows for each in confused) == sum(a != b for a, b in pairs)


def test_the_most_confidently_wrong_is_furthest_ahead_of_the_truth() -> None:
    scores = [[0.4, 0.6, 0.0], [0.0, 0.5, 0.5], [0.1, 0.9, 0.0], [0.8, 0.1, 0.1]]
    predictions = predicted([3, 3, 3, 5], [5, 5, 5, 3], scores)
    found = confidently_wrong(predictions, classes=(3, 5, 8))
    assert [(each.row, each.score) for each in found] == [
        (102, 0.9),
        (103, 0.8),
        (101, 0.5),
        (100, 0.6),
    ]
    assert [each.row for each in confidently_wrong(predictions, 5, classes=(3, 5, 8))] == [103]
    assert len(confidently_wrong(predictions, classes=(3, 5, 8), limit=2)) == 2
    assert confidently_wrong(predictions, 8, classes=(3, 5, 8)) == []


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([3.0, -4.0, 0.1, -1.0], [(101, 4.0), (100, 3.0)]),
        ([0.8, 0.1, 0.4, 0.6], [(101, 0.9), (100, 0.8)]),
    ],
)
def test_two_classes_have_one_column(
    scores: list[float], expected: list[tuple[int, float]]
) -> None:
    found = confidently_wrong(predicted([0, 1, 0, 1], [1, 0, 0, 1], scores))
    assert [each.row for each in found] == [row for row, _ in expected]
    assert [each.score for each in found] == pytest.approx([score for _, score in expected])


def test_without_scores_the_first_are_returned() -> None:
    found = confidently_wrong(SEVENS, limit=2)
    assert found == [ScoredRow(101, 7, 9, None), ScoredRow(102, 7, 2, None)]


def test_scores_must_have_a_column_a_class() -> None:
    with pytest.raises(DataError, match="a column for each of 3 classes"):
        confidently_wrong(predicted([0, 1], [1, 0], [[1, 2], [1, 2]]), classes=(0, 1, 2))


def test_ranking_by_score() -> None:
    predictions = predicted([0, 1, 0, 1], [1, 1, 0, 0], [0.5, 2.0, -1.0, 0.5])
    top, bottom = ranking(predictions, 3)
    assert [(each.row, each.score) for each in top] == [(101, 2.0), (100, 0.5), (103, 0.5)]
    assert [each.row for each in bottom] == [102, 100, 103]
    assert len(ranking(predictions, 20)[0]) == 4


@pytest.mark.parametrize("scores", [None, [[1, 2, 3]] * 4])
def test_ranking_needs_the_scores_of_two_classes(scores: Any) -> None:
    with pytest.raises(DataError, match="ranked by the scores of two classes"):
        ranking(predicted([0, 1, 0, 1], [1, 1, 0, 0], scores), 3)
