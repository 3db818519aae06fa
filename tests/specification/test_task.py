"""Tasks: every label as it stands, or one against the rest."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sweepmark.config.schema import TaskConfig
from sweepmark.errors import ConfigurationError
from sweepmark.evaluation.evaluate import evaluate
from sweepmark.specification.specify import specify
from sweepmark.specification.split import split_rows
from sweepmark.specification.task import positive_class, resolve_task, targets, task_labels
from tiny import config, digits

if TYPE_CHECKING:
    from numpy.typing import NDArray

IS_DIGIT = ("task=is_digit", "classifier=logistic")


CLASSES = np.arange(10)


def test_multiclass_is_the_plain_word_that_older_keys_are_made_of() -> None:
    assert resolve_task(TaskConfig(name="multiclass"), digits(), CLASSES) == {"name": "multiclass"}


@pytest.mark.parametrize("positive", [5, "5"])
def test_positive_label_is_a_number_however_it_is_written(positive: int | str) -> None:
    found = resolve_task(TaskConfig(name="is_digit", positive=positive), digits(), CLASSES)
    assert found == {"name": "is_digit", "positive": 5}
    assert positive_class(found) == 1


def test_label_of_a_table_goes_by_its_name() -> None:
    named = replace(digits(), label_names=tuple("abcdefghij"))
    found = resolve_task(TaskConfig(name="is_digit", positive="c"), named, CLASSES)
    assert found == {"name": "is_digit", "positive": 2}
    assert task_labels(found, named).names == ("not c", "c")
    assert task_labels({"name": "multiclass"}, named).called((0, 3)) == ("a", "d")


@pytest.mark.parametrize(("positive", "place"), [(None, 7), (3, 3), ("7", 7)])
def test_of_two_labels_one_is_positive_and_it_is_the_second_unless_another_is_asked_for(
    positive: int | str | None, place: int
) -> None:
    asked = TaskConfig(name="multiclass", positive=positive)
    found = resolve_task(asked, digits(), np.array([3, 7]))
    assert found == {"name": "multiclass", "positive": place}
    assert positive_class(found) == place


@pytest.mark.parametrize(
    ("asked", "classes", "part"),
    [
        (("is_digit", 10), CLASSES, r"'10'.*Options: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9"),
        (("is_digit", "five"), CLASSES, "Options: 0, 1"),
        (("is_digit", None), CLASSES, r"Set task\.positive=… to one of 0, 1"),
        (("multiclass", 5), CLASSES, "Set task=is_digit"),
        (("multiclass", 5), np.array([3, 7]), r"'5'.*Options: 3, 7\."),
    ],
)
def test_label_that_there_is_not_is_refused_with_those_there_are(
    asked: tuple[Any, Any], classes: NDArray[np.int64], part: str
) -> None:
    name, positive = asked
    with pytest.raises(ConfigurationError, match=part):
        resolve_task(TaskConfig(name=name, positive=positive), digits(), classes)


def test_detector_learns_one_label_against_the_rest() -> None:
    (specification,) = specify(config(*IS_DIGIT, task__positive=5), digits())
    card = evaluate(specification)
    _, test = split_rows(specification.split, digits())
    assert card.classes == (0, 1)
    np.testing.assert_array_equal(card.predictions.y_true, digits().y[test] == 5)
    assert card.metrics["recall"] == card.metrics["recall_5"]
    assert card.names == ("not 5", "5")
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
    with pytest.raises(ConfigurationError, match=r"n_splits=40 training rows, but class True has"):
        specify(asked, digits())


def test_labels_are_not_copied_where_they_stand() -> None:
    y = np.array([1, 2, 3])
    assert targets({"name": "multiclass"}, y) is y
    assert targets({"name": "is_digit", "positive": 2}, y).tolist() == [0, 1, 0]
