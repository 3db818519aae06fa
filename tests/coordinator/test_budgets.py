"""Budgets of a sweep: a target that any number of workers reaches alike, and time over resumes."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import pytest

from sweepmark.coordinator import LaunchOptions, resume
from sweepmark.errors import ConfigurationError
from sweepmark.report.summary import result_document, stop_text
from sweepmark.store import History, Store, read_journal
from tiny import Listener, blueprint, entries, run, write_sweep

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sweepmark.search.blueprint import Blueprint

NEIGHBOURS = """\
# How many neighbours?
defaults:
  - override /classifier: knn
  - override /evaluation: cv
sweep:
  space:
    classifier:
      n_neighbors: [100, 80, 50, 25, 12, 6, 3, 1]
  objective: cv_accuracy
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_sweep(tmp_path / "own", "neighbours", NEIGHBOURS)


def neighbours(folder: Path, *overrides: str) -> Blueprint:
    return blueprint("neighbours", "evaluation.n_splits=2", *overrides, folder=folder)


def decided(store: Store, sweep_id: str) -> list[dict[str, Any]]:
    return [entry["params"] for entry in entries(store, sweep_id, "trial")]


def trials_with(workers: int, folder: Path, tmp_path: Path, overrides: Sequence[str]) -> list[Any]:
    store = Store(tmp_path / f"mlruns{workers}")
    engine = ("engine=local", f"engine.workers={workers}") if workers > 1 else ()
    result = run(neighbours(folder, *engine, *overrides), store)
    assert result.stopped_by == "target"
    assert len(result.trials) == len(decided(store, result.sweep_id))
    return decided(store, result.sweep_id)


@pytest.mark.slow
@pytest.mark.parametrize(
    "overrides",
    [
        ("sweep.target=0.6", "sampler.lag=2"),
        (
            *("sampler=tpe", "sampler.lag=2", "sampler.n_startup_trials=2", "sweep.n_trials=8"),
            *("sweep.space.classifier.n_neighbors={low: 1, high: 100}", "sweep.target=0.9"),
        ),
    ],
    ids=["grid", "tpe"],
)
def test_target_gives_the_same_trials_for_any_number_of_workers(
    overrides: Sequence[str], folder: Path, tmp_path: Path
) -> None:
    one, two, four = (trials_with(n, folder, tmp_path, overrides) for n in (1, 2, 4))
    assert one == two == four
    assert 0 < len(one) < 8


def test_no_trial_starts_once_one_lag_before_it_reached_the_target(
    folder: Path, tmp_path: Path
) -> None:
    store = Store(tmp_path / "mlruns")
    whole = run(neighbours(folder), store)
    figures = [trial.metrics["cv_accuracy"] for trial in whole.trials]
    target = figures[3]
    first = next(number for number, figure in enumerate(figures) if figure >= target)
    for lag in (1, 3):
        result = run(neighbours(folder, f"sweep.target={target}", f"sampler.lag={lag}"), store)
        assert len(result.trials) == first + lag
        assert (result.state, result.stopped_by) == ("complete", "target")
        assert result_document(result)["stopped_by"] == "target"
        assert f"ended after {first + lag} trials: sweep.target=" in stop_text(result)
        assert entries(store, result.sweep_id, "stop")[-1]["why"] == "target"
    assert whole.stopped_by is None
    assert stop_text(whole) == ""


def test_target_of_a_minimised_objective_is_reached_from_above(
    folder: Path, tmp_path: Path
) -> None:
    overrides = ("sweep.objective=cv_log_loss", "sweep.target=99", "sampler.lag=1")
    assert len(run(neighbours(folder, *overrides), Store(tmp_path / "mlruns")).trials) == 1


def test_target_needs_an_objective(folder: Path, tmp_path: Path) -> None:
    without = neighbours(folder, "sweep.objective=null", "sweep.target=0.9")
    with pytest.raises(ConfigurationError, match=r"sweep\.target=0\.9 needs a metric"):
        run(without, Store(tmp_path / "mlruns"))


def test_time_is_over_before_the_first_trial(folder: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "mlruns")
    result = run(neighbours(folder, "sweep.timeout=1e-9"), store)
    assert (result.state, result.stopped_by, result.trials) == ("complete", "timeout", ())
    assert result.chosen is None
    again = resume(result.sweep_id, store=store, options=LaunchOptions(), progress=Listener())
    assert again.trials == ()


class Kill(BaseException):
    """Stands for what ends a coordinator in the middle."""


class Deadly(Listener):
    """Ends the coordinator after so many trials."""

    def __init__(self, n_trials: int) -> None:
        super().__init__()
        self._left = n_trials

    def settled(self, trial: Any) -> None:
        super().settled(trial)
        self._left -= 1
        if self._left == 0:
            raise Kill


def test_time_is_summed_over_interruptions(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each reading of the clock counts as a second; between two goes, a year passes."""
    module = importlib.import_module("sweepmark.coordinator.launch")

    store = Store(tmp_path / "mlruns")
    plan = neighbours(folder, "sweep.timeout=25")
    instant = 1e9

    class Slow:
        def date(self, monotonic: float) -> float:
            nonlocal instant
            del monotonic
            instant += 1
            return instant

        def go_on_from(self, date: float) -> None:
            assert date <= instant

    monkeypatch.setattr(module, "Clock", Slow)
    with pytest.raises(Kill):
        module.launch(plan, store=store, options=LaunchOptions(), progress=Deadly(1))
    (sweep_id,) = store.sweep_ids()
    (path,) = (tmp_path / "mlruns" / "sweeps").glob("*.jsonl")
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]))  # what a kill leaves: no line that says "stop"
    first = History.of(read_journal(path))
    assert 0 < first.seconds < 25
    instant += 365 * 86400
    result = resume(sweep_id, store=store, options=LaunchOptions(), progress=Listener())
    assert (result.state, result.stopped_by) == ("complete", "timeout")
    assert 1 <= len(result.trials) < 8
    history = History.of(read_journal(path))
    assert 25 <= history.seconds < 60
    assert len(decided(store, sweep_id)) == len(result.trials)
    before = path.read_bytes()
    resume(sweep_id, store=store, options=LaunchOptions(), progress=Listener())
    assert path.read_bytes() == before


def test_running_trials_finish_when_time_is_over(folder: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "mlruns")
    plan = neighbours(folder, "sweep.timeout=0.02", "engine=local", "engine.workers=2")
    result = run(plan, store)
    assert result.stopped_by == "timeout"
    assert len(decided(store, result.sweep_id)) == len(result.trials)
    assert all(trial.status == "complete" for trial in result.trials)
