"""A Stored evaluation, and its files."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from sweepmark.scores.scorecard import predictions_npz
from sweepmark.store.documents import document, from_document
from sweepmark.store.manifest import (
    DIGESTS,
    EVALUATION,
    MODEL,
    PREDICTIONS,
    Manifest,
    result_digest,
)

if TYPE_CHECKING:
    from sweepmark.scores.scorecard import Scorecard
    from sweepmark.specification.specification import Specification

__all__ = ["Origin", "Stored", "to_be_stored"]


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
        SHA-256 of its result: metrics and predictions, not seconds.
    origin : Origin
        The sweep and trial that computed it.
    scorecard : Scorecard
        Its Scorecard, without the model.
    """

    key: str
    result: str
    origin: Origin
    scorecard: Scorecard


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
    kept = from_document(card, scorecard.predictions, None)
    return Stored(key, result, origin, kept), files
