"""The metrics of stored evaluations: kept beside them, and never believed."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from jobs import make_job
from sweepmark.scores import measurement, metrics
from sweepmark.scores.metrics import Metric
from sweepmark.scores.scorecard import Predictions, Scorecard
from sweepmark.store import EvaluationStore, Origin
from sweepmark.store.metrics import StoredMetrics

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SPECIFICATION = make_job().specification
KEY, ORIGIN = SPECIFICATION.key, Origin("sweep-1", 3, 10.0, 12.5)
SCORED = Predictions(
    rows=np.array([5, 2, 9]),
    y_true=np.array([0, 1, 1]),
    y_pred=np.array([1, 1, 0]),
    scores=np.array([0.1, -1e-300, 2.0]),
)
RECORDED = {"log_loss": 0.1 + 0.2}


def scorecard(predictions: Predictions = SCORED) -> Scorecard:
    return Scorecard(
        metrics=measurement.measure(predictions, (0, 1)) | RECORDED,
        recorded=RECORDED,
        classes=(0, 1),
        predictions=predictions,
        n_train=7,
        n_test=3,
        fit_seconds=0.25,
        predict_seconds=0.125,
    )


@pytest.fixture
def store(tmp_path: Path) -> EvaluationStore:
    return EvaluationStore(tmp_path / "mlruns" / "evaluations")


@pytest.fixture
def kept(store: EvaluationStore, tmp_path: Path) -> Path:
    store.put(SPECIFICATION, scorecard(), ORIGIN)
    return tmp_path / "mlruns" / "metrics" / f"{KEY}.json"


def result(store: EvaluationStore) -> str:
    found = store.find(KEY)
    assert found is not None
    return found.result


def test_metrics_lie_beside_evaluations_and_not_in_them(
    store: EvaluationStore, kept: Path, tmp_path: Path
) -> None:
    document = json.loads(
        (tmp_path / "mlruns" / "evaluations" / KEY / "evaluation.json").read_text()
    )
    assert "metrics" not in document["scorecard"]
    derived = json.loads(kept.read_text())["metrics"]
    assert derived == measurement.measure(SCORED, (0, 1))
    assert store.scorecard(KEY).metrics == derived | RECORDED
    assert [path.name for path in kept.parent.iterdir()] == [kept.name]


def test_kept_metrics_are_not_computed_again(
    store: EvaluationStore, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected, before = dict(store.scorecard(KEY).metrics), kept.stat()
    monkeypatch.delattr("sweepmark.store.metrics.measure")
    assert store.scorecard(KEY).metrics == expected
    assert kept.stat() == before


def test_a_metric_added_to_the_table_is_there_when_an_old_store_is_read(
    store: EvaluationStore, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluations = {path: path.read_bytes() for path in kept.parents[1].glob("evaluations/*/*")}
    before = dict(store.scorecard(KEY).metrics)
    table = (*metrics.METRICS, Metric("n_rows", None, lambda each: float(len(each.labels[0]))))
    monkeypatch.setattr(measurement, "METRICS", table)
    monkeypatch.setattr("sweepmark.store.metrics.version", lambda: "another")
    assert store.scorecard(KEY).metrics == before | {"n_rows": 3.0}
    assert json.loads(kept.read_text())["metrics"]["n_rows"] == 3.0
    assert {path: path.read_bytes() for path in evaluations} == evaluations


def test_version_is_that_of_the_code_that_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = set()
    for changed in (None, "metrics.py", "measurement.py", "metric_names.py", "scored.py"):

        def read(package: str, name: str, changed: str | None = changed) -> bytes:
            return f"{package} {name} {name == changed}".encode()

        monkeypatch.setattr("pkgutil.get_data", read)
        versions.add(measurement.version.__wrapped__())
    assert len(versions) == 5


def rewrite(change: Callable[[dict[str, Any]], object]) -> Callable[[Path, str], None]:
    def spoil(path: Path, _: str) -> None:
        document = json.loads(path.read_text())
        change(document)
        path.write_text(json.dumps(document))

    return spoil


def forge(**changed: float) -> Callable[[Path, str], None]:
    """Return what changes metrics and their digest too."""

    def spoil(path: Path, of: str) -> None:
        found = json.loads(path.read_text())["metrics"] | changed
        digest = StoredMetrics(path)._digest(of, found)  # noqa: SLF001 -- as a forger would
        path.write_text(json.dumps({"digest": digest, "metrics": found}))

    return spoil


def link(path: Path, _: str) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to(path.with_name("elsewhere"))


def link_folder(path: Path, _: str) -> None:
    path.parent.rename(path.parent.with_name("elsewhere"))
    path.parent.symlink_to(path.parent.with_name("elsewhere"))


def pipe(path: Path, _: str) -> None:
    path.unlink()
    os.mkfifo(path)


SPOILT: dict[str, Callable[[Path, str], object]] = {
    "gone": lambda path, _: path.unlink(),
    "empty": lambda path, _: path.write_bytes(b""),
    "no JSON": lambda path, _: path.write_bytes(b"\xff{"),
    "nested": lambda path, _: path.write_bytes(b"[" * 9999),
    "a list": lambda path, _: path.write_bytes(b"[]"),
    "edited": rewrite(lambda document: document["metrics"].update(f1=0.99)),
    "text": rewrite(lambda document: document["metrics"].update(f1="0.99")),
    "NaN": rewrite(lambda document: document["metrics"].update(f1=float("nan"))),
    "true": rewrite(lambda document: document["metrics"].update(f1=True)),
    "huge": rewrite(lambda document: document["metrics"].update(f1=10**400)),
    "more": rewrite(lambda document: document.update(more=1)),
    "of another result": lambda path, _: forge()(path, "0" * 64),
    "forged accuracy": forge(accuracy=1.0),
    "a link": link,
    "a link of a folder": link_folder,
    "a pipe": pipe,
}


@pytest.mark.parametrize("how", SPOILT)
def test_what_is_not_of_these_predictions_is_computed_anew(
    store: EvaluationStore, kept: Path, how: str
) -> None:
    expected = store.scorecard(KEY).metrics
    SPOILT[how](kept, result(store))
    assert store.scorecard(KEY).metrics == expected


@pytest.mark.parametrize("how", ["edited", "of another result", "a link"])
def test_what_was_computed_anew_is_kept(store: EvaluationStore, kept: Path, how: str) -> None:
    before = kept.read_bytes()
    SPOILT[how](kept, result(store))
    store.scorecard(KEY)
    assert not kept.is_symlink()
    assert kept.read_bytes() == before


@pytest.mark.parametrize("where", ["metrics", "no folder"])
def test_metrics_that_cannot_be_kept_are_computed_in_memory(
    store: EvaluationStore, kept: Path, where: str
) -> None:
    expected = store.scorecard(KEY).metrics
    kept.unlink()
    kept.parent.rmdir()
    if where == "no folder":
        kept.parent.write_text("a file")
    else:
        kept.parent.parent.chmod(0o500)
    try:
        assert store.scorecard(KEY).metrics == expected
    finally:
        kept.parent.parent.chmod(0o700)


def test_another_result_of_an_evaluation_has_its_own(store: EvaluationStore, kept: Path) -> None:
    wrong = replace(SCORED, y_pred=SCORED.y_true)
    second, _ = store.put(SPECIFICATION, scorecard(wrong), ORIGIN)
    assert store.scorecard(KEY).metrics["accuracy"] == 1 / 3
    assert store.scorecard(KEY, second.result).metrics["accuracy"] == 1.0
    names = {kept.name, f"{KEY}.{second.result[:16]}.json"}
    assert {path.name for path in kept.parent.iterdir()} == names


def test_writers_at_once_leave_whole_metrics(store: EvaluationStore, kept: Path) -> None:
    expected = store.scorecard(KEY).metrics

    def read(_: int) -> dict[str, float]:
        kept.unlink(missing_ok=True)
        return dict(store.scorecard(KEY).metrics)

    with ThreadPoolExecutor(8) as pool:
        assert all(found == expected for found in pool.map(read, range(40)))
    assert store.scorecard(KEY).metrics == expected
    assert [path.name for path in kept.parent.iterdir()] == [kept.name]
