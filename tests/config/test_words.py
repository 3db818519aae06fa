"""Values of Python as overrides: Hydra reads the same values back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweepmark.config.overrides import parse_overrides
from sweepmark.config.words import override_word, override_words
from sweepmark.errors import ConfigurationError

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.text(
    "\\'\"a ,:{}[]=()~+-.1e", max_size=8
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text("ab_-.", min_size=1), inner, max_size=3)
    ),
    max_leaves=6,
)


def read(word: str) -> Any:
    (item,) = parse_overrides([word])
    return item.value()


@given(VALUES)
def test_hydra_reads_the_value_that_was_written(value: Any) -> None:
    found = read(override_word("classifier.C", value))
    assert found == value
    assert repr(found) == repr(value)  # 1 and 1.0 are two values


@pytest.mark.parametrize(
    "text",
    [
        "null",
        "None",
        "True",
        "1.0",
        "1e5",
        "nan",
        "",
        " ",
        "it's",
        "a\\",
        "\\'",
        "${x}",
        "é",
        "a\nb",
    ],
)
def test_texts_stay_texts(text: str) -> None:
    assert read(override_word("classifier.kernel", [text])) == [text]


def test_tuples_and_numbers_of_numpy_are_plain() -> None:
    assert read(override_word("a.b", (np.int64(3), np.float64(0.5), np.True_))) == [
        3,
        0.5,
        True,
    ]


@pytest.mark.parametrize("value", [object(), {1, 2}, b"x", np.eye(2), {"é": 1}, [{"a:b": 1}]])
def test_others_are_refused(value: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"^a\.b"):
        override_word("a.b", value)


def test_a_mapping_is_an_override_for_each_value() -> None:
    mapping = {
        "classifier": {"C": 2, "class_weight": {"a": 1, "b": 2}, "estimator": {"C": 1.0}},
        "+classifier.tol": 1e-4,
        "preprocess": {"scale": {"_target_": "sweepmark.estimators.Scale", "divisor": 2.0}},
        "evaluation": "cv",
        "experiment": None,
        "sweep": {
            "objective": "cv_accuracy",
            "space": {"classifier": {"C": {"low": 1, "high": 2}, "option": {"svc": {"C": [1]}}}},
        },
    }
    assert override_words(("seed=1", mapping)) == [
        "seed=1",
        "classifier.C=2",
        "++classifier.class_weight={a:1,b:2}",
        "++classifier.estimator={C:1.0}",
        "+classifier.tol=0.0001",
        "preprocess={scale:{_target_:sweepmark.estimators.Scale,divisor:2.0}}",
        "evaluation=cv",
        "experiment=null",
        "sweep.objective=cv_accuracy",
        "++sweep.space.classifier.C={low:1,high:2}",
        "++sweep.space.classifier.option.svc.C=[1]",
    ]
