"""The loop of a sweep: decide, compute what is missing, write down, in that order.

The coordinator is the only writer of its sweep's journal, study and runs. A replay goes the same
way as a first run: what the journal has decided is taken over, what the store holds is not
computed, and what the projections lack is delivered.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from sweepmark.coordinator.datasets import count_training_rows, lacking
from sweepmark.coordinator.decisions import Decisions
from sweepmark.coordinator.settlement import Observer, OpenTrial, Settlement
from sweepmark.coordinator.workload import Workload
from sweepmark.engine import Job, shared_memory
from sweepmark.errors import FetchError
from sweepmark.evaluation import specify, specify_test
from sweepmark.leaderboard import Direction, best
from sweepmark.store import Origin

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sweepmark.blueprint import Blueprint
    from sweepmark.config.schema import Config
    from sweepmark.data import Dataset
    from sweepmark.engine import Engine, Failure, Outcome
    from sweepmark.scorecard import Scorecard
    from sweepmark.search import Search
    from sweepmark.space import Params
    from sweepmark.specification import Specification
    from sweepmark.store import Entry, EvaluationStore, History, Journal
    from sweepmark.trial import Trial

__all__ = ["Coordinator", "Observer"]

_NO_TRIAL = -1


@dataclass(slots=True, kw_only=True)
class Coordinator:
    """Runs one sweep to its end.

    Attributes
    ----------
    sweep_id : str
        Which execution of the blueprint this is.
    blueprint : Blueprint
        What is asked for.
    journal : Journal
        Where decisions and outcomes go, before they are acted on.
    history : History
        What the journal says so far.
    search : Search
        What chooses the trials' parameters; new.
    evaluations : EvaluationStore
        Where finished evaluations lie.
    engine : Engine
        What computes.
    load : callable
        Returns a configuration's data set.
    observer : Observer
        Is told of settled trials.
    clock : callable
        Seconds since the epoch; never runs backwards.
    trusted : sequence of str
        Packages allowed besides ours.
    retry_failed : bool
        Whether failed trials are tried again.
    stopped_by : {"timeout", "target"} or None
        The budget that kept further trials from starting.
    """

    sweep_id: str
    blueprint: Blueprint
    journal: Journal
    history: History
    search: Search
    evaluations: EvaluationStore
    engine: Engine
    load: Callable[[Config], Dataset]
    observer: Observer
    clock: Callable[[], float]
    trusted: Sequence[str] = ()
    retry_failed: bool = False
    stopped_by: Literal["timeout", "target"] | None = None
    _open: dict[int, OpenTrial] = field(default_factory=dict)
    _workload: Workload = field(init=False)
    _decisions: Decisions = field(init=False)
    _settlement: Settlement = field(init=False)
    _model_of: int | None = None

    def __post_init__(self) -> None:
        """Start with nothing to do."""
        self._workload = Workload(self.engine, self.blueprint.config.engine.retries)
        self._decisions = Decisions(
            blueprint=self.blueprint,
            search=self.search,
            history=self.history,
            record=self._record,
            clock=self.clock,
        )
        self._settlement = Settlement(
            sweep_id=self.sweep_id,
            objective=self.blueprint.sweep.objective,
            history=self.history,
            evaluations=self.evaluations,
            observer=self.observer,
            record=self._record,
            clock=self.clock,
        )

    def run(self) -> None:
        """Settle every trial, then score the chosen recipe on the test part."""
        sweep = self.blueprint.sweep
        self._model_of = self._headline()
        decisions = self._decisions
        number, end = 0, decisions.n_trials
        while number < end or self._open:
            while number < end and self._may_decide(number):
                decisions.tell(number, self._settlement.trials)
                self.stopped_by = decisions.exhausted(number)
                if self.stopped_by is not None:
                    end = number
                    break
                self._begin(number, decisions.decide(number))
                number += 1
            self._workload.dispatch()
            self.observer.prepare()
            for outcome in self._workload.wait(decisions.tick):
                self._absorb(outcome)
            decisions.keep_time()
        if sweep.objective is not None:
            self._score_chosen(sweep.objective, sweep.direction)

    def _record(self, event: str, **details: Any) -> Entry:
        entry = self.journal.append(event, at=self.clock(), **details)
        self.history.take(entry)
        return entry

    # Deciding

    def _may_decide(self, number: int) -> bool:
        decisions = self._decisions
        if decisions.tick is not None and not self._workload.has_room:
            return False  # what is decided is begun: with a time limit, not before it can run
        if not decisions.needs_results and self._workload.is_ample:
            return False
        return decisions.is_due(number, self._settlement.trials)

    def _begin(self, number: int, params: Params) -> None:
        if self._settlement.restore(number, params, retry_failed=self.retry_failed):
            return
        config = self.blueprint.config_at(params)
        try:
            specifications = specify(config, self.load(config), trusted=self.trusted)
        except FetchError:  # only where others can be had: see Blueprint.check
            trial = OpenTrial(number, params, (), failure=lacking(config, params))
            self._settlement.finish(trial)
            return
        trial = OpenTrial(number, params, specifications)
        self._open[number] = trial
        keep_model = number == self._model_of
        for specification in specifications:
            if not self._is_there(specification.key, with_model=keep_model):
                trial.missing.add(specification.key)
                self._workload.want(self._job(specification, keep_model=keep_model), trial=number)
        if not trial.missing:
            self._finish(trial)

    def _headline(self) -> int | None:
        """Return the trial whose model is kept: a run, or the largest of growing subsets.

        A sweep that selects keeps the model of its final evaluation instead.
        """
        sweep, config = self.blueprint.sweep, self.blueprint.config
        if sweep.objective is not None or config.evaluation.method != "test":
            return None
        if not self.blueprint.sweeps_rows:
            return 0
        numbers = range(self._decisions.n_trials)
        return max(numbers, key=lambda number: (self._n_train(number), -number))

    def _n_train(self, number: int) -> int:
        """Return the training rows of a trial of a search that needs no results."""
        config = self.blueprint.config_at(self._decisions.params(number))
        return count_training_rows(config, self.load)

    def _is_there(self, key: str, *, with_model: bool) -> bool:
        origin = self.evaluations.origin(key, with_model=with_model)
        if origin is None:
            return False
        if not self.history.opened["fresh"]:
            return True
        return origin.sweep_id == self.sweep_id or key in self.history.computed

    # Computing

    def _job(self, specification: Specification, *, keep_model: bool) -> Job:
        engine = self.blueprint.config.engine
        memory = shared_memory(engine, n_slots=self.engine.n_slots)
        return Job(specification=specification, keep_model=keep_model, shared_memory=memory)

    def _absorb(self, outcome: Outcome) -> None:
        key, failure = outcome.job.specification.key, outcome.failure
        self._keep(outcome, number=self._workload.owner(key))
        for number in self._workload.settle(outcome.job, failure) or ():
            trial = self._open[number]
            trial.started = min(trial.started, outcome.started)
            trial.attempts = max(trial.attempts, self._workload.attempts(key))
            trial.missing.discard(key)
            if failure is not None:
                self._abandon(trial, failure)
            elif outcome.scorecard is not None:
                trial.cards[key] = outcome.scorecard
            if not trial.missing:
                self._finish(trial)

    def _keep(self, outcome: Outcome, *, number: int) -> None:
        """Write an evaluation to the store, then to the journal."""
        card, failure = outcome.scorecard, outcome.failure
        specification = outcome.job.specification
        if card is not None:
            origin = Origin(self.sweep_id, number, outcome.started, outcome.ended)
            if not self.evaluations.put(specification, card, origin):
                self._compare(specification.key, card)
        self._record(
            "evaluation",
            key=specification.key,
            trial=number,
            attempt=self._workload.attempts(specification.key),
            reason=None if failure is None else failure.reason,
            fit_seconds=None if card is None else card.fit_seconds,
            predict_seconds=None if card is None else card.predict_seconds,
        )

    def _compare(self, key: str, card: Scorecard) -> None:
        """Warn if an evaluation that was there already came out differently."""
        stored = self.evaluations.scorecard(key)
        if (stored.predictions.y_pred != card.predictions.y_pred).any():
            self._record(
                "warning",
                kind="not_reproducible",
                message=f"evaluation {key[:12]} came out differently than when it was first "
                f"computed ({self.evaluations.origin(key)})",
            )

    def _finish(self, trial: OpenTrial) -> None:
        del self._open[trial.number]
        self._settlement.finish(trial)

    def _abandon(self, trial: OpenTrial, failure: Failure) -> None:
        """Give up a trial: nothing more of it is computed that no other trial wants."""
        trial.failure = trial.failure or failure
        self._workload.forget(trial.missing, trial=trial.number)
        trial.missing.clear()

    # Scoring what was chosen

    def _score_chosen(self, objective: str, direction: Direction) -> None:
        """Fit the best recipe on the whole training part and score it on the test part, once."""
        chosen = best(list(self._settlement.trials.values()), objective, direction)
        if chosen is None or self._is_scored(chosen):
            return
        config = self.blueprint.config_at(dict(chosen.params))
        specification = specify_test(config, self.load(config), trusted=self.trusted)
        started = self.clock()
        failure: Failure | None = None
        if not self._is_there(specification.key, with_model=True):
            failure = self._compute(self._job(specification, keep_model=True))
        self._record(
            "final",
            number=chosen.number,
            key=None if failure else specification.key,
            message=failure.message if failure else "",
            started=started,
            ended=self.clock(),
        )

    def _is_scored(self, chosen: Trial) -> bool:
        """Tell whether that is on record; a trial that was tried again may be the better one."""
        final = self.history.final
        if final is None or final["number"] != chosen.number:
            return False
        return final["key"] is not None or not self.retry_failed

    def _compute(self, job: Job) -> Failure | None:
        """Compute one evaluation that belongs to no trial."""
        self._workload.want(job, trial=_NO_TRIAL)
        while True:
            self._workload.dispatch()
            for outcome in self._workload.wait():
                self._keep(outcome, number=_NO_TRIAL)
                settled = self._workload.settle(outcome.job, outcome.failure)
                if settled == [_NO_TRIAL]:  # what a failed trial left behind may come back too
                    return outcome.failure
