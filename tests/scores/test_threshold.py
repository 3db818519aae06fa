"""Thresholds: written as a number or a rule, chosen on training rows only."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import precision_recall_curve
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from sweepmark.errors import ConfigurationError, DataError
from sweepmark.evaluation.evaluate import evaluate
from sweepmark.scores.merging import merge
from sweepmark.scores.threshold import Rule, choose_threshold, parse_threshold
from sweepmark.specification import models
from sweepmark.specification.specify import specify, specify_test
from sweepmark.specification.split import split_rows
from tiny import config, digits

DETECTOR = ("task=is_digit", "classifier=logistic", "preprocess=scale")
Y = np.array([0, 0, 1, 0, 1, 1], dtype=bool)
SCORES = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])


def specifications(*groups: str, **values: Any) -> Any:
    return specify(config(*DETECTOR, *groups, task__positive=8, **values), digits())


class TestParse:
    @pytest.mark.parametrize(
        ("text", "rule"),
        [
            ("precision>=0.9", Rule("precision", 0.9)),
            ("recall >= .95", Rule("recall", 0.95)),
            ("recall>=1", Rule("recall", 1.0)),
        ],
    )
    def test_rule_is_read(self, text: str, rule: Rule) -> None:
        assert parse_threshold(text) == rule
        assert parse_threshold(str(rule)) == rule

    @pytest.mark.parametrize("share", ["0.9", "1", "0.00001", "0.9999999", ".5"])
    def test_rule_is_written_as_it_is_read(self, share: str) -> None:
        rule = parse_threshold(f"recall>={share}")
        assert parse_threshold(str(rule)) == rule
        assert str(parse_threshold("precision>=0.90")) == "precision>=0.9"

    def test_number_is_one(self) -> None:
        assert parse_threshold(3) == 3.0

    @pytest.mark.parametrize(
        "value",
        ["0.5", "precision>0.9", "precision>=0", "precision>=1.5", "f1>=0.9", "", "recall>=0.9;",
         "recall>=nan", "precision>=0.9 or recall>=0.5", float("nan"), float("inf")],
    )  # fmt: skip
    def test_anything_else_is_refused(self, value: Any) -> None:
        with pytest.raises(ConfigurationError, match="must be a number, or a rule"):
            parse_threshold(value)


class TestChoose:
    def test_precision_finds_as_many_as_it_can(self) -> None:
        assert choose_threshold(Rule("precision", 0.75), Y, SCORES) == 0.3
        assert choose_threshold(Rule("precision", 1.0), Y, SCORES) == 0.5

    def test_recall_takes_as_few_for_positive_as_it_can(self) -> None:
        assert choose_threshold(Rule("recall", 0.6), Y, SCORES) == 0.5
        assert choose_threshold(Rule("recall", 1.0), Y, SCORES) == 0.3

    def test_rule_that_nothing_satisfies_says_what_would_be_possible(self) -> None:
        with pytest.raises(DataError, match=r"highest precision is 0\.5000"):
            choose_threshold(Rule("precision", 0.9), ~Y, SCORES)

    def test_lost_scores_are_no_scores(self) -> None:
        with pytest.raises(DataError, match="NaN"):
            choose_threshold(Rule("precision", 0.9), Y, np.full(6, np.nan))


def test_rule_is_applied_to_cross_validated_scores_of_the_training_part() -> None:
    (one,) = specifications(evaluation__threshold="precision>=0.9", evaluation__n_splits=3)
    card = evaluate(one)
    train, test = split_rows(one.split, digits())
    X, y = digits().train.X / 16, digits().train.y == 8
    classifier = LogisticRegression(random_state=0)
    scores = cross_val_predict(
        classifier, X[train], y[train], cv=StratifiedKFold(3), method="decision_function"
    )
    precisions, _, thresholds = precision_recall_curve(y[train], scores)
    expected = thresholds[np.argmax(precisions >= 0.9)]
    assert card.metrics["threshold"] == pytest.approx(expected, rel=1e-12)
    found = classifier.fit(X[train], y[train]).decision_function(X[test]) >= expected
    np.testing.assert_array_equal(card.predictions.y_pred, found)


def test_number_is_the_lowest_score_that_counts_as_positive_and_stays_in_the_model() -> None:
    (plain,), (moved,) = (
        specifications(**values) for values in ({}, {"evaluation__threshold": -3.0})
    )
    first, second = evaluate(plain), evaluate(moved, keep_model=True)
    scores = second.predictions.scores
    assert scores is not None
    np.testing.assert_array_equal(first.predictions.scores, scores)
    np.testing.assert_array_equal(second.predictions.y_pred, scores >= -3.0)
    assert "threshold" not in first.metrics
    assert second.metrics["threshold"] == -3.0
    assert second.model is not None
    model = models.load(second.model)
    X = digits().train.X[second.predictions.rows]
    np.testing.assert_array_equal(model.predict(X), second.predictions.y_pred)


def test_probabilities_have_thresholds_too() -> None:
    (one,) = specifications("classifier=knn", evaluation__threshold=0.2)
    card = evaluate(one, keep_model=True)
    assert card.predictions.scores is not None
    np.testing.assert_array_equal(card.predictions.y_pred, card.predictions.scores >= 0.2)
    assert card.model is not None
    X = digits().train.X[card.predictions.rows]
    np.testing.assert_array_equal(models.load(card.model).predict(X), card.predictions.y_pred)


def test_folds_share_a_number() -> None:
    folds = specifications("evaluation=cv", evaluation__threshold=1, evaluation__n_splits=3)
    merged = merge([evaluate(fold) for fold in folds])
    assert merged.metrics["threshold"] == 1.0
    assert merged.predictions.scores is not None
    np.testing.assert_array_equal(merged.predictions.y_pred, merged.predictions.scores >= 1.0)


def test_chosen_recipe_chooses_its_threshold_on_the_whole_training_part() -> None:
    values = {"evaluation__threshold": "recall>=0.9", "evaluation__n_splits": 3}
    asked = config(*DETECTOR, "evaluation=validation", task__positive=8, **values)
    (held_out,), final = specify(asked, digits()), specify_test(asked, digits())
    (plain,) = specifications(**values)
    assert final.key == plain.key != held_out.key


@pytest.mark.parametrize(
    ("groups", "values", "part"),
    [
        (["task=multiclass", "classifier=logistic"], {"evaluation__threshold": 0.5}, "two classes"),
        ([*DETECTOR, "evaluation=cv"], {"evaluation__threshold": "recall>=0.9"}, "takes a number"),
        ([*DETECTOR], {"evaluation__threshold": "high"}, "must be a number, or a rule"),
        (
            [*DETECTOR],
            {"evaluation__threshold": "recall>=0.9", "evaluation__n_splits": 30},
            r"at least evaluation\.n_splits=30",
        ),
    ],
)
def test_what_cannot_be_chosen_is_refused_before_anything_starts(
    groups: list[str], values: dict[str, Any], part: str
) -> None:
    positive = {} if "task=multiclass" in groups else {"task__positive": 8}
    with pytest.raises(ConfigurationError, match=part):
        specify(config(*groups, **positive, **values), digits())
