"""The resolver: which classes a configuration can name, and what it decides for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import StratifiedKFold
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.svm import SVC

from sweepmark.errors import ConfigurationError
from sweepmark.specification.components import build, find_class, resolve_component

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SVC_PATH = "sklearn.svm.SVC"
FOREST = "sklearn.ensemble.RandomForestClassifier"
BAGGING = "sklearn.ensemble.BaggingClassifier"


def resolve(target: str, trusted: Sequence[str] = (), **parameters: Any) -> dict[str, Any]:
    component = {"_target_": target, **parameters}
    return resolve_component(component, where="classifier", seed=7, trusted=trusted)


class TestHostile:
    """Row 17 of the faults: nothing may run, so the canary stays away."""

    @pytest.fixture
    def canary(self, tmp_path: Path) -> Path:
        return tmp_path / "canary"

    @pytest.fixture(params=["alone", "nested", "in a list", "in a mapping"])
    def wrapping(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    def wrap(self, wrapping: str, component: dict[str, Any]) -> dict[str, Any]:
        if wrapping == "nested":
            return {"_target_": BAGGING, "estimator": component}
        if wrapping == "in a list":
            return {"_target_": "sklearn.pipeline.Pipeline", "steps": [["evil", component]]}
        if wrapping == "in a mapping":
            return {"_target_": SVC_PATH, "class_weight": {"0": component}}
        return component

    @pytest.mark.parametrize(
        "target",
        [
            "joblib.load",
            "numpy.load",
            "os.system",
            "builtins.open",
            "builtins.eval",
            "pathlib.Path.write_text",
            "multiprocessing.Process",
            "subprocess.Popen",
            "sklearn.utils._joblib.joblib.load",
            "sklearn.utils.parallel.Parallel",
            "sklearn.utils.parallel.delayed",
            "sklearn.datasets.load_svmlight_file",
            "sklearn.externals.array_api_compat.numpy.load",
            "sklearn.utils.os.system",
            "sweepmark.cli.main",
            "sweepmark.sources.idx.Path",
            "sweepmark.engine.local.LocalEngine",
        ],
    )
    def test_class_that_may_not_be_named_is_refused(
        self, canary: Path, wrapping: str, target: str
    ) -> None:
        evil = {"_target_": target, "filename": str(canary), "command": f"touch {canary}"}
        for use in (lambda c: resolve_component(c, where="classifier", seed=0), build):
            with pytest.raises(ConfigurationError, match=r"_target_|unknown class"):
                use(self.wrap(wrapping, evil))
        assert not canary.exists()

    def test_cache_folder_is_refused(self, canary: Path) -> None:
        nested = {"_target_": "sklearn.pipeline.Pipeline", "steps": [], "memory": str(canary)}
        for component in (nested, {"_target_": BAGGING, "estimator": nested}):
            with pytest.raises(ConfigurationError, match=r"memory is refused.*pickle"):
                resolve_component(component, where="classifier", seed=0)
        assert not canary.exists()

    @pytest.mark.parametrize("func", ["os.system", {"_target_": "os.system"}])
    def test_callable_is_refused(self, func: object) -> None:
        with pytest.raises(ConfigurationError):
            build(resolve("sklearn.preprocessing.FunctionTransformer", func=func))


@pytest.mark.parametrize(
    ("target", "part"),
    [
        ("SVC", "must be the dotted path of a class"),
        ("sklearn", "must be the dotted path of a class"),
        ("sklearn.svm", "must name a class"),
        ("", "must be the dotted path"),
        (None, "must be the dotted path"),
        (5, "must be the dotted path"),
        ("sklearn..svm.SVC", "must be the dotted path"),
        ("sklearn.svm.SVX", "unknown class in sklearn.svm 'SVX'.*SVC"),
        ("sklearn.nowhere.SVC", "cannot be imported"),
        ("sklearn.metrics.accuracy_score", "must name a class"),
        ("sklearn.svm._base.np", "must name a class"),
        ("sklearn.exceptions.NotFittedError", "estimator, kernel, splitter"),
        ("xgboost.XGBClassifier", "--trust xgboost"),
    ],
)
def test_target_that_is_no_allowed_class_is_refused(target: object, part: str) -> None:
    with pytest.raises(ConfigurationError, match=part):
        find_class(target)


def test_trust_lets_classes_of_another_package_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = "from sklearn.dummy import DummyClassifier\nclass Mine(DummyClassifier):\n    pass\n"
    (tmp_path / "of_ones_own.py").write_text(source)
    (tmp_path / "broken_own.py").write_text("raise RuntimeError('no')")
    monkeypatch.syspath_prepend(tmp_path)
    assert find_class("of_ones_own.Mine", trusted=["of_ones_own"]).__name__ == "Mine"
    with pytest.raises(ConfigurationError, match="cannot be imported: no"):
        find_class("broken_own.Mine", trusted=["broken_own"])
    with pytest.raises(ConfigurationError, match="must name a class of of_ones_own"):
        find_class("os.system", trusted=["of_ones_own"])


class TestResolve:
    def test_seed_is_the_random_state_unless_a_number_is_given(self) -> None:
        assert resolve(SVC_PATH)["random_state"] == 7
        assert resolve(SVC_PATH, random_state=None)["random_state"] == 7
        assert resolve(SVC_PATH, random_state=0)["random_state"] == 0
        assert "random_state" not in resolve("sklearn.neighbors.KNeighborsClassifier")

    def test_seed_reaches_nested_components(self) -> None:
        nested = resolve(BAGGING, estimator={"_target_": FOREST}, random_state=1)
        assert nested["random_state"] == 1
        assert nested["estimator"]["random_state"] == 7

    @pytest.mark.parametrize("name", ["n_jobs", "verbose"])
    def test_parameter_of_ours_is_refused(self, name: str) -> None:
        with pytest.raises(ConfigurationError, match=rf"classifier\.{name} is the .*Remove it"):
            resolve(FOREST, (), **{name: 1})
        with pytest.raises(ConfigurationError, match=rf"classifier\.estimator\.{name} is"):
            resolve(BAGGING, estimator={"_target_": FOREST, name: 1})

    def test_unknown_parameter_is_refused_with_those_there_are(self) -> None:
        with pytest.raises(ConfigurationError) as error:
            resolve(SVC_PATH, gama=1)
        for part in (
            "SVC",
            "'classifier.gama'",
            "Did you mean 'classifier.gamma'?",
            "classifier.C",
        ):
            assert part in str(error.value)

    def test_component_without_a_class_is_refused(self) -> None:
        with pytest.raises(
            ConfigurationError, match=r"classifier must name its class in .*_target_"
        ):
            resolve_component({"C": 1}, where="classifier", seed=0)


class TestBuild:
    def test_parameters_reach_the_class(self) -> None:
        built = build(resolve(SVC_PATH, C=3.0, gamma="auto"))
        assert isinstance(built, SVC)
        assert (built.C, built.gamma, built.random_state) == (3.0, "auto", 7)

    def test_list_becomes_a_tuple_where_the_default_is_one(self) -> None:
        built = build(resolve("sklearn.neural_network.MLPClassifier", hidden_layer_sizes=[5, 3]))
        assert isinstance(built, MLPClassifier)
        assert built.hidden_layer_sizes == (5, 3)

    def test_nested_components_are_built(self) -> None:
        steps = [["forest", {"_target_": FOREST, "n_estimators": 3}]]
        built = build(resolve("sklearn.pipeline.Pipeline", steps=steps))
        assert isinstance(built, Pipeline)
        assert isinstance(built.steps[0][1], RandomForestClassifier)
        splitter = {"_target_": "sklearn.model_selection.StratifiedKFold", "n_splits": 3}
        search = "sklearn.model_selection.GridSearchCV"
        built = build(resolve(search, estimator={"_target_": SVC_PATH}, param_grid={}, cv=splitter))
        assert isinstance(built.cv, StratifiedKFold)

    def test_threads_reach_every_class_that_takes_jobs(self) -> None:
        component = resolve(BAGGING, estimator={"_target_": FOREST})
        assert build(component, threads=2).n_jobs == 2
        assert build(component, threads=2).estimator.n_jobs == 2
        assert build(component).n_jobs is None

    @pytest.mark.parametrize("threads", [1, 2])
    @pytest.mark.parametrize(
        ("name", "parameter"),
        [
            ("Greedy", "n_jobs"),
            ("Undecided", "n_jobs"),
            ("Hidden", "n_jobs"),
            ("Counted", "thread_count"),
        ],
    )
    def test_threads_are_handed_to_whatever_takes_all_cores_by_default(
        self, name: str, parameter: str, threads: int
    ) -> None:
        trusted = ["estimators"]
        greedy = {"_target_": f"estimators.{name}"}
        built = build(
            resolve(BAGGING, trusted=trusted, estimator=greedy), threads=threads, trusted=trusted
        )
        assert built.estimator.get_params()[parameter] == threads

    @pytest.mark.parametrize("parameter", ["n_jobs", "thread_count", "num_threads", "nthread"])
    def test_threads_are_not_the_users_to_set(self, parameter: str) -> None:
        with pytest.raises(ConfigurationError, match=r"engine\.threads"):
            resolve("estimators.Hidden", trusted=["estimators"], **{parameter: 4})

    def test_constructor_of_any_keywords_takes_what_its_parameters_name(self) -> None:
        resolved = resolve("estimators.Hidden", trusted=["estimators"], depth=3)
        assert build(resolved, trusted=["estimators"]).get_params()["depth"] == 3
        assert resolved["random_state"] == 7
        with pytest.raises(ConfigurationError, match=r"width.*depth"):
            resolve("estimators.Hidden", trusted=["estimators"], width=3)

    def test_keyword_that_a_class_swallows_is_refused(self) -> None:
        trusted = ["estimators"]
        needy = resolve("estimators.Needy", trusted=trusted, classes=2, depth=3)
        assert build(needy, trusted=trusted).get_params()["depth"] == 3
        with pytest.raises(ConfigurationError, match=r"parameter of Needy 'ignored'.*depth"):
            build(needy | {"ignored": 1}, trusted=trusted)

    def test_known_class_is_left_alone_where_one_thread_is_its_default(self) -> None:
        known = build(resolve("sklearn.linear_model.LogisticRegression"))
        assert known.n_jobs is None  # a number has no effect there, and scikit-learn warns of it

    @pytest.mark.parametrize(
        ("parameters", "parts"),
        [
            ({"C": -1.0}, ["SVC", "'C'", "(0.0, inf]", "-1.0"]),
            ({"kernel": "rbg"}, ["SVC", "'kernel'", "rbf", "'rbg'"]),
        ],
    )
    def test_value_that_the_class_refuses_is_refused_at_once(
        self, parameters: dict[str, Any], parts: list[str]
    ) -> None:
        with pytest.raises(ConfigurationError) as error:
            build(resolve(SVC_PATH, **parameters))
        for part in parts:
            assert part in str(error.value)
        assert "\n" not in str(error.value)

    def test_missing_parameter_is_named(self) -> None:
        with pytest.raises(ConfigurationError, match=r"OneVsRestClassifier.*'estimator'"):
            build(resolve("sklearn.multiclass.OneVsRestClassifier"))
