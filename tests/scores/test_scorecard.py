"""Scorecards: score, merge, and the round trips that the evaluation store relies on."""

from __future__ import annotations

import io
import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    accuracy_score,
    classification_report,
    confusion_matrix,
    f1_score,
    precision_score,
    recall_score,
    roc_auc_score,
)
from sklearn.model_selection import GridSearchCV, StratifiedKFold

from sweepmark.errors import DataError
from sweepmark.scores import merging, metric_names, scorecard
from sweepmark.scores.measurement import measure
from sweepmark.scores.scorecard import Predictions, Scorecard
from sweepmark.store import documents


def make_card(
    rows: Any,
    y_true: Any,
    y_pred: Any,
    *,
    scores: Any = None,
    classes: tuple[int, ...] = tuple(range(10)),
    **changes: Any,
) -> Scorecard:
    predictions = Predictions(
        rows=np.asarray(rows), y_true=np.asarray(y_true), y_pred=np.asarray(y_pred), scores=scores
    )
    card = Scorecard(
        metrics=measure(predictions, classes),
        classes=classes,
        predictions=predictions,
        n_train=8,
        n_test=len(rows),
        fit_seconds=0.5,
        predict_seconds=0.25,
    )
    return replace(card, **changes)


def digits_folds() -> tuple[list[Scorecard], Any]:
    X, y = load_digits(return_X_y=True)
    X, y = X[:400] / 16, y[:400]
    folds = StratifiedKFold(5)
    cards = []
    for train, test in folds.split(X, y):
        fitted = LogisticRegression(C=0.1).fit(X[train], y[train])
        cards.append(
            make_card(
                test, y[test], fitted.predict(X[test]), scores=fitted.decision_function(X[test])
            )
        )
    search = GridSearchCV(LogisticRegression(), {"C": [0.1]}, cv=folds).fit(X, y)
    return cards, search.cv_results_


def test_merged_folds_give_the_figures_of_grid_search() -> None:
    cards, results = digits_folds()
    merged = merging.merge(cards)
    assert merged.metrics[metric_names.CV_ACCURACY] == pytest.approx(
        results["mean_test_score"][0], abs=1e-12
    )
    assert merged.metrics[metric_names.CV_ACCURACY_STD] == pytest.approx(
        results["std_test_score"][0], abs=1e-12
    )
    for name in (metric_names.ROC_AUC, metric_names.F1_MACRO, metric_names.recall(3)):
        mean = np.mean([card.metrics[name] for card in cards])
        assert merged.metrics[metric_names.cv(name)] == mean
    assert all(name.startswith(("cv_", "pooled_")) for name in merged.metrics)


def test_merged_folds_tell_each_ones_accuracy_unless_they_are_many() -> None:
    cards, _ = digits_folds()
    merged = merging.merge(cards)
    for number, card in enumerate(cards, start=1):
        assert merged.metrics[f"cv_accuracy_fold_{number}"] == card.metrics[metric_names.ACCURACY]
    many = merging.merge([cards[0]] * 21)
    assert not any("_fold_" in name for name in many.metrics)


def test_pooled_figures_are_those_of_all_out_of_fold_predictions() -> None:
    cards, _ = digits_folds()
    merged = merging.merge(cards)
    y, y_pred = merged.predictions.y_true, merged.predictions.y_pred
    assert merged.metrics["pooled_accuracy"] == accuracy_score(y, y_pred)
    assert merged.metrics["pooled_f1_macro"] == pytest.approx(f1_score(y, y_pred, average="macro"))
    assert not any(name.startswith("pooled_recall_3") for name in merged.metrics)


def test_pooled_figures_of_two_classes_are_the_second_ones() -> None:
    generator = np.random.default_rng(0)
    cards = []
    for _ in range(3):
        y, scores = generator.integers(0, 2, 40), generator.normal(size=40)
        y_pred = (scores > 0).astype(int)
        cards.append(make_card(np.arange(40), y, y_pred, scores=scores, classes=(0, 1)))
    merged = merging.merge(cards).metrics
    every = [
        np.concatenate([getattr(card.predictions, name) for card in cards])
        for name in ("y_true", "y_pred", "scores")
    ]
    assert merged["pooled_precision"] == precision_score(every[0], every[1])
    assert merged["pooled_recall"] == recall_score(every[0], every[1])
    assert merged["pooled_f1"] == pytest.approx(f1_score(every[0], every[1]))
    assert merged["pooled_roc_auc"] == pytest.approx(roc_auc_score(every[0], every[2]))
    assert merged["cv_precision"] == np.mean([card.metrics["precision"] for card in cards])


def test_merged_predictions_are_out_of_fold_and_sorted_by_row() -> None:
    cards, _ = digits_folds()
    merged = merging.merge(cards[::-1])
    assert (merged.predictions.rows == np.arange(400)).all()
    for card in cards:
        part = card.predictions
        assert (merged.predictions.y_pred[part.rows] == part.y_pred).all()
        assert (merged.predictions.y_true[part.rows] == part.y_true).all()
        assert part.scores is not None
        assert merged.predictions.scores is not None
        assert (merged.predictions.scores[part.rows] == part.scores).all()


def test_merge_adds_up_what_folds_cost() -> None:
    first = make_card([0, 1], [0, 1], [0, 1], warnings=("b", "a"), model=b"m", n_train=7)
    second = make_card([2], [0], [1], warnings=("a", "c"))
    merged = merging.merge([first, second])
    assert (merged.n_train, merged.n_test) == (7, 3)
    assert (merged.fit_seconds, merged.predict_seconds) == (1.0, 0.5)
    assert merged.warnings == ("b", "a", "c")
    assert merged.model is None
    assert merged.predictions.scores is None


def test_merge_drops_scores_that_one_fold_lacks() -> None:
    first = make_card([0], [0], [0], scores=np.zeros((1, 10)))
    assert merging.merge([first, make_card([1], [0], [0])]).predictions.scores is None


def test_merge_leaves_out_what_one_fold_lacks() -> None:
    merged = merging.merge([make_card([0, 1], [0, 1], [0, 1]), make_card([2], [0], [0])])
    assert metric_names.cv(metric_names.recall(0)) in merged.metrics
    assert metric_names.cv(metric_names.recall(1)) not in merged.metrics


def test_merge_refuses_folds_that_do_not_belong_together() -> None:
    card = make_card([0], [0], [0])
    with pytest.raises(DataError, match="same classes"):
        merging.merge([card, replace(card, classes=(0, 1))])
    with pytest.raises(DataError, match="same classes"):
        merging.merge([])


def test_report_and_confusion_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(3)
    y_true, y_pred = rng.integers(0, 10, (2, 300))
    card = make_card(np.arange(300), y_true, y_pred)
    assert (scorecard.confusion(card) == confusion_matrix(y_true, y_pred)).all()
    assert scorecard.report(card) == classification_report(
        y_true, y_pred, digits=4, zero_division=0
    )
    expected = classification_report(y_true, y_pred, output_dict=True, zero_division=0)
    assert scorecard.report_dict(card)["macro avg"] == pytest.approx(expected["macro avg"])
    assert json.loads(json.dumps(scorecard.report_dict(card))) == scorecard.report_dict(card)


@pytest.mark.parametrize(
    ("named", "name"),
    [
        (("accuracy",), "accuracy"),
        (("accuracy", "validation_accuracy"), "accuracy"),
        (("validation_accuracy",), "validation_accuracy"),
        (("cv_accuracy", "pooled_accuracy"), "pooled_accuracy"),
        ((), "accuracy"),
    ],
)
def test_accuracy_is_called_after_the_rows_it_is_of(named: tuple[str, ...], name: str) -> None:
    card = make_card([0, 1, 2], [0, 1, 1], [0, 1, 0], metrics=dict.fromkeys(named, 0.5))
    assert card.accuracy_name == name
    assert card.name_of("roc_auc") == name.replace("accuracy", "roc_auc")
    described = scorecard.report_dict(card)
    assert described[name] == 2 / 3
    assert (name == "accuracy") == ("accuracy" in described)
    text = scorecard.report(card)
    (line,) = [line for line in text.splitlines() if "accuracy" in line]
    assert line.split() == [name, "0.6667", "3"]
    assert len({len(line) for line in text.splitlines() if line}) == 1


def test_document_is_plain_json_and_comes_back() -> None:
    card = make_card([3, 4], [1, 2], [1, 1], warnings=("did not converge",))
    text = json.dumps(documents.document(card), allow_nan=False)
    back = documents.from_document(json.loads(text), card.predictions, card.metrics)
    for name in Scorecard.__slots__:
        assert getattr(back, name) == getattr(card, name), name


def test_document_leaves_out_what_is_not_finite() -> None:
    card = make_card([0], [0], [0], recorded={"a": math.nan, "b": math.inf, "c": 1.0})
    assert documents.document(card)["recorded"] == {"c": 1.0}


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 30), st.sampled_from([None, 1, 10]))
def test_predictions_come_back_bit_by_bit(n: int, n_columns: int | None) -> None:
    rng = np.random.default_rng(n)
    shape = (n,) if n_columns == 1 else (n, n_columns or 0)
    predictions = Predictions(
        rows=rng.integers(0, 70_000, n),
        y_true=rng.integers(0, 10, n),
        y_pred=rng.integers(0, 10, n),
        scores=None if n_columns is None else rng.normal(size=shape),
    )
    content = scorecard.predictions_npz(predictions)
    assert content == scorecard.predictions_npz(predictions)
    back = scorecard.load_predictions(content)
    for name in ("rows", "y_true", "y_pred", "scores"):
        before, after = getattr(predictions, name), getattr(back, name)
        assert (before is None and after is None) or np.array_equal(before, after)
        assert before is None or before.dtype == after.dtype


@pytest.mark.parametrize("cut", [0, 1, 30, 200, -1])
def test_torn_predictions_are_refused(cut: int) -> None:
    content = scorecard.predictions_npz(make_card([0], [0], [0]).predictions)
    with pytest.raises(DataError, match=r"\.npz"):
        scorecard.load_predictions(content[:cut])


def test_pickled_predictions_are_refused() -> None:
    hostile = Predictions(
        rows=np.array([{"not": "an integer"}]), y_true=np.zeros(1), y_pred=np.zeros(1), scores=None
    )
    with pytest.raises(DataError, match="allow_pickle=False"):
        scorecard.load_predictions(scorecard.predictions_npz(hostile))


def test_common_accuracy_is_over_the_rows_all_have() -> None:
    small = make_card([10, 11], [0, 1], [0, 2])
    large = make_card([13, 11, 10, 12], [3, 1, 0, 2], [3, 1, 0, 9])
    rows = scorecard.common_rows([small, large])
    assert rows.tolist() == [10, 11]
    assert scorecard.accuracy_on(small, rows) == 0.5
    assert scorecard.accuracy_on(large, rows) == 1.0
    assert large.metrics[metric_names.ACCURACY] == 0.75


def test_common_rows_may_be_none() -> None:
    assert scorecard.common_rows([]).tolist() == []
    apart = scorecard.common_rows([make_card([0], [0], [0]), make_card([1], [0], [0])])
    assert apart.tolist() == []


@pytest.mark.parametrize("rows", [[], [0, 99]])
def test_accuracy_on_rows_that_were_not_predicted_is_refused(rows: list[int]) -> None:
    with pytest.raises(DataError, match="every row must have one prediction"):
        scorecard.accuracy_on(make_card([0, 1], [0, 1], [0, 1]), np.array(rows, dtype=np.int64))


def test_predictions_and_figures_are_given_by_name() -> None:
    """What is true and what was predicted are alike: the other way round, nobody would notice."""
    parts = [np.zeros(1, int)] * 3
    with pytest.raises(TypeError, match="positional"):
        Predictions(*parts, None)  # type: ignore[call-arg, arg-type]
    card = make_card([0], [0], [0])
    with pytest.raises(TypeError, match="positional"):
        Scorecard({}, (0,), card.predictions, 1, 1, 0.0, 0.0)  # type: ignore[call-arg]


def test_one_fold_is_a_mean_too_and_one_evaluation_is_no_fold() -> None:
    card = make_card([4, 2], [0, 1], [0, 2], n_positive=3)
    merged = merging.merge([card])
    assert merged.metrics[metric_names.CV_ACCURACY] == merged.metrics["cv_accuracy_fold_1"] == 0.5
    assert merged.predictions.rows.tolist() == [2, 4]
    assert merged.n_positive == 3
    assert merging.merge_trial([card]) is card
    both = merging.merge_trial([card, replace(card, n_positive=5)])
    assert (both.n_test, both.n_positive) == (4, 3)


@pytest.mark.parametrize(("n_folds", "are_told"), [(20, True), (21, False)])
def test_accuracies_of_twenty_folds_are_told_singly(n_folds: int, *, are_told: bool) -> None:
    merged = merging.merge([make_card([0], [0], [0])] * n_folds)
    assert (f"cv_accuracy_fold_{n_folds}" in merged.metrics) is are_told
    assert ("cv_accuracy_fold_1" in merged.metrics) is are_told
    assert "cv_accuracy_fold_0" not in merged.metrics


def test_curves_of_folds_are_averaged_epoch_by_epoch_where_all_have_them() -> None:
    folds: list[dict[str, tuple[float, ...]]] = [
        {"loss": (1.0, 2.0, 6.0), "short": (1.0, 2.0), "lacking": (1.0,)},
        {"loss": (3.0, 2.0, 0.0), "short": (1.0,)},
    ]
    assert merging.mean_curves(folds) == {"cv_loss": (2.0, 2.0, 3.0)}
    merged = merging.merge([make_card([n], [0], [0], curves=folds[n]) for n in (0, 1)])
    assert merged.curves == {"cv_loss": (2.0, 2.0, 3.0)}


def test_work_of_folds_is_added_up_whoever_had_it() -> None:
    cards = [
        make_card([n], [0], [0], work=work) for n, work in enumerate(({"a": 2}, {"a": 3, "b": 1}))
    ]
    assert merging.merge(cards).work == {"a": 5, "b": 1}


def test_threshold_of_folds_is_the_one_they_share() -> None:
    cards = [make_card([n], [0], [0], metrics={"accuracy": 1.0, "threshold": 0.3}) for n in (0, 1)]
    merged = merging.merge(cards).metrics
    assert merged["threshold"] == 0.3
    assert "cv_threshold" not in merged


def test_positive_class_is_the_second_of_two_unless_said_otherwise() -> None:
    two = make_card([0], [0], [0], classes=(0, 4))
    assert (two.positive, two.names, two.positive_name) == (4, ("0", "4"), "4")
    said = replace(two, names=("no", "yes"), positive=0)
    assert (said.positive, said.positive_name) == (0, "no")
    ten = make_card([0], [0], [0])
    assert (ten.positive, ten.positive_name) == (None, None)


def test_what_is_not_said_of_an_evaluation_is_nothing() -> None:
    card = make_card([0], [0], [0])
    assert (card.n_positive, card.warnings, card.curves, card.work) == (0, (), {}, {})
    assert card.model is None
    assert "model" not in repr(replace(card, model=b"x" * 1000))


def test_report_is_of_the_names_asked_for() -> None:
    card = make_card([0, 1], [0, 1], [0, 0], classes=(0, 1), names=("no", "yes"))
    assert {"no", "yes"} < scorecard.report_dict(card).keys()
    assert {"out", "in"} < scorecard.report_dict(card, ("out", "in")).keys()


def test_file_of_predictions_says_which_classes_there_are_where_they_have_names() -> None:
    predictions = make_card([0], [0], [0]).predictions
    with np.load(io.BytesIO(scorecard.predictions_npz(predictions, classes=(0, 1)))) as arrays:
        assert set(arrays) == {"rows", "y_true", "y_pred"}
    content = scorecard.predictions_npz(predictions, classes=(0, 1), names=("no", "yes"))
    with np.load(io.BytesIO(content)) as arrays:
        assert arrays["classes"].tolist() == [0, 1]
        assert arrays["names"].tolist() == ["no", "yes"]


def test_compressed_predictions_are_refused() -> None:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, rows=np.zeros(1), y_true=np.zeros(1), y_pred=np.zeros(1))
    with pytest.raises(DataError, match="a compressed member"):
        scorecard.load_predictions(buffer.getvalue())
