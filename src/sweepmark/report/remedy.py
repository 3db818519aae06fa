"""The command that computes a single trial by itself, so that its model is kept."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

from sweepmark.config import lookup
from sweepmark.config.folders import EXPERIMENT
from sweepmark.search.space import Options

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sweepmark.search.blueprint import Blueprint

__all__ = ["lone_command"]

_FOLDS = tuple(f"evaluation.{key}=" for key in ("n_splits", "stratified", "shuffle"))
_ADDED = "++sweep.space."
_SEARCH = ("sampler", "sweep.n_trials=", "sweep.space.", "~sweep.space.", "+sweep.space.", _ADDED)


def lone_command(blueprint: Blueprint, params: Mapping[str, Any]) -> str:
    """Return the command whose only trial has given parameters.

    For a single run it is the same run, scored on the test part. For a sweep it is that sweep
    restricted to one cell, because a sweep may have defaults that a run does not have.

    Parameters
    ----------
    blueprint : Blueprint
        The configuration of its sweep or run.
    params : mapping of str to value
        The swept parameters, as in a journal.
    """
    words = list(blueprint.overrides)
    if blueprint.is_run:
        return shlex.join(["sweepmark", "run", *_on_test(blueprint, words)])
    if [axis.name for axis in blueprint.space.axes] == [EXPERIMENT]:
        words = [f"{EXPERIMENT}={params[EXPERIMENT]}", *words]
        return shlex.join(["sweepmark", "run", *words, "evaluation=test"])
    words = [word for word in words if not word.startswith(_SEARCH)]
    if blueprint.config.sampler.name != "grid":
        words.append("sampler=grid")
    if blueprint.config.sweep is not None and blueprint.config.sweep.n_trials is not None:
        words.append("sweep.n_trials=null")
    return shlex.join(["sweepmark", "sweep", blueprint.name, *words, *_cell(blueprint, params)])


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
    added = {word.partition("=")[0] for word in blueprint.overrides if word.startswith(_ADDED)}
    for axis in blueprint.space.axes:
        if f"{_ADDED}{axis.name}" in added:
            value = params[axis.name]
            is_option = isinstance(axis, Options)
            only = f"{{option:[{value}]}}" if is_option else _listed(value)
            yield f"{_ADDED}{axis.name}={only}"
            continue
        if not isinstance(axis, Options):
            yield f"sweep.space.{axis.name}={_listed(params[axis.name])}"
            continue
        chosen, place = str(params[axis.name]), f"sweep.space.{axis.name}.option"
        if not isinstance(lookup(blueprint.shown_tree, place), dict):
            yield f"{place}=[{chosen}]"
            continue
        for option in axis.options:
            if option != chosen:
                yield f"~{place}.{option}"
        for opened in axis.options[chosen]:
            name = opened.name.removeprefix(f"{axis.name}.")
            yield f"{place}.{name}={_listed(params[opened.name])}"


def _listed(value: object) -> str:
    return f"[{json.dumps(value)}]"
