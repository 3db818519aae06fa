"""The coordinator's loop: what is decided, computed and journalled, on whatever engine."""

from __future__ import annotations

import itertools
import random
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import pytest

from sweepmark.coordinator.log import SweepLog
from sweepmark.coordinator.loop import Coordinator
from sweepmark.engine import Engine, Failure, Job, Outcome
from sweepmark.engine.work import evaluate_job
from sweepmark.search import create_search
from sweepmark.specification.recipe import sweep_versions
from sweepmark.store import History, Journal, Store
from tiny import blueprint, changed, entries, flaky, grid, load_digits

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from sweepmark.config.schema import EngineConfig
    from sweepmark.scores.scorecard import Scorecard
    from sweepmark.search.blueprint import Blueprint
    from sweepmark.search.trial import Trial

SWEEP_ID = "svc_c_gamma-20260101-000000-000aa"
TPE: dict[str, Any] = {
    "sampler": {"name": "tpe", "lag": 3, "n_startup_trials": 3},
    "sweep__n_trials": 8,
    "sweep__space": {
        "classifier": {
            "C": {"low": 0.1, "high": 100, "log": True},
            "gamma": {"low": 1e-4, "high": 1.0, "log": True},
        }
    },
}


class ShufflingEngine(Engine):
    """Does real evaluations in this process, and hands them back in an order of its own.

    Parameters
    ----------
    n_slots : int
        How many jobs it takes at a time.
    seed : int
        Of the order.
    meddle : callable or None
        Told of each job; what it returns is its failure.
    """

    def __init__(
        self, n_slots: int, *, seed: int = 0, meddle: Callable[[Job], Failure | None] | None = None
    ) -> None:
        self.n_slots = n_slots
        self.begun: list[str] = []
        self.most = 0
        self._busy: dict[int, Job] = {}
        self._random = random.Random(seed)  # noqa: S311 -- an order, no secret
        self._meddle = meddle
        self._now = itertools.count(1)

    @classmethod
    def create(cls, config: EngineConfig, **_: object) -> Self:
        return cls(config.workers or 1)

    def idle(self) -> list[int]:
        return [slot for slot in range(self.n_slots) if slot not in self._busy]

    def submit(self, job: Job, *, slot: int) -> None:
        self._check_free(slot)
        self._busy[slot] = job
        self.begun.append(job.specification.key)
        self.most = max(self.most, len(self._busy))

    def wait(self, timeout: float | None = None) -> list[Outcome]:
        del timeout
        if not self._busy:
            return []
        slot = self._random.choice(sorted(self._busy))
        job = self._busy.pop(slot)
        failure = self._meddle(job) if self._meddle else None
        card = None
        if failure is None:
            try:
                card = evaluate_job(job)
            except Exception as error:  # noqa: BLE001 -- as engines do
                failure = Failure.of(error)
        at = float(next(self._now))
        return [Outcome(job=job, scorecard=card, failure=failure, slot=slot, started=at, ended=at)]

    def cancel(self, slot: int) -> None:
        self._busy.pop(slot, None)

    def close(self) -> None:
        self._busy.clear()


@dataclass
class Seen:
    """An Observer that remembers."""

    trials: dict[int, Trial] = field(default_factory=dict)
    n_cards: dict[int, int] = field(default_factory=dict)

    def prepare(self) -> None:
        pass

    def settled(self, trial: Trial, cards: Sequence[Scorecard]) -> None:
        assert trial.number not in self.trials
        self.trials[trial.number] = trial
        self.n_cards[trial.number] = len(cards)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "mlruns")


def coordinate(
    asked: Blueprint,
    store: Store,
    engine: Engine,
    *,
    sweep_id: str = SWEEP_ID,
    **options: Any,
) -> Seen:
    """Run a sweep to its end, as launch() does but on the engine that is given."""
    seen = Seen()
    clock = itertools.count(1_000)
    config = asked.config
    with Journal(store.journal_path(sweep_id)) as journal:
        history = History.of(journal.entries)
        if not history.opened:
            opened = journal.append(
                "opened",
                at=0.0,
                sweep_id=sweep_id,
                sweep_key=asked.key,
                fresh=False,
                versions=sweep_versions(),
                data={},
                git=None,
                blueprint=asked.document(),
            )
            history.take(opened)
        log = SweepLog(
            sweep_id=sweep_id,
            blueprint=asked,
            journal=journal,
            history=history,
            clock=lambda: float(next(clock)),
        )
        Coordinator(
            log=log,
            search=create_search(asked.space, config.sampler, asked.sweep, seed=config.seed),
            evaluations=store.evaluations,
            engine=engine,
            load=load_digits,
            observer=seen,
            **options,
        ).run()
    return seen


def outcome(seen: Seen) -> list[tuple[Any, ...]]:
    return [
        (number, repr(trial.params), trial.status, sorted(trial.metrics.items()))
        for number, trial in sorted(seen.trials.items())
    ]


class TestOrder:
    @pytest.mark.parametrize("values", [{}, TPE], ids=["grid", "tpe"])
    def test_of_outcomes_changes_nothing(self, tmp_path: Path, values: dict[str, Any]) -> None:
        asked = grid(**values)
        expected, final = None, None
        for number, n_slots in enumerate((1, 2, 4, 9)):
            store = Store(tmp_path / str(n_slots))
            seen = coordinate(asked, store, ShufflingEngine(n_slots, seed=number))
            (entry,) = entries(store, SWEEP_ID, "final")
            expected, final = expected or outcome(seen), final or entry["key"]
            assert outcome(seen) == expected
            assert entry["key"] == final

    def test_of_outcomes_changes_nothing_after_a_kill(self, tmp_path: Path) -> None:
        asked = grid(**TPE)
        whole = Store(tmp_path / "whole")
        expected = outcome(coordinate(asked, whole, ShufflingEngine(3)))
        content = whole.journal_path(SWEEP_ID).read_bytes().splitlines(keepends=True)
        for n_lines in range(1, len(content), 7):
            store = Store(tmp_path / str(n_lines))
            store.journal_path(SWEEP_ID).parent.mkdir(parents=True)
            store.journal_path(SWEEP_ID).write_bytes(b"".join(content[:n_lines]))
            shutil.copytree(whole.root / "evaluations", store.root / "evaluations")
            assert outcome(coordinate(asked, store, ShufflingEngine(2, seed=n_lines))) == expected


class TestDecisions:
    def test_keep_every_slot_busy_where_nothing_must_be_known(self, store: Store) -> None:
        engine = ShufflingEngine(4)
        coordinate(grid(), store, engine)
        assert engine.most == 4

    def test_of_an_adaptive_search_run_ahead_by_the_lag_at_most(self, store: Store) -> None:
        coordinate(grid(**TPE), store, ShufflingEngine(9))
        n_open, most = 0, 0
        for line in store.journal_path(SWEEP_ID).read_text().splitlines():
            n_open += ('"event":"trial"' in line) - ('"event":"outcome"' in line)
            most = max(most, n_open)
        assert most == TPE["sampler"]["lag"]

    def test_are_on_record_before_anything_of_them_begins(self, store: Store) -> None:
        recorded: list[int] = []

        def look(job: Job) -> None:
            del job
            recorded.append(len(entries(store, SWEEP_ID, "trial")))

        coordinate(grid(), store, ShufflingEngine(1, meddle=look))
        assert recorded[0] >= 1
        assert recorded == sorted(recorded)


class TestSharing:
    def test_equal_evaluations_in_flight_are_computed_once(self, store: Store) -> None:
        same = {"dataset": {"sample_size": [10, 20, 30]}, "classifier": {"C": [1.0, 2.0]}}
        engine = ShufflingEngine(6)
        seen = coordinate(grid(sweep__space=same), store, engine)
        assert len(engine.begun) == len(set(engine.begun)) == 2 * 2 + 1
        assert [trial.status for trial in seen.trials.values()] == ["complete"] * 6
        keys = {seen.trials[number].keys for number in range(6)}
        assert len(keys) == 2

    def test_failure_in_flight_is_that_of_all_who_wait_for_it(self, store: Store) -> None:
        same = {"dataset": {"sample_size": [10, 20]}}
        failures = iter([Failure(reason="error", message="first")])
        engine = ShufflingEngine(2, meddle=lambda _: next(failures, None))
        seen = coordinate(grid(sweep__space=same), store, engine)
        assert [trial.message for trial in seen.trials.values()] == ["first", "first"]
        assert len(engine.begun) == 2
        assert entries(store, SWEEP_ID, "final") == []


class TestFailures:
    def test_of_one_fold_spare_the_trial_the_others(self, store: Store, tmp_path: Path) -> None:
        (tmp_path / "obstacle").touch()
        asked = flaky(tmp_path / "obstacle", evaluation__n_splits=4)
        engine = ShufflingEngine(1)
        seen = coordinate(asked, store, engine, trusted=("flaky",))
        assert [seen.trials[n].status for n in range(3)] == ["failed", "complete", "complete"]
        assert seen.n_cards == {0: 0, 1: 4, 2: 4}
        n_begun = sum(key in seen.trials[0].keys for key in engine.begun)
        assert n_begun == 1

    def test_of_the_last_trial_do_not_get_into_the_final_evaluation(self, tmp_path: Path) -> None:
        (tmp_path / "obstacle").touch()
        space = {"classifier": {"n_neighbors": [10, 1]}}
        asked = flaky(tmp_path / "obstacle", sweep__space=space, evaluation__n_splits=4)
        for seed in range(6):
            store = Store(tmp_path / str(seed))
            engine = ShufflingEngine(5, seed=seed)
            coordinate(asked, store, engine, trusted=("flaky",))
            (final,) = entries(store, SWEEP_ID, "final")
            assert final["number"] == 0
            assert store.evaluations.find(final["key"], with_model=True) is not None

    @pytest.mark.parametrize("reason", ["killed", "memory"])
    def test_that_are_no_fault_of_the_trial_are_tried_again(
        self, store: Store, reason: Any
    ) -> None:
        tried: set[str] = set()

        def kill_once(job: Job) -> Failure | None:
            if job.specification.key in tried:
                return None
            tried.add(job.specification.key)
            return Failure(reason=reason, message="once")

        seen = coordinate(grid(engine__retries=1), store, ShufflingEngine(2, meddle=kill_once))
        assert [trial.status for trial in seen.trials.values()] == ["complete"] * 4
        assert [trial.attempts for trial in seen.trials.values()] == [2] * 4
        reasons = [entry["reason"] for entry in entries(store, SWEEP_ID, "evaluation")]
        assert reasons.count(reason) == reasons.count(None) == 4 * 2 + 1

    @pytest.mark.parametrize(("reason", "n_tries"), [("killed", 3), ("timeout", 1), ("error", 1)])
    def test_that_come_back_fail_the_trial(self, store: Store, reason: Any, n_tries: int) -> None:
        def kill(job: Job) -> Failure | None:
            if job.specification.classifier["C"] == 10.0:
                return Failure(reason=reason, message="always")
            return None

        engine = ShufflingEngine(1, meddle=kill)
        seen = coordinate(grid(engine__retries=2), store, engine)
        assert [(trial.status, trial.reason) for _, trial in sorted(seen.trials.items())] == [
            ("complete", None),
            ("complete", None),
            ("failed", reason),
            ("failed", reason),
        ]
        assert max(map(engine.begun.count, engine.begun)) == n_tries


class TestModels:
    @pytest.mark.parametrize("sizes", [[60, 120, 90], [None, 60]])
    def test_are_kept_of_the_largest_of_growing_subsets(
        self, store: Store, sizes: list[int | None]
    ) -> None:
        asked = changed(blueprint("growing_subsets"), sweep__space__split__size=sizes)
        seen = coordinate(asked, store, ShufflingEngine(1))
        kept = [bool(store.evaluations.model(seen.trials[n].keys[0])) for n in range(len(sizes))]
        largest = max(range(len(sizes)), key=lambda n: sizes[n] or 10**6)
        assert kept == [n == largest for n in range(len(sizes))]
