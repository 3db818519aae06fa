"""Blueprints: what was asked for, composed whole, and refused before anything starts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from sweepmark.config import Composer, Folders
from sweepmark.errors import ConfigurationError
from sweepmark.search.blueprint import Blueprint
from sweepmark.search.feasibility import samples
from sweepmark.search.space import Choice, Options, Range, Space
from sweepmark.specification.specify import specify
from tables import write
from tiny import SMALL, blueprint, changed, digits, load_digits, write_sweep

if TYPE_CHECKING:
    from pathlib import Path

BANDS: dict[str, Any] = {"grade__bands": [{"minimum": 0.9, "points": 1}]}
SMALLER = {
    "growing_subsets": ["sweep.space.split.size=[100, 200]"],
    "reference": ["split.head=null"],
    "adhoc": ["seed=0,1"],
}
"""The digits are 1,797: what a sweep of larger sizes needs to be told; adhoc has no space."""


@pytest.mark.parametrize("name", Folders().sweeps())
def test_every_sweep_of_ours_can_be_made_on_the_digits(name: str) -> None:
    asked = blueprint(name, *SMALLER.get(name, []))
    asked.check(load_digits)
    assert asked.name == name
    assert not asked.is_run
    assert list(asked.space.axes)


def test_run_is_a_sweep_of_one_trial_that_selects_nothing() -> None:
    run = blueprint(None)
    run.check(load_digits)
    assert run.is_run
    assert run.name == "run"
    assert list(run.space.cells()) == [{}]
    assert run.sweep.objective is None
    assert run.config_at({}) == run.config


class TestCompose:
    @pytest.mark.parametrize("sweep", [None, "svc_c_gamma"])
    @pytest.mark.parametrize("override", ["sweep=svc_tpe", "+sweep=svc_tpe", "sweep=null"])
    def test_sweep_is_not_an_override(self, sweep: str | None, override: str) -> None:
        advised = "--list" if override.endswith("null") else "svc_tpe"
        with pytest.raises(ConfigurationError, match=f"`sweepmark sweep {advised}") as error:
            blueprint(sweep, override)
        assert override in str(error.value)

    @pytest.mark.parametrize("override", ["classifier=svc", "+classifier=svc", "~classifier"])
    def test_override_of_a_swept_group_is_refused(self, override: str) -> None:
        with pytest.raises(ConfigurationError) as error:
            blueprint("classifiers", override)
        assert "classifier" in str(error.value)

    def test_override_of_a_swept_group_says_what_to_set_instead(self) -> None:
        with pytest.raises(ConfigurationError) as error:
            blueprint("classifiers", "classifier=svc")
        for part in ("'classifier=svc' would be lost", "sweep.space.classifier.option=[…]"):
            assert part in str(error.value)

    def test_unknown_option_is_refused_with_those_there_are(self) -> None:
        with pytest.raises(
            ConfigurationError, match=r"unknown classifier 'svn'.*Did you mean 'svc'"
        ):
            blueprint("classifiers", "sweep.space.classifier.option=[dummy, svn]")

    def test_parameters_that_no_yaml_writes_are_swept(self, tmp_path: Path) -> None:
        write_sweep(
            tmp_path,
            "unwritten",
            "sweep:\n  space:\n    classifier:\n"
            "      dual: [false]\n      intercept_scaling: {low: 1, high: 2}\n",
        )
        write_sweep(tmp_path, "deep", "sweep:\n  space:\n    classifier: {depth: [2, 3]}\n")
        (tmp_path / "classifier").mkdir()
        write(tmp_path / "classifier" / "hidden.yaml", "# Hidden\n_target_: estimators.Hidden\n")

        found = blueprint(
            "unwritten",
            "sampler=random",
            "sweep.n_trials=2",
            "classifier=logistic",
            folder=tmp_path,
        )
        assert [axis.name for axis in found.space.axes] == [
            "classifier.dual",
            "classifier.intercept_scaling",
        ]
        params = {"classifier.dual": False, "classifier.intercept_scaling": 1.5}
        (specification,) = specify(found.config_at(params), digits())
        assert specification.classifier["intercept_scaling"] == 1.5
        assert isinstance(found.space.axes[1], Range)
        assert not found.space.axes[1].integer  # the class takes floats there

        trusted = ["estimators"]
        deep = blueprint("deep", "classifier=hidden", folder=tmp_path)
        assert deep.check(load_digits, trusted=trusted) == ()
        word = "++sweep.space.classifier.width=[1]"
        wide = blueprint("deep", "classifier=hidden", word, folder=tmp_path)
        with pytest.raises(ConfigurationError, match="unknown parameter of Hidden"):
            wide.check(load_digits, trusted=trusted)

    def test_path_that_the_other_option_lacks_is_refused(self) -> None:
        with pytest.raises(ConfigurationError, match=r"sweep\.space\.classifier\.C: unknown path"):
            blueprint("svc_c_gamma", "classifier=knn")


def options_sweep(tmp_path: Path, **space: Any) -> Path:
    text = json.dumps({"sweep": {"space": space}})
    return write_sweep(tmp_path, "mine", text)


class TestTrials:
    def test_value_takes_its_place_in_the_configuration(self) -> None:
        asked = blueprint("svc_c_gamma")
        config = asked.config_at({"classifier.C": 10.0, "classifier.gamma": 0.1})
        assert (config.classifier["C"], config.classifier["gamma"]) == (10.0, 0.1)
        assert config.sweep is None
        assert asked.config.classifier["C"] == 1.0

    def test_option_brings_its_own_configuration(self, tmp_path: Path) -> None:
        option = {"svc": {"C": [1, 10]}, "knn": {"n_neighbors": [1, 3]}, "dummy": None}
        folder = options_sweep(tmp_path, classifier={"option": option})
        asked = blueprint("mine", "preprocess=standard", folder=folder)
        cells = list(asked.space.cells())
        assert len(cells) == 5
        configs = [asked.config_at(cell) for cell in cells]
        targets = [config.classifier["_target_"].rpartition(".")[2] for config in configs]
        assert targets == [*["SVC"] * 2, *["KNeighborsClassifier"] * 2, "DummyClassifier"]
        assert [config.classifier.get("C") for config in configs[:3]] == [1.0, 10.0, None]
        assert all("standard" in config.preprocess for config in configs)

    def test_combinations_of_options_are_all_composed(self, tmp_path: Path) -> None:
        both = {
            "classifier": {"option": ["knn", "dummy"]},
            "preprocess": {"option": ["none", "minmax"]},
        }
        asked = blueprint("mine", folder=options_sweep(tmp_path, **both))
        steps = [list(asked.config_at(cell).preprocess) for cell in asked.space.cells()]
        assert steps == [[], ["minmax"], [], ["minmax"]]

    def test_option_may_be_a_chain(self, tmp_path: Path) -> None:
        space = {"preprocess": {"option": ["scale", ["deskew", "scale"]]}}
        asked = blueprint("mine", folder=options_sweep(tmp_path, **space))
        cells = list(asked.space.cells())
        assert [cell["preprocess"] for cell in cells] == ["scale", "[deskew,scale]"]
        steps = [list(asked.config_at(cell).preprocess) for cell in cells]
        assert steps == [["scale"], ["deskew", "scale"]]

    def test_chain_opens_no_parameters(self, tmp_path: Path) -> None:
        opened = {"[deskew,scale]": {"scale": {"divisor": [16.0, 256.0]}}}
        folder = options_sweep(tmp_path, preprocess={"option": opened})
        with pytest.raises(ConfigurationError, match="must not open parameters"):
            blueprint("mine", folder=folder)

    def test_interpolation_follows_the_swept_value(self, tmp_path: Path) -> None:
        asked = blueprint("mine", folder=options_sweep(tmp_path, seed=[0, 7]))
        assert [asked.config_at(cell).split.seed for cell in asked.space.cells()] == [0, 7]

    def test_value_of_the_wrong_type_is_refused(self) -> None:
        asked = changed(blueprint("growing_subsets"), sweep__space__split__size=[100, "abc"])
        with pytest.raises(ConfigurationError, match=r"split\.size must be a valid integer"):
            asked.check(load_digits)


class TestKey:
    def test_is_the_same_after_the_journal(self) -> None:
        override = "classifier.class_weight={0: 2, 1: 1}"
        asked = blueprint("svc_c_gamma", override, "sweep.n_trials=3")
        again = Blueprint.from_document(json.loads(json.dumps(asked.document())))
        assert again == asked
        assert again.key == asked.key

    @pytest.mark.parametrize("override", ["engine=local", "tracking=mlflow"])
    def test_where_it_runs_and_how_it_is_tracked_do_not_change_it(self, override: str) -> None:
        assert blueprint("svc_c_gamma", override).key == blueprint("svc_c_gamma").key

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            ("seed", 1),
            ("split__size", 299),
            ("classifier__tol", 1e-4),
            ("engine__threads", 2),
            ("grade__target", 0.5),
            ("sweep__n_trials", 3),
            ("sweep__objective", "cv_f1_macro"),
            ("sweep__space__classifier__C", [0.01, 0.1]),
        ],
    )
    def test_what_is_asked_for_changes_it(self, path: str, value: object) -> None:
        asked = blueprint("svc_c_gamma")
        assert changed(asked, **{path: value}).key != asked.key

    def test_order_of_the_axes_changes_it_since_trials_are_numbered_by_it(
        self, tmp_path: Path
    ) -> None:
        axes = {"C": [1, 2], "gamma": [1, 2]}
        keys = set()
        for name, order in (("a", axes), ("b", dict(reversed(axes.items())))):
            folder = options_sweep(tmp_path / name, classifier=order)
            keys.add(blueprint("mine", folder=folder).key)
        assert len(keys) == 2


class TestCheck:
    @pytest.mark.parametrize(
        ("sweep", "values", "parts"),
        [
            (
                "growing_subsets",
                {"sweep__space__split__size": [100, 10000]},
                ["at most 1797 for digits", "got 10000", "(found at split.size=10000)"],
            ),
            (
                "svc_c_gamma",
                {"sweep__space__classifier__C": [1, -1]},
                ["'C' parameter of SVC", "classifier.C=-1.0"],
            ),
            (
                "svc_tpe",
                {"sweep__space__classifier__gamma": {"low": -1, "high": 1}},
                ["'gamma' parameter of SVC", "classifier.gamma=-1"],
            ),
            ("svc_c_gamma", {"split__size": 20}, ["evaluation.n_splits=5", "larger split.size"]),
            (
                "svc_c_gamma",
                {"sweep__objective": "accuracy"},
                ["must select on cross-validation", "sweep.objective=accuracy", "evaluation=cv"],
            ),
            (
                "growing_subsets",
                {"sweep__objective": "cv_accuracy"},
                ["must select on cross-validation", "evaluation=test", "sweep.objective=null"],
            ),
            (
                "svc_c_gamma",
                {"sweep__objective": "cv_acuracy"},
                ["unknown metric 'cv_acuracy'", "Did you mean 'cv_accuracy'?", "cv_roc_auc"],
            ),
            ("svc_tpe", {"sweep__objective": None}, ["sampler=tpe needs a metric", "cv_accuracy"]),
            (
                "svc_tpe",
                {"sweep__objective": None, "sampler__name": "gp"},
                ["sampler=gp needs a metric"],
            ),
            ("svc_c_gamma", {**BANDS, "grade__metric": "acuracy"}, ["unknown metric 'acuracy'"]),
            ("svc_c_gamma", {**BANDS, "grade__target": 96}, ["edges of grade", "96", "0.96"]),
            ("svc_c_gamma", {"sweep__space__tracking__name": ["none"]}, ["space.tracking.name"]),
            ("svc_c_gamma", {"sweep__space__evaluation__method": ["cv"]}, ["evaluation.method"]),
            ("svc_c_gamma", {"sweep__space__evaluation__n_splits": [2]}, ["evaluation.n_splits"]),
            ("svc_c_gamma", {"sweep__space__sampler__name": ["grid"]}, ["not how or where"]),
            (None, {"split__size": 1798}, ["at most 1797 for digits"]),
            (None, {"evaluation": {"method": "cv", "n_splits": 99}}, ["evaluation.n_splits=99"]),
        ],
    )
    def test_what_no_trial_could_be_made_of_is_refused(
        self, sweep: str | None, values: dict[str, Any], parts: list[str]
    ) -> None:
        asked = blueprint(sweep)
        with pytest.raises(ConfigurationError) as error:
            changed(asked, **values).check(load_digits)
        for part in parts:
            assert part in str(error.value)

    def test_options_of_the_evaluation_cannot_be_swept(self) -> None:
        with pytest.raises(ConfigurationError, match="varies what is evaluated"):
            blueprint("svc_c_gamma", "+sweep.space.evaluation.option=[cv, test]").check(load_digits)

    @pytest.mark.parametrize("name", ["cv_f1_macro", "cv_recall_3", "cv_accuracy_std"])
    def test_every_metric_can_be_the_objective(self, name: str) -> None:
        """Its sweep says "maximize", without which the spread would have no better end."""
        changed(blueprint("svc_c_gamma"), sweep__objective=name).check(load_digits)

    def test_validation_part_selects_by_its_own_metrics(self) -> None:
        held_out = {"evaluation": {"method": "validation", "validation_fraction": 0.2}}
        asked = changed(blueprint("svc_c_gamma"), **held_out)
        for name in ("validation_accuracy", "validation_roc_auc", "validation_recall_3"):
            changed(asked, sweep__objective=name, sweep__direction=None).check(load_digits)
        with pytest.raises(ConfigurationError, match="or on a validation part"):
            changed(asked, sweep__objective="cv_accuracy").check(load_digits)
        with pytest.raises(ConfigurationError, match="validation_accuracy"):
            changed(asked, sweep__objective="validation_acuracy").check(load_digits)

    def test_split_that_only_two_values_together_make_impossible_is_refused(
        self, tmp_path: Path
    ) -> None:
        split = {"size": [400, 100], "train_ratio": [0.75, 0.08]}  # 8 rows have no 10 classes
        asked = blueprint("mine", folder=options_sweep(tmp_path, split=split))
        with pytest.raises(ConfigurationError, match=r"found at split\.size=100, .*ratio=0\.08"):
            asked.check(load_digits)


def test_samples_hold_every_option_value_and_split() -> None:
    space = Space(
        (
            Options("classifier", {"svc": (Choice("classifier.svc.C", "classifier.C", (1, 2)),)}),
            Choice("split.size", "split.size", (10, 20)),
            Choice("split.train_ratio", "split.train_ratio", (0.5, 0.7)),
            Range("seed", "seed", 0, 9, log=False, integer=True),
        )
    )
    found = list(samples(space))
    assert {(one["split.size"], one["split.train_ratio"]) for one in found} == {
        (10, 0.5),
        (10, 0.7),
        (20, 0.5),
        (20, 0.7),
    }
    assert {one["classifier.svc.C"] for one in found} == {1, 2}
    assert {one["seed"] for one in found} == {0, 9}
    assert len(found) == 6


def test_composing_leaves_no_trace_of_its_folder(tmp_path: Path) -> None:
    options_sweep(tmp_path, seed=[1, 2])
    blueprint("mine", folder=tmp_path)
    with Composer(Folders()) as composer, pytest.raises(ConfigurationError, match="unknown sweep"):
        Blueprint.compose(composer, "mine", SMALL)
