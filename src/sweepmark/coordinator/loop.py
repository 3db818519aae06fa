"""The main loop of a sweep: decide trials, compute missing evaluations, journal the outcomes.

The coordinator is the only writer of its sweep's journal, study and runs. A resume runs the same
code as a first run: decisions in the journal are reused, evaluations in the store are not computed
again, and what MLflow and Optuna lack is delivered.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from sweepmark.coordinator.datasets import lacking
from sweepmark.coordinator.decisions import Decisions
from sweepmark.coordinator.settlement import Observer, OpenTrial, Settlement, result_entry
from sweepmark.coordinator.stock import Stock
from sweepmark.coordinator.workload import Workload
from sweepmark.engine import Job, shared_memory
from sweepmark.errors import FetchError
from sweepmark.report.leaderboard import best
from sweepmark.specification.specify import specify, specify_test
from sweepmark.store import Origin
from sweepmark.store.holdings import as_meant

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sweepmark.config.schema import Config
    from sweepmark.coordinator.log import SweepLog
    from sweepmark.data import Dataset
    from sweepmark.engine import Engine, Failure, Outcome
    from sweepmark.search import Search
    from sweepmark.search.space import Params
    from sweepmark.search.trial import Trial
    from sweepmark.specification.specification import Specification
    from sweepmark.store import EvaluationStore, Stored

__all__ = ["Coordinator"]

_NO_TRIAL = -1


@dataclass(slots=True, kw_only=True)
class Coordinator:
    """Runs one sweep to its end.

    Attributes
    ----------
    log : SweepLog
        The configuration of the sweep, and its journal.
    search : Search
        A new search, which chooses the trials' parameters.
    evaluations : EvaluationStore
        The store of finished evaluations.
    engine : Engine
        Computes evaluations.
    load : callable
        Returns a configuration's data set.
    observer : Observer
        Called with each settled trial.
    say : callable
        Called with messages for the user.
    trusted : sequence of str
        Packages allowed in addition to the default ones.
    retry_failed : bool
        Whether failed trials are retried.
    stopped_by : {"timeout", "target"} or None
        The budget that prevented further trials.
    """

    log: SweepLog
    search: Search
    evaluations: EvaluationStore
    engine: Engine
    load: Callable[[Config], Dataset]
    observer: Observer
    say: Callable[[str], None] = lambda _: None
    trusted: Sequence[str] = ()
    retry_failed: bool = False
    stopped_by: Literal["timeout", "target"] | None = None
    _open: dict[int, OpenTrial] = field(default_factory=dict)
    _workload: Workload = field(init=False)
    _decisions: Decisions = field(init=False)
    _stock: Stock = field(init=False)
    _settlement: Settlement = field(init=False)
    _model_of: int | None = None

    def __post_init__(self) -> None:
        """Create the loop's collaborators."""
        self._workload = Workload(self.engine, self.log.blueprint.config.engine.retries)
        self._decisions = Decisions(log=self.log, search=self.search)
        self._stock = Stock(log=self.log, evaluations=self.evaluations, say=self.say)
        self._settlement = Settlement(
            log=self.log,
            stock=self._stock,
            observer=self.observer,
            retry_failed=self.retry_failed,
        )

    def run(self) -> None:
        """Run every trial, then score the chosen recipe on the test part."""
        sweep = self.log.blueprint.sweep
        self._model_of = self._decisions.headline(self.load)
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
            self._score_chosen(sweep.objective)

    # Deciding

    def _may_decide(self, number: int) -> bool:
        decisions = self._decisions
        if decisions.tick is not None and not self._workload.has_room:
            return False  # with a time limit, decide only what can start
        if not decisions.needs_results and self._workload.is_ample:
            return False
        return decisions.is_due(number, self._settlement.trials)

    def _begin(self, number: int, params: Params) -> None:
        keep_model = number == self._model_of
        if self._settlement.restore(number, params, with_model=keep_model):
            return
        config = self.log.blueprint.config_at(params)
        try:
            specifications = specify(config, self.load(config), trusted=self.trusted)
        except FetchError:  # only if other data sets are available: see Blueprint.check
            failure = lacking(config, params, self.log.blueprint.config_dirs)
            trial = OpenTrial(number, params, (), failure=failure)
            self._settlement.finish(trial)
            return
        trial = OpenTrial(number, params, specifications)
        self._open[number] = trial
        for specification in specifications:
            key = specification.key
            stored = self._stock.usable(key, with_model=keep_model)
            if stored is None:
                trial.missing.add(key)
                self._workload.want(self._job(specification, keep_model=keep_model), trial=number)
            else:
                trial.found[key] = stored
        if not trial.missing:
            self._settlement.finish(self._open.pop(trial.number))

    # Computing

    def _job(self, specification: Specification, *, keep_model: bool) -> Job:
        engine = self.log.blueprint.config.engine
        memory = shared_memory(engine, n_slots=self.engine.n_slots)
        return Job(specification=specification, keep_model=keep_model, shared_memory=memory)

    def _absorb(self, outcome: Outcome) -> None:
        key, failure = outcome.job.specification.key, outcome.failure
        stored = self._keep(outcome, number=self._workload.owner(key))
        for number in self._workload.settle(outcome.job, failure) or ():
            trial = self._open[number]
            trial.started = min(trial.started, outcome.started)
            trial.attempts = max(trial.attempts, self._workload.attempts(key))
            trial.missing.discard(key)
            if failure is not None:
                self._abandon(trial, failure)
            elif stored is not None:
                trial.found[key] = stored
            if not trial.missing:
                self._settlement.finish(self._open.pop(trial.number))

    def _keep(self, outcome: Outcome, *, number: int) -> Stored | None:
        """Write an evaluation to store, then journal; return it, or None if it failed."""
        card, failure, stored = outcome.scorecard, outcome.failure, None
        specification = outcome.job.specification
        key = specification.key
        if card is not None:
            origin = Origin(self.log.sweep_id, number, outcome.started, outcome.ended)
            stored = self._stock.keep(specification, card, origin)
        self.log.record(
            "evaluation",
            key=key,
            trial=number,
            attempt=self._workload.attempts(key),
            reason=None if failure is None else failure.reason,
            fit_seconds=None if card is None else card.fit_seconds,
            predict_seconds=None if card is None else card.predict_seconds,
            digest=None if stored is None else stored.result,
        )
        return None if stored is None else as_meant(stored, self.log.history.results[key])

    def _abandon(self, trial: OpenTrial, failure: Failure) -> None:
        """Give up a trial; its pending evaluations are cancelled unless other trials need them."""
        trial.failure = trial.failure or failure
        self._workload.forget(trial.missing, trial=trial.number)
        trial.missing.clear()

    # Scoring what was chosen

    def _score_chosen(self, objective: str) -> None:
        """Fit the best recipe on the whole training part and score it on the test part, once."""
        trials = list(self._settlement.trials.values())
        chosen = best(trials, objective, self.log.blueprint.direction)
        if chosen is None or self._is_scored(chosen):
            return
        config = self.log.blueprint.config_at(dict(chosen.params))
        specification = specify_test(config, self.load(config), trusted=self.trusted)
        started, failure = self.log.clock(), None
        stored = self._stock.usable(specification.key, with_model=True)
        if stored is None:
            stored, failure = self._compute(self._job(specification, keep_model=True))
        result = None if stored is None else result_entry(stored)
        before = self.log.history.final
        if before and (before["number"], before["result"]) == (chosen.number, result) and result:
            return  # computed again with the same result
        self.log.record(
            "final",
            number=chosen.number,
            key=None if stored is None else specification.key,
            result=result,
            message=failure.message if failure else "",
            started=started,
            ended=self.log.clock(),
        )

    def _is_scored(self, chosen: Trial) -> bool:
        """Return whether the test of the best trial, perhaps a retried one, is journalled."""
        final = self.log.history.final
        if final is None or final["number"] != chosen.number:
            return False
        if final["key"] is None:
            return not self.retry_failed
        digest = final["result"]["digest"]
        return self._stock.recorded(final["key"], digest, with_model=True) is not None

    def _compute(self, job: Job) -> tuple[Stored | None, Failure | None]:
        """Compute one evaluation that belongs to no trial."""
        self._workload.want(job, trial=_NO_TRIAL)
        while True:
            self._workload.dispatch()
            for outcome in self._workload.wait():
                stored = self._keep(outcome, number=_NO_TRIAL)
                settled = self._workload.settle(outcome.job, outcome.failure)
                if settled == [_NO_TRIAL]:  # outcomes of a failed trial may also arrive
                    return stored, outcome.failure
