"""What is wrong is said once, with the next step, before anything starts."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from program import Called, Program

WRONG = {
    "no verb": (
        [],
        ["a verb must be named", "run, sweep, plan, resume, compare, grade, report, predict"],
    ),
    "verb": (["rnu"], ["unknown verb 'rnu'", "Did you mean 'run'?"]),
    "data verb": (["data", "fecth"], ["unknown verb 'fecth'", "Did you mean 'fetch'?"]),
    "no data verb": (["data"], ["a verb must be named", "list, fetch, describe, show, export"]),
    "option": (["run", "--frehs"], ["unknown option '--frehs'", "Did you mean '--fresh'?"]),
    "abbreviated option": (["run", "--fre"], ["unknown option '--fre'", "--fresh"]),
    "option after words": (["grade", "x", "--jsn"], ["unknown option '--jsn'", "'--json'"]),
    "option's choice": (["run", "--cfg", "hydra"], ["unknown --cfg 'hydra'", "Options: job"]),
    "option's type": (["ui", "--port", "x"], ["--port", "'x'", "sweepmark ui --help"]),
    "way to shift": (
        ["data", "show", "digits", "-o", "x.png", "--shift", "north=5"],
        ["--shift", "left, right, up, down", "'north=5'"],
    ),
    "pixels to shift": (
        ["data", "show", "digits", "-o", "x.png", "--shift", "left"],
        ["number of pixels", "such as left=5", "'left'"],
    ),
    "option given twice": (
        ["--store", "a", "grade", "--store=b"],
        ["--store must be given once, but it was given 2 times"],
    ),
    "short option given twice": (
        ["data", "show", "digits", "-o", "x.png", "--output", "y.png"],
        ["-o/--output must be given once"],
    ),
    "option left out": (["data", "show", "digits"], ["-o/--output", "sweepmark data show --help"]),
    "no sweep": (["sweep"], ["a sweep must be named", "sweepmark sweep --list"]),
    "sweep": (["sweep", "svc_c_gama"], ["unknown sweep", "Did you mean 'svc_c_gamma'?"]),
    "nothing to plan": (["plan"], ["a sweep must be named", "sweepmark sweep --list"]),
    "sweep to plan": (["plan", "svc_c_gama"], ["unknown sweep", "Did you mean 'svc_c_gamma'?"]),
    "key of a plan": (["plan", "svc_tpe", "split.sise=3"], ["unknown key", "'split.size'"]),
    "sweep as run": (["run", "svc_tpe"], ["'svc_tpe'", "`sweepmark sweep svc_tpe`"]),
    "group": (["run", "clasifier=svc"], ["unknown key 'clasifier'", "'classifier'"]),
    "choice": (["run", "classifier=svn"], ["unknown classifier", "'svc'", "knn"]),
    "key": (["run", "split.sise=3"], ["unknown key", "Did you mean 'split.size'?"]),
    "parameter": (["run", "classifier.c=3"], ["unknown key", "classifier.C"]),
    "type": (["run", "split.size=abc"], ["split.size", "integer", "'abc'"]),
    "range": (["run", "split.train_ratio=1"], ["split.train_ratio", "less than 1"]),
    "no override": (["run", "dataset=digits", "knn"], ["key=value", "'knn'"]),
    "bracket": (["run", "classifier.C=[1,2"], ["key=value", "'classifier.C=[1,2'"]),
    "list of choices": (["run", "classifier=svc,knn"], ["one value", "sweepmark sweep"]),
    "hydra's own": (["run", "hydra.verbose=true"], ["Hydra itself", "--config-dir"]),
    "multirun": (["run", "-m", "classifier=svc,knn"], ["-m", "sweepmark sweep classifier=svc,knn"]),
    "multirun of a sweep": (["sweep", "svc_tpe", "--multirun"], ["-m", "sweepmark sweep svc_tpe"]),
    "config dir": (["run", "--config-dir", "nowhere"], ["--config-dir", "nowhere"]),
    "data set": (["data", "describe", "mnsit"], ["unknown dataset", "'mnist'"]),
    "nothing to resume": (["resume"], ["no sweep", "sweepmark sweep --list"]),
    "nothing to grade": (["grade"], ["no sweep", "sweepmark sweep --list"]),
    "nothing to show": (["ui"], ["no runs"]),
    "unknown sweep id": (["resume", "svc_tpe-2020"], ["no sweep 'svc_tpe-2020'"]),
    "accuracy": (["grade", "--accuracy", "95.7", "--n-test", "9"], ["[0, 1]", "95.7"]),
    "accuracy without rows": (["grade", "--accuracy", "0.957"], ["--n-test"]),
    "rows without accuracy": (["grade", "--n-test", "100"], ["--accuracy"]),
    "grade rule": (["grade", "--rule", "corse"], ["unknown grade", "'course'"]),
    "shell": (["completion", "tcsh"], ["unknown shell 'tcsh'", "bash", "fish", "zsh"]),
}


@pytest.mark.parametrize(("words", "fragments"), WRONG.values(), ids=WRONG.keys())
def test_wrong_usage(called: Called, words: list[str], fragments: list[str]) -> None:
    check_refusal(called, words, fragments)


WRONG_FOR_DATA = {
    "parameter's value": (["run", "classifier.C=-1"], ["'C' parameter of SVC", "-1"]),
    "size of a plan": (["plan", "svc_c_gamma", "split.size=99999"], ["split.size", "1797"]),
    "grid of a plan": (
        ["plan", "svc_c_gamma", "sweep.space.classifier.C={low:1,high:2}"],
        ["the grid sampler needs lists", "sampler=random"],
    ),
    "size": (["run", "split.size=99999"], ["split.size", "1797"]),
    "hostile target": (["run", "classifier._target_=joblib.load"], ["joblib.load", "--trust"]),
    "limit of no worker": (
        ["run", "engine=serial", "+engine.timeout=3"],
        ["engine.timeout", "engine=local"],
    ),
    "positive label": (
        ["run", "task=is_digit", "task.positive=11"],
        ["task.positive '11'", "0, 1, 2, 3, 4, 5, 6, 7, 8, 9"],
    ),
    "no positive label": (["run", "task=is_digit"], ["task.positive"]),
    "epochs of what has none": (
        ["run", "classifier=svc", "evaluation.epochs=2"],
        ["partial_fit", "SVC", "mlp", "sgd"],
    ),
    "threshold of ten classes": (
        ["run", "evaluation.threshold=0.5"],
        ["two classes", "has 10", "task=is_digit"],
    ),
    "rule of a threshold": (
        ["run", "task=is_digit", "task.positive=5", "evaluation.threshold=precision>0.9"],
        ["precision>=P", "'precision>0.9'"],
    ),
    "rule in every fold": (
        [
            "run",
            "task=is_digit",
            "task.positive=5",
            "evaluation=cv",
            "evaluation.threshold=recall>=1",
        ],
        ["evaluation=cv takes a number", "recall>=1"],
    ),
    "nothing held out": (
        ["run", "evaluation=validation", "evaluation.validation_fraction=0"],
        ["evaluation.validation_fraction", "greater than 0"],
    ),
    "range in a grid": (
        ["sweep", "svc_c_gamma", "sweep.space.classifier.C={low: 1, high: 9}"],
        ["classifier.C", "range", "sampler=random"],
    ),
    "no number of trials": (
        ["sweep", "svc_tpe", "sweep.n_trials=null"],
        ["sampler=tpe", "sweep.n_trials="],
    ),
    "nothing to learn from": (
        ["sweep", "svc_tpe", "sweep.objective=null"],
        ["sampler=tpe needs a metric", "sweep.objective=cv_accuracy"],
    ),
    "empty list": (
        ["sweep", "svc_c_gamma", "sweep.space.classifier.C=[]"],
        ["sweep.space.classifier.C", "empty"],
    ),
    "step twice in a chain": (
        ["run", "preprocess=[pca,scale]"],
        ["step 'scale'", "must stand once"],
    ),
    "picture that is none": (["run", "preprocess=hog", "preprocess.hog.orientations=0"], ["orie"]),
    "unknown path in the space": (
        ["sweep", "svc_c_gamma", "+sweep.space.classifier.gama=[1]"],
        ["classifier.gama", "'classifier.gamma'"],
    ),
    "one value of many": (
        ["sweep", "svc_c_gamma", "sweep.space.classifier.C=[1,x]"],
        ["'C'", "'x'", "found at classifier.C=x"],
    ),
    "objective that one option cannot have": (
        ["sweep", "classifiers", "sweep.objective=cv_log_loss"],
        [
            "sweep.objective=cv_log_loss needs probabilities (predict_proba)",
            "SGDClassifier",
            "dummy, hist_gradient_boosting, knn, logistic",
            "Set sweep.objective=cv_accuracy sweep.direction=null.",
            "(found at classifier=sgd)",
        ],
    ),
    "objective of two labels": (
        ["sweep", "classifiers", "sweep.objective=cv_f1"],
        ["two labels", "has 10", "Set sweep.objective=cv_f1_macro."],
    ),
    "group that is swept": (
        ["sweep", "classifiers", "classifier=svc"],
        ["'classifier=svc'", "sweep.space.classifier.option"],
    ),
}


@pytest.mark.parametrize(("words", "fragments"), WRONG_FOR_DATA.values(), ids=WRONG_FOR_DATA.keys())
def test_wrong_configuration(called: Called, words: list[str], fragments: list[str]) -> None:
    check_refusal(called, [*words, "dataset=digits"], fragments)


@pytest.mark.skipif(importlib.util.find_spec("torch") is not None, reason="PyTorch is installed")
def test_sampler_that_is_not_installed(called: Called) -> None:
    words = ["sweep", "svc_tpe", "sampler=gp", "dataset=digits"]
    check_refusal(called, words, ["needs PyTorch", "pip install 'sweepmark[gp]'", "sampler=tpe"])


def test_store_that_cannot_be(called: Called) -> None:
    (called.folder / "file").write_text("")
    store = called.folder / "file" / "store"
    words = ["run", "dataset=digits", "--store", str(store)]
    check_refusal(called, words, [str(store), "--store"], left=["file"])


def check_refusal(
    program: Program, words: list[str], fragments: list[str], left: list[str] | None = None
) -> None:
    refused = program.run(*words, code=2)
    assert refused.out == ""
    assert refused.err.startswith("error: ")
    assert refused.err.count("error: ") == 1
    assert "Traceback" not in refused.err
    assert "Warning" not in refused.err
    for fragment in fragments:
        assert fragment in refused.err
    assert program.left() == (left or [])


def test_json_of_what_fails_is_no_document(program: Program) -> None:
    check_refusal(program, ["run", "classifier=svn", "--json"], ["'svc'"])
