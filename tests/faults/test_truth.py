"""Row 23: evaluations, models, cached data and journals that were changed behind our back."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from program import Called, Program

SWEEP = (
    *("sweep", "svc_c_gamma", "dataset=digits", "split.size=200", "engine=serial"),
    *("tracking=none", "evaluation.n_splits=2", "sweep.space.classifier.C=[1,10]"),
    *("sweep.space.classifier.gamma=[0.01]", "--json"),
)


def figures(document: dict[str, Any]) -> Any:
    """Return what must not change: the figures of all trials, the best one and the grade."""
    trials = [(trial["params"], trial["metrics"]) for trial in document["trials"]]
    return trials, document["best"]["test_metrics"], document["grade"]


def flip(path: Path) -> None:
    """Change one bit in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def edit_a_figure(folder: Path) -> None:
    path = folder / "evaluation.json"
    document = json.loads(path.read_text())
    document["scorecard"]["n_train"] += 1
    path.write_text(json.dumps(document))


def edit_a_label(folder: Path) -> None:
    path = folder / "predictions.npz"
    with np.load(path) as arrays:
        changed = dict(arrays)
    changed["y_pred"][0] = changed["y_true"][0] = (changed["y_true"][0] + 1) % 10
    np.savez(path, **changed)


def swap(folder: Path) -> None:
    other = next(one for one in folder.parent.iterdir() if one != folder)
    place = folder.with_name("aside")
    for source, target in ((folder, place), (other, folder), (place, other)):
        source.rename(target)


def delete(folder: Path) -> None:
    shutil.rmtree(folder)


def flip_of(name: str) -> Callable[[Path], None]:
    return lambda folder: flip(folder / name)


DAMAGES = {
    "figures flipped": flip_of("evaluation.json"),
    "predictions flipped": flip_of("predictions.npz"),
    "model flipped": flip_of("model.skops"),
    "digests flipped": flip_of("digests.json"),
    "a metric edited": edit_a_figure,
    "a label edited": edit_a_label,
    "two folders swapped": swap,
    "the final evaluation deleted": delete,
}


@pytest.mark.row(23, "an evaluation flipped, edited, swapped or deleted")
@pytest.mark.parametrize("damage", DAMAGES)
def test_evaluation(called: Called, damage: str) -> None:
    before = called.run(*SWEEP).document
    (final,) = [path.parent for path in called.store.glob("evaluations/*/model.skops")]
    DAMAGES[damage](final)
    if damage != "model flipped":  # a grade needs no model
        refused = called.run("grade", code=3)
        assert len(refused.err.splitlines()) == 1
        assert f"sweepmark resume {before['sweep_id']}" in refused.err
    mended = called.run("resume", "--json")
    assert figures(mended.document) == figures(before)
    if damage != "the final evaluation deleted":
        assert "It is computed again" in mended.err
    called.run("grade")
    assert mended.document["state"] == "complete"


@pytest.mark.row(23, "a byte of a journal flipped")
def test_journal(called: Called) -> None:
    before = called.run(*SWEEP).document
    path = called.store / "sweeps" / f"{before['sweep_id']}.jsonl"
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    for number in range(len(lines)):
        changed = bytearray(lines[number])
        changed[len(changed) // 2] ^= 1
        path.write_bytes(b"".join([*lines[:number], bytes(changed), *lines[number + 1 :]]))
        refused = called.run("grade", before["sweep_id"], code=3)
        assert f"line {number + 1}: " in refused.err
        assert len(refused.err.splitlines()) == 1
    path.write_bytes(whole)
    assert figures(called.run("resume", "--json").document) == figures(before)


@pytest.mark.row(23, "labels of a cached data set edited")
def test_data(program: Program, tmp_path: Path, digits_cache: Path) -> None:
    cache = str(shutil.copytree(digits_cache, tmp_path / "own"))
    before = program.run(*SWEEP, SWEEPMARK_CACHE=cache).document
    shutil.rmtree(program.store)
    for path in (tmp_path / "own").glob("datasets/*/*.npy"):
        labels = np.load(path)
        if labels.ndim == 1:
            np.save(path, (labels[::-1]).copy())
    mended = program.run(*SWEEP, SWEEPMARK_CACHE=cache)
    assert "is damaged" in mended.err
    assert "it is fetched again" in mended.err
    assert figures(mended.document) == figures(before)
