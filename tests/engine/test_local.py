"""The local engine: processes that really run, and really are killed."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psutil
import pytest

import jobs
from jobs import make_job
from processes import family, is_alive, until
from sweepmark.config.schema import EngineConfig
from sweepmark.engine import Job, Outcome, create_engine
from sweepmark.engine.local import LocalEngine
from sweepmark.engine.process import Helper, helper_in_advance
from sweepmark.engine.worker import Settings
from sweepmark.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sweepmark.engine.job import Evaluate
    from sweepmark.scores.scorecard import Scorecard

PATIENCE = 20.0  # seconds after which a test gives up


LINUX_ONLY = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's help is Linux's")


def local(*, workers: int = 1, evaluate: Evaluate | None = None) -> LocalEngine:
    return LocalEngine(EngineConfig(name="local", workers=workers), evaluate=evaluate)


@pytest.fixture
def engine() -> Iterator[LocalEngine]:
    with local(evaluate=jobs.work) as engine:
        yield engine


def run_one(engine: LocalEngine, **task: object) -> Outcome:
    engine.submit(make_job(**task), slot=0)
    (outcome,) = engine.wait(PATIENCE)
    return outcome


def value(outcome: Outcome, name: str = "value") -> float:
    assert outcome.scorecard is not None, outcome.failure
    return outcome.scorecard.metrics[name]


def test_the_engine_does_not_wait_for_its_workers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "slow.py").write_text("import time\ntime.sleep(60)\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(vanished, "__module__", "slow")
    started = time.monotonic()
    with local(workers=2, evaluate=vanished) as engine:
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
    assert value(outcome, "n_input") == 0
    assert value(outcome, "handlers") == value(outcome, "blocked") == 0
    pid = int(value(run_one(engine, do="echo"), "pid"))
    assert os.getpgid(pid) == pid


@LINUX_ONLY
def test_a_worker_holds_nothing_of_its_parent_open(tmp_path: Path) -> None:
    """A lock, say: it would outlive its owner."""
    with (
        (tmp_path / "lock").open("w") as file,
        local(workers=2, evaluate=jobs.work) as engine,
    ):
        engine.submit(make_job(do="is_open", path=file.name), slot=1)
        (outcome,) = engine.wait(PATIENCE)
    assert not value(outcome)
    of_the_library = ("sys.stdin", "sys.stdin", "helper's life", "server's life", "tracker")
    assert value(outcome, "n") <= len(("in", "out", "err", "connection", *of_the_library))


@pytest.mark.parametrize("threads", [1, 2])
def test_workers_limit_the_threads_of_what_the_fork_server_imported(threads: int) -> None:
    """It has one thread itself: none holds a lock that a worker would find taken for ever."""
    with contextlib.closing(Helper()) as helper:
        settings = Settings(path=sys.path, evaluate="jobs:work", threads=threads)
        link = helper.start(settings).connection
        assert link.poll(PATIENCE)
        server = psutil.Process(link.recv()).parent()
        assert server is not None
        assert server.num_threads() == 1
        for task in ({"do": "blas_threads"}, {"do": "environment", "name": "OMP_NUM_THREADS"}):
            link.send(make_job(**task))
            assert link.recv().scorecard.metrics["value"] == threads
        link.close()


@pytest.mark.parametrize("work", [pytest.param("hold_the_gil", marks=LINUX_ONLY), "sleep"])
def test_workers_end_with_their_helper_and_the_engine_says_so(work: str) -> None:
    with local(workers=2, evaluate=jobs.work) as engine:
        run_one(engine, do="echo")
        engine.submit(make_job(do=work), slot=0)
        assert engine.wait(0.2) == []
        processes = family()
        (helper,) = psutil.Process().children()
        helper.kill()
        with pytest.raises(StoreError, match="could not be started: its helper process ended"):
            engine.wait(PATIENCE)
    assert until(lambda: not any(map(is_alive, processes)), 2)


@LINUX_ONLY
def test_workers_end_with_their_fork_server_and_it_is_replaced(engine: LocalEngine) -> None:
    worker = psutil.Process(int(value(run_one(engine, do="echo"), "pid")))
    server = worker.parent()
    assert server is not None
    server.kill()
    assert until(lambda: not is_alive(worker))
    # The first may have been sent to the dying worker, and is killed with it.
    outcomes = [run_one(engine, do="echo", value=2.0) for _ in range(2)]
    assert value(outcomes[-1]) == 2.0


def test_a_helper_that_no_engine_took_ends() -> None:
    with helper_in_advance():
        assert family()
    assert not family()


def test_an_engine_takes_the_helper_that_was_started_in_advance() -> None:
    with helper_in_advance():
        (helper,) = psutil.Process().children()
        with local():
            assert psutil.Process().children() == [helper]
        assert not family()


def test_what_a_worker_prints_goes_to_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    with local(evaluate=jobs.work) as engine:
        assert run_one(engine, do="speak", text="hello").failure is None
    out, err = capfd.readouterr()
    assert out == ""
    assert err.count("hello") == 2


TALKATIVE = """
import jobs
from sweepmark.config.schema import EngineConfig
from sweepmark.engine import create_engine

with create_engine(EngineConfig(name="local", workers=1), evaluate=jobs.work) as engine:
    engine.submit(jobs.make_job(do="speak", text="hello"), slot=0)
    (outcome,) = engine.wait(60)
assert outcome.failure is None
"""


def test_output_may_be_a_file_beside_a_pipe(tmp_path: Path) -> None:
    """A worker's standard output is what standard error is, from its first line on."""
    environment = os.environ | {"PYTHONPATH": os.path.dirname(jobs.__file__)}  # noqa: PTH120
    with (tmp_path / "out").open("w") as out:
        done = subprocess.run(
            [sys.executable, "-c", TALKATIVE],
            timeout=60,
            env=environment,
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
            check=True,
        )
    assert done.stderr.count("hello") == 2
    assert (tmp_path / "out").read_text() == ""


def test_a_function_that_cannot_be_imported_is_an_error_at_once() -> None:
    with local(evaluate=vanished) as engine:
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
    with local(evaluate=vanished) as engine:
        engine.submit(make_job(), slot=0)
        with pytest.raises(StoreError, match="3 in a row ended with code 9"):
            engine.wait(PATIENCE)


def test_an_engine_whose_worker_cannot_be_replaced_says_so_and_closes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> None:
        raise BlockingIOError("no more processes")

    with local(workers=2, evaluate=jobs.work) as engine:
        engine.submit(make_job(do="die", code=1), slot=0)
        monkeypatch.setattr("sweepmark.engine.process.send_handle", refuse)
        with pytest.raises(StoreError, match="could not be started: no more processes"):
            engine.wait(PATIENCE)
    assert not family()


def test_a_function_without_a_name_of_its_own_is_refused() -> None:
    def unnamed(job: Job) -> Scorecard:
        raise AssertionError(job)

    with pytest.raises(ValueError, match="by name"):
        local(evaluate=unnamed)
