"""Rows 1 to 3: kill -9, of a worker, at every failpoint, at random moments, and what is lost."""

from __future__ import annotations

import itertools
import random
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from base_case import (
    N_AT_A_TIME,
    N_EVALUATIONS,
    N_WORKERS,
    SEED,
    TRUST,
    BaseCase,
    Reference,
    assert_good,
)
from sweepmark.failpoints import FAILPOINTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from program import Running

# Row 1


@pytest.mark.row(1, "kill -9 a worker in mid-trial")
def test_killed_worker(case: BaseCase, reference: Reference) -> None:
    case.workers, case.seconds = N_WORKERS, 0.5
    running = case.start()
    wait_for_fits(case, running, 4)
    victim = next(p for p in running.children() if p.name() == "sweepmark-work")
    killed = time.time()
    victim.kill()
    finished = running.end()
    assert finished.code == 0, finished.err
    assert_good(case, reference)
    (failed,) = [entry for entry in case.entries("evaluation") if entry["reason"] is not None]
    assert failed["reason"] == "killed"
    (again,) = [
        entry
        for entry in case.entries("evaluation")
        if entry["key"] == failed["key"] and entry["reason"] is None
    ]
    assert again["attempt"] == 2
    assert again["at"] - killed < 10
    assert sorted(entry["attempts"] for entry in case.entries("outcome"))[-2:] == [1, 2]
    assert case.n_fits == N_EVALUATIONS + 1


# Row 2

OPENING = (
    *("lock.taken", "journal.opened", "file.written", "journal.opened.done"),
    *("database.migrated", "database.named", "tracker.parent", "tracker.parent.created"),
    *("tracker.parent.opened", "ledger.study"),
)
RUNNING = (
    *("journal.trial:2", "journal.trial.done:2", "evaluation.written:2", "evaluation.renamed:2"),
    *("journal.evaluation:2", "journal.evaluation.done:2", "journal.resumed"),
    *("journal.resumed.done", "journal.outcome:2", "journal.outcome.done:2", "tracker.trial:2"),
    *("tracker.trial.created:2", "tracker.artifacts:3", "tracker.trial.written:2"),
    *("tracker.trial.ended:2", "ledger.trial:2", "ledger.trial.done:2"),
)
ENDING = (
    *("journal.final", "journal.final.done", "journal.stop", "journal.stop.done"),
    *("tracker.closing", "tracker.model.created", "tracker.model.written"),
    *("tracker.closing.written", "tracker.closed"),
)
SINGLE_RUN = (
    *("tracker.trial.created", "tracker.model.created", "tracker.model.written"),
    *("tracker.trial.written", "journal.stop"),
)


def test_every_failpoint_is_in_a_tour() -> None:
    passed = {stop.partition(":")[0] for stop in OPENING + RUNNING + ENDING + SINGLE_RUN}
    # tests/coordinator kills while a sweep is forgotten or restored
    others = {name for name in FAILPOINTS if name.startswith(("forget.", "restore."))}
    assert passed | others == set(FAILPOINTS)


@pytest.mark.row(2, "kill -9 at one failpoint after the other, in one sweep")
@pytest.mark.parametrize(
    "stops",
    [
        pytest.param(OPENING, id="opening"),
        pytest.param(RUNNING, id="running", marks=pytest.mark.full),
        pytest.param(ENDING, id="ending", marks=pytest.mark.full),
    ],
)
def test_tour(bare_case: BaseCase, reference: Reference, stops: tuple[str, ...]) -> None:
    """Each kill hits what has survived all kills before it."""
    case = bare_case
    case.workers = case.workers and 1  # starting costs more than all that is fitted
    for number, stop in enumerate(stops):
        # `sweep` goes on as well as `resume` does, unless it is over but for MLflow.
        is_resumed = "resumed" in stop or "clos" in stop or "model" in stop or number % 2
        is_there = any(case.store.glob("sweeps/*.jsonl"))
        case.kill_at(stop, *(case.resume_words if is_resumed and is_there else ()))
    case.finish(*case.resume_words)
    assert_good(case, reference)


@pytest.mark.full
@pytest.mark.row(2, "kill -9 at a failpoint")
@pytest.mark.parametrize(
    "failpoint", sorted({stop.partition(":")[0] for stop in OPENING + RUNNING + ENDING})
)
def test_failpoint(case: BaseCase, reference: Reference, failpoint: str) -> None:
    case.workers = 1
    if failpoint.startswith("database"):
        (case.store / "optuna.db").unlink()
    if "resumed" in failpoint:
        case.kill_at("journal.outcome:10")
    is_repeated = f"{failpoint}:2" in RUNNING
    case.kill_at(f"{failpoint}:20" if is_repeated else failpoint)
    has_begun = any(case.store.glob("sweeps/*.jsonl"))
    case.finish(*(case.resume_words if has_begun else ()))
    assert_good(case, reference)


@pytest.mark.row(2, "kill -9 a single run at failpoints")
def test_single_run(case: BaseCase, *, whole: bool) -> None:
    words: tuple[object, ...] = ("run", "dataset=digits", "classifier=slow_svc", *TRUST)
    words = (*words, "split.size=200", "--config-dir", case.own)
    words = words if whole else (*words, "engine=serial")
    for failpoint in SINGLE_RUN:
        case.kill_at(failpoint, *words)
    case.finish(*words)
    assert case.n_stored == 1
    run, none = case.runs()
    assert (run.info.status, none) == ("FINISHED", [])


@pytest.mark.row(2, "kill -9 coordinator and workers at random moments")
@pytest.mark.parametrize(
    "batch",
    [pytest.param(n, marks=[pytest.mark.full] if n > 1 else []) for n in range(10)],
)
def test_random_moments(
    new_case: Callable[[], BaseCase], reference: Reference, batch: int, *, whole: bool
) -> None:
    cases = [new_case() for _ in range(N_AT_A_TIME)]
    moments = random.Random(SEED + batch)  # noqa: S311 -- to be repeated, not to be secret
    shares = [moments.random() for _ in cases]
    with ThreadPoolExecutor(len(cases)) as pool:
        totals = list(pool.map(survive, cases, shares, itertools.repeat(reference)))
    for case, share, total in zip(cases, shares, totals, strict=True):
        assert_good(case, reference)
        # What takes 8 s instead of 45 has no room for starting twice.
        assert not whole or total <= 1.5 * reference.seconds, f"killed at {share:.3f}"


@pytest.mark.row(2, "the journal's last line torn")
def test_torn_journal(case: BaseCase, reference: Reference) -> None:
    case.kill_at("journal.outcome.done:10")
    journal = case.store / "sweeps" / f"{case.sweep_id}.jsonl"
    journal.write_bytes(journal.read_bytes()[:-40])
    case.finish(*case.resume_words)
    assert_good(case, reference)


def survive(case: BaseCase, share: float, reference: Reference) -> float:
    """Kill a sweep after a share of the time it takes; return what it took with its resume."""
    case.workers, case.seconds = N_WORKERS, reference.fit_seconds
    running = case.start()
    time.sleep(share * reference.seconds)
    started = time.monotonic()
    kill_all(running)
    killed_after = running.end().seconds
    case.wait_for_the_dead()
    has_begun = any(case.store.glob("sweeps/*.jsonl"))
    case.finish(*(case.resume_words if has_begun else ()))
    return killed_after + time.monotonic() - started


# Row 3


@pytest.mark.row(3, "kill -9 before the first write")
def test_nothing_written(bare_case: BaseCase, reference: Reference) -> None:
    bare_case.kill_at("lock.taken")
    assert bare_case.n_stored == 0
    bare_case.finish()
    assert_good(bare_case, reference)


@pytest.mark.row(3, "databases of study and MLflow deleted in mid-sweep, and when it is over")
def test_databases_deleted(case: BaseCase, reference: Reference) -> None:
    case.kill_at("ledger.trial.done:12")
    for name in ("optuna.db", "mlflow.db"):
        (case.store / name).unlink()
        case.kill_at("tracker.closing", *case.resume_words)
    n_fits = case.n_fits
    for name in ("optuna.db", "mlflow.db"):
        (case.store / name).unlink()
        case.finish(*case.resume_words)
        assert_good(case, reference)
    assert case.n_fits == n_fits


def kill_all(running: Running) -> None:
    """Kill the coordinator and its workers, in no particular order."""
    children = running.children()
    running.process.kill()
    for child in children:
        child.kill()


def wait_for_fits(case: BaseCase, running: Running, n_fits: int) -> None:
    """Wait until a number of fits have begun."""
    running.until(lambda _: case.n_fits >= n_fits)
