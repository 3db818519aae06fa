"""Whether a trial can have the metrics that select it, grade it, or are asked for."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from sweepmark.errors import ConfigurationError, unknown_name
from sweepmark.scores.directions import direction
from sweepmark.scores.metric_names import (
    ACCURACY,
    LOG_LOSS,
    cv,
    is_recall,
    macro,
    recall,
    validation,
)
from sweepmark.scores.metrics import OF_SCORES, POSITIVE_NAMES
from sweepmark.scores.requests import check_cost, implied, parse_requests
from sweepmark.scores.scorers import SCORERS
from sweepmark.specification.answers import (
    PROBABILITIES,
    can_answer,
    classifiers_with,
    score_methods,
)
from sweepmark.specification.components import build

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sweepmark.config.schema import Config, GradeConfig
    from sweepmark.scores.requests import Request

__all__ = ["check_metrics", "requested"]

_TWO = 2


def requested(config: Config) -> tuple[Request, ...]:
    """Return the metrics to compute besides those that every evaluation has.

    They are those of ``evaluation.metrics``, and what is selected or graded by.

    Raises
    ------
    ConfigurationError
        If one does not exist, or a parameter of it is wrong.
    """
    asked = parse_requests(config.evaluation.metrics)
    if config.sweep is not None:
        asked = implied(asked, config.sweep.objective)
    return implied(asked, config.grade.metric) if config.grade.bands else asked


def check_metrics(
    config: Config,
    rule: GradeConfig,
    component: Mapping[str, Any],
    names: Sequence[str],
    *,
    trusted: Sequence[str] = (),
) -> None:
    """Refuse to select by, to grade, or to ask for, a metric that a trial cannot have.

    Parameters
    ----------
    config : Config
        The configuration of the sweep as a whole.
    rule : GradeConfig
        The trial's grading rule: data sets that are swept may have their own.
    component : mapping
        The trial's classifier, resolved.
    names : sequence of str
        The labels of the training part.
    trusted : sequence of str
        Packages allowed besides ours.

    Raises
    ------
    ConfigurationError
        Naming one that every trial has, or the labels that there are.
    """
    objective = (config.sweep and config.sweep.objective) or ""
    _check_recalls(objective, rule, names)
    _check_figures(objective, rule, component, len(names), trusted=trusted)
    _check_requests(requested(config), component, names, trusted=trusted)


def _check_recalls(objective: str, rule: GradeConfig, names: Sequence[str]) -> None:
    """Raise if the objective or the graded metric is the recall of an unknown label."""
    known = [recall(name) for name in names]
    for prefix in (cv(""), validation("")):
        bare = objective.removeprefix(prefix)
        if bare != objective and is_recall(bare) and bare not in known:
            options = [f"{prefix}{name}" for name in known]
            raise ConfigurationError(unknown_name("metric", objective, options))
    if rule.bands and is_recall(rule.metric) and rule.metric not in known:
        raise ConfigurationError(unknown_name("metric", rule.metric, known))


def _check_figures(
    objective: str,
    rule: GradeConfig,
    component: Mapping[str, Any],
    n_labels: int,
    *,
    trusted: Sequence[str] = (),
) -> None:
    """Refuse to select by, or to grade, a metric that a trial cannot have."""
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


def _check_requests(
    requests: Sequence[Request],
    component: Mapping[str, Any],
    names: Sequence[str],
    *,
    trusted: Sequence[str] = (),
) -> None:
    """Refuse metrics that are asked for and that a trial cannot have."""
    for request in requests:
        check_cost(request, names)
        why = _impossible(request.name, component, len(names), trusted=trusted)
        if why is None and request.options.get("k", 0) >= len(names):
            text = f"with k={request.options['k']} is always 1 of {len(names)} labels"
            why = _Why(text, ACCURACY)
        if why is not None:
            raise ConfigurationError(
                f"every trial must be able to have the metrics that are asked for, but "
                f"{request.name} {why.text}. Take {why.instead}, which every trial has, instead."
            )


class _Why(NamedTuple):
    """Why there is no such figure, and which there is."""

    text: str
    instead: str


def _impossible(
    metric: str, component: Mapping[str, Any], n_labels: int, *, trusted: Sequence[str]
) -> _Why | None:
    """Return why a classifier of so many labels never has a metric; None if it may have it."""
    scorer = SCORERS.get(metric)
    instead = macro(metric) if scorer is None else scorer.instead
    if n_labels != _TWO and (metric in POSITIVE_NAMES or (scorer and scorer.labels == "two")):
        text = f"is of the positive one of two labels, and the training part has {n_labels}"
        return _Why(text, instead)
    if n_labels == _TWO and scorer is not None and scorer.labels == "more":
        return _Why("is of more than two labels, and the training part has 2", instead)
    if scorer is not None and scorer.needs == "probabilities":
        return _without_probabilities(component, n_labels, instead, trusted=trusted)
    needs_scores = metric in OF_SCORES or (scorer is not None and scorer.needs == "scores")
    if metric != LOG_LOSS and not needs_scores:
        return None
    built = build(component, trusted=trusted)
    methods = PROBABILITIES if metric == LOG_LOSS else score_methods(built, n_labels)
    if can_answer(built, methods):
        return None
    what = "probabilities" if metric == LOG_LOSS else f"scores of each of {n_labels} labels"
    return _Why(
        f"needs {what} ({' or '.join(methods)}), which {_as_configured(built)} "
        f"(as they come, these do: {', '.join(classifiers_with(*methods))})",
        ACCURACY,
    )


def _without_probabilities(
    component: Mapping[str, Any], n_labels: int, instead: str, *, trusted: Sequence[str]
) -> _Why | None:
    """Return why the scores of a classifier are no probabilities; None if they may be."""
    built = build(component, trusted=trusted)
    needs = "needs scores that are probabilities (predict_proba), which"
    if not can_answer(built, PROBABILITIES):
        return _Why(f"{needs} {_as_configured(built)}", ACCURACY)
    method = next(filter(partial(hasattr, built), score_methods(built, n_labels)), None)
    if method in {None, *PROBABILITIES}:
        return None
    text = f"{needs} those of {type(built).__name__} are not: they are those of {method}"
    return _Why(text, instead)


def _as_configured(classifier: Any) -> str:
    return f"{type(classifier).__name__} does not give as it is configured"
