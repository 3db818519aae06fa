"""Fitted Pipelines as files: what predicts new rows, in scikit-learn's own classes where it can."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.evaluation.fitting import find_positive

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sklearn.pipeline import Pipeline

__all__ = ["dump_pipeline", "to_sklearn"]


def dump_pipeline(
    pipeline: Pipeline, *, threshold: float | None = None, positive: Any = None
) -> bytes:
    """Return a fitted pipeline in skops format, for predicting new rows.

    Steps with ``fit_resample`` are left out; a threshold is included as a
    FixedThresholdClassifier; :func:`to_sklearn` says what becomes of estimators of our own.

    Parameters
    ----------
    pipeline : Pipeline
        Fitted. It is not changed.
    threshold : float or None
        For two classes, the score from which on a row counts as positive.
    positive : label or None
        The class that counts as positive; None takes the second.
    """
    from sklearn.model_selection import FixedThresholdClassifier
    from sklearn.pipeline import Pipeline

    from sweepmark.specification.models import dump as as_bytes

    *steps, (name, classifier) = (
        (name, to_sklearn(step))
        for name, step in pipeline.steps
        if not hasattr(step, "fit_resample")
    )
    if threshold is not None:
        fitted = classifier
        has_decision = hasattr(fitted, "decision_function")
        classifier = FixedThresholdClassifier(
            fitted,
            threshold=threshold,
            pos_label=np.asarray(fitted.classes_)[find_positive(fitted, positive)].item(),
            response_method="decision_function" if has_decision else "predict_proba",
        )
        classifier.estimator_ = fitted  # its fit method would fit the classifier again
    return as_bytes(Pipeline([*steps, (name, classifier)]))


def to_sklearn(estimator: Any) -> Any:
    """Return an estimator in which everything with a method ``to_sklearn`` is what that returns.

    Estimators may lie in others: in lists, tuples, mappings, arrays and attributes. What needs no
    change is returned as it is; the rest is copied, and the original stays.
    """
    return _exported(estimator, frozenset())


def _exported(value: Any, within: frozenset[int]) -> Any:
    """Return an object in sklearn's classes; ``within`` has the ids of those that it lies in."""
    if hasattr(value, "to_sklearn"):
        return value.to_sklearn()
    items = _items(value)
    if not items or id(value) in within:
        return value
    exported = {key: _exported(item, within | {id(value)}) for key, item in items.items()}
    changed = {key: item for key, item in exported.items() if item is not items[key]}
    if not changed:
        return value
    if isinstance(value, tuple):
        return tuple(exported.values())
    copied = copy.copy(value)
    target = vars(copied) if _has_attributes(value) else copied
    for key, item in changed.items():
        target[key] = item
    return copied


def _items(value: Any) -> Mapping[Any, Any]:
    """Return what may have estimators in it, by key, index or attribute."""
    if isinstance(value, dict):
        return value
    if type(value) in {list, tuple}:
        return dict(enumerate(value))
    if isinstance(value, np.ndarray) and value.dtype == object:
        return dict(np.ndenumerate(value))
    return vars(value) if _has_attributes(value) else {}


def _has_attributes(value: Any) -> bool:
    is_sklearn = type(value).__module__.startswith("sklearn.")
    return is_sklearn and not isinstance(value, dict) and hasattr(value, "__dict__")
