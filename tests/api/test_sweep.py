"""A sweep from Python: the command's own trials, as a frame, with grade and warnings."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sklearn.svm import SVC

import sweepmark
from sweepmark import errors
from sweepmark.coordinator.progress import create_progress

if TYPE_CHECKING:
    from program import Called, Program

WORDS = (
    *("dataset=digits", "grade=course", "tracking=none", "split.size=300", "evaluation.n_splits=3"),
    *("sweep.space.classifier.C=[1,10]", "sweep.space.classifier.gamma=[0.001,0.01,0.02]"),
)
RNG = np.random.default_rng(1)
X = RNG.normal(size=(150, 4))
Y = np.where(X[:, 0] + X[:, 1] > 0, "<script>alert(1)</script>", "0\x1b[31m&\n")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, digits_cache: Path) -> Path:
    """A store with a sweep of six trials and a run, not to be written to."""
    folder = tmp_path_factory.mktemp("store") / "mlruns"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SWEEPMARK_CACHE", str(digits_cache))
        sweepmark.sweep("svc_c_gamma", *WORDS, store=folder, progress=False)
        sweepmark.evaluate(
            "tracking=none",
            "engine=serial",
            "classifier=svc",
            dataset=(X, Y),
            store=folder,
            progress=False,
        )
    return folder


@pytest.fixture
def found(store: Path, folder: Path) -> sweepmark.Sweep:
    shutil.copytree(store, folder / "mlruns")
    return next(iter(sweepmark.open().sweeps().values()))


def test_it_is_what_the_command_computes(found: sweepmark.Sweep, called: Called) -> None:
    document = called.run("sweep", "svc_c_gamma", *WORDS, "--json").document
    assert document["n_reused"] == 6
    for trial in document["trials"]:
        row = found.trials.loc[trial["number"]]
        assert {name: row[name] for name in trial["metrics"]} == trial["metrics"]
        assert {name: row[name] for name in trial["params"]} == trial["params"]
    assert found.best is not None
    assert found.best.params == document["best"]["params"]
    assert dict(found.test_metrics) == document["best"]["test_metrics"]
    assert found.grade().points == document["grade"]["points"]
    assert [vars_of(each) for each in found.warnings] == document["warnings"]
    assert "edge" in {each.kind for each in found.warnings}


def vars_of(caution: Any) -> dict[str, str]:
    return {"kind": caution.kind, "message": caution.message}


def test_its_trials_are_a_frame(found: sweepmark.Sweep) -> None:
    trials = found.trials
    assert trials.index.name == "trial"
    assert trials.index.tolist() == list(range(6))
    assert trials["status"].unique().tolist() == ["complete"]
    assert found.best is not None
    assert trials.sort_values("cv_accuracy", kind="stable").index[-1] in {
        found.best.number,
        5,
        4,
        3,
    }
    assert trials["cv_accuracy"].max() == found.best.metrics["cv_accuracy"]
    assert list(trials.columns[:6]) == [
        *("status", "reason", "classifier.C", "classifier.gamma", "n_train", "n_test"),
    ]


def test_a_grade_by_another_rule_needs_its_metric(found: sweepmark.Sweep, folder: Path) -> None:
    rules = folder / "mine" / "grade"
    rules.mkdir(parents=True)
    (rules / "mild.yaml").write_text("name: mild\nbands:\n  - {minimum: 0.5, points: 7}\n")
    (rules / "odd.yaml").write_text(
        "name: odd\nmetric: log_loss\nbands:\n  - {minimum: 5, points: 7}\n"
    )
    assert found.grade("mild", config_dir="mine").points == 7
    with pytest.raises(errors.ConfigurationError):
        found.grade("odd", config_dir=["mine"])
    with pytest.raises(errors.ConfigurationError, match="unknown grade 'none_such'"):
        found.grade("none_such")


def test_a_sweep_of_an_estimator_and_arrays_goes_on_from_the_command_line(
    folder: Path, program: Program
) -> None:
    """What is journalled names both, so that nothing of the Python program is needed."""
    found = sweepmark.sweep(
        "svc_c_gamma",
        "tracking=none",
        {"sweep": {"space": {"classifier": {"C": [1, 3], "gamma": [0.1]}}}},
        classifier=SVC(),
        dataset=(X, Y),
        progress=False,
    )
    (lost, *_) = found.scorecard(0).keys
    shutil.rmtree(folder / "mlruns" / "evaluations" / lost)
    again = program.run("resume", "--json").document
    assert again["sweep_id"] == found.id
    assert again["trials"][0]["metrics"] == dict(found.result.trials[0].metrics)
    assert program.run("compare", f"{found.id}/1").out
    resumed = sweepmark.resume(progress=False)
    assert resumed.id == found.id


def test_arrays_that_left_the_cache_are_asked_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    data = sweepmark.load_dataset((X, Y), name="mine")
    monkeypatch.setenv("SWEEPMARK_CACHE", str(tmp_path / "other"))
    named = {"name": "mine", "format": "cache", "digest": data.digest}
    with pytest.raises(errors.FetchError, match="Give the same arrays again"):
        sweepmark.evaluate(dataset=named, progress=False)
    assert not list(folder.iterdir())


def test_the_command_line_takes_arrays_by_their_digest(folder: Path, called: Called) -> None:
    card = sweepmark.evaluate(
        "tracking=none", "engine=serial", dataset=(X, Y), classifier="svc", progress=False
    )
    assert folder.is_dir()
    digest = sweepmark.load_dataset((X, Y)).digest
    word = f"dataset={{name:arrays,format:cache,digest:{digest}}}"
    words = ("engine=serial", "tracking=none", "preprocess=none", word)
    document = called.run("run", *words, "--json").document
    assert document["trials"][0]["metrics"] == dict(card.metrics)
    assert document["n_reused"] == 1


def test_what_is_shown_of_it_is_escaped(found: sweepmark.Sweep) -> None:
    run = sweepmark.open().scorecard()
    assert run.labels == tuple(np.unique(Y))
    shown = [run._repr_html_(), found._repr_html_(), found.scorecard(0)._repr_html_()]
    for page in shown:
        assert "<script" not in page
        assert "\x1b" not in page
        tags = set(re.findall(r"</?(\w+)", page.replace("br>", "")))
        assert tags <= {"div", "style", "table", "thead", "tbody", "tr", "th", "td", "b", "span"}
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown[0]
    zeros = sweepmark.evaluate(
        *("tracking=none", "engine=serial", "task.positive='0\x1b[31m&\n'", "classifier=svc"),
        dataset=(X, Y),
        progress=False,
    )
    assert r"0\x1b[31m&amp;\n" in zeros._repr_html_()


def test_a_page_has_table_grade_and_warnings(found: sweepmark.Sweep) -> None:
    page, text = found._repr_html_(), repr(found)
    assert page.count("<tr") == 7
    assert page.count('class="lead"') == 1
    for said in ("points (", "95 % interval", "edge of the grid", "cv_accuracy", found.id):
        assert said in page
        assert said in text


@pytest.mark.usefixtures("found")
def test_a_store_lists_what_it_has() -> None:
    opened = sweepmark.open("mlruns")
    ((sweep_id, swept),) = opened.sweeps().items()
    ((run_id, card),) = opened.runs().items()
    assert swept.id == sweep_id
    assert swept.id.startswith("svc_c_gamma-")
    assert card.id == run_id
    assert len(opened.evaluations()) == 6 * 3 + 1 + 1
    (key,) = card.keys
    assert opened.evaluations()[key].metrics == card.metrics
    assert opened.sweep(sweep_id[:20]).id == sweep_id
    assert opened.scorecard().id == run_id
    assert opened.scorecard(f"{sweep_id}/2").metrics == swept.result.trials[2].metrics
    assert sweep_id in repr(opened.sweeps())
    with pytest.raises(KeyError):
        opened.sweeps()[run_id]
    with pytest.raises(errors.NotFoundError):
        opened.sweep("none")
    with pytest.raises(errors.NotFoundError, match="there is no store at"):
        sweepmark.open("elsewhere")


def test_a_store_is_read_without_being_written_to(found: sweepmark.Sweep, folder: Path) -> None:
    root = folder / "mlruns"
    places = [root, *root.rglob("*")]
    before = {path: path.stat().st_mtime_ns for path in places}
    for path in places:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        opened = sweepmark.open()
        assert len(opened.sweep(found.id).trials) == 6
        assert all(each.metrics for each in opened.evaluations().values())
        assert opened.scorecard(found.id).model().predict(np.zeros((1, 64))).shape == (1,)
    finally:
        for path in places:
            path.chmod(0o755 if path.is_dir() else 0o644)
    if os.geteuid() == 0:  # who may write anywhere
        return
    assert {path: path.stat().st_mtime_ns for path in [root, *root.rglob("*")]} == before


def test_a_trial_that_is_not_there_is_refused(found: sweepmark.Sweep) -> None:
    with pytest.raises(errors.NotFoundError, match="no finished trial 17"):
        found.scorecard(17)
    with pytest.raises(errors.NotFoundError, match="no model was kept"):
        found.scorecard(0).model()


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("name", ["svc_c_gama", "run"])
def test_unknown_sweeps_are_refused(name: str) -> None:
    with pytest.raises(errors.ConfigurationError, match=f"unknown sweep '{name}'"):
        sweepmark.sweep(name, progress=False)
    assert not Path("mlruns").exists()


def test_progress_can_be_left_out(capfd: pytest.CaptureFixture[str]) -> None:
    begun: list[str] = []
    create_progress(begun.append, shown=False).say("a line")
    create_progress(begun.append).say("a\x1bline")
    assert capfd.readouterr().err == "a\\x1bline\n"
