"""Metric names and their better ends."""

from __future__ import annotations

import hashlib

import pytest

from sweepmark.scores import directions, metric_names
from sweepmark.scores.metrics import METRICS


def test_every_name_says_whether_it_has_a_better_end() -> None:
    constants = [
        value for name, value in vars(metric_names).items() if name in metric_names.__all__
    ]
    names = [value for value in constants if isinstance(value, str)]
    stems = {name.removeprefix("cv_").removeprefix("validation_") for name in names}
    assert stems == {metric.name for metric in METRICS}


@pytest.mark.parametrize("prefix", ["", "cv_", "validation_", "pooled_", "train_", "cv_train_"])
@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("accuracy", "maximize"),
        ("roc_auc", "maximize"),
        ("recall_7", "maximize"),
        ("recall_-1", "maximize"),
        ("recall_churned", "maximize"),
        ("log_loss", "minimize"),
        ("loss", "minimize"),
        ("accuracy_std", None),
        ("fit_seconds", None),
        ("threshold", None),
        ("nonsense", None),
    ],
)
def test_what_it_was_computed_on_does_not_change_the_better_end(
    prefix: str, name: str, end: str | None
) -> None:
    assert directions.direction(prefix + name) == end


def test_a_fold_has_the_better_end_of_its_metric() -> None:
    assert directions.direction(metric_names.cv_fold(metric_names.ACCURACY, 1)) == "maximize"
    assert directions.direction(metric_names.cv_fold(metric_names.LOG_LOSS, 12)) == "minimize"


def test_what_is_asked_for_comes_first_and_more_is_better_where_nobody_knows() -> None:
    assert directions.better_end("cv_accuracy_std", "minimize") == "minimize"
    assert directions.better_end("cv_log_loss") == "minimize"
    assert directions.better_end(None) == "maximize"


@pytest.mark.parametrize(
    ("label", "name"),
    [
        (7, "recall_7"),
        (-1, "recall_-1"),
        ("a b.c-d_e", "recall_a b.c-d_e"),
        ("50 %/~", "recall_50 :25::2f::7e:"),
        ("\U0001f600", "recall_:1f600:"),
        ("macro", "recall_:6d:acro"),
        ("weighted", "recall_:77:eighted"),
        ("macro ", "recall_macro "),
    ],
)
def test_recall_is_named_for_its_label_as_far_as_mlflow_takes_it(
    label: int | str, name: str
) -> None:
    assert metric_names.recall(label) == name
    assert metric_names.is_recall(name)


def test_long_label_is_cut_and_told_apart_by_its_digest() -> None:
    assert metric_names.recall("x" * 100) == "recall_" + "x" * 100
    digest = hashlib.sha256(b"x" * 101).hexdigest()
    assert metric_names.recall("x" * 101) == f"recall_{'x' * 100}/{digest}"
    assert metric_names.recall("x" * 101) != metric_names.recall("x" * 102)
    assert len(metric_names.recall("%" * 100)) <= 250  # MLflow's names


def test_recall_is_of_one_class() -> None:
    for name in ("recall_macro", "recall_weighted", "recall", "accuracy", "cv_recall_7"):
        assert not metric_names.is_recall(name)


def test_fold_is_one_of_a_cross_validation() -> None:
    assert metric_names.cv_fold(metric_names.ACCURACY, 3) == "cv_accuracy_fold_3"
    assert directions.direction("accuracy_fold_3") is None
    assert directions.direction("cv_nonsense_fold_3") is None


@pytest.mark.parametrize(("name", "is_so"), [("validation_loss", True), ("loss", False)])
def test_validation_is_known_by_its_prefix(name: str, *, is_so: bool) -> None:
    assert metric_names.is_validation(name) is is_so
    assert metric_names.validation("loss") == "validation_loss"
    assert metric_names.train("loss") == "train_loss"
    assert metric_names.pooled("loss") == "pooled_loss"
