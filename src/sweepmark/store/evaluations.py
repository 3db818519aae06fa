"""Finished evaluations on disk, by key: the first of the two truths."""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.errors import DataError, StoreError
from sweepmark.scorecard import load_predictions, predictions_npz
from sweepmark.specification import canonical_json
from sweepmark.store.documents import document, from_document
from sweepmark.store.files import environment_errors, write_folder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sweepmark.scorecard import Scorecard
    from sweepmark.specification import Specification

__all__ = ["EvaluationStore", "Origin"]

_FIGURES = "evaluation.json"
_PREDICTIONS = "predictions.npz"
_MODEL = "model.skops"
_NUMBERS = ("n_train", "n_test", "n_positive", "fit_seconds", "predict_seconds")
_LARGEST_NUMBER = 1e300
_DIGEST = re.compile(r"[0-9a-f]{64}")  # it becomes the name of a folder


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
        return Origin(**self._figures(key)["origin"])

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
        card = from_document(self._figures(key)["scorecard"], predictions, None)
        if reason := _contradiction(card):
            raise self._damaged(key, _PREDICTIONS, reason)
        return card

    def model(self, key: str) -> bytes | None:
        """Return the fitted pipeline in skops format, None if it was not kept."""
        if not (self._folder / key / _MODEL).exists():
            return None
        return self._read(key, _MODEL)

    def specification(self, key: str) -> Mapping[str, Any]:
        """Return what an evaluation is of, as :meth:`Specification.document` wrote it.

        What names files or labels is checked: ``data`` is a digest, ``task`` has a name and
        perhaps a positive label.

        Raises
        ------
        StoreError
            If it cannot be read, or is damaged.
        """
        specification = self._figures(key).get("specification")
        document = specification if isinstance(specification, dict) else {}
        digest, task = document.get("data"), document.get("task")
        if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
            raise self._damaged(key, _FIGURES, "its specification names no data set")
        if not isinstance(task, dict) or not isinstance(task.get("positive", 0), int):
            raise self._damaged(key, _FIGURES, "its specification names no task")
        return document

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
            _PREDICTIONS: predictions_npz(
                scorecard.predictions, classes=scorecard.classes, names=scorecard.names
            ),
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
        except (ValueError, RecursionError) as error:
            raise self._damaged(key, _FIGURES, error) from None
        if reason := _misshapen(figures):
            raise self._damaged(key, _FIGURES, reason)
        return figures

    def keys(self) -> list[str]:
        """Return the keys of the evaluations there are, ascending."""
        with environment_errors(self._folder):
            if not self._folder.is_dir():
                return []
            names = [path.name for path in self._folder.iterdir()]
        return sorted(name for name in names if not name.startswith("."))

    def verify(self, key: str) -> None:
        """Read an evaluation whole and compare its specification with its key.

        Raises
        ------
        StoreError
            If it is damaged, or not the one that its name says.
        """
        self.scorecard(key)
        specification = self._figures(key).get("specification")
        text = canonical_json(specification)
        if hashlib.sha256(text.encode()).hexdigest() != key:
            raise self._damaged(key, _FIGURES, "its specification has another key")

    def _read(self, key: str, name: str) -> bytes:
        with environment_errors(self._folder / key / name):
            return (self._folder / key / name).read_bytes()

    def _damaged(self, key: str, name: str, error: Exception | str) -> StoreError:
        folder = self._folder / key
        return StoreError(
            f"{folder / name} is damaged: {error}. Remove {folder}; it is computed again."
        )


def _misshapen(figures: Any) -> str | None:
    """Return what of the figures is not as this module writes them; None if all is."""
    if not isinstance(figures, dict):
        return "it is no mapping"
    card, origin = figures.get("scorecard"), figures.get("origin")
    if not isinstance(card, dict) or not isinstance(origin, dict):
        return "it lacks a part"
    numbers = [card.get(name) for name in _NUMBERS]
    metrics, classes, warnings = (card.get(name) for name in ("metrics", "classes", "warnings"))
    rules = {
        "origin": origin.keys() == {"sweep_id", "trial", "started", "ended"}
        and isinstance(origin["sweep_id"], str)
        and all(_is_number(origin[name]) for name in ("trial", "started", "ended")),
        "metrics": isinstance(metrics, dict) and all(map(_is_number, metrics.values())),
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


def _are_names(value: Any, classes: Any) -> bool:
    return (
        isinstance(value, list)
        and isinstance(classes, list)
        and len(value) == len(classes)
        and all(isinstance(name, str) for name in value)
    )


def _is_class(value: Any, classes: Any) -> bool:
    return value is None or (type(value) is int and isinstance(classes, list) and value in classes)


def _are_curves(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(curve, list)
        and len(curve) > 0
        and all(item is None or _is_number(item) for item in curve)
        for curve in value.values()
    )


def _is_work(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_number, value.values()))


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < _LARGEST_NUMBER and math.isfinite(value)


def _contradiction(card: Scorecard) -> str | None:
    """Return where predictions do not fit each other or the figures; None if they do."""
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
