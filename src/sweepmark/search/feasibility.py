"""Checks before a sweep starts, and the points of a space that cover all its values."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from sweepmark.config.registry import SAMPLERS
from sweepmark.errors import ConfigurationError, unknown_name
from sweepmark.scores import bands
from sweepmark.scores.directions import direction
from sweepmark.scores.metric_names import (
    ACCURACY,
    CV_ACCURACY,
    CV_ACCURACY_STD,
    FIT_SECONDS,
    POINTS,
    PREDICT_SECONDS,
    THRESHOLD,
    cv,
    is_recall,
    recall,
    validation,
)
from sweepmark.scores.metrics import TEST_NAMES
from sweepmark.scores.scorers import SCORERS
from sweepmark.search.space import Choice, Options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sweepmark.config.schema import Config, GradeConfig, SweepConfig
    from sweepmark.search.space import Params, Range, Space

__all__ = [
    "check_axes",
    "check_grade",
    "check_objective",
    "samples",
]

_SWEPT = ("seed", "dataset", "split", "task", "preprocess", "classifier", "experiment")
_NO_OBJECTIVES = (FIT_SECONDS, PREDICT_SECONDS, POINTS, THRESHOLD)


def check_objective(sweep: SweepConfig, config: Config) -> None:
    """Raise if an objective is not a metric, has no direction, or would select on the test part.

    Raises
    ------
    ConfigurationError
        With an objective that can be used.
    """
    _check_direction(sweep)
    objective = sweep.objective
    if objective is None and sweep.target is not None:
        raise ConfigurationError(
            f"sweep.target={sweep.target:g} needs a metric that can reach it. "
            f"Set sweep.objective={CV_ACCURACY} evaluation=cv."
        )
    if objective is None:
        if SAMPLERS.find(config.sampler.name).learns:
            raise ConfigurationError(
                f"sampler={config.sampler.name} needs a metric to select by. "
                f"Set sweep.objective={CV_ACCURACY} evaluation=cv."
            )
        return
    prefixes = {"cv": cv, "validation": validation}
    prefix = prefixes.get(config.evaluation.method)
    instead = f"sweep.objective={(prefix or cv)(ACCURACY)}"
    known = [(prefix or cv)(name) for name in (*TEST_NAMES, *SCORERS)]
    known += [CV_ACCURACY_STD] if (prefix or cv) is cv else []
    if objective in _NO_OBJECTIVES:
        raise ConfigurationError(
            f"an objective must come out the same each time and be of one trial, but {objective} "
            f"does not. Set {instead}."
        )
    if direction(objective) is None and objective not in known:
        raise ConfigurationError(unknown_name("metric", objective, [*known, cv(recall(0))]))
    if prefix is None or not objective.startswith(prefix("")):
        raise ConfigurationError(
            "a sweep that selects must select on cross-validation or on a validation part, so that "
            f"the test part is scored once, but got sweep.objective={objective} with "
            f"evaluation={config.evaluation.method}. Set "
            f"{'evaluation=cv ' if prefix is None else ''}{instead}"
            ", or sweep.objective=null."
        )
    if objective not in known and not is_recall(objective.removeprefix(prefix(""))):
        options = [*known, prefix(recall("LABEL"))]
        raise ConfigurationError(unknown_name("metric", objective, options))


def _check_direction(sweep: SweepConfig) -> None:
    """Raise if a direction contradicts the objective's, or if there is neither."""
    objective, asked = sweep.objective, sweep.direction
    own = "maximize" if objective is None else direction(objective)
    if own is not None and asked not in {None, own}:
        raise ConfigurationError(
            f"sweep.direction must be the better end of the objective, which is {own} for "
            f"{objective or ACCURACY}, but got sweep.direction={asked}. Set sweep.direction=null."
        )
    if own is None and asked is None and objective == CV_ACCURACY_STD:
        raise ConfigurationError(
            f"an objective must be a quality, but {objective} is none: neither end of it is the "
            f"better one by itself. Set sweep.objective={CV_ACCURACY}, or say which end you want: "
            "sweep.direction=minimize or sweep.direction=maximize."
        )


def check_grade(rule: GradeConfig) -> None:
    """Raise if bands are invalid, or their metric does not exist.

    Raises
    ------
    ConfigurationError
        If they are.
    """
    bands.check_bands(rule)
    known = {*TEST_NAMES, *SCORERS}
    if rule.bands and rule.metric not in known and not is_recall(rule.metric):
        raise ConfigurationError(unknown_name("metric", rule.metric, [*known, recall("LABEL")]))


def check_axes(space: Space) -> None:
    """Raise if an axis does not affect evaluations.

    Raises
    ------
    ConfigurationError
        With the first such axis.
    """
    for axis in space.all_axes():
        name = axis.name if isinstance(axis, Options) else axis.path
        is_swept = name.partition(".")[0] in _SWEPT or name == "engine.threads"
        if not is_swept:
            raise ConfigurationError(
                f"a sweep varies what is evaluated, {', '.join(_SWEPT)}, and not how or where, "
                f"but got sweep.space.{axis.name}. Set it for the sweep as a whole."
            )


def samples(space: Space) -> Iterator[Params]:
    """Yield points that together cover every option, value and combination of rows."""
    for combination in space.combinations():
        axes = {axis.name: axis for axis in space.active(combination)}
        values = {
            name: (combination[name],) if isinstance(axis, Options) else _values(axis)
            for name, axis in axes.items()
        }
        first = {name: those[0] for name, those in values.items()}
        rows = {name: those for name, those in values.items() if name.startswith("split.")}
        for chosen in itertools.product(*rows.values()):
            yield first | dict(zip(rows, chosen, strict=True))
        for name, those in values.items():
            for value in those[1:] if name not in rows else ():
                yield first | {name: value}


def _values(axis: Choice | Range) -> tuple[Any, ...]:
    return axis.values if isinstance(axis, Choice) else (axis.low, axis.high)
