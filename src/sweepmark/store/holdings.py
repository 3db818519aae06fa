"""The Holdings of a sweep: the evaluations that its journal means, read for whoever shows them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sweepmark.errors import LostError, StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sweepmark.scores.scorecard import Scorecard
    from sweepmark.store.evaluations import EvaluationStore, Stored
    from sweepmark.store.history import Result

__all__ = ["Holdings", "as_meant"]


@dataclass(frozen=True, slots=True)
class Holdings:
    """Reads evaluations as a sweep has them: with its own result, and its own seconds.

    Attributes
    ----------
    sweep_id : str
        Whose they are.
    evaluations : EvaluationStore
        Where they lie.
    results : mapping of str to Result
        What its journal says that they came to, by key.
    """

    sweep_id: str
    evaluations: EvaluationStore
    results: Mapping[str, Result] = field(default_factory=dict)

    def scorecard(self, key: str) -> Scorecard:
        """Return an evaluation's Scorecard, without the model.

        Raises
        ------
        StoreError
            If it is lost, with the command that has it computed again.
        """
        try:
            stored = self.evaluations.find(key, self._digest(key))
        except LostError as error:
            raise self._lost(str(error)) from None
        if stored is None:
            raise self._missing(key)
        return as_meant(stored, self.results.get(key)).scorecard

    def model(self, key: str) -> bytes | None:
        """Return the fitted pipeline in skops format, None if it was not kept.

        Raises
        ------
        StoreError
            If it is damaged, likewise.
        """
        try:
            return self.evaluations.model(key, self._digest(key))
        except LostError as error:
            raise self._lost(str(error)) from None

    def specification(self, key: str) -> Mapping[str, Any]:
        """Return what an evaluation is of.

        Raises
        ------
        StoreError
            If it is lost, likewise.
        """
        try:
            return self.evaluations.specification(key, self._digest(key))
        except LostError as error:
            raise self._lost(str(error)) from None

    def _digest(self, key: str) -> str | None:
        meant = self.results.get(key)
        return None if meant is None else meant.digest

    def _missing(self, key: str) -> StoreError:
        return self._lost(f"the evaluation {key} is not there as {self.sweep_id} has it")

    def _lost(self, reason: str) -> StoreError:
        return StoreError(f"{reason}. Have it computed again: `sweepmark resume {self.sweep_id}`.")


def as_meant(stored: Stored, meant: Result | None) -> Stored:
    """Return an evaluation with the seconds that a sweep has for it."""
    if meant is None or meant.digest != stored.result:
        return stored
    card = replace(
        stored.scorecard,
        fit_seconds=meant.fit_seconds,
        predict_seconds=meant.predict_seconds,
    )
    return replace(stored, scorecard=card)
