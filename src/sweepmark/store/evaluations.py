"""Finished evaluations on disk, by key: the first of the two truths."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sweepmark.errors import DataError, StoreError
from sweepmark.scorecard import document, from_document, load_predictions, predictions_npz
from sweepmark.store.files import environment_errors, write_folder

if TYPE_CHECKING:
    from pathlib import Path

    from sweepmark.scorecard import Scorecard
    from sweepmark.specification import Specification

__all__ = ["EvaluationStore", "Origin"]

_FIGURES = "evaluation.json"
_PREDICTIONS = "predictions.npz"
_MODEL = "model.skops"


@dataclass(frozen=True, slots=True)
class Origin:
    """Who computed an evaluation, and when (seconds since the epoch)."""

    sweep_id: str
    trial: int
    started: float
    ended: float

    def __str__(self) -> str:
        """Return ``sweep_id/trial``."""
        return f"{self.sweep_id}/{self.trial}"


class EvaluationStore:
    """Evaluations below a folder; each is written once, whole.

    Parameters
    ----------
    folder : Path
        ``mlruns/evaluations``.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def origin(self, key: str, *, with_model: bool = False) -> Origin | None:
        """Return who computed an evaluation; None if it is not there, or lacks its model."""
        folder = self._folder / key
        if not folder.is_dir() or (with_model and not (folder / _MODEL).exists()):
            return None
        try:
            return Origin(**self._figures(key)["origin"])
        except (KeyError, TypeError) as error:
            raise self._damaged(key, _FIGURES, error) from None

    def scorecard(self, key: str) -> Scorecard:
        """Return an evaluation's Scorecard, without the model.

        Raises
        ------
        StoreError
            If it cannot be read, or is damaged.
        """
        try:
            predictions = load_predictions(self._read(key, _PREDICTIONS))
        except DataError as error:
            raise self._damaged(key, _PREDICTIONS, error) from None
        try:
            return from_document(self._figures(key)["scorecard"], predictions, None)
        except (DataError, KeyError, TypeError) as error:
            raise self._damaged(key, _FIGURES, error) from None

    def model(self, key: str) -> bytes | None:
        """Return the fitted pipeline in skops format, None if it was not kept."""
        if not (self._folder / key / _MODEL).exists():
            return None
        return self._read(key, _MODEL)

    def put(self, specification: Specification, scorecard: Scorecard, origin: Origin) -> bool:
        """Keep an evaluation; one that is there already stays, and gains the model it lacks.

        Returns
        -------
        bool
            Whether it is new.
        """
        figures = {
            "specification": specification.document(),
            "scorecard": document(scorecard),
            "origin": {
                "sweep_id": origin.sweep_id,
                "trial": origin.trial,
                "started": origin.started,
                "ended": origin.ended,
            },
        }
        files = {
            _FIGURES: json.dumps(figures, indent=1, allow_nan=False).encode(),
            _PREDICTIONS: predictions_npz(scorecard.predictions),
        }
        if scorecard.model is not None:
            files[_MODEL] = scorecard.model
        folder = self._folder / specification.key
        if write_folder(folder, files):
            return True
        if scorecard.model is not None and not (folder / _MODEL).exists():
            self._add_model(folder, scorecard.model)
        return False

    def _add_model(self, folder: Path, model: bytes) -> None:
        temporary = folder / f".{_MODEL}.{os.getpid()}"
        with environment_errors(folder):
            try:
                with temporary.open("wb") as file:
                    file.write(model)
                    file.flush()
                    os.fsync(file.fileno())
                temporary.rename(folder / _MODEL)
            finally:
                temporary.unlink(missing_ok=True)

    def _figures(self, key: str) -> dict[str, Any]:
        content = self._read(key, _FIGURES)
        try:
            figures: dict[str, Any] = json.loads(content)
        except ValueError as error:
            raise self._damaged(key, _FIGURES, error) from None
        return figures

    def _read(self, key: str, name: str) -> bytes:
        with environment_errors(self._folder / key / name):
            return (self._folder / key / name).read_bytes()

    def _damaged(self, key: str, name: str, error: Exception) -> StoreError:
        folder = self._folder / key
        return StoreError(
            f"{folder / name} is damaged: {error}. Remove {folder}; it is computed again."
        )
