"""Plans: measured on real evaluations, nothing written, in a time that is kept."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from sweepmark.coordinator import LaunchOptions
from sweepmark.coordinator.plan import Plan, make_plan
from sweepmark.store import Store
from tiny import changed, grid

if TYPE_CHECKING:
    from pathlib import Path

    from sweepmark.report.results import SweepResult
    from sweepmark.search.blueprint import Blueprint

_PATIENCE = 120.0  # seconds for a probe that has to come to its end on any machine


def plan(asked: Blueprint, store: Store, **options: Any) -> Plan:
    return make_plan(asked, store=store, options=LaunchOptions(**options), seconds=_PATIENCE)


def test_a_plan_is_measured_and_writes_nothing(tmp_path: Path) -> None:
    found = plan(grid(split__size=400), Store(tmp_path / "mlruns"))
    assert list(tmp_path.iterdir()) == []
    assert (found.n_trials, found.statuses, found.n_evaluations) == (4, {"new": 4}, 9)
    assert found.probed == {"SVC": (150, 300)}
    for estimate in (found.seconds, found.memory, found.disk):
        assert estimate is not None
        assert 0 < estimate.low < estimate.middle < estimate.high <= 3.001 * estimate.low
    assert 0 < found.shared < 1


def test_of_a_sweep_that_is_there_nothing_is_computed(
    undisturbed: tuple[SweepResult, Store],
) -> None:
    _, store = undisturbed
    before = sorted(store.root.rglob("*"))
    found = plan(grid(), store)
    assert (found.statuses, found.n_evaluations, found.probed) == ({"reused": 4}, 0, {})
    assert found.seconds is not None
    assert sorted(store.root.rglob("*")) == before


def test_what_may_end_a_sweep_early_is_said(undisturbed: tuple[SweepResult, Store]) -> None:
    _, store = undisturbed
    found = plan(grid(sweep__timeout=1.0, sweep__objective=None), store)
    assert found.has_budget
    assert not plan(grid(), store).has_budget


def test_disk_is_as_predicted(undisturbed: tuple[SweepResult, Store], tmp_path: Path) -> None:
    result, store = undisturbed
    found = plan(grid(), Store(tmp_path / "none"))
    keys = {key for trial in result.trials for key in trial.keys}
    folders = [store.root / "evaluations" / key for key in keys]
    written = sum(path.stat().st_size for folder in folders for path in folder.iterdir())
    assert found.disk is not None
    assert written / 1.5 < found.disk.middle < written * 1.5


def test_a_classifier_that_fails_is_named_with_its_error(tmp_path: Path) -> None:
    obstacle = tmp_path / "obstacle"
    obstacle.touch()
    component = {"_target_": "flaky.Flaky", "n_neighbors": 1, "obstacle": str(obstacle)}
    asked = grid(classifier=component, sweep__space={"classifier": {"n_neighbors": [1]}})
    found = plan(asked, Store(tmp_path / "none"), trusted=("flaky",))
    assert (found.seconds, found.memory, found.disk) == (None, None, None)
    assert "is in the way" in found.untimed["Flaky"]


def test_the_limit_of_a_probe_is_kept_whatever_a_fit_does(tmp_path: Path) -> None:
    """A forest of so many trees takes minutes even on few rows."""
    component = {
        "_target_": "sklearn.ensemble.RandomForestClassifier",
        "n_estimators": 10**6,
        "max_depth": 3,
    }
    space = {"classifier": {"max_depth": [3, 4]}}
    endless = changed(grid(), classifier=component, sweep__space=space)
    started = time.monotonic()
    found = make_plan(endless, store=Store(tmp_path / "none"), options=LaunchOptions(), seconds=3.0)
    assert time.monotonic() - started < 60
    assert found.seconds is None
    assert "in time" in found.untimed["RandomForestClassifier"]
