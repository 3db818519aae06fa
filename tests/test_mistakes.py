"""The close look at a Scorecard."""

from __future__ import annotations

import numpy as np
import pytest

from sweepmark.errors import NotFoundError
from sweepmark.mistakes import Mistake, accuracy_per_label, errors, taken_for
from sweepmark.scorecard import Predictions, Scorecard


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


def test_errors_come_most_confident_first() -> None:
    scores = [[0.1, 0.9, 0.0], [0.0, 0.4, 0.6], [0.7, 0.2, 0.1], [0.5, 0.3, 0.2]]
    seen = card([1, 1, 3, 1], [2, 3, 1, 1], scores)
    assert [(item.row, item.predicted) for item in errors(seen, 1)] == [(100, 2), (101, 3)]
    assert [item.row for item in errors(seen)] == [100, 101, 102]
    assert errors(seen, 1)[0].certainty == pytest.approx(0.8)


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


@pytest.mark.parametrize("ask", [taken_for, errors])
def test_an_unknown_label_is_refused_with_those_there_are(ask: object) -> None:
    with pytest.raises(NotFoundError, match=r"unknown label '5'.*Options: 1, 2"):
        ask(card([1, 2], [1, 2]), 5)  # type: ignore[operator]
