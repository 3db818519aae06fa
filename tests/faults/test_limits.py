"""Rows 18 to 21: endless fits, hungry trials, clocks that jump, and scores that are no number."""

from __future__ import annotations

import math
import socket
from contextlib import closing
from pathlib import Path

import pytest

from base_case import TRUST, BaseCase, Reference, assert_good

ENDLESS = """\
# Four fits, of which one never ends
defaults:
  - override /dataset: digits
  - override /preprocess: pca
  - override /classifier: svc
  - override /sampler: grid
sweep:
  space:
    classifier:
      C: [0.1, 1, 1.0e10, 10]
preprocess:
  pca:
    n_components: 2
classifier:
  kernel: linear
split:
  size: 1000
"""
HUNGRY = """\
# Some trials take memory
defaults:
  - override /dataset: digits
  - override /classifier: hungry
  - override /sampler: grid
sweep:
  space:
    classifier:
      megabytes: [0, 1, 1500, 2]
"""
HUNGRY_CLASSIFIER = "_target_: estimators.HungryClassifier\nmegabytes: 0\nrandom_state: null\n"
LOST = """\
# Scores that are no number
defaults:
  - override /dataset: digits
  - override /classifier: lost
  - override /evaluation: cv
  - override /sampler: grid
sweep:
  space:
    classifier:
      lost: [false, true]
  objective: cv_roc_auc
"""
LOST_CLASSIFIER = "_target_: estimators.NanSVC\nlost: false\nrandom_state: null\n"


def write(case: BaseCase, **files: str) -> Path:
    """Write further configurations for one test, named ``group__option``."""
    folder = case.program.folder.parent / "more"
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


# Row 18


@pytest.mark.row(18, "an endless fit, limited to 5 s")
def test_endless_fit(case: BaseCase) -> None:
    folder = write(case, sweeps__endless=ENDLESS)
    words = ("sweep", "endless", "--config-dir", folder, "engine.workers=2", "--json")
    document = case.run(*words, "+engine.timeout=5", code=1).document
    assert document["state"] == "complete"
    outcomes = [(trial["status"], trial["reason"]) for trial in document["trials"]]
    done = ("complete", None)
    assert outcomes == [done, done, ("failed", "timeout"), done]
    (failed,) = [entry for entry in case.entries("outcome") if entry["status"] == "failed"]
    assert 5 <= failed["ended"] - failed["started"] < 7
    assert failed["attempts"] == 1
    statuses = sorted(run.info.status for run in case.runs()[1])
    assert statuses == ["FAILED", "FINISHED", "FINISHED", "FINISHED"]


# Row 19


@pytest.mark.row(19, "a trial that allocates beyond its cap")
def test_hungry_trial(case: BaseCase) -> None:
    folder = write(case, sweeps__hungry=HUNGRY, classifier__hungry=HUNGRY_CLASSIFIER)
    words = ("sweep", "hungry", "--config-dir", folder, *TRUST, "engine.workers=2", "--json")
    document = case.run(*words, "engine.memory=1", code=1).document
    assert document["state"] == "complete"
    statuses = [(trial["status"], trial["reason"]) for trial in document["trials"]]
    assert statuses == [
        *(("complete", None), ("complete", None), ("failed", "memory"), ("complete", None))
    ]
    attempts = [entry for entry in case.entries("evaluation") if entry["reason"] is not None]
    assert [entry["reason"] for entry in attempts] == ["memory", "memory"]


# Row 20


def fake_time() -> Path:
    """Return libfaketime, or skip."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not found:
        pytest.skip("libfaketime is not installed (Debian's package faketime)")
    return found[0]


@pytest.mark.row(20, "the system's clock one hour forward, or back, in mid-sweep")
@pytest.mark.parametrize("hours", [pytest.param("+1h", marks=pytest.mark.full), "-1h"])
def test_clock_in_flight(case: BaseCase, reference: Reference, tmp_path: Path, hours: str) -> None:
    offset = tmp_path / "offset"
    offset.write_text("+0\n")
    case.workers, case.seconds = case.workers or 1, 0.1
    case.options = ("+engine.timeout=30",)
    case.environment = {
        "LD_PRELOAD": str(fake_time()),
        "FAKETIME_TIMESTAMP_FILE": str(offset),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    running = case.start()
    running.until(lambda err: "[5/25]" in err)
    offset.write_text(f"{hours}\n")
    finished = running.end()
    assert finished.code == 0, finished.err
    assert_good(case, reference)
    check_durations(case)


@pytest.mark.row(20, "the clock one hour back, and another time zone, at resume")
def test_clock_at_resume(case: BaseCase, reference: Reference) -> None:
    case.environment = {
        "LD_PRELOAD": str(fake_time()),
        "FAKETIME": "+1h",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "TZ": "Asia/Tokyo",
    }
    case.kill_at("journal.outcome:10")
    case.environment = {"TZ": "America/New_York"}
    case.finish(*case.resume_words)
    assert_good(case, reference)
    check_durations(case)
    parent, _ = case.runs()
    assert parent.info.end_time - parent.info.start_time < 600_000


def check_durations(case: BaseCase) -> None:
    """No trial may seem to have taken an hour, nor less than nothing."""
    for entry in case.entries("outcome"):
        assert 0 <= entry["ended"] - entry["started"] < 600
    for run in case.runs()[1]:
        assert 0 <= run.info.end_time - run.info.start_time < 600_000


# Row 21


@pytest.mark.row(21, "the UI's port taken")
def test_port_taken(case: BaseCase) -> None:
    case.run("run", "dataset=digits", "classifier=dummy", "engine=serial", "split.size=200")
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
        running = case.start("ui", "--port", port)
        try:
            running.until(lambda err: f"{port + 1}" in err + output(running))
        finally:
            running.process.terminate()
            running.end()
    case.wait_for_the_dead(seconds=10)


def output(running: object) -> str:
    return Path(running._folder / "out").read_text(encoding="utf-8")  # type: ignore[attr-defined]  # noqa: SLF001


@pytest.mark.row(21, "a NaN score")
def test_nan(case: BaseCase) -> None:
    folder = write(case, sweeps__lost=LOST, classifier__lost=LOST_CLASSIFIER)
    words = ("sweep", "lost", "--config-dir", folder, *TRUST, "split.size=300", "--json")
    document = case.run(*words, "engine.workers=2", code=1).document
    kept, lost = document["trials"]
    assert (kept["status"], lost["status"], lost["reason"]) == ("complete", "failed", "nan")
    assert document["best"]["number"] == kept["number"]
    assert math.isfinite(document["best"]["metrics"]["cv_roc_auc"])
    assert lost["metrics"].get("cv_roc_auc") is None
