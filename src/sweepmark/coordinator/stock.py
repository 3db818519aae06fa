"""The Stock of a sweep: the evaluations that it need not compute, checked, and the ones it did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from sweepmark.errors import LostError
from sweepmark.scores.metric_names import ACCURACY, validation
from sweepmark.store.holdings import as_meant

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sweepmark.coordinator.decisions import EntryWriter
    from sweepmark.scores.scorecard import Scorecard
    from sweepmark.search.blueprint import Blueprint
    from sweepmark.specification.specification import Specification
    from sweepmark.store import EvaluationStore, History, Origin, Stored

__all__ = ["Stock", "lacks"]

_Found = TypeVar("_Found")


@dataclass(slots=True, kw_only=True)
class Stock:
    """Looks for evaluations and keeps new ones; what is damaged is set aside, and said.

    Attributes
    ----------
    sweep_id : str
        Whose stock it is.
    evaluations : EvaluationStore
        Where they lie.
    history : History
        What the journal says so far.
    record : EntryWriter
        Where warnings go.
    say : callable
        Is told of them at once.
    """

    sweep_id: str
    evaluations: EvaluationStore
    history: History
    record: EntryWriter
    say: Callable[[str], None]

    def recorded(self, key: str, digest: str, *, with_model: bool = False) -> Stored | None:
        """Return an evaluation that came to a result on record; None if that is lost."""
        stored = self._sound(lambda: self.evaluations.find(key, digest, with_model=with_model))
        return None if stored is None else as_meant(stored, self.history.results.get(key))

    def usable(self, key: str, *, with_model: bool) -> Stored | None:
        """Return an evaluation that need not be computed; None if it has to be.

        A fresh sweep takes none but its own. Another takes what is there, also where it came out
        differently than what it had and lost, which is said.
        """
        meant = self.history.results.get(key)
        if meant is not None:
            own = self.recorded(key, meant.digest, with_model=with_model)
            if own is not None:
                return own
        stored = self._sound(lambda: self.evaluations.find(key, with_model=with_model))
        if stored is None:
            return None
        if self.history.opened["fresh"] and stored.origin.sweep_id != self.sweep_id:
            return None
        if meant is not None and meant.digest != stored.result:
            self._warn(
                "not_reproducible",
                f"evaluation {key[:12]} as this sweep had it is lost, and came out differently "
                f"when {stored.origin} computed it. That is what this sweep shows now",
            )
        return stored

    def keep(self, specification: Specification, card: Scorecard, origin: Origin) -> Stored:
        """Write what was computed to the store; warn if another came out differently before."""
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
        """Ask the store, until nothing that it comes upon is damaged."""
        while True:
            try:
                return ask()
            except LostError as error:
                aside = self.evaluations.set_aside(error.name)
                self._warn("damaged", f"{error}. It is computed again; what was there is {aside}")

    def _warn(self, kind: str, message: str) -> None:
        self.record("warning", kind=kind, message=message)
        self.say(f"warning: {message}")


def _accuracies(now: Scorecard, then: Scorecard) -> str:
    name = ACCURACY if ACCURACY in now.metrics else validation(ACCURACY)
    new, old = now.metrics[name], then.metrics.get(name)
    if old is None or new == old:
        return "other predictions or scores"
    return f"{name} {new:.5f}, then {old:.5f}"


def lacks(history: History, blueprint: Blueprint, evaluations: EvaluationStore) -> bool:
    """Tell whether something is lost of what a sweep that is over consists of."""
    wanted = {
        key: False
        for outcome in history.outcomes.values()
        if outcome["status"] != "failed"
        for key in outcome["keys"]
    }
    if history.final is not None and history.final["key"] is not None:
        wanted[history.final["key"]] = True
    rows: dict[str, int] = {}
    try:
        for key, with_model in wanted.items():
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
    """Return the evaluation of a trial that has to have its model; None if none has.

    It is the one that the coordinator keeps a model of: a run's, or that of the most rows.
    """
    if blueprint.sweep.objective is not None or blueprint.config.evaluation.method != "test":
        return None
    if history.has_failures or not history.outcomes:
        return None  # it may have been the one
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
