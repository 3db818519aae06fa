"""Reading a sweep back: its history and blueprint, with consistency checks.

A store may have been made by somebody else, so its content is untrusted. The journal's single lines
are checked by :mod:`sweepmark.store.entries`; here it is checked that they are consistent.
Components of the configuration are built by :mod:`sweepmark.specification.components`, with the
same restrictions as for a YAML file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sweepmark.errors import ConfigurationError, StoreError, SweepmarkError
from sweepmark.report.keys import Keys
from sweepmark.search.blueprint import Blueprint
from sweepmark.search.space import Choice, Options
from sweepmark.specification.recipe import sweep_versions
from sweepmark.store import History, damaged, read_journal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from sweepmark.search.space import Axis, Space
    from sweepmark.store import Entry, Store

__all__ = ["check_sweep", "read_sweep"]


def read_sweep(
    store: Store, sweep_id: str, *, trusted: Sequence[str] = ()
) -> tuple[History, Blueprint]:
    """Return the history in a sweep's journal and its blueprint.

    Raises
    ------
    NotFoundError
        If there is no such sweep.
    StoreError
        If its journal is damaged or inconsistent.
    ConfigurationError
        If its configuration is not valid in this version.
    """
    path = store.journal_path(sweep_id)
    return check_sweep(path, read_journal(path), trusted=trusted)


def check_sweep(
    path: Path, entries: Sequence[Entry], *, trusted: Sequence[str] = ()
) -> tuple[History, Blueprint]:
    """Return the history and the blueprint of a journal's entries.

    The sweep's key is recomputed from the blueprint. The keys of evaluations are recomputed from
    the trials' parameters, if library versions are the same and the data set is in the cache.

    Parameters
    ----------
    path : Path
        The journal's path, for messages.
    entries : sequence of Entry
        As returned by :func:`sweepmark.store.read_journal`.
    trusted : sequence of str
        Packages allowed in addition to the default ones.

    Raises
    ------
    StoreError, ConfigurationError
        As :func:`read_sweep`.
    """
    history = History.of(entries)
    if not history.opened:
        raise StoreError(f"{path} is empty: {path.stem} never began. Remove it.")
    try:
        blueprint = Blueprint.from_document(history.opened["blueprint"])
        reason = _misfit(entries, blueprint, trusted)
    except ConfigurationError as error:
        raise ConfigurationError(
            f"the configuration of {path.stem} in {path} is refused: {error}"
        ) from None
    except SweepmarkError:
        raise
    except Exception as error:
        reason = f"line 1: its blueprint cannot be read ({type(error).__name__}: {error})"
        raise damaged(path, reason) from error
    if reason is not None:
        raise damaged(path, reason)
    return history, blueprint


def _misfit(entries: Sequence[Entry], blueprint: Blueprint, trusted: Sequence[str]) -> str | None:
    """Return a description of the first line that contradicts the blueprint."""
    opened = entries[0]
    if opened["sweep_key"] != blueprint.key:
        return "line 1: its blueprint is not the one that its sweep_key is of"
    keys = None
    if opened["versions"] == sweep_versions(trusted):
        keys = Keys(blueprint, opened["data"], trusted)
    check = _Check(blueprint, keys)
    for line, entry in enumerate(entries, start=1):
        if reason := check.misfit(entry):
            return f"line {line}: {reason}"
    return None


@dataclass(slots=True)
class _Check:
    """Checks entries one after the other.

    Attributes
    ----------
    blueprint : Blueprint
        The configuration of the sweep.
    keys : Keys or None
        Recomputes the keys of evaluations; None if that is not possible.
    """

    blueprint: Blueprint
    keys: Keys | None
    _params: dict[int, dict[str, Any]] = field(default_factory=dict)
    _known: set[str] = field(default_factory=set)

    def misfit(self, entry: Entry) -> str | None:
        """Return what is wrong with the next entry; None if it is valid."""
        match entry["event"]:
            case "trial":
                return self._trial(entry)
            case "evaluation":
                return self._evaluation(entry)
            case "outcome":
                return self._outcome(entry)
            case "final":
                return self._final(entry)
        return None

    def _trial(self, entry: Entry) -> str | None:
        number, params = entry["number"], entry["params"]
        if reason := _outside(self.blueprint.space, params):
            return f"trial {number} is no point of its space: {reason}"
        self.blueprint.tree_at(params)
        self._params[number] = params
        return None

    def _outcome(self, entry: Entry) -> str | None:
        number, keys = entry["number"], entry["keys"]
        params = self._params[number]
        if entry["status"] == "failed" and entry["reason"] == "data":
            return f"trial {number} lacked its data, so has no evaluations" if keys else None
        n_evaluations = self.blueprint.n_evaluations(params)
        if len(keys) != n_evaluations:
            return f"trial {number} must have {n_evaluations} evaluations, not {len(keys)}"
        if self.keys is not None and not self.keys.are_of_trial(params, keys):
            return f"the evaluations of trial {number} are not those that its parameters specify"
        self._known.update(keys)
        return None

    def _final(self, entry: Entry) -> str | None:
        number, key = entry["number"], entry["key"]
        if key is None or self.keys is None or self.keys.is_final(self._params[number], key):
            return None
        return f"the final evaluation is not the one that the parameters of trial {number} specify"

    def _evaluation(self, entry: Entry) -> str | None:
        """Return what is wrong with the entry of an evaluation; None if it is valid."""
        number, key = entry["trial"], entry["key"]
        if self.keys is None or key in self._known:
            return None
        numbers = self._params if number < 0 else [number]
        if any(self.keys.has(self._params[one], key, final=number < 0) for one in numbers):
            self._known.add(key)
            return None
        of = "any trial" if number < 0 else f"trial {number}"
        return f"evaluation {key[:12]} is not one that the parameters of {of} specify"


def _outside(space: Space, params: Mapping[str, Any]) -> str | None:
    names: set[str] = set()
    for axis in space.active(params):
        names.add(axis.name)
        if axis.name not in params or not _holds(axis, params[axis.name]):
            return f"{axis.name}={params.get(axis.name)!r}"
    if names != set(params):
        return f"it has {', '.join(sorted(set(params) - names))}"
    return None


def _holds(axis: Axis, value: Any) -> bool:
    if isinstance(axis, Options):
        return isinstance(value, str) and value in axis.options
    if isinstance(axis, Choice):
        return any(type(value) is type(known) and value == known for known in axis.values)
    kind = int if axis.integer else float
    return type(value) is kind and axis.low <= value <= axis.high
