"""The files of an evaluation: how they are made of a Scorecard, and what they may contain."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping  # noqa: TC003 -- pydantic reads it
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from sweepmark.scores.predictions import predictions_npz
from sweepmark.scores.scorecard import Scorecard
from sweepmark.store.manifest import (
    DIGESTS,
    EVALUATION,
    MODEL,
    PREDICTIONS,
    Manifest,
    result_digest,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sweepmark.scores.predictions import Predictions
    from sweepmark.scores.requests import Request
    from sweepmark.specification.specification import Specification

__all__ = [
    "Number",
    "Origin",
    "Stored",
    "contradiction",
    "document",
    "find_invalid",
    "from_document",
    "to_be_stored",
]

_TWO = 2

Number = Annotated[float, Field(ge=-1e300, le=1e300, allow_inf_nan=False)]
"""A number that a file of a store may contain."""

_Count = Annotated[int, Field(ge=0, le=10**15)]


@dataclass(frozen=True, slots=True)
class Origin:
    """The sweep and trial that computed an evaluation, and the time (seconds since the epoch)."""

    sweep_id: str
    trial: int
    started: float
    ended: float

    def __str__(self) -> str:
        """Return ``sweep_id/trial``."""
        return f"{self.sweep_id}/{self.trial}"


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """An evaluation as stored.

    Attributes
    ----------
    key : str
        The evaluation's key.
    result : str
        SHA-256 of its result: predictions and recorded metrics, not seconds.
    origin : Origin
        The sweep and trial that computed it.
    scorecard : Scorecard
        Its Scorecard, without the model.
    """

    key: str
    result: str
    origin: Origin
    scorecard: Scorecard


def _ascending(labels: list[int]) -> list[int]:
    if labels != sorted(set(labels)):
        raise ValueError("labels must ascend")
    return labels


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class _Scorecard(_Strict):
    """A Scorecard without its predictions, the metrics that follow from them, and the model."""

    recorded: dict[str, Number]
    curves: dict[str, Annotated[list[Number | None], Field(min_length=1)]]
    classes: Annotated[list[int], AfterValidator(_ascending)]
    names: list[str]
    positive: int | None
    n_positive: _Count
    n_train: _Count
    n_test: _Count
    fit_seconds: Number
    predict_seconds: Number
    warnings: list[str]
    work: dict[str, Number]


class _Origin(_Strict):
    sweep_id: str
    trial: int  # -1: the final test
    started: Number
    ended: Number


class _Evaluation(_Strict):
    specification: Mapping[str, Any]
    scorecard: _Scorecard
    origin: _Origin


def to_be_stored(
    specification: Specification, scorecard: Scorecard, origin: Origin
) -> tuple[Stored, dict[str, bytes]]:
    """Return an evaluation as stored, and its files, with the manifest last."""
    card = document(scorecard)
    predictions = predictions_npz(
        scorecard.predictions, classes=scorecard.classes, names=scorecard.names
    )
    evaluation = {
        "specification": specification.document(),
        "scorecard": card,
        "origin": asdict(origin),
    }
    files = {
        EVALUATION: json.dumps(evaluation, indent=1, allow_nan=False).encode(),
        PREDICTIONS: predictions,
    }
    if scorecard.model is not None:
        files[MODEL] = scorecard.model
    key, result = specification.key, result_digest(card, predictions)
    files[DIGESTS] = Manifest.of(key, result, files).content
    metrics = _finite(scorecard.metrics)
    kept = from_document(card, scorecard.predictions, metrics, scorecard.requests)
    return Stored(key, result, origin, kept), files


def document(scorecard: Scorecard) -> dict[str, Any]:
    """Return what ``evaluation.json`` has of a Scorecard; non-finite metrics are left out.

    In curves they are null, since every value has its position.
    """
    kept = {name: getattr(scorecard, name) for name in _Scorecard.model_fields}
    return kept | {
        "recorded": _finite(scorecard.recorded),
        "curves": {
            name: [value if math.isfinite(value) else None for value in values]
            for name, values in scorecard.curves.items()
        },
        "work": dict(scorecard.work),
    }


def _finite(metrics: Mapping[str, float]) -> dict[str, float]:
    return {name: float(value) for name, value in metrics.items() if math.isfinite(value)}


def from_document(
    document: Mapping[str, Any],
    predictions: Predictions,
    metrics: Mapping[str, float],
    requests: tuple[Request, ...] = (),
) -> Scorecard:
    """Return the Scorecard of a valid mapping from :func:`document`.

    Parameters
    ----------
    document : mapping
        The mapping.
    predictions : Predictions
        The predictions stored with it.
    metrics : mapping of str to float
        Those that follow from the predictions.
    requests : tuple of Request
        Those among them that were asked for.
    """
    curves = {
        name: tuple(math.nan if value is None else float(value) for value in values)
        for name, values in document["curves"].items()
    }
    lists = {name: tuple(document[name]) for name in ("classes", "names", "warnings")}
    return Scorecard(
        **{**document, **lists, "curves": curves},
        metrics={**metrics, **document["recorded"]},
        predictions=predictions,
        requests=requests,
    )


def find_invalid(content: Any) -> str | None:
    """Return what is invalid in an ``evaluation.json``; None if it is valid."""
    try:
        _Evaluation.model_validate(content)
    except ValidationError as error:
        places = [list(map(str, item["loc"])) for item in error.errors(include_url=False)]
        parts = {".".join(place[: 2 if place[:1] == ["scorecard"] else 1]) for place in places}
        return f"{', '.join(sorted(parts)) or 'the document'} cannot be right"
    return None


def contradiction(card: Mapping[str, Any], predictions: Predictions) -> str | None:
    """Return an inconsistency of a valid document or its predictions; None if there is none."""
    return next(_contradictions(card, predictions), None)


def _contradictions(card: Mapping[str, Any], predictions: Predictions) -> Iterator[str]:
    classes, n, scores = card["classes"], card["n_test"], predictions.scores
    if len(card["names"]) != len(classes):
        yield "there must be a name for each class"
    if card["positive"] not in {None, *classes}:
        yield f"the positive class must be among the classes {classes}"
    columns = (predictions.rows, predictions.y_true, predictions.y_pred)
    if any(column.ndim != 1 or column.dtype.kind not in "iu" for column in columns):
        yield "rows and labels must be lists of integers"
    if n == 0 or {len(column) for column in columns} != {n}:
        yield f"there must be {n or 'some'} rows and labels"
    if int(predictions.rows.min()) < 0:
        yield "rows must not be negative"
    if not np.isin(np.concatenate(columns[1:]), classes).all():
        yield f"labels must be among the classes {classes}"
    shapes = [(n, len(classes)), (n,)] if len(classes) <= _TWO else [(n, len(classes))]
    if scores is not None and (scores.dtype.kind != "f" or scores.shape not in shapes):
        yield "scores must be numbers, a row each"
