"""Commands that compute one trial by itself: composed again, they ask for that trial only."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import pytest

from sweepmark.config import Composer, Folders
from sweepmark.report.remedy import lone_command
from sweepmark.search.blueprint import Blueprint
from tiny import write_sweep

if TYPE_CHECKING:
    from pathlib import Path

WHICH = """\
# Which classifier?
defaults:
  - override /evaluation: cv
  - override /sampler: random
sweep:
  space:
    seed: [1, 2]
    classifier:
      option:
        svc: {C: {low: 0.1, high: 10, log: true}, kernel: [rbf, null]}
        dummy: {}
  objective: cv_accuracy
  n_trials: 4
"""


def compose(words: list[str], folder: Path | None = None) -> Blueprint:
    verb, *rest = words
    with Composer(Folders.of([folder] if folder else [])) as composer:
        name = rest.pop(0) if verb == "sweep" else None
        return Blueprint.compose(composer, name, rest)


@pytest.mark.parametrize(
    ("words", "params"),
    [
        (["sweep", "svc_c_gamma", "dataset=digits"], {"classifier.C": 0.1, "classifier.gamma": 1}),
        (
            ["sweep", "svc_tpe", "sampler.lag=2", "sweep.n_trials=7"],
            {"classifier.C": 0.125, "classifier.gamma": 1e-05},
        ),
        (["sweep", "svc_tpe", "sampler=random", "sweep.space.classifier.C=[1,2]"], None),
        (["sweep", "classifiers", "seed=4"], {"classifier": "knn"}),
        (
            ["sweep", "which"],
            {
                "seed": 2,
                "classifier": "svc",
                "classifier.svc.C": 0.5,
                "classifier.svc.kernel": "rbf",
            },
        ),
        (["sweep", "which"], {"seed": 1, "classifier": "dummy"}),
    ],
)
def test_a_trial_of_a_sweep(
    words: list[str], params: dict[str, Any] | None, tmp_path: Path
) -> None:
    folder = write_sweep(tmp_path, "which", WHICH)
    blueprint = compose(words, folder)
    params = params or {"classifier.C": 2, "classifier.gamma": 0.5}
    program, *typed = shlex.split(lone_command(blueprint, params))
    assert program == "sweepmark"
    *typed, option, own = typed
    assert (option, own) == ("--config-dir", str(folder))
    alone = compose(typed, folder)
    assert list(alone.space.cells()) == [params]
    assert alone.config.sampler.name == "grid"
    assert alone.sweep.n_trials is None
    wanted, found = (each.tree_at(params) for each in (blueprint, alone))
    for tree in (wanted, found):
        tree["sampler"] = None
    assert found == wanted


@pytest.mark.parametrize(
    ("overrides", "kept"),
    [
        (["classifier=knn", "evaluation=cv", "evaluation.n_splits=3"], ["classifier=knn"]),
        (["evaluation=test", "split.size=null"], ["evaluation=test", "split.size=null"]),
    ],
)
def test_a_single_run(overrides: list[str], kept: list[str]) -> None:
    command = lone_command(compose(["run", "dataset=digits", *overrides]), {})
    assert shlex.split(command) == ["sweepmark", "run", "dataset=digits", *kept]


def test_an_experiment_that_cross_validates_is_scored_on_the_test_part() -> None:
    asked = compose(["run", "experiment=detector_sgd", "split.size=500"])
    words = shlex.split(lone_command(asked, {}))[1:]
    assert compose(words).config.evaluation.method == "test"
    assert compose(words).config.split.size == 500


def test_an_experiment_of_a_sweep_is_run_by_itself() -> None:
    asked = compose(["sweep", "reference", "seed=3"])
    words = shlex.split(lone_command(asked, {"experiment": "detector_sgd"}))[1:]
    found = compose(words)
    assert (found.is_run, found.config.evaluation.method, found.config.seed) == (True, "test", 3)
    assert found.config.experiment is not None
    assert found.config.experiment.name == "detector_sgd"


def test_folds_on_which_a_threshold_is_chosen_stay() -> None:
    rule = "evaluation.threshold=precision>=0.9"
    words = ["run", "dataset=digits", "task=is_digit", "task.positive=5", "classifier=sgd"]
    asked = compose([*words, "evaluation=validation", "evaluation.n_splits=3", rule])
    found = compose(shlex.split(lone_command(asked, {}))[1:])
    assert (found.config.evaluation.method, found.config.evaluation.n_splits) == ("test", 3)
