"""Damaged evaluations: never served, set aside, and computed again with the same figures."""

from __future__ import annotations

import io
import json
import os
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sweepmark.doctor.store import examine_store
from sweepmark.errors import StoreError
from sweepmark.report.results import read_result
from sweepmark.report.runs import find_run
from sweepmark.store import Store
from tiny import blueprint, changed, entries, figures, go_on, grid, lines, run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sweepmark.report.results import SweepResult

FILES = ("evaluation.json", "predictions.npz", "digests.json", "model.skops")


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def link(path: Path) -> None:
    """Put a link to the same bytes in a file's or a folder's place."""
    elsewhere = path.parent.parent.parent / f"elsewhere-{path.name}"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def device(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


def empty(path: Path) -> None:
    path.write_bytes(b"")


def remove(path: Path) -> None:
    path.unlink()


HARMS = (flip, link, pipe, folder, device, empty, remove)


def edit_figure(evaluation: Path) -> None:
    path = evaluation / "evaluation.json"
    document = json.loads(path.read_text())
    document["scorecard"]["n_train"] += 1
    path.write_text(json.dumps(document, indent=1))


def edit_origin(evaluation: Path) -> None:
    path = evaluation / "evaluation.json"
    path.write_text(path.read_text().replace('"fit_seconds": 0', '"fit_seconds": 9'))


def lose_figure(evaluation: Path) -> None:
    path = evaluation / "evaluation.json"
    document = json.loads(path.read_text())
    del document["scorecard"]["n_train"]
    path.write_text(json.dumps(document, indent=1))


def edit_label(evaluation: Path) -> None:
    path = evaluation / "predictions.npz"
    with np.load(path) as arrays:
        held = {name: arrays[name] for name in arrays}
    held["y_pred"] = held["y_true"]
    buffer = io.BytesIO()
    np.savez(buffer, **held)
    path.write_bytes(buffer.getvalue())


def as_file(evaluation: Path) -> None:
    shutil.rmtree(evaluation)
    evaluation.write_text("no folder")


EDITS = (edit_figure, edit_origin, lose_figure, edit_label, as_file, link)


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SweepResult, SweepResult]:
    """A store with a finished sweep and a run, neither to be written to."""
    store = Store(tmp_path_factory.mktemp("healthy") / "mlruns")
    return store.root, run(grid(), store), run(changed(blueprint(None), split__size=120), store)


@pytest.fixture
def store(healthy: tuple[Path, SweepResult, SweepResult], tmp_path: Path) -> Store:
    return Store(shutil.copytree(healthy[0], tmp_path / "mlruns"))


@pytest.fixture
def sweep(healthy: tuple[Path, SweepResult, SweepResult]) -> SweepResult:
    return healthy[1]


@pytest.fixture
def single(healthy: tuple[Path, SweepResult, SweepResult]) -> SweepResult:
    return healthy[2]


def final_key(result: SweepResult) -> str:
    assert result.test is not None
    return result.test.keys[0]


def damaged(result: SweepResult) -> list[str]:
    return [one.message for one in result.cautions if one.kind == "damaged"]


def problems(store: Store, *, full: bool = True) -> list[Any]:
    return [one for one in examine_store(store, full=full) if one.state == "problem"]


def check_is_mended(store: Store, before: SweepResult, key: str) -> None:
    """Assert that it is refused with its mend, and that the mend mends it."""
    with pytest.raises(
        StoreError, match=f"`sweepmark resume --store .* {before.sweep_id}`"
    ) as error:
        read_result(store, before.sweep_id)
    assert key in str(error.value)
    assert error.value.exit_code == 3
    assert ("sweepmark", "resume", before.sweep_id) in {one.mend for one in problems(store)}
    n_outcomes = len(entries(store, before.sweep_id, "outcome"))
    again = go_on(before.sweep_id, store)
    assert again.state == "complete"
    assert figures(again) | {"warnings": None} == figures(before) | {"warnings": None}
    assert figures(read_result(store, before.sweep_id)) == figures(again)
    assert len(entries(store, before.sweep_id, "outcome")) == n_outcomes
    assert problems(store) == []
    journal = lines(store, before.sweep_id)
    assert figures(go_on(before.sweep_id, store)) == figures(again)
    assert lines(store, before.sweep_id) == journal


@pytest.mark.parametrize(
    ("file", "harm"),
    [*((file, flip) for file in FILES[:3]), *(("predictions.npz", harm) for harm in HARMS[1:])],
)
def test_file_of_a_trial_is_computed_again(
    store: Store, sweep: SweepResult, file: str, harm: Callable[[Path], None]
) -> None:
    key = sweep.trials[1].keys[1]
    harm(store.root / "evaluations" / key / file)
    check_is_mended(store, sweep, key)
    (said,) = damaged(read_result(store, sweep.sweep_id))
    assert f".damaged-{key}-1" in said
    assert "It is computed again" in said
    assert os.path.lexists(store.root / "evaluations" / f".damaged-{key}-1" / file) or (
        harm is remove
    )


@pytest.mark.parametrize("edit", EDITS)
def test_edited_evaluation_is_computed_again(
    store: Store, sweep: SweepResult, edit: Callable[[Path], None]
) -> None:
    key = sweep.trials[2].keys[0]
    edit(store.root / "evaluations" / key)
    check_is_mended(store, sweep, key)


def test_swapped_folders_are_computed_again(store: Store, sweep: SweepResult) -> None:
    one, other = (store.root / "evaluations" / key for key in sweep.trials[0].keys)
    aside = one.with_name("aside")
    one.rename(aside)
    other.rename(one)
    aside.rename(other)
    check_is_mended(store, sweep, one.name)
    assert len(damaged(read_result(store, sweep.sweep_id))) == 2


def test_deleted_evaluation_is_computed_again(store: Store, sweep: SweepResult) -> None:
    key = sweep.trials[3].keys[0]
    shutil.rmtree(store.root / "evaluations" / key)
    check_is_mended(store, sweep, key)
    assert damaged(read_result(store, sweep.sweep_id)) == []


def test_everything_deleted_is_computed_again(store: Store, sweep: SweepResult) -> None:
    shutil.rmtree(store.root / "evaluations")
    for sweep_id in set(store.sweep_ids()) - {sweep.sweep_id}:
        store.journal_path(sweep_id).unlink()
    check_is_mended(store, sweep, sweep.trials[0].keys[0])


@pytest.mark.parametrize("is_deleted", [True, False])
def test_final_evaluation_is_computed_again(
    store: Store, sweep: SweepResult, *, is_deleted: bool
) -> None:
    key = final_key(sweep)
    evaluation = store.root / "evaluations" / key
    shutil.rmtree(evaluation) if is_deleted else edit_label(evaluation)
    check_is_mended(store, sweep, key)
    assert len(entries(store, sweep.sweep_id, "final")) == 1


@pytest.mark.parametrize(
    ("which", "harm"), [("sweep", flip), ("run", flip), ("sweep", remove), ("run", pipe)]
)
def test_model_is_fitted_again(
    store: Store, sweep: SweepResult, single: SweepResult, harm: Callable[[Path], None], which: str
) -> None:
    before = sweep if which == "sweep" else single
    content = find_run(before.sweep_id, store).model
    assert content is not None
    harm(store.root / "evaluations" / final_key(before) / "model.skops")
    result = find_run(before.sweep_id, store)  # whose figures are right
    with pytest.raises(StoreError, match=f"`sweepmark resume --store .* {before.sweep_id}`"):
        _ = result.model
    assert len(problems(store)) >= 1
    again = go_on(before.sweep_id, store)
    assert figures(again) | {"warnings": None} == figures(before) | {"warnings": None}
    assert len(damaged(again)) == 1
    assert find_run(before.sweep_id, store).model is not None
    assert problems(store) == []


def test_another_sweep_computes_only_what_is_damaged(store: Store, sweep: SweepResult) -> None:
    key = sweep.trials[1].keys[0]
    flip(store.root / "evaluations" / key / "predictions.npz")
    again = run(grid(), store)
    assert [trial.metrics for trial in again.trials] == [trial.metrics for trial in sweep.trials]
    assert [entry["key"] for entry in entries(store, again.sweep_id, "evaluation")] == [key]
    assert len(damaged(again)) == 1
    assert figures(read_result(store, sweep.sweep_id)) == figures(sweep)


def test_fresh_sweep_does_not_stumble_over_damage(store: Store, sweep: SweepResult) -> None:
    key = sweep.trials[1].keys[0]
    flip(store.root / "evaluations" / key / "predictions.npz")
    fresh = run(grid(), store, fresh=True)
    assert [trial.metrics for trial in fresh.trials] == [trial.metrics for trial in sweep.trials]
    assert len(damaged(fresh)) == 1
    assert {one.kind for one in fresh.cautions} == {one.kind for one in sweep.cautions} | {
        "damaged"
    }


def test_what_does_not_belong_is_never_opened(store: Store, sweep: SweepResult) -> None:
    evaluation = store.root / "evaluations" / sweep.trials[0].keys[0]
    os.mkfifo(evaluation / "more")
    os.mkfifo(evaluation / "model.skops")
    assert figures(read_result(store, sweep.sweep_id)) == figures(sweep)
    assert find_run(f"{sweep.sweep_id}/0", store).result.holdings.model(evaluation.name) is None
    (found,) = [one for one in examine_store(store, full=True) if one.subject == "strangers"]
    assert found.mend == ("rm", "-r", str(evaluation / "model.skops"), str(evaluation / "more"))


def test_link_in_place_of_the_folder_is_refused(store: Store, sweep: SweepResult) -> None:
    link(store.root / "evaluations")
    with pytest.raises(StoreError, match=r"is a link.*--store PATH"):
        read_result(store, sweep.sweep_id)
    with pytest.raises(StoreError, match=r"is a link.*--store PATH"):
        run(grid(), store)
    assert [one.subject for one in problems(store)] == ["store"]


def test_damage_that_no_sweep_needs_is_named_with_what_removes_it(
    store: Store, sweep: SweepResult
) -> None:
    key = sweep.trials[0].keys[0]
    for sweep_id in store.sweep_ids():
        store.journal_path(sweep_id).unlink()
    flip(store.root / "evaluations" / key / "evaluation.json")
    (found,) = problems(store)
    assert found.mend == ("rm", "-r", str(store.root / "evaluations" / key))


def test_what_was_set_aside_is_noted(store: Store, sweep: SweepResult) -> None:
    for number in (1, 2):
        key = sweep.trials[0].keys[0]
        flip(store.root / "evaluations" / key / "evaluation.json")
        go_on(sweep.sweep_id, store)
        assert (store.root / "evaluations" / f".damaged-{key}-{number}").is_dir()
    (found,) = [one for one in examine_store(store, full=False) if one.subject == "set aside"]
    assert found.state == "note"
    assert found.mend[:2] == ("rm", "-r")
    assert len(found.mend) == 4
