"""The Settlement: journals the outcome of trials whose evaluations are done."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from sweepmark.engine import Failure
from sweepmark.report.trials import build_trial
from sweepmark.scores.merging import merge_trial

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sweepmark.coordinator.log import SweepLog
    from sweepmark.coordinator.stock import Stock
    from sweepmark.scores.scorecard import Scorecard
    from sweepmark.search.space import Params
    from sweepmark.search.trial import Trial
    from sweepmark.specification.specification import Specification
    from sweepmark.store import Entry, Stored

__all__ = ["Observer", "OpenTrial", "Settlement", "result_entry"]


class Observer(Protocol):
    """Receives every settled trial: the projections and the progress display."""

    def prepare(self) -> None:
        """Prepare while the first evaluations are being computed."""
        ...

    def settled(self, trial: Trial, cards: Sequence[Scorecard]) -> None:
        """Receive a trial with the Scorecards of its evaluations (none if it failed)."""
        ...


@dataclass(slots=True)
class OpenTrial:
    """A trial in progress; it counts as started with its first evaluation.

    Attributes
    ----------
    number : int
        Its number.
    params : mapping
        Its parameters.
    specifications : tuple of Specification
        Its evaluations.
    started : float
        Seconds since the epoch; infinite before it has started.
    missing : set of str
        Keys of the evaluations it is waiting for.
    found : dict of str to Stored
        Its finished evaluations, by key.
    failure : Failure or None
        Why it was given up.
    attempts : int
        Maximum number of attempts of any of its evaluations.
    """

    number: int
    params: Params
    specifications: tuple[Specification, ...]
    started: float = math.inf
    missing: set[str] = field(default_factory=set)
    found: dict[str, Stored] = field(default_factory=dict)
    failure: Failure | None = None
    attempts: int = 1


@dataclass(slots=True, kw_only=True)
class Settlement:
    """Journals the outcomes of trials and notifies the observer.

    Attributes
    ----------
    log : SweepLog
        Has the outcomes that are reused, and is told each new one before the observer is.
    stock : Stock
        Evaluations computed before.
    observer : Observer
        Called with each settled trial.
    retry_failed : bool
        Whether failed trials are retried.
    trials : dict of int to Trial
        The settled trials, by number.
    """

    log: SweepLog
    stock: Stock
    observer: Observer
    retry_failed: bool
    trials: dict[int, Trial] = field(default_factory=dict)

    def restore(self, number: int, params: Params, *, with_model: bool) -> bool:
        """Reuse a journalled outcome; return False if the trial has to be computed (again)."""
        outcome = self.log.history.outcomes.get(number)
        if outcome is None:
            return False
        if outcome["status"] == "failed":
            if self.retry_failed:
                return False
            self._settle(number, params, outcome, None, [])
            return True
        cards: list[Scorecard] = []
        for key, result in zip(outcome["keys"], outcome["results"], strict=True):
            stored = self.stock.recorded(key, result["digest"], with_model=with_model)
            if stored is None:
                return False
            cards.append(stored.scorecard)
        self._settle(number, params, outcome, merge_trial(cards), cards)
        return True

    def finish(self, trial: OpenTrial) -> None:
        """Journal a trial's outcome, unless an equal one is journalled, and settle the trial."""
        keys = [specification.key for specification in trial.specifications]
        found = [] if trial.failure else [trial.found[key] for key in keys]
        cards = [stored.scorecard for stored in found]
        card = merge_trial(cards) if cards else None
        if card is not None:
            trial.failure = self._not_a_number(card)
        reused = trial.failure is None and self._is_reused(found)
        failure = trial.failure
        outcome = self._on_record(trial, found)
        if outcome is None:
            outcome = self.log.record(
                "outcome",
                number=trial.number,
                status="failed" if failure else "reused" if reused else "complete",
                reason=failure.reason if failure else None,
                message=failure.message if failure else "",
                traceback=failure.traceback if failure else "",
                keys=keys,
                results=[result_entry(stored) for stored in found],
                attempts=trial.attempts,
                started=min(trial.started, self.log.clock()),
                ended=self.log.clock(),
                reused_from=str(found[0].origin) if reused else None,
            )
        self._settle(trial.number, trial.params, outcome, None if failure else card, cards)

    def _is_reused(self, found: Sequence[Stored]) -> bool:
        return not any(
            stored.key in self.log.history.computed or stored.origin.sweep_id == self.log.sweep_id
            for stored in found
        )

    def _on_record(self, trial: OpenTrial, found: Sequence[Stored]) -> Entry | None:
        """Return the journalled outcome of a trial that was computed again with the same result."""
        outcome = self.log.history.outcomes.get(trial.number)
        if trial.failure is not None or outcome is None or outcome["status"] != "complete":
            return None
        is_same = outcome["results"] == [result_entry(stored) for stored in found]
        return outcome if is_same else None

    def _not_a_number(self, card: Scorecard) -> Failure | None:
        objective = self.log.blueprint.sweep.objective
        if objective is None:
            return None
        value = card.metrics.get(objective)
        if value is not None and math.isfinite(value):
            return None
        return Failure(reason="nan", message=f"{objective} is no number")

    def _settle(
        self,
        number: int,
        params: Params,
        outcome: Entry,
        card: Scorecard | None,
        cards: Sequence[Scorecard],
    ) -> None:
        trial = build_trial(number, params, outcome, card)
        self.trials[number] = trial
        self.observer.settled(trial, cards if card else [])


def result_entry(stored: Stored) -> dict[str, object]:
    """Return the journal's record of an evaluation that a trial or final test consists of."""
    return {
        "digest": stored.result,
        "fit_seconds": stored.scorecard.fit_seconds,
        "predict_seconds": stored.scorecard.predict_seconds,
    }
