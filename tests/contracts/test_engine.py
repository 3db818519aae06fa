"""The contract of every engine.

An engine keeps each limit, or refuses it before anything starts. One that is apart survives
whatever happens to its processes, and leaves none.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import jobs
from jobs import make_job
from processes import family, is_alive, until
from sweepmark.config.registry import ENGINES
from sweepmark.config.schema import EngineConfig
from sweepmark.engine import Clock, Engine, Outcome, check_engine, create_engine
from sweepmark.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

N_JOBS = 5
PATIENCE = 60.0
"""Seconds: an engine that loses an outcome fails a test, it does not hang it."""


LINUX_ONLY = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's help is Linux's")


@pytest.fixture(params=ENGINES.places)
def config(request: pytest.FixtureRequest) -> EngineConfig:
    config = EngineConfig(name=request.param, workers=2)
    try:
        check_engine(config)
    except ConfigurationError:
        return replace(config, workers=1)
    return config


@pytest.fixture
def engine(config: EngineConfig) -> Iterator[Engine]:
    with create_engine(config, evaluate=jobs.work) as engine:
        yield engine


@pytest.fixture
def apart(engine: Engine) -> Engine:
    """Return an engine whose evaluations run in other processes."""
    if not engine.is_apart:
        pytest.skip("evaluations run in this process, which ends with them")
    return engine


@pytest.fixture
def limited(config: EngineConfig) -> Iterator[Callable[..., Engine]]:
    """Return an engine with limits; a test is over where they are refused."""
    with contextlib.ExitStack() as stack:

        def limit(**limits: Any) -> Engine:
            try:
                engine = create_engine(replace(config, **limits), evaluate=jobs.work)
            except ConfigurationError as error:
                assert all(f"engine.{name}=" in str(error) for name in limits)  # noqa: PT017
                pytest.skip(f"refused: {error}")
            return stack.enter_context(engine)

        yield limit


def value(outcome: Outcome, name: str = "value") -> float:
    assert outcome.scorecard is not None, outcome.failure
    return outcome.scorecard.metrics[name]


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


def test_what_is_to_be_called_first_is_not_part_of_a_job(
    config: EngineConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "_calls", [])  # of another engine in this process
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


def test_large_result_passes(engine: Engine) -> None:
    outcome = run_one(engine, do="large", n_bytes=60_000_000)
    assert outcome.scorecard is not None
    assert outcome.scorecard.model == b"m" * 60_000_000


def test_result_that_cannot_be_pickled_is_a_failure(apart: Engine) -> None:
    failure = run_one(apart, do="unsendable").failure
    assert failure is not None
    assert failure.reason == "error"
    assert "lambda" in failure.message
    assert run_one(apart, do="echo").failure is None


def test_job_beyond_its_time_is_killed(limited: Callable[..., Engine]) -> None:
    engine = limited(timeout=0.3)
    outcome = run_one(engine, do="hold_the_gil")
    assert outcome.failure is not None
    assert outcome.failure.reason == "timeout"
    assert "0.3 s" in outcome.failure.message
    assert 0.3 <= outcome.ended - outcome.started + 1e-3 < 2.0
    assert value(run_one(engine, do="echo", value=2.0)) == 2.0


def test_time_of_a_job_does_not_count_the_start_of_a_process(
    limited: Callable[..., Engine],
) -> None:
    assert run_one(limited(timeout=0.05), do="echo").failure is None


def test_job_beyond_its_memory_is_killed(limited: Callable[..., Engine]) -> None:
    engine = limited(memory=300 / 1024)
    failure = run_one(engine, do="grow", n_bytes=400 * 2**20, seconds=60).failure
    assert failure is not None
    assert failure.reason == "memory"
    assert "0.29 GiB" in failure.message
    assert run_one(engine, do="grow", n_bytes=2**20, seconds=0.3).failure is None


@LINUX_ONLY
@pytest.mark.parametrize("do", ["grow", "crash_without_memory"])
def test_allocation_too_fast_to_be_watched_is_refused(
    limited: Callable[..., Engine], do: str
) -> None:
    more = {"seconds": 0.0} if do == "grow" else {}
    engine = limited(memory=500 / 1024)
    failure = run_one(engine, do=do, n_bytes=2**32, **more).failure
    assert failure is not None
    assert failure.reason == "memory"
    assert run_one(engine, do="echo").failure is None


def test_killed_process_is_a_failure_and_is_replaced(apart: Engine) -> None:
    pid = int(value(run_one(apart, do="echo"), "pid"))
    apart.submit(make_job(do="echo", seconds=60), slot=0)
    os.kill(pid, signal.SIGKILL)
    (outcome,) = apart.wait(PATIENCE)
    assert outcome.failure is not None
    assert outcome.failure.reason == "killed"
    assert outcome.failure.message == "the worker was killed by SIGKILL in mid-evaluation"
    assert value(run_one(apart, do="echo"), "pid") != pid


def test_process_that_ends_itself_says_with_which_code(apart: Engine) -> None:
    failure = run_one(apart, do="die", code=7).failure
    assert failure is not None
    assert failure.message == "the worker ended with code 7 in mid-evaluation"


def test_job_given_to_an_idle_process_that_was_killed_is_done(apart: Engine) -> None:
    pid = int(value(run_one(apart, do="echo"), "pid"))
    os.kill(pid, signal.SIGKILL)
    time.sleep(0.2)  # its connection ends with its last thread
    assert value(run_one(apart, do="echo"), "pid") != pid


def test_one_death_leaves_the_other_slots_alone(apart: Engine) -> None:
    apart.submit(make_job(do="die", code=1), slot=0)
    apart.submit(make_job(do="echo", value=1.0, seconds=0.2), slot=1)
    outcomes = apart.wait(PATIENCE)
    if len(outcomes) < 2:
        outcomes += apart.wait(PATIENCE)
    by_slot = {outcome.slot: outcome for outcome in outcomes}
    assert by_slot[0].failure is not None
    assert value(by_slot[1]) == 1.0


def test_waiting_ends_with_its_timeout(apart: Engine) -> None:
    apart.submit(make_job(do="echo", seconds=60), slot=0)
    started = time.monotonic()
    assert apart.wait(0.1) == []
    assert 0.1 <= time.monotonic() - started < 1.0


def test_closing_leaves_no_process_not_even_a_grandchild(config: EngineConfig) -> None:
    with create_engine(config, evaluate=jobs.work) as engine:
        if engine.is_apart:
            pid = int(value(run_one(engine, do="echo"), "pid"))
            engine.submit(make_job(do="fork_and_sleep", seconds=60), slot=0)
            assert until(lambda: engine.wait(0.05) == [] and len(family(pid)) == 1)
        processes = family()
    assert not family()
    assert until(lambda: not any(map(is_alive, processes)), 2)


ANYWHERE = """
import asyncio, sys, threading, time
print("once", flush=True)
sleeper = threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
import jobs
from sweepmark.config.schema import EngineConfig
from sweepmark.engine import create_engine

def run():
    with create_engine(EngineConfig(name="{name}", workers=1), evaluate=jobs.work) as engine:
        engine.submit(jobs.make_job(do="echo", value=2.0), slot=0)
        (outcome,) = engine.wait(60)
        print(outcome.scorecard.metrics["value"], flush=True)

async def run_later():
    run()

run()
asyncio.run(run_later())
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return os.environ | {
        "PYTHONPATH": os.pathsep.join([str(Path(jobs.__file__).parent), *sys.path]),
        "HOME": str(tmp_path),
    }


@pytest.mark.parametrize("place", ["-c", "script", "-", "-i"])
def test_works_wherever_python_runs(
    place: str, config: EngineConfig, environment: dict[str, str], tmp_path: Path
) -> None:
    """From an unguarded script, beside threads, in an event loop; each line is run once."""
    code = ANYWHERE.format(name=config.name)
    script = tmp_path / "unguarded.py"
    script.write_text(code)
    words = {"-c": ["-c", code], "script": [str(script)], "-": ["-"], "-i": ["-i", "-q"]}[place]
    done = subprocess.run(
        [sys.executable, *words],
        input=code if place in {"-", "-i"} else "",
        timeout=PATIENCE,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "once\n2.0\n2.0\n"


COORDINATOR = """
import sys
import jobs
from sweepmark.config.schema import EngineConfig
from sweepmark.engine import create_engine

config = EngineConfig(name=sys.argv[1], workers=int(sys.argv[2]))
with create_engine(config, evaluate=jobs.work) as engine:
    work, _, at_once = sys.argv[3].partition(" ")
    if not at_once:
        engine.submit(jobs.make_job(do="echo"), slot=0)
        engine.wait(120)
    print("running", flush=True)
    for slot in engine.idle():
        engine.submit(jobs.make_job(do="sleep" if slot else work), slot=slot)
    engine.wait(60)
"""


@pytest.mark.parametrize(
    "work", [pytest.param("hold_the_gil", marks=LINUX_ONLY), "sleep", "sleep at once"]
)
def test_nothing_outlives_a_killed_coordinator(
    work: str, config: EngineConfig, environment: dict[str, str]
) -> None:
    """In a call into C that never returns; asleep; while processes start."""
    assert config.workers is not None
    words = [sys.executable, "-c", COORDINATOR, config.name, str(config.workers), work]
    with (
        subprocess.Popen(words, env=environment, stdout=subprocess.PIPE) as coordinator,
        contextlib.ExitStack() as stack,
    ):
        stack.callback(coordinator.kill)  # else leaving the block waits for it
        assert coordinator.stdout is not None
        coordinator.stdout.readline()
        time.sleep(0.0 if work == "sleep at once" else 0.2)
        processes = family(coordinator.pid)
        coordinator.kill()
    assert until(lambda: not any(map(is_alive, processes)), 2)
