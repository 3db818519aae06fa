"""The base case of the faults, a 25-cell grid on two workers, and what GOOD means for it."""

from __future__ import annotations

import csv
import os
import random
import shutil
import signal
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from estimators import FITS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlflow.entities import Run

    from program import Finished, Program, Running

N_CELLS = 25
N_FOLDS = 2
N_WORKERS = 2
N_AT_A_TIME = 2  # sweeps whose kills are timed, in each test process
N_EVALUATIONS = N_CELLS * N_FOLDS + 1  # and the chosen recipe's, on the test part
TRUST = ("--trust", "estimators")

SEED = int(os.environ.get("SWEEPMARK_FAULT_SEED") or random.SystemRandom().randrange(10**6))
"""Of all that is random here; that of an earlier table brings its moments back."""

_CLASSIFIER = """\
# A support vector machine that takes its time
_target_: estimators.SlowSVC
C: 1.0
gamma: 1.0
seconds: 0.0
random_state: null
"""
_SWEEP = """\
# The base case of the faults
defaults:
  - override /dataset: digits
  - override /classifier: slow_svc
  - override /evaluation: cv
  - override /sampler: grid
sweep:
  space:
    classifier:
      C: [0.3, 1, 3, 10, 30]
      gamma: [0.3, 1, 3, 10, 30]
  objective: cv_accuracy
"""
_TIMINGS = ("fit_seconds", "predict_seconds")


@dataclass(frozen=True, slots=True)
class Reference:
    """What an undisturbed base case comes to."""

    leaderboard: list[Mapping[str, str]]
    metrics: Mapping[str, float]
    fit_seconds: float
    seconds: float


@dataclass(slots=True)
class BaseCase:
    """The base case in a folder of its own.

    Attributes
    ----------
    program : Program
        The installed program there.
    own : Path
        The folder with its classifier and its sweep.
    seconds : float
        What each fit sleeps.
    workers : int or None
        Worker processes; None is the serial engine. What comes out is the same.
    options : tuple of str
        Further overrides.
    environment : mapping
        Further variables of every command.
    """

    program: Program
    own: Path
    seconds: float = 0.02
    workers: int | None = N_WORKERS
    options: tuple[str, ...] = ()
    environment: Mapping[str, str] | None = None

    @property
    def store(self) -> Path:
        return self.program.store

    @property
    def sweep_words(self) -> tuple[object, ...]:
        words = ("sweep", "base", *TRUST, "--config-dir", self.own)
        own = (f"classifier.seconds={self.seconds}", f"evaluation.n_splits={N_FOLDS}")
        engine = "engine=serial" if self.workers is None else f"engine.workers={self.workers}"
        return (*words, *own, "split.size=200", engine, *self.options)

    @property
    def resume_words(self) -> tuple[object, ...]:
        return ("resume", *TRUST)

    @property
    def variables(self) -> dict[str, str]:
        """What every command finds in its environment."""
        return {FITS: str(self._fits), "PYTHONPATH": str(Path(__file__).parent)}

    def start(self, *words: object, **environment: str) -> Running:
        """Start the sweep, or another command."""
        given = self.variables | dict(self.environment or {}) | environment
        return self.program.start(*(words or self.sweep_words), **given)

    def run(self, *words: object, code: int = 0, **environment: str) -> Finished:
        """Run the sweep, or another command, to its end."""
        finished = self.start(*words, **environment).end()
        assert finished.code == code, f"exit {finished.code}\n{finished.out}{finished.err}"
        return finished

    def resume(self, *words: object, code: int = 0, **environment: str) -> Finished:
        return self.run(*self.resume_words, *words, code=code, **environment)

    @property
    def _fits(self) -> Path:
        return self.program.folder.parent / "fits"

    @property
    def n_fits(self) -> int:
        """How many fits were begun."""
        return len(self._fits.read_text().splitlines()) if self._fits.exists() else 0

    @property
    def n_stored(self) -> int:
        """How many evaluations are finished."""
        return len(list((self.store / "evaluations").glob("[!.]*")))

    def alive(self) -> list[psutil.Process]:
        """Return the living processes that belong to this base case."""
        return [process for process in psutil.process_iter() if self._is_ours(process)]

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            variables = process.environ()
            is_dead = process.status() == psutil.STATUS_ZOMBIE
        except psutil.Error:
            return False
        return variables.get(FITS) == str(self._fits) and not is_dead

    def wait_for_the_dead(self, *, seconds: float = 2) -> None:
        """Wait until no process of it is left, which takes a moment and no longer."""
        deadline = time.monotonic() + seconds
        while alive := self.alive():
            assert time.monotonic() < deadline, f"still alive: {alive}"
            time.sleep(0.02)

    def kill_at(self, failpoint: str, *words: object) -> None:
        """Have a command die there; what it computed and had stored is not computed again."""
        n_fits, n_stored = self.n_fits, self.n_stored
        finished = self.start(*words, SWEEPMARK_KILL_AT=failpoint).end()
        assert finished.code == -signal.SIGKILL, f"{failpoint} was not passed: {finished}"
        self.wait_for_the_dead()
        lost = self.n_fits - n_fits - (self.n_stored - n_stored)
        assert 0 <= lost <= N_WORKERS, failpoint

    def finish(self, *words: object) -> Finished:
        """Have a command end the sweep; only what is not stored is computed."""
        n_fits, n_stored = self.n_fits, self.n_stored
        finished = self.run(*words)
        assert self.n_fits - n_fits == self.n_stored - n_stored
        return finished

    @property
    def sweep_id(self) -> str:
        """The one sweep there is."""
        (sweep_id,) = self.program.sweep_ids()
        return sweep_id

    def entries(self, event: str) -> list[Mapping[str, Any]]:
        """Return the journal's entries of one kind."""
        return [e for e in self.program.journal(self.sweep_id) if e["event"] == event]

    def reference(self, seconds: float) -> Reference:
        """Return what this sweep came to."""
        parent, _ = self.runs()
        return Reference(
            leaderboard=self.leaderboard(parent),
            metrics=_comparable(parent.data.metrics),
            fit_seconds=self.seconds,
            seconds=seconds,
        )

    def all_runs(self) -> list[Run]:
        """Return all that MLflow has, none of which is left running."""
        from mlflow import MlflowClient

        client = MlflowClient(f"sqlite:///{self.store}/mlflow.db")
        try:
            experiments = [each.experiment_id for each in client.search_experiments()]
            runs = list(client.search_runs(experiments))
        finally:
            client._tracking_client.store.engine.dispose()  # noqa: SLF001 -- or the file stays open
        assert [run.info.run_id for run in runs if run.info.status == "RUNNING"] == []
        return runs

    def runs(self) -> tuple[Run, list[Run]]:
        """Return the sweep's run and its trials' in MLflow."""
        tag = "sweepmark.sweep_id"
        ours = [run for run in self.all_runs() if run.data.tags.get(tag) == self.sweep_id]
        (parent,) = [run for run in ours if "mlflow.parentRunId" not in run.data.tags]
        return parent, [run for run in ours if run is not parent]

    def leaderboard(self, parent: Run) -> list[Mapping[str, str]]:
        """Return the leaderboard in MLflow, timings aside."""
        path = Path(parent.info.artifact_uri.removeprefix("file://")) / "leaderboard.csv"
        with path.open(newline="", encoding="utf-8") as file:
            lines = list(csv.DictReader(file))
        return [{name: line[name] for name in line if name not in _TIMINGS} for line in lines]


def assert_good(case: BaseCase, reference: Reference) -> None:
    """Assert what must hold of a sweep that is over, whatever happened on the way."""
    _check_journal(case)
    _check_study(case)
    _check_runs(case, reference)


def _check_journal(case: BaseCase) -> None:
    outcomes = case.entries("outcome")
    assert sorted(entry["number"] for entry in outcomes) == list(range(N_CELLS))
    assert {entry["status"] for entry in outcomes} == {"complete"}
    assert len(case.entries("trial")) == N_CELLS
    assert len(case.entries("final")) == 1
    assert len(case.entries("opened")) == 1
    assert case.program.journal(case.sweep_id)[-1]["event"] == "stop"
    assert case.entries("stop")[-1]["state"] == "complete"
    computed = Counter(e["key"] for e in case.entries("evaluation") if e["reason"] is None)
    assert max(computed.values()) == 1
    assert case.n_stored == N_EVALUATIONS
    assert all(entry["started"] <= entry["ended"] for entry in outcomes)


def _check_study(case: BaseCase) -> None:
    import optuna

    storage = optuna.storages.RDBStorage(f"sqlite:///{case.store}/optuna.db")
    try:
        study = optuna.load_study(study_name=case.sweep_id, storage=storage)
        trials = study.get_trials()
    finally:
        storage.remove_session()
        storage.engine.dispose()
    assert [trial.state.name for trial in trials] == ["COMPLETE"] * N_CELLS
    assert len({tuple(sorted(trial.params.items())) for trial in trials}) == N_CELLS
    assert all(trial.duration is not None and trial.duration.days >= 0 for trial in trials)


def _check_runs(case: BaseCase, reference: Reference) -> None:
    parent, children = case.runs()
    assert parent.info.status == "FINISHED"
    assert [run.info.status for run in children] == ["FINISHED"] * N_CELLS
    numbers = sorted(int(run.data.tags["sweepmark.search.trial"]) for run in children)
    assert numbers == list(range(N_CELLS))
    assert {run.data.tags["mlflow.parentRunId"] for run in children} == {parent.info.run_id}
    assert all(run.info.start_time <= run.info.end_time for run in (parent, *children))
    assert len({_artifacts(run) for run in children}) == 1  # none lacks what others have
    assert case.leaderboard(parent) == reference.leaderboard
    assert _comparable(parent.data.metrics) == reference.metrics


def _artifacts(run: Run) -> frozenset[str]:
    """Return the names of a run's artifacts."""
    folder = Path(run.info.artifact_uri.removeprefix("file://"))
    return frozenset(str(path.relative_to(folder)) for path in folder.rglob("*"))


def _comparable(metrics: Mapping[str, float]) -> Mapping[str, float]:
    return {name: value for name, value in metrics.items() if name not in _TIMINGS}


def write_configurations(folder: Path) -> Path:
    """Write the base case as a user's own folder of configurations."""
    for name, text in (("classifier/slow_svc", _CLASSIFIER), ("sweeps/base", _SWEEP)):
        path = folder / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def copy_databases(template: Path, store: Path) -> None:
    """Give a store databases that are migrated already, which takes the program seconds."""
    store.mkdir(parents=True, exist_ok=True)
    for name in ("mlflow.db", "optuna.db"):
        shutil.copy(template / name, store / name)
