"""Rows ranked by a score, against scikit-learn's curves, and where classifiers draw the line."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_curve, roc_curve

from sweepmark.scores.ranking import Ranking, neutral_score

PAIRS = st.lists(
    st.tuples(st.booleans(), st.sampled_from([-1.5, 0.0, 0.25, 0.5, 7.0])), min_size=2
).filter(lambda pairs: len({positive for positive, _ in pairs}) == 2)


@given(PAIRS)
def test_curves_are_those_of_scikit_learn(pairs: list[tuple[bool, float]]) -> None:
    y, scores = (np.array(column) for column in zip(*pairs, strict=True))
    ranking = Ranking.of(y, scores)
    assert ranking.has_both
    precision, recall, thresholds = precision_recall_curve(y, scores)
    np.testing.assert_array_equal(ranking.thresholds, thresholds[::-1])
    np.testing.assert_allclose(ranking.precision, precision[-2::-1])
    np.testing.assert_allclose(ranking.recall, recall[-2::-1])
    fall_out, hit_rate, _ = roc_curve(y, scores, drop_intermediate=False)
    np.testing.assert_allclose(ranking.fall_out, fall_out[1:])
    np.testing.assert_allclose(ranking.recall, hit_rate[1:])


@pytest.mark.parametrize("positive", [False, True])
def test_rows_of_one_class_are_not_both(*, positive: bool) -> None:
    ranking = Ranking.of(np.array([positive] * 3), np.array([0.5, 0.25, 0.5]))
    assert not ranking.has_both
    assert ranking.thresholds.tolist() == [0.5, 0.25]
    assert (ranking.hits if positive else ranking.falls).tolist() == [2, 3]


@pytest.mark.parametrize(
    ("scores", "line"),
    [
        ([0.0, 1.0], 0.5),
        ([0.0], 0.5),
        ([1.0], 0.5),
        ([[0.25, 0.75]], 0.5),
        ([-1e-9, 0.5], 0.0),
        ([0.5, 1.0 + 1e-9], 0.0),
        ([-3.0, 3.0], 0.0),
        ([], 0.0),
        ([0.5, float("nan")], 0.0),
    ],
)
def test_line_is_a_half_of_shares_and_zero_of_distances(scores: list[float], line: float) -> None:
    assert neutral_score(np.array(scores)) == line
