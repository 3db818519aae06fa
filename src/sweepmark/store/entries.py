"""The format and validation of journal lines; a journal may come from elsewhere and is untrusted.

A line ends with its digest: SHA-256 over the digest of the line before and the line's own bytes up
to there; the first names the sweep. So a changed, removed, inserted or moved line is detected.
Bytes are hashed, not values: the order of mappings counts, and 1e3 differs from 1000.0.

Valid entries are plain, of the right types and within bounds, so that readers of a History need no
further checks. Unknown fields and events are ignored: a later version may have written them.
"""

from __future__ import annotations

import hashlib
import json
import re
from functools import partial
from typing import TYPE_CHECKING, Any

from sweepmark.config.values import is_integer, is_number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["LARGEST_JOURNAL", "Entry", "find_problem", "read_line", "seal"]

Entry = dict[str, Any]
"""One line, without its digest: ``event`` is its kind, ``at`` the seconds since the epoch."""

LARGEST_JOURNAL = 1 << 29
"""Maximum size in bytes. A trial takes about 1,000, and ten times that in memory when read."""

_DEEPEST = 50
_LATEST = 1e11  # seconds since the epoch; must be convertible to dates
_MOST = 10**9
_ID = re.compile(r"[\w.\-]+")
_KEY = re.compile(r"[0-9a-f]{64}")
_SEAL = re.compile(rb'(\{.*),"digest":"([0-9a-f]{64})"\}', re.DOTALL)

_OF_RESULT = ("digest", "fit_seconds", "predict_seconds")

_NUMBERS = {"evaluation": "trial", "outcome": "number", "final": "number"}
"""The field that contains the trial number, by event."""

_is_number = partial(is_number, largest=_LATEST)

_Rule = tuple[str, "Callable[[Any], bool]"]


def seal(entry: Entry, previous: str) -> tuple[bytes, str]:
    """Return an entry's line, without line feed, and the digest at its end.

    Parameters
    ----------
    entry : Entry
        The entry.
    previous : str
        The digest of the previous line; empty for the first.

    Raises
    ------
    ValueError
        If it has values that JSON cannot represent, such as NaN.
    """
    said = json.dumps(entry, separators=(",", ":"), allow_nan=False).encode()[:-1]
    digest = _digest(said, previous)
    return said + f',"digest":"{digest}"}}'.encode(), digest


def _digest(said: bytes, previous: str) -> str:
    return hashlib.sha256(previous.encode() + said).hexdigest()


def read_line(line: bytes, previous: str) -> tuple[Entry, str]:
    """Parse a line into its entry and digest.

    Parameters
    ----------
    line : bytes
        The line without line feed.
    previous : str
        As in :func:`seal`.

    Raises
    ------
    ValueError
        If it is not a valid entry, or its digest does not match.
    """
    found = _SEAL.fullmatch(line)
    if found is None:
        raise ValueError("it does not end with its digest")
    said, digest = found[1], found[2].decode()
    if _digest(said, previous) != digest:
        raise ValueError("it is not what was written there: its digest is another one")
    return _read(said + b"}"), digest


def _read(line: bytes) -> Entry:
    try:
        entry = json.loads(line.decode(), parse_constant=_refuse)
        if b"\\ud" in line.lower():  # lone surrogates can be neither printed nor stored
            json.dumps(entry, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except UnicodeError:
        raise ValueError("it is no UTF-8") from None
    except ValueError:
        raise ValueError("it is no JSON") from None
    if not isinstance(entry, dict) or not isinstance(entry.get("event"), str):
        raise ValueError("it names no event")  # noqa: TRY004 -- one kind of error for a line
    for name, (rule, holds) in {"at": _TIME, **_FIELDS.get(entry["event"], {})}.items():
        if name not in entry:
            raise ValueError(f"it lacks {name!r}")
        if not holds(entry[name]):
            raise ValueError(f"{name!r} must be {rule}, but is {_shown(entry[name])}")
    if reason := _unheld(entry):
        raise ValueError(reason)
    return entry


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
            f"but is of {_shown(first['sweep_id'])} of {_shown(name)}"
        )
    n_decided = 0
    for number, entry in enumerate(entries, start=1):
        if entry["event"] == "trial":
            if entry["number"] != n_decided:
                return f"line {number}: trial {n_decided} comes next, not {entry['number']}"
            n_decided += 1
            continue
        name = _NUMBERS.get(entry["event"])
        if name is not None and entry[name] >= n_decided:
            return f"line {number}: trial {entry[name]} was not decided"
    return None


def _unheld(entry: Entry) -> str | None:
    """Return which result an entry lacks; None if it has all."""
    match entry["event"]:
        case "evaluation" if entry["reason"] is None and None in map(entry.get, _OF_RESULT):
            return "an evaluation that came to something must have its digest and seconds"
        case "outcome" if entry["status"] != "failed" and len(entry["results"]) != len(
            entry["keys"]
        ):
            return "an outcome must have a result for each of its keys"
        case "final" if (entry["key"] is None) != (entry["result"] is None):
            return "a final evaluation must have a key and a result, or neither"
        case _:
            return None


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004 -- fits a line


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_count(value: Any) -> bool:
    return is_integer(value) and 0 <= value <= _MOST


def _is_key(value: Any) -> bool:
    return isinstance(value, str) and _KEY.fullmatch(value) is not None


def _is_result(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() == {"digest", "fit_seconds", "predict_seconds"}
        and _is_key(value["digest"])
        and _is_number(value["fit_seconds"])
        and _is_number(value["predict_seconds"])
    )


def _is_shallow(value: Any, depth: int = _DEEPEST) -> bool:
    if isinstance(value, dict | list):
        items = value.values() if isinstance(value, dict) else value
        return depth > 0 and all(_is_shallow(item, depth - 1) for item in items)
    return not isinstance(value, int) or abs(value) < 2**63  # SQLite's integers


def _is_blueprint(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and _is_text(value.get("name"))
        and isinstance(value.get("overrides"), list)
        and all(_is_text(item) for item in value["overrides"])
        and isinstance(value.get("trees"), dict)
        and "{}" in value["trees"]
        and all(isinstance(tree, dict) for tree in value["trees"].values())
        and _is_shallow(value)
    )


def _or_none(rule: _Rule) -> _Rule:
    text, holds = rule
    return f"{text} or null", lambda value: value is None or holds(value)


_TEXT: _Rule = ("a text", _is_text)
_TIME: _Rule = ("seconds since the epoch", lambda value: _is_number(value) and value >= 0)
_SECONDS: _Rule = ("a number", _is_number)
_COUNT: _Rule = ("a count", _is_count)
_KEY_RULE: _Rule = ("a key of 64 hexadecimal digits", _is_key)

_FIELDS: Mapping[str, Mapping[str, _Rule]] = {
    "opened": {
        "sweep_id": _TEXT,
        "sweep_key": _KEY_RULE,
        "fresh": ("true or false", lambda value: isinstance(value, bool)),
        "versions": (
            "a mapping of texts",
            lambda value: isinstance(value, dict) and all(map(_is_text, value.values())),
        ),
        "data": (
            "a mapping of keys to keys",
            lambda value: isinstance(value, dict) and all(map(_is_key, (*value, *value.values()))),
        ),
        "blueprint": ("a blueprint: name, overrides and trees", _is_blueprint),
    },
    "trial": {
        "number": _COUNT,
        "params": (
            "a mapping of parameters",
            lambda value: isinstance(value, dict) and _is_shallow(value),
        ),
    },
    "evaluation": {
        "key": _KEY_RULE,
        "trial": ("a trial's number, or -1", lambda value: value == -1 or _is_count(value)),
        "reason": _or_none(_TEXT),
        "fit_seconds": _or_none(_SECONDS),
        "predict_seconds": _or_none(_SECONDS),
        "digest": _or_none(_KEY_RULE),
    },
    "outcome": {
        "number": _COUNT,
        "status": (
            "complete, reused or failed",
            lambda value: value in ("complete", "reused", "failed"),
        ),
        "reason": _or_none(_TEXT),
        "message": _TEXT,
        "keys": (
            "a list of keys",
            lambda value: isinstance(value, list) and all(map(_is_key, value)),
        ),
        "results": (
            "a list of digests and seconds, one a key, or of nothing",
            lambda value: isinstance(value, list) and all(map(_is_result, value)),
        ),
        "attempts": _COUNT,
        "started": _TIME,
        "ended": _TIME,
        "reused_from": _or_none(_TEXT),
    },
    "final": {
        "number": _COUNT,
        "key": _or_none(_KEY_RULE),
        "result": _or_none(("a digest with seconds", _is_result)),
        "message": _TEXT,
        "started": _TIME,
        "ended": _TIME,
    },
    "warning": {"kind": _TEXT, "message": _TEXT},
    "stop": {
        "state": (
            "complete or interrupted",
            lambda value: value in ("complete", "interrupted"),
        ),
        "why": _TEXT,
    },
}
