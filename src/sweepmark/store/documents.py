"""Conversion of a Scorecard to and from the mapping in ``evaluation.json``, and its validation."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.config.values import is_integer, is_number
from sweepmark.errors import DataError
from sweepmark.scores import metric_names as names
from sweepmark.scores.scorecard import Scorecard

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sweepmark.scores.predictions import Predictions

__all__ = ["contradiction", "document", "find_invalid", "from_document"]

_is_number = partial(is_number, largest=1e300)
_NUMBERS = ("n_train", "n_test", "n_positive", "fit_seconds", "predict_seconds")


def document(scorecard: Scorecard) -> dict[str, Any]:
    """Return all but predictions and model as a plain mapping; non-finite metrics are left out.

    In curves they are null, since every value has its position.
    """
    return {
        "curves": {
            name: [value if math.isfinite(value) else None for value in values]
            for name, values in scorecard.curves.items()
        },
        "metrics": {
            name: float(value) for name, value in scorecard.metrics.items() if math.isfinite(value)
        },
        "classes": [int(label) for label in scorecard.classes],
        "names": list(scorecard.names),
        "positive": scorecard.positive,
        "n_positive": scorecard.n_positive,
        "n_train": scorecard.n_train,
        "n_test": scorecard.n_test,
        "fit_seconds": scorecard.fit_seconds,
        "predict_seconds": scorecard.predict_seconds,
        "warnings": list(scorecard.warnings),
        "work": dict(scorecard.work),
    }


def from_document(
    document: Mapping[str, Any], predictions: Predictions, model: bytes | None
) -> Scorecard:
    """Return the Scorecard of a mapping from :func:`document`.

    Raises
    ------
    DataError
        If a part is missing.
    """
    try:
        return Scorecard(
            metrics=dict(document["metrics"]),
            classes=tuple(document["classes"]),
            names=tuple(document["names"]),
            positive=document["positive"],
            n_positive=document["n_positive"],
            predictions=predictions,
            n_train=document["n_train"],
            n_test=document["n_test"],
            fit_seconds=document["fit_seconds"],
            predict_seconds=document["predict_seconds"],
            warnings=tuple(document["warnings"]),
            curves={
                name: tuple(math.nan if value is None else float(value) for value in values)
                for name, values in document["curves"].items()
            },
            work=dict(document["work"]),
            model=model,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"a scorecard's document is not whole: {error!r}") from error


def find_invalid(content: Any) -> str | None:
    """Return what is invalid in an ``evaluation.json``; None if it is valid."""
    if not isinstance(content, dict):
        return "it is no mapping"
    card, origin = content.get("scorecard"), content.get("origin")
    if not isinstance(card, dict) or not isinstance(origin, dict):
        return "it lacks a part"
    numbers = [card.get(name) for name in _NUMBERS]
    metrics, classes, warnings = (card.get(name) for name in ("metrics", "classes", "warnings"))
    rules = {
        "origin": origin.keys() == {"sweep_id", "trial", "started", "ended"}
        and isinstance(origin["sweep_id"], str)
        and all(_is_number(origin[name]) for name in ("trial", "started", "ended")),
        "metrics": isinstance(metrics, dict)
        and all(map(_is_number, metrics.values()))
        and _headline(content.get("specification")) in metrics,
        "classes": isinstance(classes, list)
        and all(isinstance(item, int) for item in classes)
        and classes == sorted(set(classes)),
        "names": _are_names(card.get("names"), classes),
        "positive class": _is_class(card.get("positive"), classes),
        "warnings": isinstance(warnings, list) and all(isinstance(text, str) for text in warnings),
        "counts and seconds": all(map(_is_number, numbers)),
        "curves": _are_curves(card.get("curves")),
        "work": _is_work(card.get("work")),
    }
    wrong = [name for name, is_right in rules.items() if not is_right]
    return f"{', '.join(wrong)} cannot be right" if wrong else None


def _headline(specification: Any) -> str:
    """Return the metric that every evaluation of a method has."""
    method = specification.get("method") if isinstance(specification, dict) else None
    is_validation = isinstance(method, dict) and method.get("name") == "validation"
    return names.validation(names.ACCURACY) if is_validation else names.ACCURACY


def _are_names(value: Any, classes: Any) -> bool:
    return (
        isinstance(value, list)
        and isinstance(classes, list)
        and len(value) == len(classes)
        and all(isinstance(name, str) for name in value)
    )


def _is_class(value: Any, classes: Any) -> bool:
    return value is None or (is_integer(value) and isinstance(classes, list) and value in classes)


def _are_curves(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(curve, list)
        and len(curve) > 0
        and all(item is None or _is_number(item) for item in curve)
        for curve in value.values()
    )


def _is_work(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_number, value.values()))


def contradiction(card: Scorecard) -> str | None:
    """Return an inconsistency within the predictions or with the metrics; None if there is none."""
    scored = card.predictions
    columns = (scored.rows, scored.y_true, scored.y_pred)
    if any(column.ndim != 1 or column.dtype.kind not in "iu" for column in columns):
        return "rows and labels must be lists of integers"
    if len({len(column) for column in columns}) > 1 or len(scored.rows) != card.n_test:
        return f"there must be {card.n_test} rows and labels"
    if len(scored.rows) and int(scored.rows.min()) < 0:
        return "rows must not be negative"
    if not np.isin([*np.unique(scored.y_true), *np.unique(scored.y_pred)], card.classes).all():
        return f"labels must be among the classes {list(card.classes)}"
    scores = scored.scores
    if scores is not None and (
        scores.dtype.kind != "f"
        or scores.shape not in {(card.n_test,), (card.n_test, len(card.classes))}
    ):
        return "scores must be numbers, a row each"
    return None
