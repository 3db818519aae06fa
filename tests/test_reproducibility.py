"""What comes out differently: each sweep shows what was computed for it, and says so."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from sweepmark.coordinator import LaunchOptions, launch
from sweepmark.doctor.store import examine_store
from sweepmark.report.results import read_result
from sweepmark.report.runs import find_run
from sweepmark.store import Store, read_journal
from tiny import Listener, blueprint, changed, entries, figures, go_on, grid, lines, run, unsteady

if TYPE_CHECKING:
    from pathlib import Path

    from sweepmark.report.results import SweepResult
    from sweepmark.search.blueprint import Blueprint
    from sweepmark.search.trial import Trial

TRUSTED = ("flaky",)
BANDS = {
    "name": "some",
    "bands": [{"points": 10, "minimum": 0.1}, {"points": 40, "minimum": 0.9}],
}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "mlruns")


@pytest.fixture
def dice(tmp_path: Path) -> Path:
    return tmp_path / "dice"


def launched(asked: Blueprint, store: Store, **options: Any) -> tuple[SweepResult, Listener]:
    """Run a sweep, and return what the progress display was told as well."""
    told = Listener()
    options = {"trusted": TRUSTED} | options
    return launch(asked, store=store, options=LaunchOptions(**options), progress=told), told


def bare(trial: Trial | None) -> Trial | None:
    """Return a trial without its run, which is drawn by chance."""
    return None if trial is None else replace(trial, run_id="")


def not_reproducible(result: SweepResult) -> list[str]:
    return [one.message for one in result.cautions if one.kind == "not_reproducible"]


def check_is_one_truth(result: SweepResult, told: Listener, store: Store) -> None:
    """Assert that progress, result and what is read back say the same figures and seconds."""
    by_number = {trial.number: trial for trial in told.settled_trials}
    again = read_result(store, result.sweep_id)
    for trial, reread in zip(result.trials, again.trials, strict=True):
        shown = by_number[trial.number]
        assert shown.metrics == trial.metrics == reread.metrics
        assert shown.fit_seconds == trial.fit_seconds == reread.fit_seconds
        assert shown.predict_seconds == trial.predict_seconds == reread.predict_seconds
    assert bare(again.chosen) == bare(result.chosen)
    assert bare(again.test) == bare(result.test)
    assert again.grade == result.grade


class TestFresh:
    def test_that_selects_shows_what_it_computed_itself(self, store: Store, dice: Path) -> None:
        asked = unsteady(dice, grade=BANDS)
        first, _ = launched(asked, store)
        before = figures(first)
        dice.write_text("2")
        fresh, told = launched(asked, store, fresh=True)
        assert figures(fresh)["trials"] != before["trials"]
        check_is_one_truth(fresh, told, store)
        assert fresh.chosen is not None
        assert fresh.test is not None
        assert fresh.grade is not None
        assert fresh.grade.value == fresh.test.metrics["accuracy"]
        (said, *_) = not_reproducible(fresh)
        assert f"({first.sweep_id}/0)" in said
        assert figures(read_result(store, first.sweep_id)) == before
        assert [f for f in examine_store(store, full=True) if f.state == "problem"] == []

    def test_run_shows_what_it_computed_itself(self, store: Store, dice: Path) -> None:
        component = {"_target_": "flaky.Unsteady", "n_neighbors": 5, "dice": str(dice)}
        asked = changed(blueprint(None), split__size=120, classifier=component)
        first, _ = launched(asked, store)
        dice.write_text("2")
        fresh, told = launched(asked, store, fresh=True)
        assert first.trials[0].metrics["accuracy"] != fresh.trials[0].metrics["accuracy"]
        check_is_one_truth(fresh, told, store)
        now, then = (f"{one.trials[0].metrics['accuracy']:.5f}" for one in (fresh, first))
        (said,) = not_reproducible(fresh)
        assert f"accuracy {now}, then {then}" in said
        models = [find_run(one.sweep_id, store).model for one in (first, fresh)]
        assert None not in models
        assert models[0] != models[1]
        assert find_run(fresh.sweep_id, store).card.metrics == fresh.trials[0].metrics

    def test_that_comes_out_the_same_has_its_own_seconds(self, store: Store) -> None:
        first, _ = launched(grid(), store)
        fresh, told = launched(grid(), store, fresh=True)
        check_is_one_truth(fresh, told, store)
        for old, new in zip(first.trials, fresh.trials, strict=True):
            assert new.metrics == old.metrics
            assert new.fit_seconds != old.fit_seconds
        assert not_reproducible(fresh) == []
        seconds = [trial.fit_seconds for trial in first.trials]
        assert [trial.fit_seconds for trial in read_result(store, first.sweep_id).trials] == seconds
        assert len(store.evaluations.keys()) == len(set(store.evaluations.keys())) == 9

    @pytest.mark.parametrize("event", ["outcome", "final", "stop"])
    def test_goes_on_with_its_own_after_a_kill(self, store: Store, dice: Path, event: str) -> None:
        asked = unsteady(dice)
        launched(asked, store)
        dice.write_text("2")
        fresh, _ = launched(asked, store, fresh=True)
        path = store.journal_path(fresh.sweep_id)
        content = path.read_bytes()
        path.write_bytes(content[: content.index(f'{{"event":"{event}"'.encode())])
        n_before = len(entries(store, fresh.sweep_id, "evaluation"))
        again, _ = launched(asked, store, fresh=True)
        assert again.sweep_id == fresh.sweep_id
        assert figures(again)["trials"] == figures(fresh)["trials"]
        assert again.test is not None
        keys = [entry["key"] for entry in entries(store, fresh.sweep_id, "evaluation")]
        assert len(keys) == len(set(keys)) >= n_before

    def test_is_not_what_a_later_sweep_reuses(self, store: Store, dice: Path) -> None:
        asked = unsteady(dice)
        first, _ = launched(asked, store)
        dice.write_text("2")
        launched(asked, store, fresh=True)
        third, told = launched(asked, store)
        check_is_one_truth(third, told, store)
        assert [trial.reused_from for trial in third.trials] == [
            f"{first.sweep_id}/{number}" for number in range(4)
        ]
        assert [trial.metrics for trial in third.trials] == [
            trial.metrics for trial in first.trials
        ]


class TestModel:
    def test_that_was_not_kept_comes_beside_what_stays_as_it_was(self, store: Store) -> None:
        growing = changed(
            blueprint("growing_subsets"),
            preprocess={},
            classifier={"_target_": "sklearn.neighbors.KNeighborsClassifier"},
            sweep__space__split__size=[60, 120],
        )
        first = run(growing, store)
        small = changed(growing, sweep__space__split__size=[60])
        key = first.trials[0].keys[0]
        folder = store.root / "evaluations" / key
        before = {path.name: path.read_bytes() for path in folder.iterdir()}
        assert "model.skops" not in before
        second = run(small, store)
        assert second.trials[0].keys == (key,)
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
        assert store.evaluations.model(key) is not None
        assert find_run(second.sweep_id, store).model is not None
        assert not_reproducible(second) == []
        third = run(small, store)
        assert entries(store, third.sweep_id, "evaluation") == []
        assert [f for f in examine_store(store, full=True) if f.state == "problem"] == []


class TestLoss:
    """An evaluation is lost, and comes out differently when it is computed again."""

    def test_of_a_complete_sweep_changes_every_projection_alike(
        self, store: Store, dice: Path
    ) -> None:
        asked = unsteady(dice)
        first, _ = launched(asked, store)
        shutil.rmtree(store.root / "evaluations")
        dice.write_text("3")
        again = go_on(first.sweep_id, store, trusted=TRUSTED)
        assert again.state == "complete"
        assert figures(again)["trials"] != figures(first)["trials"]
        assert figures(read_result(store, first.sweep_id)) == figures(again)
        assert again.test is not None
        before = lines(store, first.sweep_id)
        assert figures(go_on(first.sweep_id, store, trusted=TRUSTED)) == figures(again)
        assert lines(store, first.sweep_id) == before

    def test_that_another_sweep_made_good_is_taken_over_and_said(
        self, store: Store, dice: Path
    ) -> None:
        asked = unsteady(dice)
        first, _ = launched(asked, store)
        shutil.rmtree(store.root / "evaluations")
        dice.write_text("3")
        second, _ = launched(asked, store)
        assert second.sweep_id != first.sweep_id
        again = go_on(first.sweep_id, store, trusted=TRUSTED)
        assert entries(store, first.sweep_id, "evaluation")[-1]["trial"] == -1  # none since
        assert [t.metrics for t in again.trials] == [t.metrics for t in second.trials]
        assert any(second.sweep_id in text for text in not_reproducible(again))


def test_journal_names_what_each_evaluation_came_to(store: Store) -> None:
    result = run(grid(), store)
    journal = read_journal(store.journal_path(result.sweep_id))
    digests = {}
    for name in store.evaluations.keys():  # noqa: SIM118 -- no mapping
        document = json.loads((store.root / "evaluations" / name / "digests.json").read_text())
        digests[document["key"]] = document["result"]
    for entry in journal:
        if entry["event"] == "evaluation":
            assert entry["digest"] == digests[entry["key"]]
        if entry["event"] == "outcome":
            assert [one["digest"] for one in entry["results"]] == [
                digests[key] for key in entry["keys"]
            ]
