"""Starting or resuming a sweep, and ending it properly in every case."""

from __future__ import annotations

import secrets
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from sweepmark.coordinator.background import Background
from sweepmark.coordinator.consent import check_hours
from sweepmark.coordinator.datasets import Datasets
from sweepmark.coordinator.delivery import git_state
from sweepmark.coordinator.log import SweepLog
from sweepmark.coordinator.loop import Coordinator
from sweepmark.coordinator.predecessor import find_unfinished, is_over, versions_changed
from sweepmark.coordinator.projections import Projections
from sweepmark.coordinator.rebuild import mend_moved
from sweepmark.coordinator.stock import lacks
from sweepmark.engine import Clock, check_engine, create_engine
from sweepmark.engine.serial import SerialEngine
from sweepmark.errors import SweepmarkError
from sweepmark.report.replay import check_sweep, read_sweep
from sweepmark.report.results import read_result
from sweepmark.search import create_search
from sweepmark.specification.recipe import sweep_versions
from sweepmark.specification.specification import canonical_json
from sweepmark.store import History, Journal, owned
from sweepmark.tracking import is_tracked, own_environment, unused_variables

if TYPE_CHECKING:
    from collections.abc import Callable

    from sweepmark.coordinator.options import LaunchOptions
    from sweepmark.coordinator.progress import Progress
    from sweepmark.report.results import SweepResult
    from sweepmark.search.blueprint import Blueprint
    from sweepmark.search.trial import Trial
    from sweepmark.store import Entry, Store

__all__ = ["launch", "resume", "warm_up"]


def warm_up(blueprint: Blueprint) -> tuple[str, ...]:
    """Return what each process calls before its first evaluation; only our SVC is compiled."""
    is_asked_for = "sweepmark.svm.SVC" in canonical_json(blueprint.document())
    return ("sweepmark.svm:warm_up",) if is_asked_for else ()


class _Preparation:
    """The resources that a sweep needs before its journal is opened.

    Workers start first, in parallel to all checks. They get no jobs, and nothing is written, before
    these have passed.
    """

    def __init__(self, blueprint: Blueprint, progress: Progress, *, is_over: bool = False) -> None:
        config = blueprint.config
        check_engine(config.engine)
        self.blueprint = blueprint
        self._progress = progress
        self.is_to_compute = not is_over
        self.datasets = Datasets(progress.say)
        self.search = create_search(
            blueprint.space, config.sampler, blueprint.sweep, seed=config.seed
        )
        self.clock = Clock()
        n_jobs = self.search.n_trials * blueprint.n_evaluations()
        self.engine = (
            SerialEngine(config.engine)  # cheap
            if is_over
            else create_engine(
                config.engine,
                n_jobs=n_jobs,
                clock=self.clock,
                warm_up=warm_up(blueprint),
            )
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.engine.close()

    def check(self, options: LaunchOptions) -> None:
        for name in self.blueprint.check(self.datasets.load, trusted=options.trusted):
            self._progress.say(f"{name} cannot be had: trials on it fail, the others are run")


def launch(
    blueprint: Blueprint, *, store: Store, options: LaunchOptions, progress: Progress
) -> SweepResult:
    """Run a blueprint to its end: a new sweep, or the unfinished one of the same key.

    Raises
    ------
    ConfigurationError
        Before anything starts, if the blueprint is invalid, or would take too long unconfirmed.
    StoreError
        If the environment stops it; finished evaluations are kept.
    """
    mend_moved(store, say=progress.say)
    for note in blueprint.notes:
        progress.say(note)
    with _Preparation(blueprint, progress) as prepared:
        prepared.check(options)
        check_hours(blueprint, store, options, prepared.datasets.load)
        sweep_id = find_unfinished(
            blueprint, store, options, say=progress.say, datasets=prepared.datasets
        )
        if sweep_id is None:
            sweep_id = _new_id(blueprint.name)
        return _execute(sweep_id, prepared, store, options, progress)


def resume(
    sweep_id: str, *, store: Store, options: LaunchOptions, progress: Progress
) -> SweepResult:
    """Resume a sweep with the configuration in its journal, and run it to its end.

    Raises
    ------
    ConfigurationError
        If libraries changed since; with ``accept_versions`` a new sweep is started instead.
    StoreError
        If the environment stops it, or another process owns it.
    """
    mend_moved(store, say=progress.say)
    history, blueprint = read_sweep(store, sweep_id, trusted=options.trusted)
    nothing_left = is_over(history, options) and not lacks(history, blueprint, store.evaluations)
    with _Preparation(blueprint, progress, is_over=nothing_left) as prepared:
        if not nothing_left:
            if versions_changed(history, sweep_id, options):
                sweep_id = _new_id(blueprint.name)
            prepared.check(options)
        return _execute(sweep_id, prepared, store, options, progress)


def _new_id(name: str) -> str:
    now = time.time()
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(now))
    return f"{name}-{stamp}-{int(now % 1 * 1000):03d}{secrets.token_hex(1)}"


def _execute(
    sweep_id: str, prepared: _Preparation, store: Store, options: LaunchOptions, progress: Progress
) -> SweepResult:
    with ExitStack() as stack:
        stack.callback(progress.close)
        _tell_unused(prepared.blueprint, store, progress)
        stack.enter_context(own_environment())
        stack.enter_context(owned(store.lock_path(sweep_id)))
        journal = stack.enter_context(Journal(store.journal_path(sweep_id)))
        history = History()
        if journal.entries:  # another process may have written to it before the lock was taken
            history, _ = check_sweep(journal.path, journal.entries, trusted=options.trusted)
            prepared.datasets.expect(history.opened["data"])
        prepared.clock.go_on_from(history.last)
        log = SweepLog(
            sweep_id=sweep_id,
            blueprint=prepared.blueprint,
            journal=journal,
            history=history,
            clock=lambda: prepared.clock.date(time.monotonic()),
        )
        execution = _Execution(log=log, prepared=prepared, store=store)
        execution.open(options)
        shown = execution.projections(options, progress.settled)
        stack.push(shown)
        return execution.run(shown, options, progress)


def _tell_unused(blueprint: Blueprint, store: Store, progress: Progress) -> None:
    """Say that runs do not go where variables of MLflow say."""
    if is_tracked(blueprint.config.tracking) and (line := unused_variables(store.root)):
        progress.say(line)


@dataclass(slots=True, kw_only=True)
class _Execution:
    """One execution of a sweep, from opening its journal to closing its run."""

    log: SweepLog
    prepared: _Preparation
    store: Store
    finished: Entry | None = None
    """How the sweep had ended before this execution, if it was over."""

    def open(self, options: LaunchOptions) -> None:
        """Write the journal's first line, or an entry that the sweep is resumed."""
        if self.log.history.opened:
            self.finished = self.log.history.stop if is_over(self.log.history, options) else None
            if not is_over(self.log.history, options) or self.prepared.is_to_compute:
                self.log.record("resumed")
            return
        self.log.record(
            "opened",
            sweep_id=self.log.sweep_id,
            sweep_key=self.log.blueprint.key,
            fresh=options.fresh,
            versions=sweep_versions(options.trusted),
            data=self.prepared.datasets.digests,
            git=git_state(),
            blueprint=self.log.blueprint.document(),
        )
        for message in self.prepared.datasets.identifiers():
            self.log.record("warning", kind="identifier", message=message)

    def projections(
        self, options: LaunchOptions, settled: Callable[[Trial], None]
    ) -> Projections | Background:
        """Return the projections, in a background thread if evaluations run in other processes."""
        shown = Projections(
            sweep_id=self.log.sweep_id,
            blueprint=self.log.blueprint,
            history=self.log.history,
            store=self.store,
            load=self.prepared.datasets.load,
            progress=settled,
        )
        if options.retry_failed and self.log.history.has_failures:
            shown.ledger.clear()
        return Background(shown) if self.prepared.engine.is_apart else shown

    def run(
        self, shown: Projections | Background, options: LaunchOptions, progress: Progress
    ) -> SweepResult:
        """Run the loop, and end journal and parent run in every case."""
        progress.opened(self.log.sweep_id, self.log.blueprint, self.prepared.search.n_trials)
        try:
            coordinator = Coordinator(
                log=self.log,
                search=self.prepared.search,
                evaluations=self.store.evaluations_with(self.log.blueprint.requests),
                engine=self.prepared.engine,
                load=self.prepared.datasets.load,
                observer=shown,
                say=progress.say,
                trusted=options.trusted,
                retry_failed=options.retry_failed,
            )
            coordinator.run()
            run_ids = shown.run_ids  # deliver all trials before the sweep is marked complete
            if not self.log.history.is_complete:
                why = coordinator.stopped_by or "done"
                self.log.record("stop", state="complete", why=why)
            result = read_result(self.store, self.log.sweep_id, run_ids=run_ids)
            shown.finish(result, ended=self.log.history.last)
        except BaseException as error:
            self._interrupt(error, shown)
            raise
        return result

    def _interrupt(self, error: BaseException, shown: Projections | Background) -> None:
        """End the sweep after an interruption, so that no run is shown as running.

        A sweep that was complete before stays complete: the next resume adds what the store or the
        databases lack.
        """
        self.prepared.engine.close()
        state, why = "interrupted", type(error).__name__
        if self.finished is not None:
            state, why = "complete", self.finished["why"]
        if self.log.history.stop is not self.finished or self.finished is None:
            with suppress(SweepmarkError):
                self.log.record("stop", state=state, why=why)
        shown.interrupt(ended=self.log.clock() if self.finished is None else self.log.history.last)
