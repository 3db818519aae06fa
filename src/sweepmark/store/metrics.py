"""The metrics of stored evaluations: kept apart from them, since they follow from them.

``mlruns/metrics/<name>….json`` is a cache. It is used only if it is of the evaluation's result, of
the current :func:`sweepmark.scores.measurement.version`, and as it was written; otherwise metrics
are computed anew, in memory where they cannot be written.
"""

from __future__ import annotations

import hashlib
import math
import threading
from contextlib import suppress
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from sweepmark.errors import DataError, StoreError
from sweepmark.files import check_folder, read_regular, write_whole
from sweepmark.scores.measurement import measure, measure_requested, version
from sweepmark.scores.metric_names import ACCURACY, VALIDATION_ACCURACY
from sweepmark.specification.specification import canonical_json
from sweepmark.store.documents import Number  # noqa: TC001 -- pydantic reads it

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from sweepmark.scores.predictions import Predictions
    from sweepmark.scores.requests import Request
    from sweepmark.scores.scorecard import Scorecard
    from sweepmark.store.documents import Stored

__all__ = ["StoredMetrics"]

_LARGEST = 1 << 24
_ACCURACIES = (ACCURACY, VALIDATION_ACCURACY)


class _Document(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")
    digest: str
    metrics: dict[str, Number]


class StoredMetrics:
    """Reads and writes the metrics of evaluations below a folder.

    Parameters
    ----------
    folder : Path
        ``mlruns/metrics``.
    requests : sequence of Request
        Metrics to compute besides those that every evaluation has. Each set of them has files of
        its own, whose digests are of their parameters too.
    """

    def __init__(self, folder: Path, requests: Sequence[Request] = ()) -> None:
        self._folder = folder
        self.requests = tuple(requests)
        self._asked = [asdict(request) for request in self.requests]
        text = canonical_json(self._asked)
        self._suffix = f"-{hashlib.sha256(text.encode()).hexdigest()[:16]}" if requests else ""

    def of(
        self, name: str, result: str, document: Mapping[str, Any], predictions: Predictions
    ) -> dict[str, float]:
        """Return the metrics of an evaluation: those kept, else computed ones, which are kept.

        Parameters
        ----------
        name : str
            The evaluation's folder.
        result : str
            The digest of its result.
        document : mapping
            Its valid ``evaluation.json``.
        predictions : Predictions
            Its predictions.
        """
        found = self._read(name, result)
        accuracy = float(np.mean(predictions.y_true == predictions.y_pred))
        # Whoever can write the digest of a file can make one up: this figure costs nothing.
        if found and any(math.isclose(found.get(each, -1.0), accuracy) for each in _ACCURACIES):
            return found
        card = document["scorecard"]
        metrics = measure(
            predictions,
            card["classes"],
            called=card["names"],
            positive=card["positive"],
            method=document["specification"].get("method"),
            requests=self.requests,
        )
        self._write(name, result, metrics)
        return metrics

    def asked(self, card: Scorecard, method: Mapping[str, Any]) -> Scorecard:
        """Return the Scorecard of a new evaluation with the metrics that are asked for."""
        if not self.requests:
            return card
        metrics = measure_requested(card, self.requests, method=method)
        return replace(card, metrics={**card.metrics, **metrics}, requests=self.requests)

    def keep(self, name: str, stored: Stored) -> None:
        """Keep the metrics of a new evaluation."""
        card = stored.scorecard
        metrics = {key: card.metrics[key] for key in card.metrics if key not in card.recorded}
        self._write(name, stored.result, metrics)

    def _read(self, name: str, result: str) -> dict[str, float] | None:
        try:
            check_folder(self._folder)
            content = read_regular(self._folder / self._file(name), limit=_LARGEST)
            found = _Document.model_validate_json(content)
        except (DataError, OSError, StoreError, ValidationError):
            return None
        return found.metrics if found.digest == self._digest(result, found.metrics) else None

    def _file(self, name: str) -> str:
        return f"{name}{self._suffix}.json"

    def _write(self, name: str, result: str, metrics: Mapping[str, float]) -> None:
        document = {"digest": self._digest(result, metrics), "metrics": dict(metrics)}
        target = self._folder / self._file(name)
        unfinished = target.with_name(f".{name}.{threading.get_native_id()}.new")
        content = canonical_json(document).encode()
        with suppress(OSError, StoreError):
            check_folder(self._folder)
            self._folder.mkdir(exist_ok=True)
            write_whole(target, lambda path: path.write_bytes(content), unfinished=unfinished)

    def _digest(self, result: str, metrics: Mapping[str, float]) -> str:
        """Return the SHA-256 of metrics and of what they depend on."""
        text = canonical_json([result, version(), self._asked, dict(metrics)])
        return hashlib.sha256(text.encode()).hexdigest()
