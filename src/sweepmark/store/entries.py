"""The entries of a journal: what each kind has, and their order.

A journal may come from elsewhere and is untrusted. Valid entries have the fields of their kind and
no others, of the right types and within bounds, so that readers of a History need no further
checks.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal

from annotated_types import Ge, Le
from typing_extensions import TypedDict

from sweepmark.config.rules import Check, Plain, adapter, broken, check_plain, matching, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import TypeAdapter
    from pydantic_core import ErrorDetails

__all__ = ["Entry", "find_problem", "read_entry"]

Entry = dict[str, Any]
"""A valid entry: ``event`` is its kind, ``at`` the seconds since the epoch."""

_ID = re.compile(r"[\w.\-]+")
_LATEST = 1e11  # seconds since the epoch; must be convertible to dates
_MOST = 10**9
_NUMBERS = {"evaluation": "trial", "outcome": "number", "final": "number"}
"""The field that contains the trial number, by event."""

Key = Annotated[
    str, matching(re.compile(r"[0-9a-f]{64}"), "must be a key of 64 hexadecimal digits")
]
Count = Annotated[int, Ge(0), Le(_MOST)]
Time = Annotated[float, Ge(0), Le(_LATEST)]
Seconds = Annotated[float, Ge(-_LATEST), Le(_LATEST)]


def _check_trees(trees: dict[str, Any]) -> None:
    if "{}" not in trees:
        raise ValueError("must have a tree for '{}', the sweep as a whole")


class BlueprintDocument(TypedDict):
    """The configuration of a sweep; its trees are checked when it is composed from them."""

    name: str
    overrides: list[str]
    config_dirs: list[str]
    trees: Annotated[dict[str, dict[str, Any]], Check(_check_trees)]


class Timed(TypedDict):
    """What every entry has."""

    at: Time


class Opened(Timed):
    """The first line: what the sweep is."""

    event: Literal["opened"]
    sweep_id: str
    sweep_key: Key
    fresh: bool
    versions: dict[str, str]
    data: dict[Key, Key]
    git: dict[Literal["commit", "dirty"], str] | None
    blueprint: Annotated[BlueprintDocument, Check(check_plain)]


class Clock(Timed):
    """The sweep went on after an interruption, or is running."""

    event: Literal["resumed", "running"]


class Decision(Timed):
    """The parameters of a trial."""

    event: Literal["trial"]
    number: Count
    params: Plain


class Result(TypedDict):
    """The result of an evaluation."""

    digest: Key
    fit_seconds: Seconds
    predict_seconds: Seconds


class Evaluation(Timed):
    """An evaluation was computed, or failed for a reason; trial -1 is the final test."""

    event: Literal["evaluation"]
    key: Key
    trial: Annotated[int, Ge(-1), Le(_MOST)]
    attempt: Count
    reason: str | None
    fit_seconds: Seconds | None
    predict_seconds: Seconds | None
    digest: Key | None


class Outcome(Timed):
    """The outcome of a trial."""

    event: Literal["outcome"]
    number: Count
    status: Literal["complete", "reused", "failed"]
    reason: str | None
    message: str
    traceback: str
    keys: list[Key]
    results: list[Result]
    attempts: Count
    started: Time
    ended: Time
    reused_from: str | None


class Final(Timed):
    """The final test of the chosen recipe; without key and result it failed."""

    event: Literal["final"]
    number: Count
    key: Key | None
    result: Result | None
    message: str
    started: Time
    ended: Time


class Warned(Timed):
    """A warning."""

    event: Literal["warning"]
    kind: str
    message: str


class Stop(Timed):
    """The sweep stopped."""

    event: Literal["stop"]
    state: Literal["complete", "interrupted"]
    why: str


def _check_evaluation(entry: Evaluation) -> None:
    results = entry["digest"], entry["fit_seconds"], entry["predict_seconds"]
    if entry["reason"] is None and None in results:
        raise ValueError("an evaluation that came to something must have its digest and seconds")


def _check_outcome(entry: Outcome) -> None:
    if entry["status"] != "failed" and len(entry["results"]) != len(entry["keys"]):
        raise ValueError("an outcome must have a result for each of its keys")


def _check_final(entry: Final) -> None:
    if (entry["key"] is None) != (entry["result"] is None):
        raise ValueError("a final evaluation must have a key and a result, or neither")


@cache
def _adapter() -> TypeAdapter[Any]:
    from pydantic import Discriminator

    kinds = (
        Opened
        | Clock
        | Decision
        | Annotated[Evaluation, Check(_check_evaluation)]
        | Annotated[Outcome, Check(_check_outcome)]
        | Annotated[Final, Check(_check_final)]
        | Warned
        | Stop
    )
    return adapter(Annotated[kinds, Discriminator("event")])


def read_entry(line: bytes) -> Entry:
    """Parse the JSON of an entry.

    Raises
    ------
    ValueError
        If it is not a valid entry.
    """
    from pydantic import ValidationError

    try:
        entry: Entry = _adapter().validate_json(line)
    except ValidationError as error:
        raise ValueError(_reason(error.errors(include_url=False)[0])) from None
    return entry


def _reason(error: ErrorDetails) -> str:
    where, rule, value = broken(error)
    event, _, name = where.partition(".")
    match error["type"]:
        case "json_invalid":
            return f"it is no JSON ({error['msg'].partition(': ')[2]})"
        case "missing":
            return f"it lacks {shown(name)}"
        case "extra_forbidden":
            return f"it has {shown(name)}, which the event {event!r} does not have"
        case _ if not event:
            return "it names no event that there is"
        case _:
            return f"{name!r} {rule}, but is {value}" if name else rule


def find_problem(entries: Sequence[Entry], sweep_id: str) -> str | None:
    """Return an inconsistency between entries that are valid by themselves; None if there is none.

    Parameters
    ----------
    entries : sequence of Entry
        The entries of a journal, in order.
    sweep_id : str
        The id in the file's name.
    """
    if not entries:
        return None
    first = entries[0]
    if first["event"] != "opened" or any(e["event"] == "opened" for e in entries[1:]):
        return "the first line, and no other, must be the event 'opened'"
    name = first["blueprint"]["name"]
    is_plain = _ID.fullmatch(sweep_id) is not None
    if not is_plain or first["sweep_id"] != sweep_id or not sweep_id.startswith(f"{name}-"):
        return (
            f"it must be of the sweep {sweep_id!r} that its file is named for, "
            f"but is of {shown(first['sweep_id'])} of {shown(name)}"
        )
    n_decided = 0
    for number, entry in enumerate(entries, start=1):
        if entry["event"] == "trial":
            if entry["number"] != n_decided:
                return f"line {number}: trial {n_decided} comes next, not {entry['number']}"
            n_decided += 1
            continue
        trial = entry.get(_NUMBERS.get(entry["event"], ""), -1)
        if trial >= n_decided:
            return f"line {number}: trial {trial} was not decided"
    return None
