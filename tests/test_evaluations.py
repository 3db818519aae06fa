"""The store of evaluations: written whole, once, and read back as they were."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from jobs import make_job
from sweepmark.errors import StoreError
from sweepmark.scorecard import Predictions, Scorecard
from sweepmark.store import EvaluationStore, Origin

if TYPE_CHECKING:
    from pathlib import Path

    from sweepmark.specification import Specification

ORIGIN = Origin("sweep-1", 3, 10.0, 12.5)


def specification(**task: Any) -> Specification:
    return make_job(**task).specification


def scorecard(**changes: Any) -> Scorecard:
    y = np.array([0, 1, 1], dtype=np.int64)
    card = Scorecard(
        metrics={"accuracy": 1 / 3, "roc_auc": 0.1 + 0.2},
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
    return replace(card, **changes)


@pytest.fixture
def store(tmp_path: Path) -> EvaluationStore:
    return EvaluationStore(tmp_path / "mlruns" / "evaluations")


def test_evaluation_is_read_back_to_the_last_digit(store: EvaluationStore) -> None:
    one, card = specification(), scorecard(model=b"model")
    assert store.put(one, card, ORIGIN)
    found = store.scorecard(one.key)
    assert found.metrics.items() >= card.metrics.items()
    for name in ("classes", "n_train", "n_test", "fit_seconds", "warnings"):
        assert getattr(found, name) == getattr(card, name)
    for name in ("rows", "y_true", "y_pred", "scores"):
        array = getattr(found.predictions, name)
        np.testing.assert_array_equal(array, getattr(card.predictions, name))
    assert found.model is None
    assert store.model(one.key) == b"model"
    assert store.origin(one.key) == ORIGIN
    assert str(ORIGIN) == "sweep-1/3"


def test_what_is_not_there_has_no_origin_and_no_model(store: EvaluationStore) -> None:
    assert store.origin("0" * 64) is None
    assert store.model("0" * 64) is None
    with pytest.raises(StoreError, match=r"0000/predictions\.npz"):
        store.scorecard("0" * 64)


def test_first_one_written_stays(store: EvaluationStore) -> None:
    one = specification()
    assert store.put(one, scorecard(), ORIGIN)
    assert not store.put(one, scorecard(metrics={}), Origin("sweep-2", 0, 0.0, 0.0))
    assert store.scorecard(one.key).metrics.items() >= scorecard().metrics.items()
    assert store.origin(one.key) == ORIGIN


def test_model_that_is_lacking_is_added_and_never_replaced(store: EvaluationStore) -> None:
    one = specification()
    store.put(one, scorecard(), ORIGIN)
    assert store.origin(one.key) is not None
    assert store.origin(one.key, with_model=True) is None
    for content in (b"first", b"second"):
        assert not store.put(one, scorecard(model=content), ORIGIN)
        assert store.model(one.key) == b"first"
    assert store.origin(one.key, with_model=True) == ORIGIN


def test_nothing_is_left_beside_an_evaluation(store: EvaluationStore, tmp_path: Path) -> None:
    for _ in range(2):
        store.put(specification(), scorecard(model=b"x"), ORIGIN)
    folder = tmp_path / "mlruns" / "evaluations"
    assert [path.name for path in folder.iterdir()] == [specification().key]
    names = {path.name for path in (folder / specification().key).iterdir()}
    assert names == {"evaluation.json", "predictions.npz", "model.skops"}


def test_curves_are_read_back_with_what_was_no_number(store: EvaluationStore) -> None:
    one = specification()
    card = scorecard(curves={"train_loss": (0.5, float("nan"), 0.25)})
    assert store.put(one, card, ORIGIN)
    first, lost, last = store.scorecard(one.key).curves["train_loss"]
    assert (first, last) == (0.5, 0.25)
    assert math.isnan(lost)


@pytest.mark.parametrize(
    "curves", [[1], {"train_loss": []}, {"a": ["b"]}, {"a": [1e999]}, {"a": 1}]
)
def test_curves_that_cannot_be_are_damage(
    store: EvaluationStore, tmp_path: Path, curves: object
) -> None:
    one = specification()
    store.put(one, scorecard(), ORIGIN)
    path = tmp_path / "mlruns" / "evaluations" / one.key / "evaluation.json"
    kept = json.loads(path.read_text())
    kept["scorecard"]["curves"] = curves
    path.write_text(json.dumps(kept))
    with pytest.raises(StoreError, match="curves cannot be right"):
        store.scorecard(one.key)


def test_nan_among_the_metrics_is_left_out(store: EvaluationStore) -> None:
    store.put(specification(), scorecard(metrics={"a": float("nan"), "b": 1.0}), ORIGIN)
    assert store.scorecard(specification().key).metrics == {"b": 1.0}


@pytest.mark.parametrize("name", ["evaluation.json", "predictions.npz"])
@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"PK\x03\x04", b"\xff" * 200])
def test_damage_is_named_with_what_to_do(
    store: EvaluationStore, tmp_path: Path, name: str, content: bytes
) -> None:
    key = specification().key
    store.put(specification(), scorecard(), ORIGIN)
    folder = tmp_path / "mlruns" / "evaluations" / key
    (folder / name).write_bytes(content)
    with pytest.raises(StoreError, match=f"{name} is damaged") as error:
        store.scorecard(key)
    assert f"Remove {folder}; it is computed again" in str(error.value)


def test_lost_file_is_named(store: EvaluationStore, tmp_path: Path) -> None:
    key = specification().key
    store.put(specification(), scorecard(), ORIGIN)
    path = tmp_path / "mlruns" / "evaluations" / key / "predictions.npz"
    path.unlink()
    with pytest.raises(StoreError, match="No such file") as error:
        store.scorecard(key)
    assert str(path) in str(error.value)


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
    place = os.path.dirname(__file__)  # noqa: PTH120
    killed = {**os.environ, "SWEEPMARK_KILL_AT": "evaluation.written", "PYTHONPATH": place}
    done = subprocess.run([sys.executable, "-c", code], env=killed, check=False, timeout=120)
    assert done.returncode == -9
    assert store.origin(specification().key) is None
    assert store.put(specification(), scorecard(), ORIGIN)


def test_two_writers_at_once_leave_one_whole_evaluation(store: EvaluationStore) -> None:
    from concurrent.futures import ThreadPoolExecutor

    cards = [scorecard(n_train=n) for n in range(8)]
    with ThreadPoolExecutor(8) as pool:
        origins = [Origin("s", n, 0.0, 0.0) for n in range(8)]
        is_new = list(pool.map(store.put, [specification()] * 8, cards, origins))
    assert sum(is_new) == 1
    winner = is_new.index(True)
    assert store.scorecard(specification().key).n_train == winner
    assert store.origin(specification().key) == Origin("s", winner, 0.0, 0.0)
