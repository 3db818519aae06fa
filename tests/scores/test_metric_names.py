"""Metric names and their better ends."""

from __future__ import annotations

import pytest

from sweepmark.scores import metric_names


def test_every_name_says_whether_it_has_a_better_end() -> None:
    constants = [
        value for name, value in vars(metric_names).items() if name in metric_names.__all__
    ]
    names = [value for value in constants if isinstance(value, str)]
    stems = {name.removeprefix("cv_").removeprefix("validation_") for name in names}
    assert stems == set(metric_names.DIRECTIONS)


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
    assert metric_names.direction(prefix + name) == end


def test_a_fold_has_the_better_end_of_its_metric() -> None:
    assert metric_names.direction(metric_names.cv_fold(metric_names.ACCURACY, 1)) == "maximize"
    assert metric_names.direction(metric_names.cv_fold(metric_names.LOG_LOSS, 12)) == "minimize"


def test_what_is_asked_for_comes_first_and_more_is_better_where_nobody_knows() -> None:
    assert metric_names.better_end("cv_accuracy_std", "minimize") == "minimize"
    assert metric_names.better_end("cv_log_loss") == "minimize"
    assert metric_names.better_end(None) == "maximize"
