"""The Holdings of a sweep: read access to the evaluations that its journal refers to."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sweepmark.errors import LostError, StoreError, command_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sweepmark.scores.scorecard import Scorecard
    from sweepmark.store.evaluations import EvaluationStore, Stored
    from sweepmark.store.history import Result

__all__ = ["Holdings", "as_meant"]


@dataclass(frozen=True, slots=True)
class Holdings:
    """Reads a sweep's evaluations, with the results and seconds in its journal.

    Attributes
    ----------
    sweep_id : str
        The sweep's id.
    evaluations : EvaluationStore
        The store of evaluations.
    results : mapping of str to Result
        Their results from the journal, by key.
    trusted : sequence of str
        Packages besides ours that resuming the sweep needs.
    """

    sweep_id: str
    evaluations: EvaluationStore
    results: Mapping[str, Result] = field(default_factory=dict)
    trusted: Sequence[str] = ()

    def scorecard(self, key: str) -> Scorecard:
        """Return an evaluation's Scorecard, without the model.

        Raises
        ------
        StoreError
            If it is lost; the message has a command that recomputes it.
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
            If it is damaged; the message has a command that recomputes it.
        """
        try:
            return self.evaluations.model(key, self._digest(key))
        except LostError as error:
            raise self._lost(str(error)) from None

    def specification(self, key: str) -> Mapping[str, Any]:
        """Return the specification of an evaluation.

        Raises
        ------
        StoreError
            If it is lost; the message has a command that recomputes it.
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
        place = self.evaluations.folder.parent
        command = command_line("resume", self.sweep_id, store=place, trusted=self.trusted)
        return StoreError(f"{reason}. Have it computed again: `{command}`.")


def as_meant(stored: Stored, meant: Result | None) -> Stored:
    """Return an evaluation with the seconds in a sweep's journal."""
    if meant is None or meant.digest != stored.result:
        return stored
    card = replace(
        stored.scorecard,
        fit_seconds=meant.fit_seconds,
        predict_seconds=meant.predict_seconds,
    )
    return replace(stored, scorecard=card)
