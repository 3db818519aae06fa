"""Launching and resuming: the same sweep in the end, whatever happened on the way."""

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

from sweepmark.coordinator import Options, launch
from sweepmark.coordinator.loop import Coordinator
from sweepmark.errors import ConfigurationError, NotFoundError, OwnedError, SweepmarkError
from sweepmark.evaluation import specify_test
from sweepmark.recipe import library_versions
from sweepmark.split import split_rows
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

    from sweepmark.results import SweepResult

N_TRIALS, N_FOLDS = 4, 2
TRUSTED = ("flaky",)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "mlruns")


@pytest.fixture
def obstacle(tmp_path: Path) -> Path:
    path = tmp_path / "obstacle"
    path.touch()
    return path


def lines(store: Store, sweep_id: str) -> list[str]:
    return store.journal_path(sweep_id).read_text().splitlines()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[SweepResult, Store]:
    store = Store(tmp_path_factory.mktemp("undisturbed") / "mlruns")
    return run(grid(), store), store


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
        launch(grid(), store=store, options=Options(), progress=listener)
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


class TestReplay:
    """Whatever a kill leaves of the journal: the evaluations that were finished stay."""

    def cut(self, undisturbed: tuple[SweepResult, Store], tmp_path: Path, length: int) -> Store:
        """Return a store with the journal cut to a length, and the evaluations it tells of."""
        result, whole = undisturbed
        store = Store(tmp_path / "mlruns")
        path = store.journal_path(result.sweep_id)
        path.parent.mkdir(parents=True)
        path.write_bytes(whole.journal_path(result.sweep_id).read_bytes()[:length])
        target = tmp_path / "mlruns" / "evaluations"
        target.mkdir()
        for entry in entries(store, result.sweep_id, "evaluation"):
            source = whole.root / "evaluations" / entry["key"]
            (target / entry["key"]).symlink_to(source, target_is_directory=True)
        return store

    def test_goes_on_from_every_line_and_computes_nothing_twice(
        self, undisturbed: tuple[SweepResult, Store], tmp_path: Path
    ) -> None:
        result, whole = undisturbed
        content = whole.journal_path(result.sweep_id).read_bytes()
        ends = [i + 1 for i, byte in enumerate(content) if byte == ord("\n")]
        for number, end in enumerate(ends):
            torn = end + (7 if number % 2 else 0)  # every other one in mid line
            store = self.cut(undisturbed, tmp_path / str(number), torn)
            again = run(grid(), store)
            is_finished = number == len(ends) - 1
            if is_finished:
                assert again.sweep_id != result.sweep_id
                assert again.n_reused == N_TRIALS
                continue
            assert again.sweep_id == result.sweep_id
            assert figures(again) == figures(result)
            keys = [entry["key"] for entry in entries(store, result.sweep_id, "evaluation")]
            assert len(keys) == len(set(keys)) == N_TRIALS * N_FOLDS + 1
            for event, n in (("trial", N_TRIALS), ("outcome", N_TRIALS), ("final", 1), ("stop", 1)):
                assert len(entries(store, result.sweep_id, event)) == n

    def test_of_nothing_but_a_torn_first_line_is_a_new_sweep(
        self, undisturbed: tuple[SweepResult, Store], tmp_path: Path
    ) -> None:
        result, _ = undisturbed
        for length in (0, 20):
            store = self.cut(undisturbed, tmp_path / str(length), length)
            again = run(grid(), store)
            assert again.sweep_id != result.sweep_id
            with pytest.raises(SweepmarkError, match=r"empty|never began|no sweep"):
                go_on(result.sweep_id, store)

    def test_takes_the_configuration_from_the_journal(
        self, undisturbed: tuple[SweepResult, Store], tmp_path: Path
    ) -> None:
        result, whole = undisturbed
        content = whole.journal_path(result.sweep_id).read_bytes()
        store = self.cut(undisturbed, tmp_path, content.index(b"\n", len(content) // 2) + 1)
        assert figures(go_on(result.sweep_id, store)) == figures(result)

    def test_computes_again_what_the_store_has_lost(
        self, undisturbed: tuple[SweepResult, Store], tmp_path: Path
    ) -> None:
        result, whole = undisturbed
        n_bytes = whole.journal_path(result.sweep_id).read_bytes().rindex(b'{"event":"stop"')
        store = self.cut(undisturbed, tmp_path, n_bytes)
        (store.root / "evaluations" / result.trials[1].keys[0]).unlink()
        assert figures(go_on(result.sweep_id, store)) == figures(result)
        assert len(entries(store, result.sweep_id, "evaluation")) == N_TRIALS * N_FOLDS + 2

    def test_of_a_finished_sweep_writes_nothing(
        self, undisturbed: tuple[SweepResult, Store]
    ) -> None:
        result, store = undisturbed
        before = lines(store, result.sweep_id)
        for _ in range(3):
            assert figures(go_on(result.sweep_id, store)) == figures(result)
        assert lines(store, result.sweep_id) == before


class TestSameAgain:
    def test_reuses_every_trial_with_the_original_timings(self, store: Store) -> None:
        first, second = run(grid(), store), run(grid(), store)
        assert second.sweep_id != first.sweep_id
        assert [trial.status for trial in second.trials] == ["reused"] * N_TRIALS
        for old, new in zip(first.trials, second.trials, strict=True):
            assert new.reused_from == f"{first.sweep_id}/{old.number}"
            assert new.metrics == old.metrics
            assert (new.fit_seconds, new.predict_seconds) == (old.fit_seconds, old.predict_seconds)
        assert entries(store, second.sweep_id, "evaluation") == []
        assert first.test is not None
        assert second.test is not None
        assert second.test.metrics == first.test.metrics

    def test_reuses_what_another_sweep_has_in_common(self, store: Store) -> None:
        first = run(grid(), store)
        wider = grid(sweep__space={"classifier": {"C": [1.0, 5.0], "gamma": [0.01, 0.1]}})
        second = run(wider, store)
        assert [trial.status for trial in second.trials] == ["reused"] * 2 + ["complete"] * 2
        assert second.trials[1].reused_from == f"{first.sweep_id}/1"

    def test_computes_everything_when_told_to(self, store: Store) -> None:
        run(grid(), store)
        fresh = run(grid(), store, fresh=True)
        assert [trial.status for trial in fresh.trials] == ["complete"] * N_TRIALS
        assert len(entries(store, fresh.sweep_id, "evaluation")) == N_TRIALS * N_FOLDS + 1
        assert entries(store, fresh.sweep_id, "warning") == []

    def test_fresh_sweep_goes_on_after_a_kill_without_computing_twice(self, store: Store) -> None:
        run(grid(), store)
        fresh = run(grid(), store, fresh=True)
        path = store.journal_path(fresh.sweep_id)
        content = path.read_bytes()
        for event in (b'{"event":"outcome"', b'{"event":"final"', b'{"event":"stop"'):
            path.write_bytes(content[: content.index(event)])
            again = run(grid(), store, fresh=True)
            assert figures(again) == figures(fresh)
            keys = [entry["key"] for entry in entries(store, fresh.sweep_id, "evaluation")]
            assert len(keys) == len(set(keys)) == N_TRIALS * N_FOLDS + 1

    def test_says_when_an_evaluation_comes_out_differently(self, store: Store) -> None:
        first = run(grid(), store)
        folder = store.root / "evaluations" / first.trials[0].keys[0]
        with np.load(folder / "predictions.npz") as arrays:
            changed_arrays = {name: arrays[name] for name in arrays}
        changed_arrays["y_pred"] = changed_arrays["y_pred"][::-1]
        np.savez(folder / "predictions.npz", **changed_arrays)
        fresh = run(grid(), store, fresh=True)
        (caution,) = (one for one in fresh.cautions if one.kind == "not_reproducible")
        assert f"{first.sweep_id}/0" in caution.message

    def test_is_another_sweep_when_anything_asked_for_changes(self, store: Store) -> None:
        first = run(grid(), store)
        path = store.journal_path(first.sweep_id)
        path.write_bytes(path.read_bytes().replace(b'"complete","why"', b'"interrupted","why"'))
        assert run(grid(seed=1), store).sweep_id != first.sweep_id
        assert run(grid(), store).sweep_id == first.sweep_id


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
        pairs = grid(classifier__decision_function_shape="ovo", sweep__objective="cv_roc_auc")
        result = run(pairs, store)
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


class TestVersions:
    @pytest.fixture
    def interrupted(self, store: Store, obstacle: Path) -> SweepResult:
        result = run(flaky(obstacle), store, trusted=TRUSTED)
        path = store.journal_path(result.sweep_id)
        path.write_bytes(path.read_bytes()[: path.read_bytes().index(b'{"event":"stop"')])
        return result

    def install_another(self, monkeypatch: pytest.MonkeyPatch) -> None:
        versions = library_versions(TRUSTED) | {"numpy": "99.0"}
        monkeypatch.setattr("sweepmark.recipe._versions", lambda _: versions)

    def go_on(self, how: str, sweep_id: str, store: Store, obstacle: Path, **options: Any) -> Any:
        if how == "again":
            return run(flaky(obstacle), store, trusted=TRUSTED, **options)
        return go_on(sweep_id, store, trusted=TRUSTED, **options)

    @pytest.mark.parametrize("how", ["again", "resume"])
    def test_changed_since_it_began_are_refused_with_the_difference(
        self,
        store: Store,
        interrupted: SweepResult,
        obstacle: Path,
        how: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        self.install_another(monkeypatch)
        before = lines(store, interrupted.sweep_id)
        with pytest.raises(ConfigurationError) as error:
            self.go_on(how, interrupted.sweep_id, store, obstacle)
        for part in (interrupted.sweep_id, f"numpy {np.__version__} -> 99.0", "--accept-versions"):
            assert part in str(error.value)
        assert lines(store, interrupted.sweep_id) == before

    @pytest.mark.parametrize("how", ["again", "resume"])
    def test_accepted_begin_a_sweep_of_their_own(
        self,
        store: Store,
        interrupted: SweepResult,
        obstacle: Path,
        how: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        self.install_another(monkeypatch)
        result = self.go_on(how, interrupted.sweep_id, store, obstacle, accept_versions=True)
        assert result.sweep_id != interrupted.sweep_id
        assert result.n_reused == 0

    def test_of_a_finished_sweep_matter_only_if_something_is_computed(
        self, store: Store, obstacle: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        finished = run(flaky(obstacle), store, trusted=TRUSTED)
        self.install_another(monkeypatch)
        assert figures(go_on(finished.sweep_id, store, trusted=TRUSTED)) == figures(finished)
        with pytest.raises(ConfigurationError, match=r"numpy .* -> 99\.0"):
            go_on(finished.sweep_id, store, trusted=TRUSTED, retry_failed=True)


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
            launch(tracked, store=store, options=Options(), progress=Interrupting())
        with closing(sqlite3.connect(store.root / "mlflow.db")) as db, db:
            db.execute("UPDATE runs SET status = 'RUNNING'")  # as after kill -9
        with monkeypatch.context() as patch:
            patch.setattr(Coordinator, "run", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                launch(tracked, store=store, options=Options(), progress=Listener())
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
            launch(grid(), store=store, options=Options(), progress=listener)
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
