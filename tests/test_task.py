"""Tasks: every label as it stands, or one against the rest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sweepmark.config.schema import TaskConfig
from sweepmark.errors import ConfigurationError
from sweepmark.evaluation import evaluate, specify
from sweepmark.split import split_rows
from sweepmark.task import class_names, resolve_task, targets
from tiny import config, digits

IS_DIGIT = ("task=is_digit", "classifier=logistic")


def test_multiclass_is_the_plain_word_that_older_keys_are_made_of() -> None:
    assert resolve_task(TaskConfig(name="multiclass"), digits()) == {"name": "multiclass"}


@pytest.mark.parametrize("positive", [5, "5"])
def test_positive_label_is_a_number_however_it_is_written(positive: int | str) -> None:
    found = resolve_task(TaskConfig(name="is_digit", positive=positive), digits())
    assert found == {"name": "is_digit", "positive": 5}


def test_label_of_a_table_goes_by_its_name() -> None:
    named = replace(digits(), label_names=tuple("abcdefghij"))
    found = resolve_task(TaskConfig(name="is_digit", positive="c"), named)
    assert found == {"name": "is_digit", "positive": 2}
    assert class_names(found, named, (0, 1)) == ["not c", "c"]
    assert class_names(found, None, (0, 1)) == ["not 2", "2"]
    assert class_names({"name": "multiclass"}, named, (0, 3)) == ["a", "d"]
    assert class_names({"name": "multiclass"}, None, (0, 3)) == ["0", "3"]


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        (TaskConfig(name="is_digit", positive=10), r"'10'.*Options: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9"),
        (TaskConfig(name="is_digit", positive="five"), "Options: 0, 1"),
        (TaskConfig(name="is_digit"), r"Set task\.positive=… to one of 0, 1"),
        (TaskConfig(name="multiclass", positive=5), "Set task=is_digit"),
    ],
)
def test_label_that_there_is_not_is_refused_with_those_there_are(
    asked: TaskConfig, part: str
) -> None:
    with pytest.raises(ConfigurationError, match=part):
        resolve_task(asked, digits())


def test_detector_learns_one_label_against_the_rest() -> None:
    (specification,) = specify(config(*IS_DIGIT, task__positive=5), digits())
    card = evaluate(specification)
    _, test = split_rows(specification.split, digits())
    assert card.classes == (0, 1)
    np.testing.assert_array_equal(card.predictions.y_true, digits().y[test] == 5)
    assert card.metrics["recall"] == card.metrics["recall_1"]
    assert specification.task == {"name": "is_digit", "positive": 5}


def test_rows_of_the_parts_are_the_same_whatever_is_asked_of_them() -> None:
    (plain,), (detector,) = (
        specify(config(*groups, **values), digits())
        for groups, values in (((), {}), (IS_DIGIT, {"task__positive": 3}))
    )
    assert plain.split == detector.split
    assert plain.key != detector.key


def test_folds_keep_the_shares_of_the_two_classes() -> None:
    folds = specify(
        config(*IS_DIGIT, "evaluation=cv", task__positive=8, evaluation__n_splits=3), digits()
    )
    counts = [int(evaluate(fold).predictions.y_true.sum()) for fold in folds]
    assert max(counts) - min(counts) <= 1


def test_more_folds_than_positive_rows_are_refused() -> None:
    asked = config(*IS_DIGIT, "evaluation=cv", task__positive=8, evaluation__n_splits=40)
    with pytest.raises(ConfigurationError, match=r"n_splits=40 training rows, but class 1 has"):
        specify(asked, digits())


def test_labels_are_not_copied_where_they_stand() -> None:
    y = np.array([1, 2, 3])
    assert targets({"name": "multiclass"}, y) is y
    assert targets({"name": "is_digit", "positive": 2}, y).tolist() == [0, 1, 0]
