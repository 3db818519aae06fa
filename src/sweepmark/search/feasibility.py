"""Checks before a sweep starts, and the points of a space that cover all its values."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, NamedTuple

from sweepmark.config.registry import SAMPLERS
from sweepmark.errors import ConfigurationError, unknown_name
from sweepmark.scores import bands
from sweepmark.scores.directions import direction
from sweepmark.scores.metric_names import (
    ACCURACY,
    CV_ACCURACY,
    CV_ACCURACY_STD,
    FIT_SECONDS,
    LOG_LOSS,
    POINTS,
    PREDICT_SECONDS,
    THRESHOLD,
    cv,
    is_recall,
    macro,
    recall,
    validation,
)
from sweepmark.scores.metrics import OF_SCORES, POSITIVE_NAMES, TEST_NAMES
from sweepmark.search.space import Choice, Options
from sweepmark.specification.answers import (
    PROBABILITIES,
    can_answer,
    classifiers_with,
    score_methods,
)
from sweepmark.specification.components import build

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sweepmark.config.schema import Config, GradeConfig, SweepConfig
    from sweepmark.search.space import Params, Range, Space

__all__ = [
    "check_axes",
    "check_figures",
    "check_grade",
    "check_objective",
    "check_recalls",
    "samples",
]

_SWEPT = ("seed", "dataset", "split", "task", "preprocess", "classifier", "experiment")
_NO_OBJECTIVES = (FIT_SECONDS, PREDICT_SECONDS, POINTS, THRESHOLD)
_TWO = 2


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
    known = [(prefix or cv)(name) for name in TEST_NAMES]
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
    if rule.bands and rule.metric not in TEST_NAMES and not is_recall(rule.metric):
        raise ConfigurationError(
            unknown_name("metric", rule.metric, [*TEST_NAMES, recall("LABEL")])
        )


def check_recalls(sweep: SweepConfig, rule: GradeConfig, names: Sequence[str]) -> None:
    """Raise if the objective or the graded metric is the recall of an unknown label.

    Parameters
    ----------
    sweep, rule
        The groups with objective and metric.
    names : sequence of str
        The labels of the training part.

    Raises
    ------
    ConfigurationError
        With the existing recalls.
    """
    known = [recall(name) for name in names]
    for prefix in (cv(""), validation("")):
        objective = sweep.objective or ""
        bare = objective.removeprefix(prefix)
        if bare != objective and is_recall(bare) and bare not in known:
            options = [f"{prefix}{name}" for name in known]
            raise ConfigurationError(unknown_name("metric", objective, options))
    if rule.bands and is_recall(rule.metric) and rule.metric not in known:
        raise ConfigurationError(unknown_name("metric", rule.metric, known))


def check_figures(
    sweep: SweepConfig,
    rule: GradeConfig,
    component: Mapping[str, Any],
    n_labels: int,
    *,
    trusted: Sequence[str] = (),
) -> None:
    """Refuse to select by, or to grade, a figure that a trial cannot have.

    Parameters
    ----------
    sweep, rule
        Whose objective and metric are meant.
    component : mapping
        The trial's classifier, resolved.
    n_labels : int
        How many labels the training part has.
    trusted : sequence of str
        Packages allowed besides ours.

    Raises
    ------
    ConfigurationError
        Naming one that every trial has.
    """
    objective = sweep.objective or ""
    for prefix in (cv(""), validation("")):
        if objective.startswith(prefix):
            setting = "sweep.objective={}".format
            why = _impossible(objective.removeprefix(prefix), component, n_labels, trusted=trusted)
            if why is not None:
                better = " sweep.direction=null" if direction(objective) == "minimize" else ""
                raise ConfigurationError(
                    f"every trial must be able to have the objective, but {setting(objective)} "
                    f"{why.text}. Set {setting(prefix + why.instead)}{better}."
                )
    if rule.bands and (why := _impossible(rule.metric, component, n_labels, trusted=trusted)):
        raise ConfigurationError(
            f"what is graded must be able to have the metric of the bands, but grade.metric="
            f"{rule.metric} {why.text}. Set grade.metric={why.instead}, or grade=none."
        )


class _Why(NamedTuple):
    """Why there is no such figure, and which there is."""

    text: str
    instead: str


def _impossible(
    metric: str, component: Mapping[str, Any], n_labels: int, *, trusted: Sequence[str]
) -> _Why | None:
    """Return why a classifier of so many labels never has a metric; None if it may have it."""
    if metric in POSITIVE_NAMES and n_labels != _TWO:
        text = f"is of the positive one of two labels, and the training part has {n_labels}"
        return _Why(text, macro(metric))
    if metric not in {LOG_LOSS, *OF_SCORES}:
        return None
    built = build(component, trusted=trusted)
    name = type(built).__name__
    methods = PROBABILITIES if metric == LOG_LOSS else score_methods(built, n_labels)
    if can_answer(built, methods):
        return None
    options = ", ".join(classifiers_with(*methods))
    what = "probabilities" if metric == LOG_LOSS else f"scores of each of {n_labels} labels"
    text = (
        f"needs {what} ({' or '.join(methods)}), which {name} does not give as it is configured "
        f"(as they come, these do: {options})"
    )
    return _Why(text, ACCURACY)


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
