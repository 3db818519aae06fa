"""Keys: the same for the same numbers, another for anything that could change them."""

from __future__ import annotations

import copy
import json
import math
import subprocess
import sys
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweepmark.specification import specification as module
from sweepmark.specification.specification import Specification, canonical_json

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)
SPECIFICATION = Specification(
    data="d" * 64,
    split={"source": "pooled", "n_train": 75, "n_test": 25},
    task={"name": "multiclass"},
    method={"name": "test"},
    preprocess={"a": {"_target_": "A"}, "b": {"_target_": "B"}},
    classifier={"_target_": "C", "C": 1.0},
    seed=0,
    threads=1,
    versions={"numpy": "2.4.0"},
)
KEY = "d048740351ce4dc642dcbae7ea5183f290d163df20c88ef3163c2077fc66c84e"
OTHER: dict[str, Any] = {
    "data": "e" * 64,
    "split": {"source": "pooled", "n_train": 75, "n_test": 24},
    "task": {"name": "other"},
    "method": {"name": "fold", "fold": 0},
    "preprocess": {"a": {"_target_": "A"}},
    "classifier": {"_target_": "C", "C": 2.0},
    "seed": 1,
    "threads": 2,
    "versions": {"numpy": "2.4.1"},
}


@pytest.mark.parametrize("name", [f.name for f in fields(Specification) if f.init])
def test_every_field_changes_the_key(name: str) -> None:
    assert replace(SPECIFICATION, **{name: OTHER[name]}).key != SPECIFICATION.key


def test_version_of_ours_changes_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EVALUATION_VERSION", module.EVALUATION_VERSION + 1)
    assert replace(SPECIFICATION).key != SPECIFICATION.key


def test_order_of_steps_changes_the_key_and_that_of_parameters_does_not() -> None:
    def turned(mapping: Any) -> dict[str, Any]:
        return dict(reversed(mapping.items()))

    steps, classifier = SPECIFICATION.preprocess, SPECIFICATION.classifier
    assert replace(SPECIFICATION, preprocess=turned(steps)).key != SPECIFICATION.key
    assert replace(SPECIFICATION, classifier=turned(classifier)).key == SPECIFICATION.key


def test_one_and_one_point_zero_are_two_parameters() -> None:
    keys = {replace(SPECIFICATION, classifier={"C": value}).key for value in (1, 1.0, True, "1")}
    assert len(keys) == 4


def test_key_is_the_same_in_every_process_and_release() -> None:
    # Written down once: a change that moves it makes every stored evaluation unreachable.
    assert SPECIFICATION.key == KEY
    place = "sweepmark.specification.specification"
    code = f"from {place} import Specification as S; print(S(**{arguments()}).key)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONHASHSEED": "7"},
        capture_output=True,
        check=True,
        timeout=120,
    )
    assert done.stdout.decode().strip() == KEY


def arguments() -> dict[str, Any]:
    return {f.name: getattr(SPECIFICATION, f.name) for f in fields(Specification) if f.init}


def test_specification_does_not_share_what_it_writes_down() -> None:
    document = SPECIFICATION.document()
    document["classifier"]["C"] = 5
    assert SPECIFICATION.classifier["C"] == 1.0


@given(PLAIN)
def test_canonical_text_is_the_value_and_its_own_canon(value: object) -> None:
    text = canonical_json(value)
    assert json.loads(text) == value
    assert canonical_json(json.loads(text)) == text == canonical_json(copy.deepcopy(value))


@pytest.mark.parametrize("value", [math.nan, math.inf, [-math.inf], {"a": math.nan}])
def test_what_has_no_json_text_has_no_canon(value: object) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json(value)
