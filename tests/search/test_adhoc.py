"""Ad-hoc sweeps: Hydra's sweep syntax on the command line gives the space."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import pytest

from sweepmark.config import Composer, Folders
from sweepmark.errors import ConfigurationError
from sweepmark.report.remedy import lone_command
from sweepmark.search.adhoc import AD_HOC, is_named
from sweepmark.search.blueprint import Blueprint
from sweepmark.search.space import Choice, Options, Range

if TYPE_CHECKING:
    from program import Called


def compose(*words: str) -> Blueprint:
    first, *others = words
    name, overrides = (first, others) if is_named(first) else (AD_HOC, words)
    with Composer(Folders()) as composer:
        return Blueprint.compose(composer, name, overrides)


@pytest.mark.parametrize(
    ("words", "axes"),
    [
        (["classifier=knn", "classifier.n_neighbors=1,3,5"], {"classifier.n_neighbors": (1, 3, 5)}),
        (["classifier.C=choice(1,10)"], {"classifier.C": (1.0, 10.0)}),
        (["seed=range(1,8,3)"], {"seed": (1, 4, 7)}),
        (["classifier.C=range(0.5,2,0.5)"], {"classifier.C": (0.5, 1.0, 1.5)}),
        (["classifier.C=sort(10,1)"], {"classifier.C": (1.0, 10.0)}),
        (["classifier.gamma=scale,0.1"], {"classifier.gamma": ("scale", 0.1)}),
        (["classifier.kernel='rbf','a, b'"], {"classifier.kernel": ("rbf", "a, b")}),
        (
            ["classifier.class_weight=null,balanced"],
            {"classifier.class_weight": (None, "balanced")},
        ),
        (["classifier.C=interval(0.1,10)"], {"classifier.C": (0.1, 10.0, False)}),
        (["classifier.C=tag(log,interval(0.1,10))"], {"classifier.C": (0.1, 10.0, True)}),
        (
            ["classifier=knn", "classifier.n_neighbors=int(interval(1,20))"],
            {"classifier.n_neighbors": (1, 20, False)},
        ),
        (["classifier=knn,svc"], {"classifier": ("knn", "svc")}),
        (["classifier=glob(svc*)"], {"classifier": ("svc", "svc_libsvm")}),
        (
            ["preprocess=choice([deskew,scale],[scale])"],
            {"preprocess": ("[deskew,scale]", "[scale]")},
        ),
        (
            ["classifier.kernel=rbf,linear", "dataset=digits,mnist"],
            {"classifier.kernel": ("rbf", "linear"), "dataset": ("digits", "mnist")},
        ),
        (
            ["svc_c_gamma", "classifier.C=1,10", "classifier.gamma=0.1,1"],
            {"classifier.C": (1.0, 10.0), "classifier.gamma": (0.1, 1.0)},
        ),
    ],
)
def test_values_become_the_space(words: list[str], axes: dict[str, tuple[Any, ...]]) -> None:
    found: dict[str, tuple[Any, ...]] = {}
    for axis in compose(*words).space.axes:
        match axis:
            case Choice():
                found[axis.name] = axis.values
            case Range():
                found[axis.name] = (axis.low, axis.high, axis.log)
            case Options():
                found[axis.name] = tuple(axis.options)
    assert found == axes
    assert repr(found) == repr(axes)  # 1 and 1.0 are two values


@pytest.mark.parametrize(
    ("words", "objective", "sampler", "n_trials"),
    [
        (["classifier.C=1,10"], "cv_accuracy", "grid", None),
        (["classifier.C=1,10", "evaluation=validation"], "validation_accuracy", "grid", None),
        (["split.size=1000,2000", "evaluation=test"], None, "grid", None),
        (["split.size=1000,2000", "evaluation={method:test}"], None, "grid", None),
        (["classifier.C=1,10", "sweep.objective=cv_f1_macro"], "cv_f1_macro", "grid", None),
        (["classifier.C=interval(1,10)"], "cv_accuracy", "tpe", 30),
        (["classifier.C=interval(1,10)", "sweep.n_trials=7"], "cv_accuracy", "tpe", 7),
        (
            ["classifier.C=interval(1,10)", "sampler=random", "sweep.n_trials=5"],
            "cv_accuracy",
            "random",
            5,
        ),
    ],
)
def test_what_selects_follows_from_the_evaluation_and_what_samples_from_the_values(
    words: list[str], objective: str | None, sampler: str, n_trials: int | None
) -> None:
    blueprint = compose(*words)
    assert blueprint.sweep.objective == objective
    assert blueprint.config.sampler.name == sampler
    assert blueprint.sweep.n_trials == n_trials


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["classifier=knn"], "Give one several values, such as classifier.C=1,10"),
        (["classifier.C=shuffle(1,10)"], "sampler=random draws at random"),
        (["seed=glob(*)"], "Groups: classifier, dataset"),
        (["classifier=glob(x*)"], "must give 1 to 10,000 values"),
        (["seed=range(0,1000000000)"], "must give 1 to 10,000 values"),
        (["seed=range(1,8,0)"], "a step that is not 0, but got 'seed=range"),
        (["classifier.C=range(0.1,1,0)"], "a step that is not 0"),
        (["classifier.C=range(nan,1)"], "must be of finite numbers"),
        (["classifier.D=1,10"], "Did you mean 'classifier.C'"),
        (["classifier.C=1,1"], "must list each value once"),
        (["classifier=knn,nosuch"], "unknown classifier 'nosuch'"),
        (["classifier.C=interval(10,1)"], "low < high must hold"),
        (["classifier=svc", "classifier=knn,svc"], "would be lost"),
    ],
)
def test_what_has_no_meaning_is_refused(words: list[str], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message.replace("(", r"\(").replace("*", r"\*")):
        compose(*words)


@pytest.mark.parametrize(
    "words",
    [
        ["classifier=knn", "classifier.n_neighbors=1,3,5"],
        ["classifier=knn,svc", "split.size=400,800"],
        ["preprocess=choice([deskew,scale],[scale])"],
        ["classifier.C=interval(0.1,10)", "evaluation=validation"],
        ["svc_c_gamma", "classifier.C=1,10", "classifier.degree=2,3"],
    ],
)
def test_command_of_one_cell_has_that_cell_alone(words: list[str]) -> None:
    blueprint = compose(*words)
    cell = {axis.name: _first(axis) for axis in blueprint.space.axes}
    program, verb, *again = shlex.split(lone_command(blueprint, cell))
    assert (program, verb) == ("sweepmark", "sweep")
    lone = compose(*again)
    assert {axis.name: _first(axis) for axis in lone.space.axes} == cell
    assert all(len(getattr(axis, "values", "1")) == 1 for axis in lone.space.axes)
    assert lone.sweep.objective == blueprint.sweep.objective


def _first(axis: Choice | Range | Options) -> Any:
    match axis:
        case Choice():
            return axis.values[0]
        case Range():
            return axis.low
    return next(iter(axis.options))


def test_program_takes_them_and_run_names_them(called: Called) -> None:
    words = ("dataset=digits", "classifier=knn", "classifier.n_neighbors=1,3")
    found = called.run("sweep", *words, "tracking=none", "engine=serial", "--json").document
    assert found["name"] == AD_HOC
    assert [trial["params"] for trial in found["trials"]] == [
        {"classifier.n_neighbors": 1},
        {"classifier.n_neighbors": 3},
    ]
    for refused in (words, ("-m", *words)):
        said = called.run("run", *refused, code=2).err
        assert f"`sweepmark sweep {' '.join(words)}`" in said
