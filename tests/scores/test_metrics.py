"""The figures against scikit-learn's own functions."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk
from sklearn.preprocessing import label_binarize

from sweepmark.errors import DataError
from sweepmark.scores import measurement, metric_names, metrics
from sweepmark.scores.predictions import Predictions
from sweepmark.scores.scorecard import Scorecard, confusion, report, report_dict

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


def predicted(y_true: Any, y_pred: Any, scores: Any = None) -> Predictions:
    return Predictions(rows=np.arange(len(y_true)), y_true=y_true, y_pred=y_pred, scores=scores)


def measure(y_true: Any, y_pred: Any, scores: Any, classes: Any, **more: Any) -> dict[str, float]:
    return measurement.measure(predicted(y_true, y_pred, scores), classes, **more)


def card_of(y_true: Any, y_pred: Any, **changes: Any) -> Scorecard:
    given: dict[str, Any] = {
        "metrics": {"accuracy": 1.0},
        "classes": CLASSES,
        "predictions": predicted(y_true, y_pred),
        "n_train": 1,
        "n_test": len(y_true),
        "fit_seconds": 0.0,
        "predict_seconds": 0.0,
    }
    return Scorecard(**given | changes)


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
    found = measure(y_true, y_pred, None, CLASSES)
    assert found == pytest.approx(expected_label_figures(y_true, y_pred), abs=1e-12)
    assert found[metric_names.ACCURACY] == sk.accuracy_score(y_true, y_pred)


@settings(max_examples=40, deadline=None)
@given(predictions())
def test_score_figures_are_means_of_the_binary_ones(drawn: tuple[Any, Any, Any]) -> None:
    y_true, y_pred, scores = drawn
    found = measure(y_true, y_pred, scores, CLASSES)
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
    found = measure(y_true, scores.argmax(axis=1), scores, range(10))
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
    one = measure(y_true, y_pred, score, (3, 8))
    assert measure(y_true, y_pred, np.column_stack([-score, score]), (3, 8)) == one
    if len(set(y_true.tolist())) == 2:
        assert one[metric_names.ROC_AUC] == pytest.approx(sk.roc_auc_score(y_true == 8, score))
        assert one[metric_names.AVERAGE_PRECISION] == pytest.approx(
            sk.average_precision_score(y_true == 8, score)
        )


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([3, 8]), st.sampled_from([3, 8])), min_size=1))
def test_two_classes_have_the_figures_of_the_second(pairs: list[tuple[int, int]]) -> None:
    y_true, y_pred = np.array(pairs).T
    found = measure(y_true, y_pred, None, (3, 8))
    triple = sk.precision_recall_fscore_support(
        y_true, y_pred, labels=[3, 8], average="binary", pos_label=8, zero_division=0
    )
    for name, value in zip(metrics.POSITIVE_NAMES, triple[:3], strict=True):
        assert found[name] == pytest.approx(value)


def test_the_first_of_two_classes_may_be_the_positive_one() -> None:
    y_true, y_pred = np.array([3, 3, 3, 8, 8]), np.array([3, 3, 8, 3, 8])
    score = np.array([0.9, 0.4, 0.3, 0.6, 0.1])  # of class 3
    triple = sk.precision_recall_fscore_support(
        y_true, y_pred, average="binary", pos_label=3, zero_division=0
    )
    expected = dict(zip(metrics.POSITIVE_NAMES, triple[:3], strict=True)) | {
        metric_names.ROC_AUC: sk.roc_auc_score(y_true == 3, score),
        metric_names.AVERAGE_PRECISION: sk.average_precision_score(y_true == 3, score),
    }
    for scores in (score, score[:, np.newaxis], np.column_stack([score, -2 * score])):
        found = measure(y_true, y_pred, scores, (3, 8), positive=3)
        assert {name: found[name] for name in expected} == pytest.approx(expected)
    assert measure(y_true, y_pred, None, (3, 8)) == measure(
        y_true, y_pred, None, (3, 8), positive=8
    )


def test_recalls_are_named_as_the_file_calls_its_classes() -> None:
    y_true, y_pred = np.array([0, 0, 7]), np.array([0, 2, 7])
    found = measure(y_true, y_pred, None, CLASSES, called=("no", "a", "b", "yes"))
    recalls = {name: value for name, value in found.items() if metric_names.is_recall(name)}
    assert recalls == {"recall_no": 0.5, "recall_yes": 1.0}


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(1e-3, 10))
def test_log_loss_is_that_of_scikit_learn(seed: int, spread: float) -> None:
    generator = np.random.default_rng(seed)
    probabilities = generator.dirichlet([spread] * len(CLASSES), 20)
    y = generator.choice(CLASSES, 20)
    expected = sk.log_loss(y, probabilities, labels=CLASSES)
    assert measurement.log_loss(y, probabilities, CLASSES) == pytest.approx(expected)


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
@pytest.mark.parametrize(
    "shares", [[[0.0, 1.0], [1.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]], [[1e-12, 1.0], [0.25, 0.75]]]
)
def test_log_loss_of_none_and_all_goes_by_the_precision_of_the_answer(
    shares: list[list[float]], dtype: str
) -> None:
    probabilities = np.array(shares, dtype=dtype)
    expected = sk.log_loss([8, 3], probabilities, labels=[3, 8])
    found = measurement.log_loss(np.array([8, 3]), probabilities, (3, 8))
    assert type(found) is float
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-30)


def test_one_class_has_no_score_figures() -> None:
    y = np.array([4, 4, 4])
    found = measure(y, y, np.array([0.1, 0.2, 0.3]), (4,))
    assert found[metric_names.ACCURACY] == 1.0
    assert found[metric_names.recall(4)] == 1.0
    assert metric_names.PRECISION not in found
    assert metric_names.ROC_AUC not in found


def test_nan_scores_leave_their_figures_out() -> None:
    y = np.array([0, 2])
    scores = np.full((2, 4), np.nan)
    assert metric_names.ROC_AUC not in measure(y, y, scores, CLASSES)


def test_infinite_scores_tie_with_each_other() -> None:
    y = np.array([0, 1, 0, 1])
    score = np.array([-np.inf, np.inf, np.inf, np.inf])
    assert measure(y, y, score, (0, 1))[metric_names.ROC_AUC] == 0.75


@settings(max_examples=40, deadline=None)
@given(predictions())
def test_report_is_that_of_scikit_learn(drawn: tuple[Any, Any, Any]) -> None:
    y_true, y_pred, _ = drawn
    card = card_of(y_true, y_pred)
    expected = sk.classification_report(y_true, y_pred, output_dict=True, zero_division=0)
    assert report_dict(card) == expected
    assert list(report_dict(card)) == list(expected)
    assert report(card) == sk.classification_report(y_true, y_pred, digits=4, zero_division=0)


@pytest.mark.parametrize("name", ["validation_accuracy", "pooled_accuracy"])
def test_report_calls_the_accuracy_as_it_is_called(name: str) -> None:
    y_true, y_pred = np.array([0, 2, 3, 7]), np.array([0, 2, 7, 7])
    named, plain = card_of(y_true, y_pred, metrics={name: 0.75}), card_of(y_true, y_pred)
    assert report_dict(named) == {
        name if key == "accuracy" else key: value for key, value in report_dict(plain).items()
    }
    longer = len(name) - len("weighted avg")
    expected = [f"{' ' * longer}{line}".rstrip() for line in report(plain).splitlines()]
    found = [line.rstrip() for line in report(named).splitlines()]
    assert [line for line in found if name not in line] == [
        line for line in expected if "accuracy" not in line
    ]
    (line,) = (line for line in found if name in line)
    assert line.startswith(f"{name} ")
    assert line.split() == [name, "0.7500", "4"]
    assert len(line) == len(found[0])


@settings(max_examples=40, deadline=None)
@given(predictions())
def test_pairs_are_the_confusion_matrix(drawn: tuple[Any, Any, Any]) -> None:
    y_true, y_pred, _ = drawn
    pairs = confusion(card_of(y_true, y_pred))
    assert pairs.dtype == np.int64
    assert (pairs == sk.confusion_matrix(y_true, y_pred, labels=CLASSES)).all()


@pytest.mark.parametrize("label", [-1, 1, 8])
def test_unknown_labels_are_refused(label: int) -> None:
    with pytest.raises(DataError, match=rf"one of the classes \[0, 2, 3, 7\].*\[{label}\]"):
        measure(np.array([0, label]), np.array([0, 0]), None, CLASSES)


def test_no_rows_are_refused() -> None:
    empty = np.array([], dtype=np.int64)
    with pytest.raises(DataError, match="at least one row"):
        measure(empty, empty, None, CLASSES)


@pytest.mark.parametrize("shape", [(3, 6), (3,), (2, 4)])
def test_scores_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    y = np.array([0, 2, 3])
    with pytest.raises(DataError, match=r"one column per class, \(3, 4\)"):
        measure(y, y, np.zeros(shape), CLASSES)


def test_names_are_listed_once() -> None:
    assert len(set(metrics.NAMES)) == len(metrics.NAMES)
