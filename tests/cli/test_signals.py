"""Ctrl-C and SIGTERM while the installed program works."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from program import Program

if TYPE_CHECKING:
    from pathlib import Path

    import psutil
    from mlflow import MlflowClient
    from mlflow.entities import Run

    from program import Finished, Running

SWEEP = (
    "sweep",
    "svc_c_gamma",
    "dataset=digits",
    "engine.workers=2",
    "evaluation.n_splits=2",
    "tracking.artifacts=none",
    "sweep.space.classifier.C=[1,100]",
)
ENDLESS = (
    "dataset.divisor=256",
    *(f"classifier.{name}" for name in ("kernel=sigmoid", "C=1e10", "gamma=10", "tol=1e-12")),
)
"""libsvm does not come to an end with it, nor back from C."""


def stop(running: Running, number: int, *, times: int = 1) -> tuple[Finished, float]:
    """Signal the program; return what came of it, and the seconds since the last signal."""
    for count in range(times):
        time.sleep(0.3 if count else 0)  # two at once would be one to it
        os.kill(running.process.pid, number)
    sent = time.monotonic()
    return running.end(seconds=30), time.monotonic() - sent


def wait_for_trials(running: Running, count: int) -> list[psutil.Process]:
    """Wait until trials are done; return the worker processes."""
    running.until(lambda err: err.count("\n[") >= count)
    workers = running.children()
    assert workers
    return workers


@pytest.mark.slow
def test_stopped_sweep_goes_on_where_it_was(program: Program) -> None:
    """Ctrl-C, the same command again, SIGTERM, then ``resume``: one sweep, every trial once."""
    from mlflow import MlflowClient

    running = program.start(*SWEEP)
    workers = wait_for_trials(running, 1)
    finished, seconds = stop(running, signal.SIGINT)
    (sweep_id,) = program.sweep_ids()
    check_stop(finished, seconds, workers, 130, f"sweepmark resume {sweep_id}")

    client = MlflowClient(f"sqlite:///{program.store / 'mlflow.db'}")
    (experiment,) = [each for each in client.search_experiments() if each.name == "sweepmark"]
    (parent,) = runs(client, experiment.experiment_id, parents=True)
    assert parent.info.status == "KILLED"

    running = program.start(*SWEEP)
    workers = wait_for_trials(running, 3)
    finished, seconds = stop(running, signal.SIGTERM)
    check_stop(finished, seconds, workers, 143, f"sweepmark resume {sweep_id}")
    assert client.get_run(parent.info.run_id).info.status == "KILLED"

    document = program.run("resume", "--json").document
    assert document["sweep_id"] == sweep_id
    assert document["state"] == "complete"
    assert [trial["number"] for trial in document["trials"]] == list(range(10))
    computed = [
        entry["key"] for entry in program.journal(sweep_id) if entry["event"] == "evaluation"
    ]
    kept = {path.name for path in (program.store / "evaluations").iterdir()}
    assert len(kept) == 10 * 2 + 1
    # A signal between keeping an evaluation and journalling it leaves it kept: never done twice.
    assert len(computed) == len(set(computed))
    assert set(computed) <= kept
    assert client.get_run(parent.info.run_id).info.status == "FINISHED"
    children = runs(client, experiment.experiment_id, parents=False)
    assert sorted(run.data.tags["sweepmark.search.trial"] for run in children) == sorted(
        str(number) for number in range(10)
    )
    assert {run.info.status for run in children} == {"FINISHED"}
    client._tracking_client.store.engine.dispose()  # noqa: SLF001 -- its connections stay open


def runs(client: MlflowClient, experiment: str, *, parents: bool) -> list[Run]:
    found = client.search_runs([experiment])
    return [run for run in found if ("mlflow.parentRunId" not in run.data.tags) is parents]


def check_stop(
    finished: Finished, seconds: float, workers: list[psutil.Process], code: int, advice: str
) -> None:
    assert finished.code == code
    assert seconds < 10
    assert finished.out == ""
    assert finished.err.splitlines()[-1].endswith(advice)
    assert "Traceback" not in finished.err
    assert not [worker for worker in workers if worker.is_running()]


@pytest.mark.slow
def test_no_stop_takes_longer_than_ten_seconds(program: Program) -> None:
    """Someone else holds the database, which the parent run's end would wait for."""
    running = program.start(*SWEEP)
    workers = wait_for_trials(running, 1)
    with closing(sqlite3.connect(program.store / "mlflow.db", timeout=20)) as database:
        database.execute("BEGIN IMMEDIATE")
        finished, seconds = stop(running, signal.SIGINT)
    (sweep_id,) = program.sweep_ids()
    check_stop(finished, seconds, workers, 130, f"sweepmark resume {sweep_id}")


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["serial", "local"])
def test_second_signal_ends_it_at_once(program: Program, engine: str) -> None:
    """On the serial engine, C code keeps Python from running any handler."""
    running = program.start("run", "dataset=digits", *ENDLESS, "tracking=none", f"engine={engine}")
    running.until(lambda err: "1 trial" in err)
    time.sleep(2)  # the fit begins
    finished, seconds = stop(running, signal.SIGINT, times=2)
    assert finished.code == 130
    assert seconds < 1
    assert "Traceback" not in finished.err


def test_stop_before_anything_began_gives_no_advice(tmp_path: Path, digits_cache: Path) -> None:
    program = Program(tmp_path, cache=digits_cache, anew=True)
    running = program.start("run", "dataset=digits")
    time.sleep(0.25)
    finished, seconds = stop(running, signal.SIGTERM)
    assert finished.code in {143, -signal.SIGTERM}  # the latter: before Python took the signal
    assert seconds < 10
    assert "resume" not in finished.err
    assert program.left() == []


def test_stop_while_a_class_is_created_is_no_bug(tmp_path: Path) -> None:
    """Python 3.11 wraps what is raised there in a RuntimeError."""
    code = """
import signal, sys
from sweepmark.cli import program
from sweepmark.cli.signals import Stopped

class Late:
    def __set_name__(self, owner, name):
        raise Stopped(signal.SIGTERM)

program._dispatch = lambda words, args: type("Owner", (), {"late": Late()})
sys.exit(program.main(["run"]))
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    assert done.returncode == 143
    assert "bug" not in done.stderr
    assert list(tmp_path.iterdir()) == []
