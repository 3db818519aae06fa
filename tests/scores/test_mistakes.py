"""The close look at a Scorecard."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweepmark.errors import DataError, NotFoundError
from sweepmark.scores.mistakes import (
    Confusion,
    Mistake,
    accuracy_per_label,
    errors,
    most_confused,
    ranking,
    taken_for,
)
from sweepmark.scores.scorecard import Predictions, Scorecard


def card(
    y_true: list[int],
    y_pred: list[int],
    scores: list[float] | list[list[float]] | None = None,
    **figures: float,
) -> Scorecard:
    classes = tuple(sorted({*y_true, *y_pred}))
    predictions = Predictions(
        rows=np.arange(100, 100 + len(y_true)),
        y_true=np.array(y_true),
        y_pred=np.array(y_pred),
        scores=None if scores is None else np.array(scores, dtype=np.float64),
    )
    return Scorecard(
        metrics=figures,
        classes=classes,
        predictions=predictions,
        n_train=1,
        n_test=len(y_true),
        fit_seconds=0.0,
        predict_seconds=0.0,
    )


def test_sevens_are_counted_by_what_they_were_taken_for() -> None:
    seen = card([7, 7, 7, 7, 7, 9], [9, 1, 9, 7, 2, 9])
    assert list(taken_for(seen, 7).items()) == [(9, 2), (1, 1), (2, 1)]
    assert taken_for(seen, 9) == {}


def test_accuracy_per_label_counts_rows_that_have_it() -> None:
    found = accuracy_per_label(card([7, 7, 9], [7, 9, 7]))
    assert [(item.label, item.n_correct, item.n_rows) for item in found] == [(7, 1, 2), (9, 0, 1)]
    assert found[0].accuracy == 0.5
    assert accuracy_per_label(card([7, 7], [7, 9]))[1].accuracy is None


def test_most_confused() -> None:
    seen = card([7, 7, 7, 7, 7, 1, 9], [7, 9, 2, 9, 1, 7, 9])
    assert most_confused(seen, limit=2) == [Confusion(7, 9, 2), Confusion(1, 7, 1)]
    assert most_confused(card([1, 2], [1, 2])) == []


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1))
def test_the_counts_add_up(pairs: list[tuple[int, int]]) -> None:
    seen = card([a for a, _ in pairs], [b for _, b in pairs])
    per_label = accuracy_per_label(seen)
    assert sum(each.n_rows for each in per_label) == len(pairs)
    for each in per_label:
        counts = taken_for(seen, each.label)
        assert sum(counts.values()) == each.n_rows - each.n_correct
        assert list(counts.values()) == sorted(counts.values(), reverse=True)
        assert each.label not in counts
        assert len(errors(seen, each.label)) == sum(counts.values())
    confused = most_confused(seen, limit=25)
    assert sum(each.n_rows for each in confused) == sum(a != b for a, b in pairs)
    assert [each.n_rows for each in confused] == sorted(
        (each.n_rows for each in confused), reverse=True
    )


def test_errors_come_most_confident_first() -> None:
    scores = [[0.1, 0.9, 0.0], [0.0, 0.4, 0.6], [0.7, 0.2, 0.1], [0.5, 0.3, 0.2]]
    seen = card([1, 1, 3, 1], [2, 3, 1, 1], scores)
    assert [(item.row, item.predicted) for item in errors(seen, 1)] == [(100, 2), (101, 3)]
    assert [item.row for item in errors(seen)] == [100, 101, 102]
    assert errors(seen, 1)[0].margin == pytest.approx(0.8)


def test_two_classes_are_told_apart_by_the_distance_from_the_threshold() -> None:
    plain = card([0, 1, 0], [1, 0, 1], [0.5, -3.0, 1.0])
    assert [item.row for item in errors(plain)] == [101, 102, 100]
    moved = card([0, 1, 0], [1, 0, 1], [9.0, 7.0, 8.5], threshold=8.0)
    assert [item.row for item in errors(moved)] == [100, 101, 102]
    shares = card([0, 1], [1, 0], [0.6, 0.2])
    assert [item.row for item in errors(shares)] == [101, 100]


def test_without_scores_errors_come_in_the_order_of_rows() -> None:
    assert errors(card([1, 2, 2], [2, 1, 2])) == (
        Mistake(100, 1, 2, None),
        Mistake(101, 2, 1, None),
    )


def test_scores_must_have_a_column_a_class() -> None:
    seen = card([0, 1, 2], [1, 0, 2], [[1.0, 2.0]] * 3)
    with pytest.raises(DataError, match="a column for each of 3 classes"):
        errors(seen)


def test_ranking_by_score() -> None:
    top, bottom = ranking(card([0, 1, 0, 1], [1, 1, 0, 0], [0.5, 2.0, -1.0, 0.5]), 3)
    assert [(each.row, each.score) for each in top] == [(101, 2.0), (100, 0.5), (103, 0.5)]
    assert [(each.row, each.actual, each.predicted) for each in bottom] == [
        (102, 0, 0),
        (100, 0, 1),
        (103, 1, 0),
    ]


@pytest.mark.parametrize("scores", [None, [[1.0, 2.0, 3.0]] * 4])
def test_ranking_needs_the_scores_of_two_classes(scores: list[list[float]] | None) -> None:
    seen = card([0, 1, 0, 1], [1, 1, 0, 0], scores)
    with pytest.raises(DataError, match="ranked by the scores of two classes"):
        ranking(seen, 3)
    assert len(ranking(card([0, 1], [1, 1], [0.5, 2.0]), 20)[0]) == 2


@pytest.mark.parametrize("ask", [taken_for, errors])
def test_an_unknown_label_is_refused_with_those_there_are(ask: object) -> None:
    with pytest.raises(NotFoundError, match=r"unknown label '5'.*Options: 1, 2"):
        ask(card([1, 2], [1, 2]), 5)  # type: ignore[operator]
