"""The local engine: processes that really run, and really are killed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psutil
import pytest

import jobs
from jobs import make_job
from sweepmark.config.schema import EngineConfig
from sweepmark.engine import Job, Outcome, create_engine
from sweepmark.engine.local import LocalEngine
from sweepmark.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sweepmark.scores.scorecard import Scorecard

PATIENCE = 20.0  # seconds after which a test gives up


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def children(parent: int | None = None) -> list[psutil.Process]:
    """Return the living descendants of a process, or of this one."""
    return list(filter(is_alive, psutil.Process(parent).children(recursive=True)))


def until(condition: Callable[[], bool], seconds: float = PATIENCE) -> bool:
    end = time.monotonic() + seconds
    while not (held := condition()) and time.monotonic() < end:
        time.sleep(0.01)
    return held


LINUX_ONLY = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's help is Linux's")
BOTH_WAYS = [
    pytest.param(False, id="new interpreter"),
    pytest.param(True, id="fork", marks=LINUX_ONLY),
]


@pytest.fixture(params=BOTH_WAYS)
def engine(request: pytest.FixtureRequest) -> Iterator[LocalEngine]:
    with LocalEngine(workers=1, evaluate=jobs.work, fork=request.param) as engine:
        yield engine


def run_one(engine: LocalEngine, **task: object) -> Outcome:
    engine.submit(make_job(**task), slot=0)
    (outcome,) = engine.wait(PATIENCE)
    return outcome


def value(outcome: Outcome, name: str = "value") -> float:
    assert outcome.scorecard is not None, outcome.failure
    return outcome.scorecard.metrics[name]


def test_a_killed_worker_is_a_failure_and_is_replaced(engine: LocalEngine) -> None:
    pid = int(value(run_one(engine, do="echo"), "pid"))
    engine.submit(make_job(do="echo", seconds=60), slot=0)
    os.kill(pid, signal.SIGKILL)
    (outcome,) = engine.wait(PATIENCE)
    assert outcome.failure is not None
    assert outcome.failure.reason == "killed"
    assert outcome.failure.message == "the worker was killed by SIGKILL in mid-evaluation"
    assert value(run_one(engine, do="echo"), "pid") != pid


def test_a_worker_that_ends_itself_says_with_which_code(engine: LocalEngine) -> None:
    failure = run_one(engine, do="die", code=7).failure
    assert failure is not None
    assert failure.message == "the worker ended with code 7 in mid-evaluation"


def test_a_job_given_to_an_idle_worker_that_was_killed_is_done(engine: LocalEngine) -> None:
    pid = int(value(run_one(engine, do="echo"), "pid"))
    os.kill(pid, signal.SIGKILL)
    time.sleep(0.2)  # its connection ends with its last thread
    assert value(run_one(engine, do="echo"), "pid") != pid


def test_one_death_leaves_the_other_slots_alone() -> None:
    with LocalEngine(workers=2, evaluate=jobs.work) as engine:
        engine.submit(make_job(do="die", code=1), slot=0)
        engine.submit(make_job(do="echo", value=1.0, seconds=0.2), slot=1)
        outcomes = engine.wait(PATIENCE)
        if len(outcomes) < 2:
            outcomes += engine.wait(PATIENCE)
    by_slot = {outcome.slot: outcome for outcome in outcomes}
    assert by_slot[0].failure is not None
    assert value(by_slot[1]) == 1.0


def test_a_large_result_passes(engine: LocalEngine) -> None:
    outcome = run_one(engine, do="large", n_bytes=60_000_000)
    assert outcome.scorecard is not None
    assert outcome.scorecard.model == b"m" * 60_000_000


def test_a_result_that_cannot_be_pickled_is_a_failure(engine: LocalEngine) -> None:
    failure = run_one(engine, do="unsendable").failure
    assert failure is not None
    assert failure.reason == "error"
    assert "lambda" in failure.message
    assert run_one(engine, do="echo").failure is None


def test_a_job_beyond_its_time_is_killed() -> None:
    with LocalEngine(workers=1, timeout=0.3, evaluate=jobs.work) as engine:
        outcome = run_one(engine, do="hold_the_gil")
        assert outcome.failure is not None
        assert outcome.failure.reason == "timeout"
        assert "0.3 s" in outcome.failure.message
        assert 0.3 <= outcome.ended - outcome.started + 1e-3 < 2.0
        assert value(run_one(engine, do="echo", value=2.0)) == 2.0


def test_the_time_of_a_job_does_not_count_the_start_of_its_worker() -> None:
    with LocalEngine(workers=1, timeout=0.05, evaluate=jobs.work) as engine:
        assert run_one(engine, do="echo").failure is None


@pytest.mark.skipif(sys.platform != "linux", reason="/proc says what a process holds")
@pytest.mark.parametrize("do", ["grow", "crash_without_memory"])
def test_an_allocation_too_fast_to_be_watched_is_refused(do: str) -> None:
    more = {"seconds": 0.0} if do == "grow" else {}
    with LocalEngine(workers=1, memory=500 * 2**20, evaluate=jobs.work) as engine:
        engine.submit(make_job(do=do, n_bytes=2**32, **more), slot=0)
        (outcome,) = engine.wait(60)
        assert outcome.failure is not None
        assert outcome.failure.reason == "memory"
        engine.submit(make_job(do="echo", value=1.0), slot=0)
        (outcome,) = engine.wait(60)
        assert outcome.failure is None


def test_a_job_beyond_its_memory_is_killed() -> None:
    with LocalEngine(workers=1, memory=300 * 2**20, evaluate=jobs.work) as engine:
        failure = run_one(engine, do="grow", n_bytes=400 * 2**20, seconds=60).failure
        assert failure is not None
        assert failure.reason == "memory"
        assert "0.29 GiB" in failure.message
        assert run_one(engine, do="grow", n_bytes=2**20, seconds=0.3).failure is None


def test_waiting_ends_with_its_timeout(engine: LocalEngine) -> None:
    engine.submit(make_job(do="echo", seconds=60), slot=0)
    started = time.monotonic()
    assert engine.wait(0.1) == []
    assert 0.1 <= time.monotonic() - started < 1.0


def test_cancelling_kills_what_runs(engine: LocalEngine) -> None:
    pid = int(value(run_one(engine, do="echo"), "pid"))
    engine.submit(make_job(do="echo", seconds=60), slot=0)
    engine.cancel(0)
    assert not psutil.pid_exists(pid)
    assert run_one(engine, do="echo").failure is None


def test_closing_leaves_no_process_not_even_a_grandchild() -> None:
    with LocalEngine(workers=2, evaluate=jobs.work) as engine:
        engine.submit(make_job(do="fork_and_sleep", seconds=60), slot=0)
        assert until(lambda: engine.wait(0.05) == [] and len(children()) == 3)
        family = children()
    assert not children()
    assert until(lambda: not any(map(is_alive, family)), 2)


def test_the_engine_does_not_wait_for_its_workers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "slow.py").write_text("import time\ntime.sleep(60)\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(vanished, "__module__", "slow")
    started = time.monotonic()
    with LocalEngine(workers=2, evaluate=vanished) as engine:
        engine.submit(make_job(), slot=0)
        assert engine.idle() == [1]
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("name", ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"])
def test_workers_have_their_thread_limit_in_the_environment(name: str) -> None:
    before = dict(os.environ)
    config = EngineConfig(name="local", workers=1, threads=3)
    with create_engine(config, evaluate=jobs.work) as engine:
        assert dict(os.environ) == before
        engine.submit(make_job(do="environment", name=name), slot=0)
        assert value(engine.wait(PATIENCE)[0]) == 3.0


def test_there_are_as_many_workers_as_usable_cores() -> None:
    with create_engine(EngineConfig(name="local"), evaluate=jobs.work) as engine:
        usable = hasattr(os, "sched_getaffinity")
        assert engine.n_slots == (len(os.sched_getaffinity(0)) if usable else os.cpu_count())


def test_the_kernel_ends_workers_first_where_memory_runs_out(engine: LocalEngine) -> None:
    assert value(run_one(engine, do="dispositions"), "oom_score") == 500


def test_a_worker_keeps_away_from_the_terminal(engine: LocalEngine) -> None:
    outcome = run_one(engine, do="dispositions")
    assert value(outcome, "interrupt_ignored")
    pid = int(value(run_one(engine, do="echo"), "pid"))
    assert os.getpgid(pid) == pid


@LINUX_ONLY
def test_a_fork_forgets_what_its_parent_does_at_signals() -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    handler = signal.signal(signal.SIGTERM, lambda *_: None)
    wakeup = signal.set_wakeup_fd(writer)
    try:
        with LocalEngine(workers=1, evaluate=jobs.work, fork=True) as engine:
            outcome = run_one(engine, do="dispositions")
    finally:
        signal.set_wakeup_fd(wakeup)
        signal.signal(signal.SIGTERM, handler)
        for descriptor in (reader, writer):
            os.close(descriptor)
    assert value(outcome, "wakeup") == -1
    assert value(outcome, "handlers") == value(outcome, "blocked") == 0


@LINUX_ONLY
def test_a_worker_holds_nothing_of_its_parent_open(tmp_path: Path) -> None:
    """A lock, say: it would outlive its owner."""
    with (
        (tmp_path / "lock").open("w") as file,
        LocalEngine(workers=2, evaluate=jobs.work, fork=True) as engine,
    ):
        engine.submit(make_job(do="is_open", path=file.name), slot=1)
        (outcome,) = engine.wait(PATIENCE)
    assert not value(outcome)
    assert value(outcome, "n") <= len(("in", "out", "err", "connection", "lifeline"))


@LINUX_ONLY
def test_a_fork_limits_the_threads_of_libraries_that_were_imported_before_it() -> None:
    for threads in (1, 2):
        with LocalEngine(workers=1, threads=threads, evaluate=jobs.work, fork=True) as engine:
            assert value(run_one(engine, do="blas_threads")) == threads
            assert value(run_one(engine, do="environment", name="OMP_NUM_THREADS")) == threads


@LINUX_ONLY
def test_only_the_first_workers_are_forked() -> None:
    """By the time that one is replaced, threads of this process may hold locks."""
    with LocalEngine(workers=1, evaluate=jobs.work, fork=True) as engine:
        first = psutil.Process(int(value(run_one(engine, do="echo"), "pid")))
        assert first.cmdline() == psutil.Process().cmdline()
        assert first.name() == "sweepmark-work"
        run_one(engine, do="die", code=1)
        second = psutil.Process(int(value(run_one(engine, do="echo"), "pid")))
        assert second.cmdline() != psutil.Process().cmdline()
        assert second.name() == "sweepmark-work"


PRINTER = """
import sys
import jobs
from sweepmark.engine.local import LocalEngine

sys.stdout = open(1, "w", closefd=False)  # flushed when nothing refers to it any more
print("mine")
with LocalEngine(workers=1, evaluate=jobs.work, fork=True) as engine:
    engine.submit(jobs.make_job(do="speak", text="theirs"), slot=0)
    engine.wait(60)
"""


@LINUX_ONLY
def test_what_waits_to_be_printed_is_printed_once_by_who_wrote_it() -> None:
    environment = os.environ | {"PYTHONPATH": os.path.dirname(jobs.__file__)}  # noqa: PTH120
    done = subprocess.run(
        [sys.executable, "-c", PRINTER],
        timeout=60,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "mine\n"
    assert done.stderr.count("theirs") == 2
    assert "mine" not in done.stderr


@pytest.mark.parametrize("fork", BOTH_WAYS)
def test_what_a_worker_prints_goes_to_standard_error(
    capfd: pytest.CaptureFixture[str], *, fork: bool
) -> None:
    with LocalEngine(workers=1, evaluate=jobs.work, fork=fork) as engine:
        assert run_one(engine, do="speak", text="hello").failure is None
    out, err = capfd.readouterr()
    assert out == ""
    assert err.count("hello") == 2


def test_a_function_that_cannot_be_imported_is_an_error_at_once() -> None:
    with LocalEngine(workers=1, evaluate=vanished) as engine:
        engine.submit(make_job(), slot=0)
        with pytest.raises(StoreError, match=r"ModuleNotFoundError: .*nowhere"):
            engine.wait(PATIENCE)


def vanished(job: Job) -> Scorecard:
    raise AssertionError(job)


vanished.__module__ = "nowhere"


def test_workers_that_die_at_the_start_are_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "deadly.py").write_text("import os\nos._exit(9)\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(vanished, "__module__", "deadly")
    with LocalEngine(workers=1, evaluate=vanished) as engine:
        engine.submit(make_job(), slot=0)
        with pytest.raises(StoreError, match="3 in a row ended with code 9"):
            engine.wait(PATIENCE)


def test_an_engine_whose_worker_cannot_be_replaced_says_so_and_closes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> int:
        raise BlockingIOError("no more processes")

    with LocalEngine(workers=2, evaluate=jobs.work) as engine:
        engine.submit(make_job(do="die", code=1), slot=0)
        monkeypatch.setattr("sweepmark.engine.process._new_interpreter", refuse)
        with pytest.raises(StoreError, match="could not be started: no more processes"):
            engine.wait(PATIENCE)
    assert not children()


def test_a_function_without_a_name_of_its_own_is_refused() -> None:
    def local(job: Job) -> Scorecard:
        raise AssertionError(job)

    with pytest.raises(ValueError, match="by name"):
        LocalEngine(workers=1, evaluate=local)


COORDINATOR = """
import sys
import jobs
from sweepmark.engine.local import LocalEngine

with LocalEngine(workers=2, evaluate=jobs.work, fork=sys.argv[2] == "fork") as engine:
    engine.submit(jobs.make_job(do="echo"), slot=0)
    engine.wait(120)
    engine.submit(jobs.make_job(do=sys.argv[1]), slot=0)
    engine.submit(jobs.make_job(do="echo", seconds=60), slot=1)
    print("running", flush=True)
    engine.wait(60)
"""


@pytest.mark.parametrize("fork", BOTH_WAYS)
@pytest.mark.parametrize("work", [pytest.param("hold_the_gil", marks=LINUX_ONLY), "sleep", "start"])
def test_workers_die_with_their_parent(work: str, *, fork: bool) -> None:
    """In a call into C that never returns; asleep; while they start."""
    does = "sleep" if work == "start" else work
    program = [sys.executable, "-c", COORDINATOR, does, "fork" if fork else "new"]
    environment = os.environ | {"PYTHONPATH": os.path.dirname(jobs.__file__)}  # noqa: PTH120
    with (
        subprocess.Popen(program, env=environment, stdout=subprocess.PIPE) as coordinator,
        contextlib.ExitStack() as stack,
    ):
        stack.callback(coordinator.kill)  # else leaving the block waits for it
        assert coordinator.stdout is not None
        if work != "start":
            coordinator.stdout.readline()
            time.sleep(0.2)
        assert until(lambda: len(children(coordinator.pid)) == 2)
        workers = children(coordinator.pid)
        coordinator.kill()
    assert until(lambda: not any(map(is_alive, workers)), 2)
