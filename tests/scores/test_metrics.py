"""The figures against scikit-learn's own functions."""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk
from sklearn.preprocessing import label_binarize

from sweepmark.errors import DataError
from sweepmark.scores import classification_report, metric_names, metrics

CLASSES = (0, 2, 3, 7)


@st.composite
def predictions(draw: st.DrawFn) -> tuple[Any, Any, Any]:
    n = draw(st.integers(1, 25))
    labels = st.lists(st.sampled_from(CLASSES), min_size=n, max_size=n)
    # Few distinct values, so that scores tie.
    score = st.sampled_from([-1.5, 0.0, 0.1, 0.2, 3.0])
    rows = st.lists(score, min_size=n * len(CLASSES), max_size=n * len(CLASSES))
    y_true, y_pred, scores = draw(labels), draw(labels), draw(rows)
    return np.array(y_true), np.array(y_pred), np.array(scores).reshape(n, -1)


def expected_label_figures(y_true: Any, y_pred: Any) -> dict[str, float]:
    found: dict[str, float] = {metric_names.ACCURACY: sk.accuracy_score(y_true, y_pred)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of classes predicted only, of averages over one class
        found[metric_names.BALANCED_ACCURACY] = sk.balanced_accuracy_score(y_true, y_pred)
        for average in ("macro", "weighted"):
            triple = sk.precision_recall_fscore_support(
                y_true, y_pred, average=average, zero_division=0
            )
            for name, value in zip(("precision", "recall", "f1"), triple[:3], strict=True):
                found[f"{name}_{average}"] = value
    for label in set(y_true.tolist()):
        found[f"recall_{label}"] = float(np.mean(y_pred[y_true == label] == label))
    return found


@settings(max_examples=40, deadline=None)
@given(predictions())
def test_label_figures_are_those_of_scikit_learn(drawn: tuple[Any, Any, Any]) -> None:
    y_true, y_pred, _ = drawn
    found = metrics.measure(y_true, y_pred, None, CLASSES)
    assert found == pytest.approx(expected_label_figures(y_true, y_pred), abs=1e-12)
    assert found[metric_names.ACCURACY] == sk.accuracy_score(y_true, y_pred)


@settings(max_examples=40, deadline=None)
@given(predictions())
def test_score_figures_are_means_of_the_binary_ones(drawn: tuple[Any, Any, Any]) -> None:
    y_true, y_pred, scores = drawn
    found = metrics.measure(y_true, y_pred, scores, CLASSES)
    pairs = [(y_true == label, scores[:, i]) for i, label in enumerate(CLASSES)]
    pairs = [(y, s) for y, s in pairs if y.any() and not y.all()]
    if not pairs:
        assert metric_names.ROC_AUC not in found
        assert metric_names.AVERAGE_PRECISION not in found
        return
    assert found[metric_names.ROC_AUC] == pytest.approx(
        np.mean([sk.roc_auc_score(y, s) for y, s in pairs]), abs=1e-12
    )
    assert found[metric_names.AVERAGE_PRECISION] == pytest.approx(
        np.mean([sk.average_precision_score(y, s) for y, s in pairs]), abs=1e-12
    )


def test_score_figures_equal_the_macro_average_where_every_class_occurs() -> None:
    rng = np.random.default_rng(0)
    y_true = rng.integers(0, 10, 2000)
    scores = rng.normal(size=(2000, 10)).round(1)
    scores[np.arange(2000), y_true] += 1.0
    found = metrics.measure(y_true, scores.argmax(axis=1), scores, range(10))
    truth = label_binarize(y_true, classes=range(10))
    assert found[metric_names.ROC_AUC] == pytest.approx(
        sk.roc_auc_score(truth, scores, average="macro"), abs=1e-12
    )
    assert found[metric_names.AVERAGE_PRECISION] == pytest.approx(
        sk.average_precision_score(truth, scores, average="macro"), abs=1e-12
    )


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.sampled_from([-1.0, 0.0, 0.5])), min_size=1))
def test_two_classes_give_the_same_from_one_column_or_two(pairs: list[tuple[bool, float]]) -> None:
    y_true = np.array([8 if positive else 3 for positive, _ in pairs])
    score = np.array([value for _, value in pairs])
    y_pred = np.where(score > 0, 8, 3)
    one = metrics.measure(y_true, y_pred, score, (3, 8))
    assert metrics.measure(y_true, y_pred, np.column_stack([-score, score]), (3, 8)) == one
    if len(set(y_true.tolist())) == 2:
        assert one[metric_names.ROC_AUC] == pytest.approx(sk.roc_auc_score(y_true == 8, score))
        assert one[metric_names.AVERAGE_PRECISION] == pytest.approx(
            sk.average_precision_score(y_true == 8, score)
        )


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([3, 8]), st.sampled_from([3, 8])), min_size=1))
def test_two_classes_have_the_figures_of_the_second(pairs: list[tuple[int, int]]) -> None:
    y_true, y_pred = np.array(pairs).T
    found = metrics.measure(y_true, y_pred, None, (3, 8))
    triple = sk.precision_recall_fscore_support(
        y_true, y_pred, labels=[3, 8], average="binary", pos_label=8, zero_division=0
    )
    for name, value in zip(metric_names.POSITIVE_NAMES, triple[:3], strict=True):
        assert found[name] == pytest.approx(value)


def test_the_first_of_two_classes_may_be_the_positive_one() -> None:
    y_true, y_pred = np.array([3, 3, 3, 8, 8]), np.array([3, 3, 8, 3, 8])
    score = np.array([0.9, 0.4, 0.3, 0.6, 0.1])  # of class 3
    triple = sk.precision_recall_fscore_support(
        y_true, y_pred, average="binary", pos_label=3, zero_division=0
    )
    expected = dict(zip(metric_names.POSITIVE_NAMES, triple[:3], strict=True)) | {
        metric_names.ROC_AUC: sk.roc_auc_score(y_true == 3, score),
        metric_names.AVERAGE_PRECISION: sk.average_precision_score(y_true == 3, score),
    }
    for scores in (score, score[:, np.newaxis], np.column_stack([score, -2 * score])):
        found = metrics.measure(y_true, y_pred, scores, (3, 8), positive=3)
        assert {name: found[name] for name in expected} == pytest.approx(expected)
    assert metrics.measure(y_true, y_pred, None, (3, 8)) == metrics.measure(
        y_true, y_pred, None, (3, 8), positive=8
    )


def test_recalls_are_named_as_the_file_calls_its_classes() -> None:
    y_true, y_pred = np.array([0, 0, 7]), np.array([0, 2, 7])
    found = metrics.measure(y_true, y_pred, None, CLASSES, names=("no", "a", "b", "yes"))
    recalls = {name: value for name, value in found.items() if metric_names.is_recall(name)}
    assert recalls == {"recall_no": 0.5, "recall_yes": 1.0}


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(1e-3, 10))
def test_log_loss_is_that_of_scikit_learn(seed: int, spread: float) -> None:
    generator = np.random.default_rng(seed)
    probabilities = generator.dirichlet([spread] * len(CLASSES), 20)
    y = generator.choice(CLASSES, 20)
    expected = sk.log_loss(y, probabilities, labels=CLASSES)
    assert metrics.log_loss(y, probabilities, CLASSES) == pytest.approx(expected)


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
@pytest.mark.parametrize(
    "shares", [[[0.0, 1.0], [1.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]], [[1e-12, 1.0], [0.25, 0.75]]]
)
def test_log_loss_of_none_and_all_goes_by_the_precision_of_the_answer(
    shares: list[list[float]], dtype: str
) -> None:
    probabilities = np.array(shares, dtype=dtype)
    expected = sk.log_loss([8, 3], probabilities, labels=[3, 8])
    found = metrics.log_loss(np.array([8, 3]), probabilities, (3, 8))
    assert type(found) is float
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-30)


def test_one_class_has_no_score_figures() -> None:
    y = np.array([4, 4, 4])
    found = metrics.measure(y, y, np.array([0.1, 0.2, 0.3]), (4,))
    assert found[metric_names.ACCURACY] == 1.0
    assert found[metric_names.recall(4)] == 1.0
    assert metric_names.PRECISION not in found
    assert metric_names.ROC_AUC not in found


def test_nan_scores_leave_their_figures_out() -> None:
    y = np.array([0, 2])
    scores = np.full((2, 4), np.nan)
    assert metric_names.ROC_AUC not in metrics.measure(y, y, scores, CLASSES)


def test_infinite_scores_tie_with_each_other() -> None:
    y = np.array([0, 1, 0, 1])
    score = np.array([-np.inf, np.inf, np.inf, np.inf])
    assert metrics.measure(y, y, score, (0, 1))[metric_names.ROC_AUC] == 0.75


@settings(max_examples=40, deadline=None)
@given(predictions())
def test_report_is_that_of_scikit_learn(drawn: tuple[Any, Any, Any]) -> None:
    y_true, y_pred, _ = drawn
    described = classification_report.report_values(
        metrics.count_pairs(y_true, y_pred, CLASSES), CLASSES
    )
    expected = sk.classification_report(y_true, y_pred, output_dict=True, zero_division=0)
    assert list(described) == list(expected)
    for name, row in expected.items():
        assert described[name] == pytest.approx(row, abs=1e-12)
    text = sk.classification_report(y_true, y_pred, digits=4, zero_division=0)
    if not (y_true == y_pred).any():  # then scikit-learn writes the support as 1.0; ours stays 1
        text = re.sub(r"( +)(\d+)\.0$", r"  \1\2", text, flags=re.MULTILINE)
    assert classification_report.report_text(described) == text


@settings(max_examples=40, deadline=None)
@given(predictions())
def test_pairs_are_the_confusion_matrix(drawn: tuple[Any, Any, Any]) -> None:
    y_true, y_pred, _ = drawn
    pairs = metrics.count_pairs(y_true, y_pred, CLASSES)
    assert pairs.dtype == np.int64
    assert (pairs == sk.confusion_matrix(y_true, y_pred, labels=CLASSES)).all()


@pytest.mark.parametrize("label", [-1, 1, 8])
def test_unknown_labels_are_refused(label: int) -> None:
    with pytest.raises(DataError, match=rf"one of the classes \[0, 2, 3, 7\].*\[{label}\]"):
        metrics.count_pairs(np.array([0, label]), np.array([0, 0]), CLASSES)


def test_no_rows_are_refused() -> None:
    empty = np.array([], dtype=np.int64)
    with pytest.raises(DataError, match="at least one row"):
        metrics.measure(empty, empty, None, CLASSES)


@pytest.mark.parametrize("shape", [(3, 6), (3,), (2, 4)])
def test_scores_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    y = np.array([0, 2, 3])
    with pytest.raises(DataError, match=r"one column per class, \(3, 4\)"):
        metrics.measure(y, y, np.zeros(shape), CLASSES)


def test_names_are_listed_once() -> None:
    assert len(set(metric_names.NAMES)) == len(metric_names.NAMES)
