"""What the lines of a journal may say, field by field."""

from __future__ import annotations

import copy
import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweepmark.store.entries import find_problem, read_entry
from sweepmark.store.history import History
from sweepmark.store.journal import read_line, seal

if TYPE_CHECKING:
    from collections.abc import Iterable

KEY, OTHER = "0123456789abcdef" * 4, "f" * 64
RESULT = {"digest": KEY, "fit_seconds": 0.5, "predict_seconds": 0}
ENTRIES: dict[str, dict[str, Any]] = {
    "opened": {
        "sweep_id": "s-1",
        "sweep_key": KEY,
        "fresh": False,
        "versions": {"python": "3"},
        "data": {KEY: OTHER},
        "git": {"commit": "c0ffee", "dirty": "false"},
        "blueprint": {
            "name": "s",
            "overrides": ["seed=1"],
            "config_dirs": [],
            "trees": {"{}": {"seed": 1}},
        },
    },
    "trial": {"number": 0, "params": {"C": 1.0, "kernel": None}},
    "evaluation": {"key": KEY, "trial": 0, "attempt": 1, "reason": None, **RESULT},
    "outcome": {
        "number": 0,
        "status": "complete",
        "reason": None,
        "message": "",
        "traceback": "",
        "keys": [KEY, OTHER],
        "results": [RESULT, RESULT],
        "attempts": 1,
        "started": 1.0,
        "ended": 2.0,
        "reused_from": None,
    },
    "final": {
        "number": 0, "key": KEY, "result": RESULT, "message": "", "started": 1.0, "ended": 2.0,
    },
    "warning": {"kind": "x", "message": "y"},
    "stop": {"state": "complete", "why": "done"},
    "resumed": {},
    "running": {},
}  # fmt: skip

NO_TEXT = [None, 1, True, ["s"], {"a": "b"}]
NO_NUMBER = ["1", True, [1], 1.01e11, -1.01e11, 10**400]
NO_TIME = [*NO_NUMBER, None, -1, -1e-6]
NO_COUNT = ["1", None, True, 1.0, -1, 10**9 + 1]
NO_KEY = [7, [KEY], KEY[1:], KEY + "0", KEY.upper(), "g" * 64, KEY + "\n"]
NO_RESULT = [
    3,
    [KEY],
    {"digest": KEY, "fit_seconds": 0.5},
    {**RESULT, "more": 1},
    {**RESULT, "digest": "x"},
    {**RESULT, "fit_seconds": "1"},
    {**RESULT, "predict_seconds": True},
]
NO_OVERRIDES: list[Any] = [None, "seed=1", ["a", 1]]
NO_TREES: list[Any] = [None, [{}], {}, {"{}": []}, {"a": {}}]
BLUEPRINT = ENTRIES["opened"]["blueprint"]


def nested(depth: int) -> Any:
    return [nested(depth - 1)] if depth else 1


WRONG: dict[str, dict[str, list[Any]]] = {
    "opened": {
        "at": NO_TIME,
        "sweep_id": NO_TEXT,
        "sweep_key": [*NO_KEY, None],
        "fresh": [None, 0, 1, "true"],
        "versions": [None, ["3"], {"python": 3}, {"python": "3", "numpy": None}],
        "data": [None, [KEY], {"x": KEY}, {KEY: "x"}, {KEY: OTHER, OTHER: None}],
        "git": ["c0ffee", {"commit": 1}, {"author": "me"}],
        "blueprint": [
            None,
            [BLUEPRINT],
            *[BLUEPRINT | {"name": name} for name in NO_TEXT],
            *[BLUEPRINT | {"overrides": value} for value in NO_OVERRIDES],
            *[BLUEPRINT | {"trees": value} for value in NO_TREES],
            BLUEPRINT | {"trees": {"{}": {}, "a": None}},
            BLUEPRINT | {"trees": {"{}": {"seed": 2**63}}},
            BLUEPRINT | {"more": 1},
        ],
    },
    "trial": {
        "number": NO_COUNT,
        "params": [
            None,
            [],
            {"C": 2**63},
            {"C": [-(2**63)]},
            {"C": nested(50)},
            {"C": nested(190)},
        ],
    },
    "evaluation": {
        "key": [*NO_KEY, None],
        "trial": [*NO_COUNT[:-2], -2, NO_COUNT[-1]],
        "attempt": NO_COUNT,
        "reason": NO_TEXT[1:],
        "fit_seconds": NO_NUMBER,
        "predict_seconds": NO_NUMBER,
        "digest": NO_KEY,
    },
    "outcome": {
        "number": NO_COUNT,
        "status": [None, "done", "", ["complete"]],
        "reason": NO_TEXT[1:],
        "message": NO_TEXT,
        "traceback": NO_TEXT,
        "keys": [None, KEY, {KEY: 1}, [KEY, None], ["x", KEY]],
        "results": [None, RESULT, [None, RESULT], *[[RESULT, value] for value in NO_RESULT]],
        "attempts": NO_COUNT,
        "started": NO_TIME,
        "ended": NO_TIME,
        "reused_from": NO_TEXT[1:],
    },
    "final": {
        "number": NO_COUNT,
        "key": NO_KEY,
        "result": NO_RESULT,
        "message": NO_TEXT,
        "started": NO_TIME,
        "ended": NO_TIME,
    },
    "warning": {"at": NO_TIME, "kind": NO_TEXT, "message": NO_TEXT},
    "stop": {"state": [None, "done", ["complete"]], "why": NO_TEXT},
}
RIGHT: list[tuple[str, str, Any]] = [
    *[("warning", "at", value) for value in (0, 1e11, 0.000001)],
    *[("trial", "number", value) for value in (0, 10**9)],
    ("trial", "params", {"C": 2**63 - 1, "gamma": [-(2**63) + 1]}),
    ("trial", "params", {"C": nested(49)}),
    ("trial", "params", {"C": 1e300, "a": True, "b": "text"}),
    ("opened", "versions", {}),
    ("opened", "data", {}),
    ("opened", "fresh", True),
    ("opened", "git", None),
    ("opened", "blueprint", BLUEPRINT | {"overrides": []}),
    ("evaluation", "trial", -1),
    ("evaluation", "fit_seconds", -1e11),
    *[("outcome", "status", value) for value in ("reused", "failed")],
    ("outcome", "reused_from", "s-0"),
    ("stop", "state", "interrupted"),
]


def read(event: str, /, **changes: Any) -> dict[str, Any]:
    entry = {"event": event, "at": 1.0, **ENTRIES[event], **changes}
    return read_line(seal(entry, "")[0], "")[0]


@pytest.mark.parametrize("event", ENTRIES)
def test_every_field_is_read_back_and_must_be_there(event: str) -> None:
    assert read(event) == {"event": event, "at": 1.0, **ENTRIES[event]}
    for name in ("at", *ENTRIES[event]):
        entry = read(event)
        del entry[name]
        with pytest.raises(ValueError, match=f"it lacks '{name}'"):
            read_line(seal(entry, "")[0], "")
    with pytest.raises(ValueError, match=f"it has 'more', which the event '{event}' does not have"):
        read(event, more=None)


@pytest.mark.parametrize("event", ["teleported", "", 5, None, ["trial"], {"trial": 1}])
def test_event_that_there_is_not_is_refused(event: Any) -> None:
    with pytest.raises(ValueError, match="it names no event that there is"):
        read("stop", event=event)


@pytest.mark.parametrize(
    ("event", "name", "value"),
    [
        (event, name, value)
        for event, fields in WRONG.items()
        for name, values in fields.items()
        for value in values
    ],
)
def test_value_that_none_writes_is_refused_by_its_name(event: str, name: str, value: Any) -> None:
    says = rf"'{name}\b.*' must .*, but is |it (has|lacks) '{name}\."
    with pytest.raises(ValueError, match=says):
        read(event, **{name: value})


@pytest.mark.parametrize(("event", "name", "value"), RIGHT)
def test_value_that_may_be_is_taken(event: str, name: str, value: Any) -> None:
    assert read(event, **{name: value})[name] == value


PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
VALUES = st.recursive(PLAIN, lambda item: st.lists(item) | st.dictionaries(st.text(), item))


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every value in a value, itself included."""
    pairs: Iterable[tuple[Any, Any]] = value.items() if isinstance(value, dict) else ()
    pairs = enumerate(value) if isinstance(value, list) else pairs
    return [path, *(found for key, item in pairs for found in places(item, (*path, key)))]


def check_forged(line: bytes) -> None:
    """Read what somebody wrote who can seal lines: it is refused, or it is plain."""
    digest = hashlib.sha256(line[:-1]).hexdigest()
    try:
        entry, _ = read_line(line[:-1] + f',"digest":"{digest}"}}'.encode(), "")
    except ValueError as error:
        assert str(error).startswith(("it ", "'", "a final ", "an "))  # noqa: PT017
        return
    text = json.dumps(entry, allow_nan=False, ensure_ascii=False)
    assert json.loads(text.encode()) == entry == json.loads(line)
    assert entry.keys() == {"event", "at", *ENTRIES[entry["event"]]}
    History.of([entry])


@given(st.sampled_from([*ENTRIES]), VALUES, st.data())
def test_entry_with_any_value_in_any_place_is_refused_or_plain(
    event: str, value: Any, data: st.DataObject
) -> None:
    entry = {"event": event, "at": 1.0, **copy.deepcopy(ENTRIES[event])}
    *path, last = data.draw(st.sampled_from(places(entry)[1:]))
    parent: Any = entry
    for part in path:
        parent = parent[part]
    parent[last] = value
    check_forged(json.dumps(entry, separators=(",", ":")).encode())


@given(st.sampled_from([*ENTRIES]), st.binary(max_size=3), st.data())
def test_line_with_any_bytes_in_any_place_is_refused_or_plain(
    event: str, new: bytes, data: st.DataObject
) -> None:
    entry = {"event": event, "at": 1.0, **ENTRIES[event]}
    line = json.dumps(entry, separators=(",", ":")).encode()
    start = data.draw(st.integers(1, len(line) - 1))
    end = data.draw(st.integers(start, min(start + 3, len(line) - 1)))
    check_forged(line[:start] + new + line[end:])


def test_key_that_stands_twice_counts_once() -> None:
    line = b'{"event":"stop","at":1,"state":"done","state":"complete","why":"","event":"trial"}'
    with pytest.raises(ValueError, match="it lacks 'number'"):
        read_entry(line)
    assert read_entry(line.replace(b',"event":"trial"', b""))["state"] == "complete"


def test_long_value_is_shown_by_its_beginning() -> None:
    for length, shown in ((78, repr("x" * 78)), (79, f"'{'x' * 78}…")):
        with pytest.raises(ValueError, match="must be") as error:
            read("stop", state="x" * length)
        assert str(error.value).endswith(f"but is {shown}")


@pytest.mark.parametrize("name", ["fit_seconds", "predict_seconds", "digest"])
def test_what_came_to_something_says_to_what(name: str) -> None:
    with pytest.raises(ValueError, match="must have its digest and seconds"):
        read("evaluation", **{name: None})
    assert read("evaluation", reason="killed", **{name: None})[name] is None


@pytest.mark.parametrize("results", [[], [RESULT], [RESULT] * 3])
def test_outcome_has_a_result_for_each_key_unless_it_failed(results: list[Any]) -> None:
    for status in ("complete", "reused"):
        with pytest.raises(ValueError, match="a result for each of its keys"):
            read("outcome", status=status, results=results)
    assert read("outcome", status="failed", results=results)["results"] == results


def test_final_has_a_key_and_a_result_or_neither() -> None:
    for lacking in ("key", "result"):
        with pytest.raises(ValueError, match="a key and a result, or neither"):
            read("final", **{lacking: None})
    assert read("final", key=None, result=None)["key"] is None


def test_line_is_chained_to_the_one_before() -> None:
    first, digest = seal({"event": "warning", "at": 1.0, **ENTRIES["warning"]}, "")
    second, last = seal({"event": "stop", "at": 2.0, **ENTRIES["stop"]}, digest)
    assert read_line(first, "")[1] == digest
    assert read_line(second, digest)[1] == last
    assert json.loads(second)["digest"] == last
    for line, previous in ((first, digest), (second, ""), (second, last)):
        with pytest.raises(ValueError, match="its digest is another one"):
            read_line(line, previous)


def entries(*events: tuple[str, int]) -> list[dict[str, Any]]:
    field = {"evaluation": "trial"}
    return [
        {"event": "opened", **ENTRIES["opened"]},
        *[{"event": event, field.get(event, "number"): number} for event, number in events],
    ]


TRIALS = [("trial", 0), ("trial", 1)]


@pytest.mark.parametrize(
    ("events", "says"),
    [
        ([], None),
        ([*TRIALS, ("evaluation", 1), ("outcome", 1), ("final", 1)], None),
        ([*TRIALS, ("evaluation", -1)], None),
        ([("trial", 0), ("evaluation", 0), ("trial", 1), ("outcome", 0)], None),
        ([("trial", 1)], "line 2: trial 0 comes next, not 1"),
        ([*TRIALS, ("trial", 1)], "line 4: trial 2 comes next, not 1"),
        ([("trial", 0), ("trial", 2)], "line 3: trial 1 comes next, not 2"),
        *[
            ([*TRIALS, (event, 2)], "line 4: trial 2 was not decided")
            for event in ("evaluation", "outcome", "final")
        ],
        ([("outcome", 0), *TRIALS], "line 2: trial 0 was not decided"),
    ],
)
def test_trials_come_in_order_and_before_what_is_said_of_them(
    events: list[tuple[str, int]], says: str | None
) -> None:
    assert find_problem(entries(*events), "s-1") == says


def test_journal_begins_with_what_it_is_of() -> None:
    assert find_problem([], "s-1") is None
    (opened,) = entries()
    for order in ([{"event": "stop"}, opened], [opened, opened], [{"event": "stop"}]):
        assert (
            find_problem(order, "s-1") == "the first line, and no other, must be the event 'opened'"
        )
    for changes, sweep_id in (
        ({}, "s-2"),
        ({"sweep_id": "s-2"}, "s-1"),
        ({"sweep_id": "t-1"}, "t-1"),
        ({"sweep_id": "s-/x"}, "s-/x"),
        ({"sweep_id": "s"}, "s"),
    ):
        said = find_problem([opened | changes], sweep_id)
        assert said is not None
        assert said.startswith(f"it must be of the sweep {sweep_id!r}")
