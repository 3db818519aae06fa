"""Launching again, and resuming: the same sweep in the end, and nothing computed twice."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sweepmark.errors import ConfigurationError, DataError, StoreError, SweepmarkError
from sweepmark.specification.recipe import sweep_versions
from sweepmark.store import History, Store, read_journal
from tiny import (
    blueprint,
    entries,
    figures,
    flaky,
    go_on,
    grid,
    lines,
    run,
)

if TYPE_CHECKING:
    from pathlib import Path

    from sweepmark.report.results import SweepResult
    from sweepmark.search.blueprint import Blueprint

N_TRIALS, N_FOLDS = 4, 2
TRUSTED = ("flaky",)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "mlruns")


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
            shutil.copytree(source, target / entry["key"])
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
        shutil.rmtree(store.root / "evaluations" / result.trials[1].keys[0])
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

    def test_is_another_sweep_when_anything_asked_for_changes(self, store: Store) -> None:
        first = run(grid(), store)
        path = store.journal_path(first.sweep_id)
        path.write_bytes(path.read_bytes()[: path.read_bytes().rindex(b'{"event":"stop"')])
        assert run(grid(seed=1), store).sweep_id != first.sweep_id
        assert run(grid(), store).sweep_id == first.sweep_id


class TestComplete:
    """A complete sweep whose resume fails is as complete as before."""

    @pytest.mark.parametrize("lost", ["nothing", "an evaluation"])
    def test_stays_so(self, store: Store, lost: str, monkeypatch: pytest.MonkeyPatch) -> None:
        result = run(grid(), store)
        if lost == "an evaluation":
            shutil.rmtree(store.root / "evaluations" / result.trials[1].keys[0])

        def fail(*_: object, **__: object) -> None:
            raise StoreError("the database is locked")

        with monkeypatch.context() as patch:
            patch.setattr("sweepmark.coordinator.loop.Coordinator.run", fail)
            with pytest.raises(StoreError, match="locked"):
                go_on(result.sweep_id, store)
        history = History.of(read_journal(store.journal_path(result.sweep_id)))
        assert history.is_complete
        assert history.stop is not None
        assert history.stop["why"] == "done"
        again = go_on(result.sweep_id, store)
        assert figures(again) == figures(result)

    def test_does_not_when_it_failed_in_its_first_go(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object, **__: object) -> None:
            raise StoreError("the database is locked")

        monkeypatch.setattr("sweepmark.coordinator.projections.Projections.finish", fail)
        with pytest.raises(StoreError, match="locked"):
            run(grid(), store)
        history = History.of(read_journal(store.journal_path(store.match(None))))
        assert not history.is_complete


class TestData:
    """A sweep keeps to the data that it was begun with."""

    @pytest.fixture
    def table(self, tmp_path: Path) -> Path:
        path = tmp_path / "own.csv"
        self.write(path, turn=False)
        return path

    def write(self, path: Path, *, turn: bool) -> None:
        rows = [f"{n % 7},{n},{(n % 7 > 3) != turn:d}" for n in range(60)]
        path.write_text("\n".join(["a,b,label", *rows]) + "\n")

    def asked(self, table: Path) -> Blueprint:
        overrides = ("dataset=csv", f"dataset.path={table}", "dataset.label=label")
        return blueprint("svc_c_gamma", *overrides, "split.size=60", "evaluation.n_splits=2")

    def test_changed_since_is_refused_by_resume_and_begins_another_sweep(
        self, store: Store, table: Path
    ) -> None:
        first = run(self.asked(table), store)
        path = store.journal_path(first.sweep_id)
        whole = path.read_bytes()
        path.write_bytes(whole[: whole.rindex(b'{"event":"stop"')])
        self.write(table, turn=True)
        with pytest.raises(DataError, match=r"the data set .*own\.csv has changed"):
            go_on(first.sweep_id, store)
        assert run(self.asked(table), store).sweep_id != first.sweep_id
        self.write(table, turn=False)
        assert go_on(first.sweep_id, store).sweep_id == first.sweep_id


class TestVersions:
    @pytest.fixture
    def interrupted(self, store: Store, obstacle: Path) -> SweepResult:
        result = run(flaky(obstacle), store, trusted=TRUSTED)
        path = store.journal_path(result.sweep_id)
        path.write_bytes(path.read_bytes()[: path.read_bytes().index(b'{"event":"stop"')])
        return result

    def install_another(self, monkeypatch: pytest.MonkeyPatch) -> None:
        known = {names: sweep_versions(names) | {"numpy": "99.0"} for names in ((), TRUSTED)}
        monkeypatch.setattr("sweepmark.specification.recipe._versions", known.__getitem__)

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
