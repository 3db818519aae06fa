"""Launching: what a sweep does, and what becomes of what goes wrong."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sweepmark.coordinator import LaunchOptions, launch
from sweepmark.coordinator.loop import Coordinator
from sweepmark.errors import ConfigurationError, NotFoundError, OwnedError
from sweepmark.specification.specify import specify_test
from sweepmark.specification.split import split_rows
from sweepmark.store import Store, owned, read_journal
from tiny import (
    Listener,
    blueprint,
    changed,
    digits,
    entries,
    figures,
    flaky,
    go_on,
    grid,
    run,
)

if TYPE_CHECKING:
    from pathlib import Path

    from sweepmark.report.results import SweepResult

N_TRIALS, N_FOLDS = 4, 2
TRUSTED = ("flaky",)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "mlruns")


class TestSweep:
    def test_runs_every_trial_and_selects_as_grid_search_does(
        self, undisturbed: tuple[SweepResult, Store]
    ) -> None:
        result, _ = undisturbed
        assert (result.state, result.n_failed, result.n_reused) == ("complete", 0, 0)
        config = grid().config_at(dict(result.trials[0].params))
        train, test = split_rows(specify_test(config, digits()).split, digits())
        X, y = digits().train.X, digits().train.y
        theirs = GridSearchCV(
            make_pipeline(StandardScaler(), SVC(random_state=0)),
            {"svc__C": [1.0, 10.0], "svc__gamma": [0.01, 0.1]},
            cv=N_FOLDS,
        ).fit(X[train], y[train])
        ours = [trial.metrics["cv_accuracy"] for trial in result.trials]
        np.testing.assert_allclose(ours, theirs.cv_results_["mean_test_score"], rtol=0, atol=1e-9)
        assert result.chosen is not None
        assert result.chosen.number == theirs.best_index_
        assert result.test is not None
        assert result.test.metrics["accuracy"] == theirs.score(X[test], y[test])

    def test_journals_each_decision_before_what_comes_of_it(
        self, undisturbed: tuple[SweepResult, Store]
    ) -> None:
        result, store = undisturbed
        journal = read_journal(store.journal_path(result.sweep_id))
        events = [entry["event"] for entry in journal]
        assert events[0] == "opened"
        assert events[-2:] == ["final", "stop"]
        assert events.count("trial") == events.count("outcome") == N_TRIALS
        assert events.count("evaluation") == N_TRIALS * N_FOLDS + 1
        for number in range(N_TRIALS):
            own = [
                entry["event"]
                for entry in journal
                if number in (entry.get("number"), entry.get("trial"))
            ]
            assert own[:4] == ["trial", "evaluation", "evaluation", "outcome"]

    def test_tells_the_listener_of_every_trial_once(self, store: Store) -> None:
        listener = Listener()
        launch(grid(), store=store, options=LaunchOptions(), progress=listener)
        assert listener.n_trials == N_TRIALS
        assert sorted(trial.number for trial in listener.settled_trials) == list(range(N_TRIALS))
        assert listener.is_closed

    def test_scores_the_chosen_recipe_once_and_keeps_its_model_only(
        self, undisturbed: tuple[SweepResult, Store]
    ) -> None:
        result, store = undisturbed
        (final,) = entries(store, result.sweep_id, "final")
        assert result.chosen is not None
        assert final["number"] == result.chosen.number
        keys = {key for trial in result.trials for key in trial.keys}
        assert final["key"] not in keys
        models = [key for key in {*keys, final["key"]} if store.evaluations.model(key)]
        assert models == [final["key"]]

    def test_that_selects_nothing_keeps_the_model_of_its_largest_subset(self, store: Store) -> None:
        growing = changed(blueprint("growing_subsets"), sweep__space__split__size=[60, 200, None])
        result = run(changed(growing, classifier__C=2.0), store)
        kept = [bool(store.evaluations.model(trial.keys[0])) for trial in result.trials]
        assert kept == [False, False, True]
        assert entries(store, result.sweep_id, "final") == []


class TestRun:
    def test_is_one_trial_with_its_model(self, store: Store) -> None:
        result = run(blueprint(None), store)
        (trial,) = result.trials
        assert result.sweep_id.startswith("run-")
        assert store.evaluations.model(trial.keys[0])
        assert result.test == trial

    def test_reuses_the_final_evaluation_of_a_sweep_of_the_same_recipe(self, store: Store) -> None:
        sweep = run(grid(), store)
        assert sweep.chosen is not None
        values = {
            f"classifier__{name.rpartition('.')[2]}": value
            for name, value in sweep.chosen.params.items()
        }
        alone = changed(blueprint(None, "preprocess=standard"), split__size=120, **values)
        (trial,) = run(alone, store).trials
        assert trial.status == "reused"
        assert (trial.reused_from or "").startswith(sweep.sweep_id)
        assert sweep.test is not None
        assert trial.metrics == sweep.test.metrics


class TestFailure:
    def test_is_recorded_with_its_traceback_and_stops_nothing_else(
        self, store: Store, obstacle: Path
    ) -> None:
        result = run(flaky(obstacle), store, trusted=TRUSTED)
        assert [trial.status for trial in result.trials] == ["failed", "complete", "complete"]
        assert result.state == "complete"
        failed = result.trials[0]
        assert (failed.reason, failed.metrics) == ("error", {})
        assert failed.message == f"OSError: {obstacle} is in the way"
        outcomes = entries(store, result.sweep_id, "outcome")
        (outcome,) = (one for one in outcomes if one["number"] == 0)
        assert 'raise OSError(f"{self.obstacle} is in the way")' in outcome["traceback"]
        assert [one.message for one in result.cautions if one.kind == "failed"] == [
            f"trial 0 failed (error): {failed.message}"
        ]
        assert result.chosen is not None
        assert result.chosen.number == 1

    def test_is_repeated_by_a_replay_and_tried_afresh_by_another_sweep(
        self, store: Store, obstacle: Path
    ) -> None:
        first = run(flaky(obstacle), store, trusted=TRUSTED)
        obstacle.unlink()
        replayed = go_on(first.sweep_id, store, trusted=TRUSTED)
        assert figures(replayed) == figures(first)
        second = run(flaky(obstacle), store, trusted=TRUSTED)
        assert [trial.status for trial in second.trials] == ["complete", "reused", "reused"]

    def test_is_tried_again_in_place_when_told_to_and_the_best_chosen_anew(
        self, store: Store, obstacle: Path
    ) -> None:
        first = run(flaky(obstacle), store, trusted=TRUSTED)
        obstacle.unlink()
        again = run(flaky(obstacle), store, trusted=TRUSTED, retry_failed=True)
        assert again.sweep_id == first.sweep_id
        assert [trial.status for trial in again.trials] == ["complete"] * 3
        assert again.chosen is not None
        assert again.chosen.number == 0
        undisturbed = run(flaky(obstacle), Store(store.root / "other"), trusted=TRUSTED)
        assert again.test is not None
        assert undisturbed.test is not None
        assert again.test.metrics == undisturbed.test.metrics
        assert figures(go_on(first.sweep_id, store, trusted=TRUSTED)) == figures(again)

    def test_of_every_trial_chooses_nothing(self, store: Store, obstacle: Path) -> None:
        only = {"classifier": {"n_neighbors": [1]}}
        result = run(flaky(obstacle, sweep__space=only), store, trusted=TRUSTED)
        assert (result.state, result.n_failed) == ("complete", 1)
        assert (result.chosen, result.headline, result.test, result.grade) == (None,) * 4

    def test_of_the_final_evaluation_is_said_and_can_be_tried_again(
        self, store: Store, obstacle: Path
    ) -> None:
        only = flaky(obstacle, sweep__space={"classifier": {"n_neighbors": [1]}})
        obstacle.unlink()
        first = run(only, store, trusted=TRUSTED)
        path = store.journal_path(first.sweep_id)
        (final,) = entries(store, first.sweep_id, "final")
        content = path.read_bytes()
        head = content[: content.index(b'{"event":"evaluation","at"', content.index(b'"outcome"'))]
        path.write_bytes(head)
        folder = store.root / "evaluations" / final["key"]
        folder.rename(store.root / "elsewhere")
        obstacle.touch()
        failed = go_on(first.sweep_id, store, trusted=TRUSTED)
        assert failed.test is None
        assert failed.is_short
        (caution,) = (one for one in failed.cautions if one.kind == "failed")
        assert "is in the way" in caution.message
        obstacle.unlink()
        again = go_on(first.sweep_id, store, trusted=TRUSTED, retry_failed=True)
        assert not again.is_short
        assert again.test is not None
        assert first.test is not None
        assert again.test.metrics == first.test.metrics

    def test_score_that_is_no_number_fails_the_trial_for_that_reason(self, store: Store) -> None:
        lost = {"_target_": "estimators.NanSVC", "lost": True}
        four: dict[str, Any] = {"classifier": lost, "sweep__space": {"seed": [0, 1, 2, 3]}}
        asked = grid(sweep__objective="cv_roc_auc", **four)
        result = run(asked, store, trusted=("estimators",))
        assert [(trial.status, trial.reason) for trial in result.trials] == [
            ("failed", "nan")
        ] * N_TRIALS
        assert "cv_roc_auc" in result.trials[0].message
        assert result.chosen is None


class TestRefusal:
    @pytest.mark.parametrize(
        ("values", "part"),
        [
            ({"sweep__space": {"classifier": {"C": {"low": 1, "high": 2}}}}, "grid sampler needs"),
            ({"sampler__name": "random"}, "sampler=random needs a number of trials"),
            ({"engine__timeout": 5.0}, "engine=serial .* cannot limit them"),
            ({"engine__workers": 2}, "engine=serial has one worker"),
            ({"split__size": 20}, "n_splits=2"),
            ({"sweep__objective": "accuracy"}, "must select on cross-validation"),
        ],
    )
    def test_leaves_nothing_behind(self, store: Store, values: dict[str, Any], part: str) -> None:
        with pytest.raises(ConfigurationError, match=part):
            run(grid(**values), store)
        assert not store.root.exists()

    def test_of_what_another_process_owns_names_it(self, store: Store) -> None:
        result = run(grid(), store)
        with owned(store.lock_path(result.sweep_id)):
            with pytest.raises(OwnedError, match=result.sweep_id):
                go_on(result.sweep_id, store)
            assert run(grid(), store).sweep_id != result.sweep_id

    def test_of_a_sweep_that_is_not_there_names_it(self, store: Store) -> None:
        with pytest.raises(NotFoundError, match="nowhere"):
            go_on("nowhere-20260101-000000-000aa", store)


class TestSharedMemory:
    @pytest.mark.parametrize(("gib", "hits"), [(0.0, 0), (1.0, 1)])
    def test_bounds_what_evaluations_share(self, store: Store, gib: float, hits: int) -> None:
        result = run(grid(engine__shared_memory=gib), store)
        cards = [store.evaluations.scorecard(key) for t in result.trials for key in t.keys]
        assert min(sum(card.work["prepared_hits"] for card in cards), 1) == hits

    def test_must_be_below_what_a_worker_may_hold(self, store: Store) -> None:
        asked = blueprint("growing_subsets", "engine=local", "sweep.space.split.size=[200]")
        with pytest.raises(ConfigurationError, match=r"engine\.shared_memory=2 must be below"):
            run(changed(asked, engine__shared_memory=2.0, engine__memory=1.0), store)


class TestInterruption:
    def test_run_from_before_is_not_left_running(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Stopped, gone on with, and stopped again before MLflow is opened."""
        tracked = grid(tracking__name="mlflow")

        class Interrupting(Listener):
            def settled(self, trial: Any) -> None:
                del trial
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            launch(tracked, store=store, options=LaunchOptions(), progress=Interrupting())
        with closing(sqlite3.connect(store.root / "mlflow.db")) as db, db:
            db.execute("UPDATE runs SET status = 'RUNNING'")  # as after kill -9
        with monkeypatch.context() as patch:
            patch.setattr(Coordinator, "run", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                launch(tracked, store=store, options=LaunchOptions(), progress=Listener())
        with closing(sqlite3.connect(store.root / "mlflow.db")) as db:
            (statuses,) = zip(*db.execute("SELECT status FROM runs"), strict=True)
        assert "KILLED" in statuses

    def test_is_written_down_and_gone_on_from(self, store: Store) -> None:
        class Interrupting(Listener):
            def settled(self, trial: Any) -> None:
                super().settled(trial)
                if trial.number == 1:
                    raise KeyboardInterrupt

        listener = Interrupting()
        with pytest.raises(KeyboardInterrupt):
            launch(grid(), store=store, options=LaunchOptions(), progress=listener)
        assert listener.is_closed
        (sweep_id,) = store.sweep_ids()
        (stop,) = entries(store, sweep_id, "stop")
        assert (stop["state"], stop["why"]) == ("interrupted", "KeyboardInterrupt")
        result = run(grid(), store)
        assert result.sweep_id == sweep_id
        assert [trial.status for trial in result.trials] == ["complete"] * N_TRIALS
        assert len(entries(store, sweep_id, "resumed")) == 1
        assert len(entries(store, sweep_id, "evaluation")) == N_TRIALS * N_FOLDS + 1


def test_class_weights_survive_the_journal(store: Store) -> None:
    weighted = grid(classifier__class_weight={"0": 2.0, "1": 1.0}, sweep__n_trials=2)
    first = run(weighted, store)
    path = store.journal_path(first.sweep_id)
    path.write_bytes(path.read_bytes()[: path.read_bytes().index(b'{"event":"outcome"')])
    assert figures(go_on(first.sweep_id, store)) == figures(first)
