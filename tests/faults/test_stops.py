"""Rows 4 to 6: signals, and going on with what is over."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import pytest

from base_case import N_WORKERS, BaseCase, Reference, assert_good

if TYPE_CHECKING:
    from mlflow.entities import Run

    from program import Running


def running_fits(case: BaseCase) -> Running:
    """Start a sweep and return it in mid-trial."""
    case.workers, case.seconds = N_WORKERS, 0.3
    running = case.start()
    running.until(lambda _: case.n_fits >= 6)
    return running


@pytest.mark.row(4, "SIGINT once")
def test_interrupt(case: BaseCase, reference: Reference) -> None:
    running = running_fits(case)
    sent = time.monotonic()
    running.process.send_signal(signal.SIGINT)
    finished = running.end()
    assert finished.code == 130
    assert time.monotonic() - sent < 10
    assert case.alive() == []
    assert finished.err.splitlines()[-1].endswith(
        f"sweepmark resume {case.sweep_id} --trust estimators"
    )
    assert "Traceback" not in finished.err
    case.finish(*case.resume_words)
    assert_good(case, reference)


@pytest.mark.row(4, "SIGINT twice")
def test_interrupt_twice(case: BaseCase, reference: Reference) -> None:
    running = running_fits(case)
    running.process.send_signal(signal.SIGINT)
    time.sleep(0.05)
    sent = time.monotonic()
    running.process.send_signal(signal.SIGINT)
    assert running.end().code == 130
    assert time.monotonic() - sent < 1
    case.wait_for_the_dead(seconds=1)
    case.finish(*case.resume_words)
    assert_good(case, reference)


@pytest.mark.row(5, "SIGTERM")
def test_terminate(case: BaseCase, reference: Reference) -> None:
    running = running_fits(case)
    sent = time.monotonic()
    running.process.terminate()
    finished = running.end()
    assert finished.code == 143
    assert time.monotonic() - sent < 10
    assert case.alive() == []
    stopped, _ = case.runs()
    assert stopped.info.status == "KILLED"
    case.finish(*case.resume_words)
    assert_good(case, reference)
    parent, _ = case.runs()
    assert parent.info.run_id == stopped.info.run_id


@pytest.mark.row(5, "SIGTERM while it starts")
@pytest.mark.parametrize("word", ["journal", "mlflow.db"])
def test_terminate_early(bare_case: BaseCase, reference: Reference, word: str) -> None:
    """As soon as a file is there: in the middle of imports and migrations."""
    case = bare_case
    case.workers = case.workers or 1
    pattern = {"journal": "sweeps/*.jsonl", "mlflow.db": "mlflow.db"}[word]
    running = case.start()
    running.until(lambda _: any(case.store.glob(pattern)))
    running.process.terminate()
    assert running.end().code == 143
    case.wait_for_the_dead(seconds=5)  # one that still starts looks for its parent first
    if (case.store / "mlflow.db").exists():
        case.all_runs()  # none of which is running
    case.finish(*case.resume_words)
    assert_good(case, reference)


@pytest.mark.row(6, "resume of a finished sweep, three times")
def test_resume_of_the_finished(case: BaseCase, reference: Reference) -> None:
    case.finish()
    before = state(case)
    for _ in range(3):
        case.resume()
        assert state(case) == before
        assert_good(case, reference)


def state(case: BaseCase) -> tuple[object, ...]:
    """Return what must not change any more."""
    parent, children = case.runs()
    return (
        case.program.journal(case.sweep_id),
        case.n_fits,
        run_state(parent),
        sorted(map(run_state, children)),
        sorted(path.name for path in (case.store / "artifacts").iterdir()),
    )


def run_state(run: Run) -> tuple[object, ...]:
    return run.info.run_id, run.info.status, run.info.start_time, run.info.end_time
