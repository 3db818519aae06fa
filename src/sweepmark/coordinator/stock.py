"""The Stock of a sweep: verified evaluations that need not be computed, and newly computed ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from sweepmark.errors import LostError
from sweepmark.scores.metric_names import ACCURACY, validation
from sweepmark.store.holdings import as_meant

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sweepmark.coordinator.log import SweepLog
    from sweepmark.scores.scorecard import Scorecard
    from sweepmark.search.blueprint import Blueprint
    from sweepmark.specification.specification import Specification
    from sweepmark.store import EvaluationStore, History, Origin, Stored

__all__ = ["Stock", "lacks"]

_Found = TypeVar("_Found")


@dataclass(slots=True, kw_only=True)
class Stock:
    """Finds evaluations and stores new ones; damaged ones are moved aside and reported.

    Attributes
    ----------
    log : SweepLog
        Has the results of the evaluations so far, and is told of warnings.
    evaluations : EvaluationStore
        The store of evaluations.
    say : callable
        Called with each warning.
    """

    log: SweepLog
    evaluations: EvaluationStore
    say: Callable[[str], None]

    def recorded(self, key: str, digest: str, *, with_model: bool = False) -> Stored | None:
        """Return an evaluation with the journalled result; None if it is lost."""
        stored = self._sound(lambda: self.evaluations.find(key, digest, with_model=with_model))
        return None if stored is None else as_meant(stored, self.log.history.results.get(key))

    def usable(self, key: str, *, with_model: bool) -> Stored | None:
        """Return a usable evaluation; None if it has to be computed.

        With ``fresh``, only the sweep's own evaluations are used. Otherwise any stored evaluation
        is used, even if its result differs from one that the sweep had and lost; that is reported.
        """
        meant = self.log.history.results.get(key)
        if meant is not None:
            own = self.recorded(key, meant.digest, with_model=with_model)
            if own is not None:
                return own
        stored = self._sound(lambda: self.evaluations.find(key, with_model=with_model))
        if stored is None:
            return None
        if self.log.history.opened["fresh"] and stored.origin.sweep_id != self.log.sweep_id:
            return None
        if meant is not None and meant.digest != stored.result:
            self._warn(
                "not_reproducible",
                f"evaluation {key[:12]} as this sweep had it is lost, and came out differently "
                f"when {stored.origin} computed it. That is what this sweep shows now",
            )
        return stored

    def keep(self, specification: Specification, card: Scorecard, origin: Origin) -> Stored:
        """Write an evaluation to the store; warn if an earlier one has another result."""
        stored, earlier = self._sound(lambda: self.evaluations.put(specification, card, origin))
        if earlier is not None:
            self._warn(
                "not_reproducible",
                f"evaluation {stored.key[:12]} came out differently than when it was first "
                f"computed ({earlier.origin}): {_accuracies(stored.scorecard, earlier.scorecard)}. "
                "This sweep shows what it computed itself",
            )
        return stored

    def _sound(self, ask: Callable[[], _Found]) -> _Found:
        """Query the store, moving damaged evaluations aside, until a sound one or none is found."""
        while True:
            try:
                return ask()
            except LostError as error:
                aside = self.evaluations.set_aside(error.name)
                self._warn("damaged", f"{error}. It is computed again; what was there is {aside}")

    def _warn(self, kind: str, message: str) -> None:
        self.log.record("warning", kind=kind, message=message)
        self.say(f"warning: {message}")


def _accuracies(now: Scorecard, then: Scorecard) -> str:
    name = ACCURACY if ACCURACY in now.metrics else validation(ACCURACY)
    new, old = now.metrics[name], then.metrics.get(name)
    if old is None or new == old:
        return "other predictions or scores"
    return f"{name} {new:.5f}, then {old:.5f}"


def lacks(history: History, blueprint: Blueprint, evaluations: EvaluationStore) -> bool:
    """Return whether an evaluation of a completed sweep is lost."""
    rows: dict[str, int] = {}
    try:
        for key, with_model in history.wanted().items():
            digest = history.results[key].digest
            stored = evaluations.find(key, digest, with_model=with_model)
            if stored is None:
                return True
            rows[key] = stored.scorecard.n_train
        lead = _with_model(history, blueprint, rows)
        return lead is not None and (
            evaluations.find(lead, history.results[lead].digest, with_model=True) is None
        )
    except LostError:
        return True


def _with_model(history: History, blueprint: Blueprint, rows: Mapping[str, int]) -> str | None:
    """Return the key of the evaluation that must have its model; None if there is none.

    The coordinator keeps the model of a single run, or of the trial with most training rows.
    """
    if blueprint.sweep.objective is not None or blueprint.config.evaluation.method != "test":
        return None
    if history.has_failures or not history.outcomes:
        return None  # it may have been that trial
    numbers = sorted(history.outcomes) if blueprint.sweeps_rows else [0]
    tested = [
        number
        for number in numbers
        if blueprint.config_at(history.params[number]).evaluation.method == "test"
    ]
    if not tested:
        return None
    keys: list[str] = [history.outcomes[number]["keys"][0] for number in tested]
    return max(keys, key=lambda key: rows[key])  # the first of equals
