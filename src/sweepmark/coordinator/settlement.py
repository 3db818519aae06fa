"""The Settlement: what becomes of a trial whose evaluations are done, or were done before."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from sweepmark.engine import Failure
from sweepmark.results import build_trial
from sweepmark.scorecard import merge_trial

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sweepmark.coordinator.decisions import Record
    from sweepmark.scorecard import Scorecard
    from sweepmark.space import Params
    from sweepmark.specification import Specification
    from sweepmark.store import Entry, EvaluationStore, History, Origin
    from sweepmark.trial import Trial

__all__ = ["Observer", "OpenTrial", "Settlement"]


class Observer(Protocol):
    """Is told of every trial that is settled: the projections and the progress display."""

    def prepare(self) -> None:
        """Get ready to be told; the first evaluations are being computed meanwhile."""
        ...

    def settled(self, trial: Trial, cards: Sequence[Scorecard]) -> None:
        """Take a trial, with the Scorecards of its evaluations (none if it failed)."""
        ...


@dataclass(slots=True)
class OpenTrial:
    """A trial that is under way; it counts as started with its first evaluation.

    Attributes
    ----------
    number : int
        Its number.
    params : mapping
        Its parameters.
    specifications : tuple of Specification
        Its evaluations.
    started : float
        Seconds since the epoch; infinite before it has begun.
    missing : set of str
        Keys of the evaluations that it waits for.
    cards : dict of str to Scorecard
        What was computed for it, by key.
    failure : Failure or None
        What it was given up for.
    attempts : int
        How often the evaluation was begun that was begun most often.
    """

    number: int
    params: Params
    specifications: tuple[Specification, ...]
    started: float = math.inf
    missing: set[str] = field(default_factory=set)
    cards: dict[str, Scorecard] = field(default_factory=dict)
    failure: Failure | None = None
    attempts: int = 1


@dataclass(slots=True, kw_only=True)
class Settlement:
    """Journals the outcomes of trials and tells of them.

    Attributes
    ----------
    sweep_id : str
        Whose trials they are.
    objective : str or None
        The metric that has to be a number.
    history : History
        What the journal says so far; what it has settled is taken over.
    evaluations : EvaluationStore
        Where finished evaluations lie.
    observer : Observer
        Is told of settled trials.
    record : Record
        Where outcomes go before anybody is told.
    clock : callable
        Seconds since the epoch; never runs backwards.
    trials : dict of int to Trial
        Those that are settled.
    """

    sweep_id: str
    objective: str | None
    history: History
    evaluations: EvaluationStore
    observer: Observer
    record: Record
    clock: Callable[[], float]
    trials: dict[int, Trial] = field(default_factory=dict)

    def restore(self, number: int, params: Params, *, retry_failed: bool) -> bool:
        """Take over a recorded outcome; False if the trial has to be computed (again)."""
        outcome = self.history.outcomes.get(number)
        if outcome is None:
            return False
        if outcome["status"] == "failed":
            if retry_failed:
                return False
            self._settle(number, params, outcome, [])
            return True
        if not all(self.evaluations.origin(key) for key in outcome["keys"]):
            return False
        self._settle(
            number, params, outcome, [self.evaluations.scorecard(key) for key in outcome["keys"]]
        )
        return True

    def finish(self, trial: OpenTrial) -> None:
        """Journal a trial's outcome and settle it."""
        keys = [specification.key for specification in trial.specifications]
        cards: list[Scorecard] = []
        if trial.failure is None:
            cards = [trial.cards.get(key) or self.evaluations.scorecard(key) for key in keys]
            trial.failure = self._not_a_number(cards)
        origins = [self.evaluations.origin(key) for key in keys]
        own = bool(trial.cards) or not self.history.computed.isdisjoint(keys)
        reused = trial.failure is None and not own and self._are_older(origins)
        failure = trial.failure
        outcome = self.record(
            "outcome",
            number=trial.number,
            status="failed" if failure else "reused" if reused else "complete",
            reason=failure.reason if failure else None,
            message=failure.message if failure else "",
            traceback=failure.traceback if failure else "",
            keys=keys,
            attempts=trial.attempts,
            started=min(trial.started, self.clock()),
            ended=self.clock(),
            reused_from=str(origins[0]) if reused else None,
        )
        self._settle(trial.number, trial.params, outcome, [] if failure else cards)

    def _are_older(self, origins: Sequence[Origin | None]) -> bool:
        return not any(origin is None or origin.sweep_id == self.sweep_id for origin in origins)

    def _not_a_number(self, cards: Sequence[Scorecard]) -> Failure | None:
        if self.objective is None:
            return None
        value = merge_trial(cards).metrics.get(self.objective)
        if value is not None and math.isfinite(value):
            return None
        return Failure(reason="nan", message=f"{self.objective} is no number")

    def _settle(
        self, number: int, params: Params, outcome: Entry, cards: Sequence[Scorecard]
    ) -> None:
        trial = build_trial(number, params, outcome, merge_trial(cards) if cards else None)
        self.trials[number] = trial
        self.observer.settled(trial, cards)
