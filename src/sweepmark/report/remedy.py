"""The commands that repeat a sweep, or help with a trial: by itself, tried again, or left out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sweepmark.commands import command_line
from sweepmark.config import lookup
from sweepmark.config.folders import EXPERIMENT
from sweepmark.search.space import Choice, Options

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from sweepmark.search.blueprint import Blueprint
    from sweepmark.search.space import Axis
    from sweepmark.search.trial import Trial

__all__ = [
    "failure_advice",
    "failure_commands",
    "lone_command",
    "repeat_command",
    "resume_command",
]

_PASSING = frozenset({"data", "killed", "memory", "timeout"})
"""Reasons of a failure that may be gone when it is tried again; others come again."""

_FOLDS = tuple(f"evaluation.{key}=" for key in ("n_splits", "stratified", "shuffle"))
_SPACE = "sweep.space."
_SEARCH = ("sampler", "sweep.n_trials=", *(f"{sign}{_SPACE}" for sign in ("", "~", "+", "++")))


def lone_command(
    blueprint: Blueprint, params: Mapping[str, Any], *, store: Path | None = None
) -> str:
    """Return the command whose only trial has given parameters.

    For a single run it is the same run, scored on the test part. For a sweep it is that sweep
    restricted to one cell, because a sweep may have defaults that a run does not have.

    Parameters
    ----------
    blueprint : Blueprint
        The configuration of its sweep or run.
    params : mapping of str to value
        The swept parameters, as in a journal.
    store : Path, optional
        Where the trial is; by default where this program works.
    """
    words = list(blueprint.overrides)
    if blueprint.is_run:
        return _command(blueprint, "run", *_on_test(blueprint, words), store=store)
    if [axis.name for axis in blueprint.space.axes] == [EXPERIMENT]:
        words = [f"{EXPERIMENT}={params[EXPERIMENT]}", *words]
        return _command(blueprint, "run", *words, "evaluation=test", store=store)
    words = [word for word in words if not word.startswith(_SEARCH)]
    if blueprint.config.sampler.name != "grid":
        words.append("sampler=grid")
    if blueprint.config.sweep is not None and blueprint.config.sweep.n_trials is not None:
        words.append("sweep.n_trials=null")
    words += _cell(blueprint, params)
    return _command(blueprint, "sweep", blueprint.name, *words, store=store)


def repeat_command(blueprint: Blueprint) -> str:
    """Return the command that computes a sweep or run as a whole again."""
    words = ("run",) if blueprint.is_run else ("sweep", blueprint.name)
    return _command(blueprint, *words, *blueprint.overrides, store=None)


def resume_command(
    blueprint: Blueprint, sweep_id: str, *words: str, store: Path | None = None
) -> str:
    """Return the command that resumes a sweep."""
    return _command(blueprint, "resume", sweep_id, *words, store=store)


def failure_commands(
    blueprint: Blueprint, sweep_id: str, trials: Sequence[Trial], *, store: Path | None = None
) -> list[str]:
    """Return the commands that help with failed trials; empty if there are none.

    A failure that may pass is tried again. One that would come again is left out, where a list of
    the space has values with which nothing but such failures came.
    """
    failed = [trial for trial in trials if trial.status == "failed"]
    commands = []
    if any(trial.reason in _PASSING for trial in failed):
        commands.append(resume_command(blueprint, sweep_id, "--retry-failed", store=store))
    if words := list(_without(blueprint, trials)):
        words = [*blueprint.overrides, *words]
        commands.append(_command(blueprint, "sweep", blueprint.name, *words, store=store))
    return commands


def failure_advice(
    blueprint: Blueprint, sweep_id: str, trials: Sequence[Trial], *, store: Path | None = None
) -> str:
    """Return a sentence on what to do about failed trials."""
    commands = failure_commands(blueprint, sweep_id, trials, store=store)
    listed = " or ".join(f"`{command}`" for command in commands)
    if all(trial.reason in _PASSING for trial in trials if trial.status == "failed"):
        return f"Try again: {listed}."
    comes = "It fails alike whenever it is tried: set what the message names to another value"
    return f"{comes}, or leave it out: {listed}." if listed else f"{comes}."


def _command(blueprint: Blueprint, verb: str, *words: str, store: Path | None) -> str:
    return command_line(
        verb,
        *words,
        store=store,
        config_dirs=blueprint.config_dirs,
        trusted=blueprint.packages,
    )


def _without(blueprint: Blueprint, trials: Sequence[Trial]) -> Iterator[str]:
    """Yield overrides that take out of a space the values with which every trial failed for good.

    Nothing if that would leave failures, or no value, behind.
    """
    lost = [trial for trial in trials if trial.status == "failed" and trial.reason not in _PASSING]
    left: list[Trial] = lost
    words: list[str] = []
    for axis in blueprint.space.axes:
        values = axis.values if isinstance(axis, Choice) else ()
        values = tuple(axis.options) if isinstance(axis, Options) else values
        # By how they are written: 1, 1.0 and True are equal.
        bad = {repr(value) for value in values if _always_fails(axis.name, value, trials, lost)}
        kept = [value for value in values if repr(value) not in bad]
        if bad and kept:
            left = [trial for trial in left if repr(trial.params.get(axis.name)) not in bad]
            words += _restricted(blueprint, axis, kept)
    yield from words if lost and not left else ()


def _always_fails(name: str, value: object, trials: Sequence[Trial], lost: Sequence[Trial]) -> bool:
    those = [trial for trial in trials if repr(trial.params.get(name)) == repr(value)]
    return bool(those) and all(trial in lost for trial in those)


def _restricted(blueprint: Blueprint, axis: Axis, kept: Sequence[Any]) -> Iterator[str]:
    """Yield the overrides that leave only some values of an axis."""
    path = f"{_SPACE}{axis.name}"
    is_typed = any(word.startswith(f"++{path}=") for word in blueprint.overrides)
    if not isinstance(axis, Options):
        yield f"{'++' if is_typed else ''}{path}={json.dumps(list(kept))}"
    elif is_typed:
        yield f"++{path}={{option:[{','.join(kept)}]}}"
    elif isinstance(lookup(blueprint.shown_tree, f"{path}.option"), dict):
        yield from (f"~{path}.option.{option}" for option in axis.options if option not in kept)
    else:
        yield f"{path}.option=[{','.join(kept)}]"


def _on_test(blueprint: Blueprint, words: list[str]) -> list[str]:
    """Return the overrides of a run with the evaluation method replaced by ``test``."""
    if blueprint.config.evaluation.method == "test":
        return words
    has_rule = isinstance(blueprint.config.evaluation.threshold, str)
    dropped = ("evaluation=", "evaluation.validation_", *(() if has_rule else _FOLDS))
    words = [word for word in words if not word.startswith(dropped)]
    is_chosen = any(word.startswith(f"{EXPERIMENT}=") for word in words)
    return [*words, "evaluation=test"] if is_chosen else words


def _cell(blueprint: Blueprint, params: Mapping[str, Any]) -> Iterator[str]:
    """Yield the overrides that restrict a space to one cell."""
    for axis in blueprint.space.axes:
        chosen = params[axis.name]
        yield from _restricted(blueprint, axis, [chosen])
        for opened in axis.options[chosen] if isinstance(axis, Options) else ():
            name = opened.name.removeprefix(f"{axis.name}.")
            yield f"{_SPACE}{axis.name}.option.{name}={json.dumps([params[opened.name]])}"
