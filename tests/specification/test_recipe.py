"""Recipes: whatever stands in conf/ builds, fits and predicts; what could not is refused."""

from __future__ import annotations

import sys
from importlib import metadata
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sweepmark.config import Folders
from sweepmark.errors import ConfigurationError
from sweepmark.evaluation.evaluate import evaluate
from sweepmark.specification.recipe import (
    build_pipeline,
    library_versions,
    recipe_versions,
    resolve_recipe,
)
from sweepmark.specification.specify import specify_test
from tiny import config, digits

if TYPE_CHECKING:
    from pathlib import Path

    from sklearn.pipeline import Pipeline

GROUPS = Folders().groups()
BASELINES = {"dummy"}
CHEAP: dict[str, dict[str, Any]] = {
    "hist_gradient_boosting": {"classifier__max_iter": 10},
    "mlp": {"classifier__max_iter": 100, "classifier__hidden_layer_sizes": [20]},
    "mlp_logistic": {"classifier__hidden_units": 50, "classifier__epochs": 20},
    "softmax_adam": {"classifier__learning_rate_init": 1e-2},
    "random_forest": {"classifier__n_estimators": 10},
}


def build(*groups: str, **values: Any) -> Pipeline:
    return build_pipeline(specify_test(config(*groups, **values), digits()))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", sorted(GROUPS["classifier"].keys() - {"never"}))
def test_every_classifier_of_ours_learns_the_digits(name: str) -> None:
    X, y = digits().train.X, digits().train.y
    pipeline = build("preprocess=standard", f"classifier={name}", **CHEAP.get(name, {}))
    accuracy = pipeline.fit(X[:400], y[:400]).score(X[400:600], y[400:600])
    assert accuracy > (0.0 if name in BASELINES else 0.7)


@pytest.mark.parametrize("name", sorted(GROUPS["preprocess"].keys() - {"mixed", "titanic"}))
def test_every_preprocessing_of_ours_serves_a_classifier(name: str) -> None:
    X, y = digits().train.X, digits().train.y
    pipeline = build(f"preprocess={name}", "classifier=knn")
    assert pipeline.fit(X[:300], y[:300]).score(X[300:400], y[300:400]) > 0.7


def test_never_says_no_to_every_row() -> None:
    asked = config("preprocess=none", "classifier=never", "task=is_digit", task__positive=0)
    card = evaluate(specify_test(asked, digits()))
    assert not card.predictions.y_pred.any()
    assert card.predictions.y_true.any()


def test_never_must_be_told_what_to_say_of_more_classes() -> None:
    with pytest.raises(ConfigurationError, match=r"classifier\.constant=… to one of 0, 1, 2"):
        specify_test(config("classifier=never"), digits())
    asked = config("preprocess=none", "classifier=never", classifier__constant=3)
    assert (evaluate(specify_test(asked, digits())).predictions.y_pred == 3).all()


def test_softmax_by_adam_takes_every_epoch_it_is_given() -> None:
    X, y = digits().train.X, digits().train.y
    pipeline = build("preprocess=scale", "classifier=softmax_adam", classifier__max_iter=60)
    with pytest.warns(match=r"Maximum iterations \(60\) reached"):
        pipeline.fit(X[:200], y[:200])
    softmax = pipeline["classifier"]
    assert (softmax.n_iter_, softmax.n_layers_) == (60, 2)
    assert len(softmax.partial_fit(X[:200], y[:200]).loss_curve_) == 61


def test_pipeline_holds_the_steps_in_the_order_given_and_the_classifier_last() -> None:
    scaler = {"_target_": "sklearn.preprocessing.StandardScaler"}
    pca = {"_target_": "sklearn.decomposition.PCA", "n_components": 5}
    pipeline = build(preprocess={"z": scaler, "a": pca})
    assert [name for name, _ in pipeline.steps] == ["z", "a", "classifier"]
    assert pipeline["a"].random_state == 0


def test_chain_becomes_steps_in_its_order() -> None:
    X, y = digits().train.X, digits().train.y
    pipeline = build("preprocess=[augment_shift,deskew,scale]", "classifier=knn")
    assert list(pipeline.named_steps) == ["augment_shift", "deskew", "scale", "classifier"]
    assert pipeline["augment_shift"].random_state == 0
    assert pipeline.fit(X[:300], y[:300]).score(X[300:400], y[300:400]) > 0.7


@pytest.mark.parametrize(
    ("values", "part"),
    [
        ({"classifier": {"_target_": "sklearn.svm.SVR"}}, "classifier must be a classifier.*SVR"),
        ({"classifier": {"_target_": "sklearn.preprocessing.Binarizer"}}, "must be a classifier"),
        ({"classifier": {}}, r"classifier must name its class in classifier\._target_"),
        ({"preprocess": {"s": {"_target_": "sklearn.svm.SVC"}}}, r"preprocess\.s must be a trans"),
        ({"preprocess": {"classifier": {"_target_": "x"}}}, "must not be called 'classifier'"),
        ({"preprocess": {"a__b": {"_target_": "x"}}}, "but got 'a__b'"),
        (
            {"preprocess": {"scale": {"_target_": "sweepmark.estimators.Scale", "by": 1}}},
            "Scale",
        ),
    ],
)
def test_recipe_that_could_not_be_fitted_is_refused(values: dict[str, Any], part: str) -> None:
    with pytest.raises(ConfigurationError, match=part):
        resolve_recipe(config(**values))


def test_versions_are_those_of_what_computes() -> None:
    libraries = ("numpy", "scikit-learn", "scipy")
    assert library_versions() == {name: metadata.version(name) for name in libraries}


def test_library_of_one_component_counts_where_that_component_is() -> None:
    specified = specify_test(config("preprocess=hog", "classifier=knn"), digits())
    assert specified.versions["scikit-image"] == metadata.version("scikit-image")
    hog = {"_target_": "sweepmark.estimators.Hog"}
    columns = {"_target_": "sklearn.compose.ColumnTransformer", "transformers": [["h", hog, [0]]]}
    assert "scikit-image" in recipe_versions([columns])
    assert recipe_versions([{"_target_": "sklearn.svm.SVC"}]) == library_versions()


def test_trusted_package_is_pinned_by_its_release_or_else_its_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in {"own_a": "x = 1", "own_b": "x = 1", "own_c": "x = 2"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("")
        (tmp_path / name / "part.py").write_text(text)
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "part.py").write_text("x = 1")
    monkeypatch.syspath_prepend(tmp_path)
    versions = library_versions(["yaml", "six", "own_a", "own_b", "own_c", "bare"])
    assert versions["yaml"] == metadata.version("PyYAML")
    assert versions["six"] == metadata.version("six")  # a single file
    assert versions["own_a"].startswith("sha256:")
    assert versions["own_a"] == versions["own_b"] != versions["own_c"]
    assert versions["bare"].startswith("sha256:")  # without __init__.py a package all the same


def test_editable_installation_is_pinned_by_its_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its source changes while its version stays the same."""
    source, installed = tmp_path / "source", tmp_path / "installed"
    record = installed / "own_d-1.0.dist-info"
    for folder in (source, record):
        folder.mkdir(parents=True)
    (source / "own_d.py").write_text("x = 1")
    (record / "METADATA").write_text("Metadata-Version: 2.1\nName: own-d\nVersion: 1.0\n")
    (record / "RECORD").write_text("__editable__.own_d-1.0.pth,,\n")
    (record / "top_level.txt").write_text("own_d\n")
    for folder in (source, installed):
        monkeypatch.syspath_prepend(folder)
    assert metadata.version("own-d") == "1.0"
    assert library_versions(["own_d"])["own_d"].startswith("sha256:")


@pytest.mark.parametrize("package", ["nowhere_to_be_found", "os", "sys"])
def test_trusted_package_without_files_of_its_own_is_refused(package: str) -> None:
    with pytest.raises(ConfigurationError, match=f"'{package}' is none"):
        library_versions([package])
    assert "nowhere_to_be_found" not in sys.modules


def test_trusted_package_builds_in_the_pipeline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "from sklearn.dummy import DummyClassifier\nclass Constant(DummyClassifier):\n    pass\n"
    (tmp_path / "own_dummy.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    mine = config(classifier={"_target_": "own_dummy.Constant"})
    with pytest.raises(ConfigurationError, match="--trust own_dummy"):
        specify_test(mine, digits())
    pipeline = build_pipeline(specify_test(mine, digits(), trusted=["own_dummy"]))
    assert pipeline.fit(np.zeros((3, 1)), [0, 1, 1]).predict([[0.0]]) == [1]
