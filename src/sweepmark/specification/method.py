"""The method of an evaluation as plain values: which rows are fitted on and which are scored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.errors import ConfigurationError
from sweepmark.scores.threshold import Rule, parse_threshold
from sweepmark.specification.answers import can_answer, classifiers_with, score_methods
from sweepmark.specification.components import build
from sweepmark.specification.folds import (
    are_stratified,
    check_folds,
    check_held_out,
    hold_out,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from sweepmark.config.schema import Config, EvaluationConfig

__all__ = ["check_classifier", "resolve_methods"]

_TWO = 2


def resolve_methods(
    config: Config, y_train: NDArray[np.int64], ranks: NDArray[np.int64] | None = None
) -> tuple[dict[str, Any], ...]:
    """Return the methods of a trial's evaluations: one, or one per fold.

    Unused options are left out, so that evaluations that do not use an option keep their keys.

    Parameters
    ----------
    config : Config
        Group ``evaluation`` and the seed.
    y_train : ndarray of shape (n_train,), int64
        The targets of the training part.
    ranks : ndarray of shape (n_train,), int64, or None
        The groups of its rows, or their places in the order.

    Raises
    ------
    ConfigurationError
        If options contradict each other, or the rows fitted on lack one of the classes.
    """
    asked = config.evaluation
    options: dict[str, Any] = {}
    fitted, groups = y_train, ranks
    _check_order(config)
    if asked.method == "validation" and asked.validation_fraction is None:
        raise ConfigurationError(
            "evaluation=validation must be told how much is held out. "
            "Set evaluation.validation_fraction=0.2."
        )
    if asked.validation_fraction is not None:
        options["validation"] = _validation(config, y_train, ranks)
        fit, _ = hold_out(options["validation"], len(y_train), ranks)
        fitted, groups = y_train[fit], None if ranks is None else ranks[fit]
    if asked.threshold is not None:
        options["threshold"] = _threshold(config, fitted, groups)
    if asked.epochs is not None:
        options["epochs"] = asked.epochs
    if asked.method != "cv":
        return ({"name": asked.method} | options,)
    folds = {"name": "fold"} | _folds(config)
    methods = tuple(folds | {"fold": fold} | options for fold in range(asked.n_splits))
    _check_folds(config, y_train, methods, ranks)
    return methods


def _folds(config: Config) -> dict[str, Any]:
    by = config.split.column
    return {
        "n_splits": config.evaluation.n_splits,
        "stratified": are_stratified(config.evaluation, by),
        "shuffle": config.evaluation.shuffle,
        "seed": config.seed if config.evaluation.shuffle else None,
        **({} if by is None else {"by": by.role}),
    }


def _check_folds(
    config: Config,
    y: NDArray[np.int64],
    methods: Sequence[Mapping[str, Any]],
    ranks: NDArray[np.int64] | None,
) -> None:
    """Raise if there are too few rows or groups for the folds, or one would lack a class."""
    by, n_splits = config.split.column, config.evaluation.n_splits
    if by is not None:
        is_groups = by.role == "groups"
        found = len(np.unique(() if ranks is None else ranks)) if is_groups else len(y) - 1
        if found < n_splits:
            what = f"has {found} groups" if is_groups else f"has {found + 1} rows in an order"
            raise ConfigurationError(
                f"every fold must have {'a group' if is_groups else 'rows before it'}, but what is "
                f"fitted on {what} for evaluation.n_splits={n_splits} ({by}). Set fewer folds."
            )
    if by is not None or not config.evaluation.stratified:
        check_folds(y, methods, ranks)


def _check_order(config: Config) -> None:
    """Raise if rows in an order would be shuffled or drawn."""
    by, asked = config.split.column, config.evaluation
    if by is None or by.role != "order":
        return
    for key, value, instead in (
        ("shuffle", asked.shuffle and "true", "false"),
        ("validation_rows", asked.validation_rows == "random" and "random", "last"),
    ):
        if value:
            raise ConfigurationError(
                f"{by} fits on what comes before the rows that are scored, but got "
                f"evaluation.{key}={value}. Set evaluation.{key}={instead}."
            )


def _validation(
    config: Config, y_train: NDArray[np.int64], ranks: NDArray[np.int64] | None
) -> dict[str, Any]:
    asked = config.evaluation
    if asked.method == "cv":
        raise ConfigurationError(
            "evaluation=cv holds every fold out in its turn, but got "
            f"evaluation.validation_fraction={asked.validation_fraction}. Set evaluation=validation"
            " or evaluation.validation_fraction=null."
        )
    part: dict[str, Any] = {
        "fraction": asked.validation_fraction,
        "rows": asked.validation_rows,
        "seed": config.seed if asked.validation_rows == "random" else None,
    }
    if config.split.column is not None:
        part["by"] = config.split.column.role
    check_held_out(y_train, part, ranks)
    return part


def _threshold(
    config: Config, fitted: NDArray[np.int64], ranks: NDArray[np.int64] | None
) -> float | dict[str, Any]:
    """Return the number, or the rule and the folds used to apply it."""
    asked = config.evaluation
    parsed = parse_threshold("" if asked.threshold is None else asked.threshold)
    classes, counts = np.unique(fitted, return_counts=True)
    if len(classes) != _TWO:
        raise ConfigurationError(
            "evaluation.threshold is for two classes, but the training part has "
            f"{len(classes)}. Set task=is_digit task.positive=… or evaluation.threshold=null."
        )
    if not isinstance(parsed, Rule):
        return parsed
    if asked.method == "cv":
        raise ConfigurationError(
            f"evaluation=cv takes a number for evaluation.threshold, but got {parsed}: a rule "
            "would choose another threshold in every fold, each by a cross-validation of its own. "
            "Take evaluation=test or evaluation=validation, or set a number."
        )
    if counts.min() < asked.n_splits:
        raise ConfigurationError(
            f"evaluation.threshold={parsed} is chosen by cross-validation, so every class must "
            f"have at least evaluation.n_splits={asked.n_splits} training rows, but class "
            f"{classes[counts.argmin()]} has {counts.min()}. Set fewer folds or a larger "
            "split.size."
        )
    folds = _folds(config)
    _check_folds(config, fitted, [folds | {"fold": fold} for fold in range(asked.n_splits)], ranks)
    return {"rule": str(parsed)} | folds


def check_classifier(
    evaluation: EvaluationConfig, classifier: Mapping[str, Any], *, trusted: Sequence[str] = ()
) -> None:
    """Raise if a classifier lacks ``partial_fit`` or scores that the configuration needs.

    Raises
    ------
    ConfigurationError
        With the classifiers that can be used.
    """
    if evaluation.epochs is None and evaluation.threshold is None:
        return
    built = build(classifier, trusted=trusted)
    name = type(built).__name__
    if evaluation.epochs is not None and not hasattr(built, "partial_fit"):
        options = ", ".join(classifiers_with("partial_fit"))
        raise ConfigurationError(
            f"evaluation.epochs needs a classifier that is trained by epochs (partial_fit), but "
            f"{name} is none as it is configured. Set classifier=… to one of {options}, or "
            "evaluation.epochs=null."
        )
    stops_early = getattr(built, "early_stopping", False)
    if evaluation.epochs is not None and (stops_early or built.get_params().get("class_weight")):
        raise ConfigurationError(
            f"evaluation.epochs={evaluation.epochs} trains {name} by partial_fit, which takes "
            "neither early_stopping nor class_weight. Set classifier.early_stopping=false "
            "classifier.class_weight=null, or evaluation.epochs=null."
        )
    has_scores = can_answer(built, score_methods(built, _TWO))
    if evaluation.threshold is not None and not has_scores:
        raise ConfigurationError(
            f"evaluation.threshold needs a classifier with decision_function or predict_proba, "
            f"but {name} has neither as it is configured. Set another classifier."
        )
