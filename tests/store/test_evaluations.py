"""The store of evaluations: written whole, once, and read back as they were."""

from __future__ import annotations

import hashlib
import json
import math
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from damage import forge
from jobs import make_job
from sweepmark.errors import LostError, StoreError
from sweepmark.scores.measurement import measure
from sweepmark.scores.scorecard import Predictions, Scorecard
from sweepmark.specification.specification import canonical_json
from sweepmark.store import EvaluationStore, Origin

if TYPE_CHECKING:
    from sweepmark.specification.specification import Specification

ORIGIN = Origin("sweep-1", 3, 10.0, 12.5)


def specification(**task: Any) -> Specification:
    return make_job(**task).specification


def scorecard(**changes: Any) -> Scorecard:
    y = np.array([0, 1, 1], dtype=np.int64)
    card = Scorecard(
        metrics={},
        recorded={"log_loss": 0.1 + 0.2},
        classes=(0, 1),
        predictions=Predictions(
            rows=np.array([5, 2, 9]), y_true=y, y_pred=y[::-1], scores=np.array([0.1, -1e-300, 2.0])
        ),
        n_train=7,
        n_test=3,
        fit_seconds=0.25,
        predict_seconds=0.125,
        warnings=("ConvergenceWarning: größer",),
    )
    changed = replace(card, **changes)
    return replace(changed, metrics=measure(changed.predictions, (0, 1)) | dict(changed.recorded))


@pytest.fixture
def store(tmp_path: Path) -> EvaluationStore:
    return EvaluationStore(tmp_path / "mlruns" / "evaluations")


def test_evaluation_is_read_back_to_the_last_digit(store: EvaluationStore) -> None:
    one, card = specification(), scorecard(model=b"model")
    stored, earlier = store.put(one, card, ORIGIN)
    assert earlier is None
    read = store.find(one.key, stored.result)
    assert read is not None
    assert (read.key, read.result, read.origin) == (one.key, stored.result, ORIGIN)
    found = store.scorecard(one.key)
    for name in ("metrics", "recorded", "classes", "n_train", "n_test", "fit_seconds", "warnings"):
        assert getattr(found, name) == getattr(card, name)
    for name in ("rows", "y_true", "y_pred", "scores"):
        array = getattr(found.predictions, name)
        np.testing.assert_array_equal(array, getattr(card.predictions, name))
    assert found.model is None
    assert store.model(one.key) == b"model"
    assert str(ORIGIN) == "sweep-1/3"


def test_what_is_not_there_is_not_found(store: EvaluationStore) -> None:
    assert store.find("0" * 64) is None
    assert store.find("0" * 64, "1" * 64) is None
    assert store.model("0" * 64) is None
    assert not store.holds("0" * 64, "1" * 64)
    for ask in (store.scorecard, store.specification):
        with pytest.raises(LostError, match=r"0000 is not there"):
            ask("0" * 64)


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_first_one_written_stays_and_what_differs_lies_beside(
    store: EvaluationStore, tmp_path: Path
) -> None:
    one, folder = specification(), tmp_path / "mlruns" / "evaluations"
    first, _ = store.put(one, scorecard(), ORIGIN)
    before = content(folder / one.key)
    later = Origin("sweep-2", 0, 0.0, 0.0)
    other = scorecard(recorded={"log_loss": 0.5})
    second, earlier = store.put(one, other, later)
    assert earlier is not None
    assert earlier.origin == ORIGIN
    assert content(folder / one.key) == before
    assert store.keys() == [one.key, f"{one.key}.{second.result[:16]}"]
    for name in store.keys():  # noqa: SIM118 -- no mapping
        store.verify(name)
    for result, origin in ((None, ORIGIN), (first.result, ORIGIN), (second.result, later)):
        found = store.find(one.key, result)
        assert found is not None
        assert found.origin == origin
    assert store.scorecard(one.key, second.result).recorded == {"log_loss": 0.5}
    assert store.put(one, other, later)[1] is not None  # again
    assert len(store.keys()) == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"fit_seconds": 9.0, "predict_seconds": 9.0},
        {"warnings": ("Other: words",)},
        {"work": {"kernel_hits": 3.0}},
    ],
)
def test_what_only_took_longer_is_no_other_result(
    store: EvaluationStore, changes: dict[str, Any]
) -> None:
    one = specification()
    first, _ = store.put(one, scorecard(), ORIGIN)
    again, earlier = store.put(one, scorecard(**changes), Origin("sweep-2", 0, 0.0, 0.0))
    assert (again.result, earlier) == (first.result, None)
    assert again.scorecard.fit_seconds == changes.get("fit_seconds", 0.25)
    assert store.keys() == [one.key]


def other_predictions(**changes: Any) -> Predictions:
    return replace(scorecard().predictions, **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"recorded": {"log_loss": 0.3}},
        {"predictions": other_predictions(y_pred=np.array([0, 1, 1]))},
        {"predictions": other_predictions(scores=np.array([0.1, -1e-300, 3.0]))},
        {"predictions": other_predictions(rows=np.array([5, 2, 8]))},
        {"n_train": 8},
        {"curves": {"train_loss": (0.5,)}},
    ],
)
def test_whatever_differs_is_another_result(
    store: EvaluationStore, changes: dict[str, Any]
) -> None:
    one = specification()
    first, _ = store.put(one, scorecard(), ORIGIN)
    again, earlier = store.put(one, scorecard(**changes), ORIGIN)
    assert earlier is not None
    assert again.result != first.result


def test_model_that_is_lacking_lies_beside_and_is_never_replaced(
    store: EvaluationStore, tmp_path: Path
) -> None:
    one, folder = specification(), tmp_path / "mlruns" / "evaluations"
    first, _ = store.put(one, scorecard(), ORIGIN)
    before = content(folder / one.key)
    assert store.find(one.key, with_model=True) is None
    assert store.model(one.key) is None
    for model in (b"first", b"second"):
        assert store.put(one, scorecard(model=model), ORIGIN)[1] is None
        assert store.model(one.key) == store.model(one.key, first.result) == b"first"
    assert store.find(one.key, with_model=True) is not None
    assert store.holds(one.key, first.result, with_model=True)
    assert content(folder / one.key) == before
    assert store.keys() == [one.key, f"{one.key}.{first.result[:16]}-model"]


def test_model_of_a_result_is_not_another_ones(store: EvaluationStore) -> None:
    one, other = specification(), scorecard(recorded={"log_loss": 0.5})
    first, _ = store.put(one, scorecard(model=b"first"), ORIGIN)
    second, _ = store.put(one, other, ORIGIN)
    assert store.model(one.key, second.result) is None
    store.put(one, replace(other, model=b"second"), ORIGIN)
    assert store.model(one.key, second.result) == b"second"
    assert store.model(one.key, first.result) == store.model(one.key) == b"first"


def test_nothing_is_left_beside_an_evaluation(store: EvaluationStore, tmp_path: Path) -> None:
    for _ in range(2):
        store.put(specification(), scorecard(model=b"x"), ORIGIN)
    folder = tmp_path / "mlruns" / "evaluations"
    assert [path.name for path in folder.iterdir()] == [specification().key]
    names = {path.name for path in (folder / specification().key).iterdir()}
    assert names == {"digests.json", "evaluation.json", "predictions.npz", "model.skops"}


def forged(store: EvaluationStore, tmp_path: Path) -> tuple[str, Path, dict[str, Any]]:
    one = specification()
    store.put(one, scorecard(), ORIGIN)
    folder = tmp_path / "mlruns" / "evaluations" / one.key
    return one.key, folder, json.loads((folder / "evaluation.json").read_text())


def test_specification_of_another_key_is_damage(store: EvaluationStore, tmp_path: Path) -> None:
    key, folder, kept = forged(store, tmp_path)
    kept["specification"]["seed"] += 1
    forge(folder, evaluation=json.dumps(kept).encode())
    for ask in (store.verify, store.find, store.scorecard, store.specification):
        with pytest.raises(LostError, match="its specification has another key"):
            ask(key)
    with pytest.raises(LostError, match="its specification has another key"):
        store.verify(key, full=False)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"data": "../../.."}, "its specification names no data set"),
        ({"task": {"name": "is_digit", "positive": "5"}}, "its specification names no task"),
        ({"task": None}, "its specification names no task"),
    ],
)
def test_specification_that_none_writes_is_damage(
    store: EvaluationStore, tmp_path: Path, parts: dict[str, Any], message: str
) -> None:
    _, folder, kept = forged(store, tmp_path)
    kept["specification"] |= {"data": "d" * 64} | parts
    key = hashlib.sha256(canonical_json(kept["specification"]).encode()).hexdigest()
    forge(folder, key=key, evaluation=json.dumps(kept).encode())
    folder.rename(folder.with_name(key))
    with pytest.raises(LostError, match=message):
        store.specification(key)


def test_evaluation_that_says_its_metrics_is_damage(store: EvaluationStore, tmp_path: Path) -> None:
    key, folder, kept = forged(store, tmp_path)
    kept["scorecard"]["metrics"] = {"accuracy": 1.0}  # they follow from the predictions
    forge(folder, evaluation=json.dumps(kept).encode())
    with pytest.raises(LostError, match=r"scorecard\.metrics cannot be right"):
        store.find(key)


@pytest.mark.parametrize("digit", ["0", "f"])
def test_result_that_its_digest_does_not_say_is_damage(
    store: EvaluationStore, tmp_path: Path, digit: str
) -> None:
    key, folder, kept = forged(store, tmp_path)
    kept["scorecard"]["recorded"]["log_loss"] = 1.0
    forge(folder, result=digit * 64, evaluation=json.dumps(kept).encode())
    with pytest.raises(LostError, match="another result than its digest says"):
        store.find(key)


@pytest.mark.parametrize(
    "changes",
    [
        {"key": "0" * 64},
        {"key": None},
        {"result": "x"},
        {"files": {}},
        {"files": {"evaluation.json": "0" * 64}},
        {"files": {"evaluation.json": 1, "predictions.npz": 2}},
        {"more": 1},
    ],
)
def test_digests_that_cannot_be_are_damage(
    store: EvaluationStore, tmp_path: Path, changes: dict[str, Any]
) -> None:
    key, folder, _ = forged(store, tmp_path)
    manifest = json.loads((folder / "digests.json").read_text())
    (folder / "digests.json").write_text(json.dumps(manifest | changes))
    with pytest.raises(LostError, match=r"is damaged: .*digests\.json"):
        store.find(key)


def test_digests_cannot_name_a_file_elsewhere(store: EvaluationStore, tmp_path: Path) -> None:
    key, folder, _ = forged(store, tmp_path)
    manifest = json.loads((folder / "digests.json").read_text())
    manifest["files"]["../../../secret"] = "0" * 64
    (folder / "digests.json").write_text(json.dumps(manifest))
    with pytest.raises(LostError, match="names no key, result and files"):
        store.find(key)


def test_folder_named_for_another_result_is_damage(store: EvaluationStore, tmp_path: Path) -> None:
    key, folder, _ = forged(store, tmp_path)
    name = f"{key}.{'0' * 16}"
    folder.rename(folder.with_name(name))
    with pytest.raises(LostError, match="its result is"):
        store.verify(name)


def test_setting_aside_replaces_nothing(store: EvaluationStore, tmp_path: Path) -> None:
    key, folder, _ = forged(store, tmp_path)
    for number in (1, 2, 3):
        aside = store.set_aside(key)
        assert aside == folder.with_name(f".damaged-{key}-{number}")
        assert store.keys() == []
        assert store.find(key) is None
        store.put(specification(), scorecard(), ORIGIN)
    assert len(list(folder.parent.glob(".damaged-*/evaluation.json"))) == 3
    assert store.keys() == [key]


def test_damage_is_not_written_over(store: EvaluationStore, tmp_path: Path) -> None:
    key, folder, _ = forged(store, tmp_path)
    (folder / "predictions.npz").write_bytes(b"")
    before = content(folder)
    with pytest.raises(LostError, match="its SHA-256 has changed"):
        store.put(specification(), scorecard(), ORIGIN)
    assert content(folder) == before
    assert store.keys() == [key]


def test_curves_are_read_back_with_what_was_no_number(store: EvaluationStore) -> None:
    one = specification()
    card = scorecard(curves={"train_loss": (0.5, float("nan"), 0.25)})
    store.put(one, card, ORIGIN)
    first, lost, last = store.scorecard(one.key).curves["train_loss"]
    assert (first, last) == (0.5, 0.25)
    assert math.isnan(lost)


@pytest.mark.parametrize(
    "curves", [[1], {"train_loss": []}, {"a": ["b"]}, {"a": [1e999]}, {"a": 1}]
)
def test_curves_that_cannot_be_are_damage(
    store: EvaluationStore, tmp_path: Path, curves: object
) -> None:
    key, folder, kept = forged(store, tmp_path)
    kept["scorecard"]["curves"] = curves
    forge(folder, evaluation=json.dumps(kept).encode())
    with pytest.raises(StoreError, match="curves cannot be right"):
        store.scorecard(key)


def test_nan_among_the_metrics_is_left_out(store: EvaluationStore) -> None:
    store.put(specification(), scorecard(recorded={"a": float("nan"), "log_loss": 1.0}), ORIGIN)
    found = store.scorecard(specification().key)
    assert found.recorded == {"log_loss": 1.0}
    assert found.metrics["accuracy"] == 1 / 3
    assert "a" not in found.metrics


@pytest.mark.parametrize("name", ["evaluation.json", "predictions.npz", "digests.json"])
@pytest.mark.parametrize("found", [b"", b"{}", b"[1]", b"PK\x03\x04", b"\xff" * 200, b"[" * 9999])
def test_damage_is_named(store: EvaluationStore, tmp_path: Path, name: str, found: bytes) -> None:
    key = specification().key
    store.put(specification(), scorecard(), ORIGIN)
    folder = tmp_path / "mlruns" / "evaluations" / key
    (folder / name).write_bytes(found)
    with pytest.raises(LostError, match=f"{key} is damaged: .*{name}") as error:
        store.scorecard(key)
    assert error.value.name == key
    assert error.value.exit_code == 3
    if name != "digests.json":
        forge(folder)  # whose digests are right again
        with pytest.raises(LostError, match="is damaged"):
            store.scorecard(key)


@pytest.mark.parametrize("name", ["evaluation.json", "predictions.npz", "digests.json"])
def test_lost_file_is_named(store: EvaluationStore, tmp_path: Path, name: str) -> None:
    key = specification().key
    store.put(specification(), scorecard(), ORIGIN)
    path = tmp_path / "mlruns" / "evaluations" / key / name
    path.unlink()
    with pytest.raises(LostError, match=f"{key} is damaged: {name} is not there"):
        store.scorecard(key)
    with pytest.raises(LostError, match="is not there"):
        store.verify(key, full=False)


def test_place_that_cannot_be_written_is_named(store: EvaluationStore, tmp_path: Path) -> None:
    (tmp_path / "mlruns").write_text("a file where the folder should be")
    with pytest.raises(StoreError, match="mlruns"):
        store.put(specification(), scorecard(), ORIGIN)


def test_evaluation_half_written_by_a_killed_process_is_not_there(
    store: EvaluationStore, tmp_path: Path
) -> None:
    code = (
        "from pathlib import Path; from test_evaluations import *\n"
        f"store = EvaluationStore(Path({str(tmp_path)!r}) / 'mlruns' / 'evaluations')\n"
        "store.put(specification(), scorecard(model=b'x'), ORIGIN)"
    )
    places = os.pathsep.join(map(str, Path(__file__).parents[:2]))
    killed = {**os.environ, "SWEEPMARK_KILL_AT": "evaluation.written", "PYTHONPATH": places}
    done = subprocess.run([sys.executable, "-c", code], env=killed, check=False, timeout=120)
    assert done.returncode == -9
    assert store.find(specification().key) is None
    assert store.keys() == []
    store.put(specification(), scorecard(), ORIGIN)
    assert store.keys() == [specification().key]


def test_two_writers_at_once_leave_one_whole_evaluation(store: EvaluationStore) -> None:
    from concurrent.futures import ThreadPoolExecutor

    cards = [scorecard(n_train=n) for n in range(8)]
    with ThreadPoolExecutor(8) as pool:
        origins = [Origin("s", n, 0.0, 0.0) for n in range(8)]
        put = list(pool.map(store.put, [specification()] * 8, cards, origins))
    found = store.find(specification().key)
    assert found is not None
    winner = found.scorecard.n_train
    assert found.origin == Origin("s", winner, 0.0, 0.0)
    assert [earlier is None for _, earlier in put] == [n == winner for n in range(8)]
    for n, (stored, _) in enumerate(put):
        assert store.scorecard(specification().key, stored.result).n_train == n


def test_what_lies_there_besides_is_told_and_never_opened(
    store: EvaluationStore, tmp_path: Path
) -> None:
    key, folder, _ = forged(store, tmp_path)
    assert store.strangers(key) == []
    os.mkfifo(folder / "pipe")  # opening it would wait
    for name in ("model.skops", "another"):
        (folder / name).write_text("mine")
    assert [path.name for path in store.strangers(key)] == ["another", "model.skops", "pipe"]
    store.verify(key)
    store.verify(key, full=False)


def test_names_are_those_of_folders_that_are_meant_to_be_seen(
    store: EvaluationStore, tmp_path: Path
) -> None:
    assert store.keys() == []
    for name in ("b", "a", ".tmp-1", ".damaged-a-1"):
        (tmp_path / "mlruns" / "evaluations" / name).mkdir(parents=True)
    assert store.keys() == ["a", "b"]


def test_folder_with_its_model_is_verified_with_it(store: EvaluationStore, tmp_path: Path) -> None:
    one, folder = specification(), tmp_path / "mlruns" / "evaluations"
    first, _ = store.put(one, scorecard(), ORIGIN)
    store.put(one, scorecard(model=b"model"), ORIGIN)
    beside = f"{one.key}.{first.result[:16]}-model"
    store.verify(beside)
    (folder / beside / "model.skops").write_bytes(b"other")
    store.verify(beside, full=False)  # its figures are right
    with pytest.raises(LostError, match=r"model\.skops is not what was written"):
        store.verify(beside)
    with pytest.raises(LostError, match=r"model\.skops"):
        store.find(one.key, first.result, with_model=True)
    assert store.find(one.key, first.result) is not None
    (folder / beside / "model.skops").unlink()
    with pytest.raises(LostError, match=r"model\.skops is not there"):
        store.verify(beside, full=False)


@pytest.mark.parametrize(
    ("name", "most"),
    [("digests.json", 1 << 16), ("evaluation.json", 1 << 28), ("predictions.npz", 1 << 32)],
)
def test_file_that_none_writes_so_large_is_not_read(
    store: EvaluationStore, tmp_path: Path, name: str, most: int
) -> None:
    key, folder, _ = forged(store, tmp_path)
    with (folder / name).open("wb") as file:
        file.truncate(most + 1)  # no bytes of it are on the disk
    with pytest.raises(LostError, match=rf"{name} has {most + 1:,} bytes, more than {most:,}$"):
        store.find(key)
