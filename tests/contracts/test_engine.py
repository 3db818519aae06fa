"""The contract of every engine."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

import jobs
from jobs import make_job
from sweepmark.config.registry import ENGINES
from sweepmark.config.schema import EngineConfig
from sweepmark.engine import Clock, Engine, Outcome, create_engine
from sweepmark.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

N_JOBS = 5
PATIENCE = 60.0
"""Seconds: an engine that loses an outcome fails a test, it does not hang it."""


@pytest.fixture(params=ENGINES.places)
def config(request: pytest.FixtureRequest) -> EngineConfig:
    name = request.param
    return EngineConfig(name=name, workers=1 if name == "serial" else 2)


@pytest.fixture
def engine(config: EngineConfig) -> Iterator[Engine]:
    with create_engine(config, evaluate=jobs.work) as engine:
        yield engine


def run_one(engine: Engine, **task: object) -> Outcome:
    engine.submit(make_job(**task), slot=0)
    (outcome,) = engine.wait(PATIENCE)
    return outcome


def test_every_job_has_exactly_one_outcome(engine: Engine) -> None:
    waiting = [make_job(do="echo", value=float(n)) for n in range(N_JOBS)]
    keys = [job.specification.key for job in waiting]
    outcomes: list[Outcome] = []
    while len(outcomes) < N_JOBS:
        for slot in engine.idle():
            if waiting:
                engine.submit(waiting.pop(), slot=slot)
        ended = engine.wait(PATIENCE)
        assert ended, "an outcome is lost"
        outcomes += ended
    assert engine.wait(PATIENCE) == []
    assert sorted(outcome.job.specification.key for outcome in outcomes) == sorted(keys)
    for outcome in outcomes:
        assert outcome.failure is None
        assert outcome.scorecard is not None
        assert outcome.scorecard.metrics["value"] == outcome.job.specification.task["value"]


def test_an_outcome_says_where_and_when(engine: Engine) -> None:
    before = time.time()
    engine.submit(make_job(do="echo", seconds=0.05), slot=engine.n_slots - 1)
    (outcome,) = engine.wait(PATIENCE)
    assert outcome.slot == engine.n_slots - 1
    assert 0.05 <= outcome.ended - outcome.started + 1e-3 < 1.0
    assert before - 0.1 <= outcome.started <= outcome.ended <= time.time() + 0.1


def test_what_is_to_be_called_first_is_not_part_of_a_job(config: EngineConfig) -> None:
    with create_engine(config, evaluate=jobs.work, warm_up=["jobs:warm_up"]) as engine:
        first, second = run_one(engine, do="n_calls"), run_one(engine, do="n_calls")
    for outcome in (first, second):
        assert outcome.scorecard is not None
        assert outcome.scorecard.metrics["value"] == 1
    assert first.scorecard is not None
    assert first.scorecard.metrics["last"] <= first.started + 0.01
    assert first.ended - first.started < 0.3


def test_a_clock_that_is_put_back_gives_no_negative_duration(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = time.time()
    engine.submit(make_job(do="echo"), slot=0)
    monkeypatch.setattr(time, "time", lambda: before - 3600)
    (outcome,) = engine.wait(PATIENCE)
    assert before - 0.1 <= outcome.started <= outcome.ended


def test_a_clock_goes_on_from_a_later_date() -> None:
    clock = Clock()
    later = clock.date(time.monotonic()) + 3600
    clock.go_on_from(later)
    assert later <= clock.date(time.monotonic()) < later + 60
    clock.go_on_from(later - 7200)
    assert later <= clock.date(time.monotonic()) < later + 60


def test_an_exception_is_a_failure_with_its_traceback(engine: Engine) -> None:
    outcome = run_one(engine, do="fail", message="first\nsecond")
    assert outcome.scorecard is None
    assert outcome.failure is not None
    assert outcome.failure.reason == "error"
    assert outcome.failure.message == "ValueError: first second"
    assert "in fail" in outcome.failure.traceback


def test_a_failure_leaves_the_slot_usable(engine: Engine) -> None:
    run_one(engine, do="fail", message="")
    assert run_one(engine, do="echo").failure is None


def test_a_memory_error_has_reason_memory(engine: Engine) -> None:
    failure = run_one(engine, do="exhaust").failure
    assert failure is not None
    assert failure.reason == "memory"


def test_a_slot_is_idle_unless_it_has_a_job(engine: Engine) -> None:
    everything = list(range(engine.n_slots))
    assert engine.idle() == everything
    engine.submit(make_job(do="echo"), slot=0)
    assert engine.idle() == everything[1:]
    engine.wait(PATIENCE)
    assert engine.idle() == everything


def test_a_slot_takes_one_job_at_a_time(engine: Engine) -> None:
    engine.submit(make_job(do="echo"), slot=0)
    with pytest.raises(ValueError, match="free slot, but got slot 0"):
        engine.submit(make_job(do="echo"), slot=0)


@pytest.mark.parametrize("slot", [-1, 64])
def test_a_job_needs_a_slot_that_exists(engine: Engine, slot: int) -> None:
    with pytest.raises(ValueError, match=f"got slot {slot}"):
        engine.submit(make_job(do="echo"), slot=slot)


def test_waiting_for_nothing_returns_at_once(engine: Engine) -> None:
    assert engine.wait(PATIENCE) == []


def test_a_cancelled_job_has_no_outcome(engine: Engine) -> None:
    engine.submit(make_job(do="fail", message="never"), slot=0)
    engine.cancel(0)
    assert 0 in engine.idle()
    assert engine.wait(PATIENCE) == []
    assert run_one(engine, do="echo").failure is None


def test_a_closed_engine_takes_nothing_and_closes_again(config: EngineConfig) -> None:
    with create_engine(config, evaluate=jobs.work) as engine:
        engine.submit(make_job(do="echo", seconds=60), slot=0)
        engine.close()
        assert engine.idle() == []
        assert engine.wait(PATIENCE) == []
        with pytest.raises(ValueError, match="free are"):
            engine.submit(make_job(do="echo"), slot=0)


@pytest.mark.parametrize("limit", ["timeout", "memory"])
def test_the_serial_engine_refuses_limits(limit: str) -> None:
    config = EngineConfig(name="serial", **{limit: 1.5})  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match=rf"engine\.{limit}=1\.5.*engine=local"):
        create_engine(config)


def test_the_serial_engine_refuses_more_workers() -> None:
    with pytest.raises(ConfigurationError, match=r"engine\.workers=3.*engine=local"):
        create_engine(EngineConfig(name="serial", workers=3))
