"""A Scorecard as the plain mapping that ``evaluation.json`` keeps, and back."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from sweepmark.errors import DataError
from sweepmark.scorecard import Scorecard

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sweepmark.predictions import Predictions

__all__ = ["document", "from_document"]


def document(scorecard: Scorecard) -> dict[str, Any]:
    """Return all but predictions and model as a plain mapping; what is not finite is left out.

    In curves, where every figure has its place, it is null.
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
    """Return the Scorecard that :func:`document` described.

    Raises
    ------
    DataError
        If the document lacks a part.
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
