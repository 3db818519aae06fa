"""A sweep read back: its history and blueprint, shown to belong together.

A store may come from elsewhere, so that nothing in it is believed: the journal's lines are checked
by :mod:`sweepmark.store.entries`, and here what they say of each other. What a configuration
names is built by :mod:`sweepmark.components`, which refuses what it would refuse in a YAML.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sweepmark.blueprint import Blueprint
from sweepmark.errors import ConfigurationError, StoreError, SweepmarkError
from sweepmark.space import Choice, Options
from sweepmark.store import History, read_journal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sweepmark.space import Axis, Space
    from sweepmark.store import Store

__all__ = ["read_sweep"]


def read_sweep(store: Store, sweep_id: str) -> tuple[History, Blueprint]:
    """Return what a sweep's journal says and the blueprint in it.

    Raises
    ------
    NotFoundError
        If there is no such sweep.
    StoreError
        If its journal is damaged, or says what no sweep does.
    ConfigurationError
        If its configuration is none that this version understands.
    """
    path = store.journal_path(sweep_id)
    history = History.of(read_journal(path))
    if not history.opened:
        raise StoreError(f"{path} is empty: {sweep_id} never began. Remove it.")
    try:
        blueprint = Blueprint.from_document(history.opened["blueprint"])
        reason = _misfit(history, blueprint)
    except ConfigurationError as error:
        raise ConfigurationError(
            f"the configuration of {sweep_id} in {path} is refused: {error}"
        ) from None
    except SweepmarkError:
        raise
    except Exception as error:
        reason = f"its blueprint cannot be read ({type(error).__name__}: {error})"
        raise StoreError(_damaged(path, reason)) from error
    if reason is not None:
        raise StoreError(_damaged(path, reason))
    return history, blueprint


def _damaged(path: object, reason: str) -> str:
    return (
        f"{path} is no journal of a sweep: {reason}. The file was changed, or a version wrote it "
        "that this one does not understand. Move it away; what was computed is kept."
    )


def _misfit(history: History, blueprint: Blueprint) -> str | None:
    """Return which trial is no point of the space, or which options were not composed."""
    for number, params in history.params.items():
        if reason := _outside(blueprint.space, params):
            return f"trial {number} is no point of its space: {reason}"
        blueprint.tree_at(params)
    for number, outcome in history.outcomes.items():
        lacks_data = outcome["status"] == "failed" and outcome["reason"] == "data"
        n_evaluations = 0 if lacks_data else blueprint.n_evaluations(history.params[number])
        if len(outcome["keys"]) != n_evaluations:
            return f"trial {number} must have {n_evaluations} evaluations"
    return None


def _outside(space: Space, params: Mapping[str, Any]) -> str | None:
    names: set[str] = set()
    for axis in space.axes:
        for opened in (axis, *_opened(axis, params)):
            names.add(opened.name)
            if opened.name not in params or not _holds(opened, params[opened.name]):
                return f"{opened.name}={params.get(opened.name)!r}"
    if names != set(params):
        return f"it has {', '.join(sorted(set(params) - names))}"
    return None


def _opened(axis: Axis, params: Mapping[str, Any]) -> tuple[Axis, ...]:
    if not isinstance(axis, Options):
        return ()
    chosen = params.get(axis.name)
    return axis.options.get(chosen, ()) if isinstance(chosen, str) else ()


def _holds(axis: Axis, value: Any) -> bool:
    if isinstance(axis, Options):
        return isinstance(value, str) and value in axis.options
    if isinstance(axis, Choice):
        return any(type(value) is type(known) and value == known for known in axis.values)
    kind = int if axis.integer else float
    return type(value) is kind and axis.low <= value <= axis.high
