"""Spaces: what a sweep's YAML means, cell by cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweepmark.errors import ConfigurationError
from sweepmark.search.parsing import Defaults, parse_space
from sweepmark.search.space import Choice, Options, Range, Space

if TYPE_CHECKING:
    from collections.abc import Mapping

TREES: dict[str, dict[str, Any]] = {
    "svc": {"C": 1.0, "gamma": "scale", "degree": 3, "coef0": 0.0},
    "forest": {"n_estimators": 100, "max_depth": None},
}


class Told(Defaults):
    """Kinds of a class that takes no integer for C, and says nothing of coef0."""

    def kinds(self, options: Mapping[str, str], path: str) -> frozenset[type] | None:
        del options
        told = {
            "C": frozenset({float}),
            "degree": frozenset({int}),
            "gamma": frozenset({int, float}),
        }
        return told.get(path.rpartition(".")[2])


def parse(document: Mapping[str, Any]) -> Space:
    trees = {
        f'{{"classifier":"{name}"}}': {"split": {"size": None}, "classifier": values}
        for name, values in TREES.items()
    }
    return parse_space(document, Told(trees))


NAMES = st.text("abcdef", min_size=1, max_size=3)
VALUES = st.lists(st.integers(0, 9) | st.sampled_from(["x", None]), min_size=1, unique_by=repr)


@st.composite
def choices(draw: st.DrawFn, prefix: str = "") -> tuple[Choice, ...]:
    names = draw(st.lists(NAMES, max_size=3, unique=True))
    return tuple(
        Choice(f"{prefix}{name}", f"at.{prefix[:-1]}{name}", tuple(draw(VALUES)[:3]))
        for name in names
    )


@st.composite
def spaces(draw: st.DrawFn) -> Space:
    axes: list[Any] = list(draw(choices()))
    if draw(st.booleans()):
        groups = draw(st.lists(st.sampled_from("ABC"), min_size=1, unique=True))
        options = {group: draw(choices(prefix=f"group.{group}.")) for group in groups}
        axes.insert(draw(st.integers(0, len(axes))), Options("group", options))
    return Space(tuple(axes))


class TestCells:
    @settings(max_examples=40)
    @given(spaces())
    def test_are_as_many_as_the_size_and_all_distinct(self, space: Space) -> None:
        cells = [repr(cell) for cell in space.cells()]
        assert len(cells) == space.size
        assert len(set(cells)) == len(cells)

    @settings(max_examples=40)
    @given(spaces())
    def test_name_exactly_what_is_active_there(self, space: Space) -> None:
        for cell in space.cells():
            assert list(cell) == [axis.name for axis in space.active(cell)]

    @settings(max_examples=40)
    @given(spaces())
    def test_are_placed_as_one_option_a_group_and_one_value_a_path(self, space: Space) -> None:
        for cell in space.cells():
            options, values = space.placed(cell)
            assert options in list(space.combinations())
            found = [*options.values(), *values.values()]
            assert sorted(found, key=repr) == sorted(cell.values(), key=repr)

    def test_come_in_order_the_last_axis_fastest(self) -> None:
        space = parse({"split": {"size": [1, 2]}, "classifier": {"C": [0.1, 0.2]}})
        assert [tuple(cell.values()) for cell in space.cells()] == [
            (1, 0.1),
            (1, 0.2),
            (2, 0.1),
            (2, 0.2),
        ]

    def test_of_options_open_parameters_of_their_own(self) -> None:
        option = {"svc": {"C": [1, 2]}, "forest": {}}
        space = parse({"classifier": {"option": option}, "split": {"size": [5]}})
        assert list(space.cells()) == [
            {"classifier": "svc", "classifier.svc.C": 1.0, "split.size": 5},
            {"classifier": "svc", "classifier.svc.C": 2.0, "split.size": 5},
            {"classifier": "forest", "split.size": 5},
        ]
        assert space.placed({"classifier": "svc", "classifier.svc.C": 2.0, "split.size": 5}) == (
            {"classifier": "svc"},
            {"classifier.C": 2.0, "split.size": 5},
        )

    def test_do_not_exist_where_a_range_is(self) -> None:
        space = parse({"classifier": {"C": {"low": 1, "high": 10}}})
        with pytest.raises(ConfigurationError) as error:
            next(space.cells())
        for part in ("grid sampler needs lists", "classifier.C", "1.0 to 10.0", "sampler=random"):
            assert part in str(error.value)


def test_space_without_axes_is_one_empty_cell() -> None:
    assert list(Space(()).cells()) == [{}]
    assert Space(()).size == 1
    assert list(Space(()).combinations()) == [{}]


@pytest.mark.parametrize(
    ("path", "node", "values"),
    [
        ("C", [1, 2.5], (1.0, 2.5)),
        ("degree", [1, 2.5], (1, 2.5)),
        ("gamma", [1, 1.0, 8], (1, 1.0, 8)),
        ("coef0", [1, 1.0], (1, 1.0)),
        ("C", [1, 2**53 + 1], (1.0, 2**53 + 1)),
        ("C", [10**400], (10**400,)),
        ("gamma", ["scale", 1], ("scale", 1)),
        ("gamma", [True, 1, None], (True, 1, None)),
        ("C", [[1], {"a": 2}], ([1], {"a": 2})),
    ],
)
def test_integers_become_floats_only_where_no_integer_is_taken(
    path: str, node: list[Any], values: tuple[Any, ...]
) -> None:
    (axis,) = parse({"classifier": {path: node}}).axes
    assert isinstance(axis, Choice)
    assert repr(axis.values) == repr(values)


@pytest.mark.parametrize(
    ("path", "node", "expected"),
    [
        ("C", {"low": 1, "high": 10}, (1.0, 10.0, False, False)),
        ("C", {"low": 0.1, "high": 10, "log": True}, (0.1, 10.0, True, False)),
        ("degree", {"low": 1, "high": 5}, (1, 5, False, True)),
        ("degree", {"low": 1, "high": 5.0}, (1.0, 5.0, False, False)),
        ("gamma", {"low": 1, "high": 5, "log": True}, (1, 5, True, True)),
        ("coef0", {"low": 1, "high": 5}, (1.0, 5.0, False, False)),
    ],
)
def test_range_is_of_integers_if_both_ends_are_and_integers_are_taken(
    path: str, node: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    (axis,) = parse({"classifier": {path: node}}).axes
    assert isinstance(axis, Range)
    assert repr((axis.low, axis.high, axis.log, axis.integer)) == repr(expected)


@pytest.mark.parametrize(
    ("document", "parts"),
    [
        ({}, ["must name a parameter or more, but is empty"]),
        ({"classifier": {}}, ["sweep.space.classifier must list values, but is empty"]),
        ({"classifier": {"C": []}}, ["sweep.space.classifier.C must list a value or more"]),
        ({"classifier": {"C": 3}}, ["must be a list of values or a range", "got 3", "[3]"]),
        ({"classifier": {"C": None}}, ["must be a list of values", "got None"]),
        ({"classifier": {"C": [1, 1.0]}}, ["must list each value once", "[1, 1.0]"]),
        ({"classifier": {"D": [1]}}, ["sweep.space.classifier.D", "unknown path", "gamma"]),
        ({"classifier": {"C": {"low": 1}}}, ["must be {low: number, high: number", "{'low': 1}"]),
        ({"classifier": {"C": {"low": 1, "high": "x"}}}, ["must be {low: number", "'x'"]),
        ({"classifier": {"C": {"low": 1, "high": 2, "step": 1}}}, ["log: true or false", "step"]),
        ({"classifier": {"C": {"low": 1, "high": 2, "log": 1}}}, ["log: true or false"]),
        ({"classifier": {"C": {"low": 2, "high": 2}}}, ["low < high must hold", "low=2, high=2"]),
        (
            {"classifier": {"C": {"low": 0, "high": 2, "log": True}}},
            ["0 < low < high must hold", "low=0"],
        ),
        ({"classifier": {"option": []}}, ["sweep.space.classifier.option must list options", "[]"]),
        ({"classifier": {"option": "svc"}}, ["must list options", "'svc'"]),
        ({"classifier": {"option": ["svc", "svc"]}}, ["each once", "['svc', 'svc']"]),
        ({"classifier": {"option": {"svc": 5}}}, ["option.svc must be a mapping", "got 5"]),
        ({"classifier": {"option": ["svc"], "C": [1]}}, ["parameters stand below an option", "C"]),
        (
            {"classifier": {"option": {"forest": {"C": [1]}}}},
            ["sweep.space.classifier.forest.C", "unknown path 'classifier.C'", "max_depth"],
        ),
        (
            {"classifier": {"option": {"svc": {"C": {"option": ["a"]}}}}},
            ["only a whole config group has options"],
        ),
        ({"classifier": {"C": {"option": ["a"]}}}, ["only a whole config group has options"]),
    ],
)
def test_what_is_no_space_is_refused_with_its_place(
    document: dict[str, Any], parts: list[str]
) -> None:
    with pytest.raises(ConfigurationError) as error:
        parse(document)
    for part in parts:
        assert part in str(error.value)
