"""Trees: plain values, and interpolations filled in."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweepmark.config import lookup, place, resolve
from sweepmark.config.tree import plain
from sweepmark.errors import ConfigurationError

NAMES = st.text("abc", min_size=1, max_size=2)
LEAVES = st.none() | st.booleans() | st.integers() | st.text("xyz", max_size=3)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2)
)
PATHS = st.lists(NAMES, min_size=1, max_size=3, unique=True).map(".".join)


@given(PATHS, VALUES)
def test_what_was_placed_is_found(path: str, value: object) -> None:
    tree: dict[str, object] = {}
    place(tree, path, value)
    assert lookup(tree, path) == value


def test_placed_value_is_a_copy() -> None:
    value = [1]
    tree: dict[str, object] = {}
    place(tree, "a", value)
    value.append(2)
    assert tree == {"a": [1]}


@pytest.mark.parametrize("path", ["b", "a.c", "a.b.c", "a.b.c.d"])
def test_nothing_is_found_where_nothing_stands(path: str) -> None:
    assert lookup({"a": {"b": 1}}, path, "nothing") == "nothing"


@given(st.dictionaries(NAMES, VALUES))
def test_tree_without_interpolations_resolves_to_an_equal_copy(tree: dict[str, object]) -> None:
    resolved = resolve(tree)
    assert resolved == tree
    assert resolved is not tree


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("${n}", 5),
        ("${deep.n}", None),
        ("${relay}", 5),
        ("no. ${n}", "no. 5"),
        ("${deep}", {"n": None}),
        ("${text}", "t"),
        (["${n}", {"inner": "${n}"}], [5, {"inner": 5}]),
        (r"\${n}", "${n}"),
    ],
)
def test_interpolation_is_filled_in_wherever_it_stands(value: object, expected: object) -> None:
    tree = {"n": 5, "text": "t", "deep": {"n": None}, "relay": "${n}", "value": {"at": value}}
    assert resolve(tree)["value"] == {"at": expected}


@pytest.mark.parametrize(
    "value", ["${nowhere}", "${a.nowhere}", "${hydra:runtime.cwd}", "${x", "${a}"]
)
def test_interpolation_that_points_nowhere_is_refused(value: str) -> None:
    with pytest.raises(ConfigurationError, match="interpolation cannot be resolved"):
        resolve({"a": value})


@given(st.dictionaries(st.integers() | NAMES, VALUES))
def test_plain_tree_survives_json(tree: dict[object, object]) -> None:
    assert json.loads(json.dumps(plain(tree))) == plain(tree)


@pytest.mark.parametrize(
    "level",
    [
        "${{b{n}}}" * 10,
        "${{.b{n}}}" * 10,
        ["${{b{n}}}"] * 10,
        "${{oc.select:b{n}}}" * 10,
        {f"k{n}": "${{b{n}}}" for n in range(10)},
    ],
    ids=["text", "relative", "list", "resolver", "mapping"],
)
def test_interpolations_that_multiply_are_refused_unresolved(level: Any) -> None:
    def at(node: Any, n: int) -> Any:
        if isinstance(node, str):
            return node.format(n=n)
        if isinstance(node, dict):
            return {key: at(item, n) for key, item in node.items()}
        return [at(item, n) for item in node]

    bomb = {"b0": "x" * 10} | {f"b{n}": at(level, n - 1) for n in range(1, 30)}
    with pytest.raises(ConfigurationError, match="these multiply to more"):
        resolve(bomb)


def test_interpolations_that_do_not_are_resolved() -> None:
    tree = {"a": "x", "b": {"c": "${.d}${a}", "d": "${a}y"}, "e": ["${b.c}"] * 50}
    assert resolve(tree)["e"] == ["xyx"] * 50
    with pytest.raises(ConfigurationError, match="cannot be resolved"):
        resolve({"a": "${b}-", "b": "${a}-"})
