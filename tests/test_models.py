from __future__ import annotations

import io
import json
import warnings
import zipfile

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC, LinearSVC

from sweepmark import models
from sweepmark.errors import DataError
from sweepmark.fitting import dump
from sweepmark.neural import LogisticMLP
from sweepmark.preprocessing import Affine, AugmentShift, Deskew, Hog, Scale, Shift

CLASSIFIERS = [
    SVC(),
    LinearSVC(),
    LogisticRegression(max_iter=5),
    SGDClassifier(),
    RandomForestClassifier(5),
    KNeighborsClassifier(),
    KNeighborsClassifier(algorithm="ball_tree", p=1),
    KNeighborsClassifier(algorithm="brute"),
    MLPClassifier((8,), max_iter=3),
    MLPClassifier((8,), max_iter=3, solver="sgd"),
    MLPClassifier((8,), max_iter=3, solver="lbfgs"),
    HistGradientBoostingClassifier(max_iter=2),
    DummyClassifier(),
    LogisticMLP(8, epochs=1),
]
TRANSFORMERS = [Scale(), StandardScaler(), MinMaxScaler(), PCA(5), SimpleImputer()]
OURS = [Affine(), AugmentShift(), Deskew(), Hog(), Shift(right=1)]


@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=str)
@pytest.mark.parametrize("classifier", CLASSIFIERS, ids=str)
def test_fitted_pipeline_comes_back_as_it_was(
    transformer: BaseEstimator, classifier: BaseEstimator
) -> None:
    X, y = load_digits(return_X_y=True)
    pipeline = make_pipeline(clone(transformer), clone(classifier))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that so few iterations do not converge
        pipeline.fit(X[:200], y[:200])
    back = models.load(models.dump(pipeline))
    np.testing.assert_array_equal(back.predict(X), pipeline.predict(X))


@pytest.mark.parametrize("transformer", OURS, ids=str)
def test_fitted_transformer_of_ours_comes_back_as_it_was(transformer: BaseEstimator) -> None:
    X, _ = load_digits(return_X_y=True)
    fitted = clone(transformer).fit(X[:50])
    back = models.load(models.dump(fitted))
    np.testing.assert_array_equal(back.transform(X[:50]), fitted.transform(X[:50]))


@pytest.mark.parametrize("classifier", [SVC(), RandomForestClassifier(5)], ids=str)
def test_threshold_that_is_built_in_comes_back(classifier: BaseEstimator) -> None:
    X, y = load_digits(return_X_y=True)
    pipeline = make_pipeline(Scale(), clone(classifier)).fit(X[:200], y[:200] == 5)
    has_decision = hasattr(pipeline, "decision_function")
    scores = pipeline.decision_function(X) if has_decision else pipeline.predict_proba(X)[:, 1]
    back = models.load(dump(pipeline, threshold=0.3))
    np.testing.assert_array_equal(back.predict(X), scores >= 0.3)


def test_model_from_before_the_transformers_were_a_package_is_loaded() -> None:
    name = "sweepmark.preprocessing.Scale"
    assert isinstance(models.load(poisoned(name)), Scale)


def poisoned(name: str) -> bytes:
    """A skops file that names a type of the attacker's choice."""
    module, _, kind = name.rpartition(".")
    source, target = io.BytesIO(models.dump(DummyClassifier())), io.BytesIO()
    with zipfile.ZipFile(source) as before, zipfile.ZipFile(target, "w") as after:
        schema = json.loads(before.read("schema.json"))
        schema["__module__"], schema["__class__"] = module, kind
        after.writestr("schema.json", json.dumps(schema))
    return target.getvalue()


@pytest.mark.parametrize(
    "name", ["subprocess.Popen", "sweepmark.tracking.server.start_server", "sklearn.unheard.Of"]
)
def test_type_that_is_not_trusted_is_refused(name: str) -> None:
    with pytest.raises(DataError, match=name):
        models.load(poisoned(name))


def test_trusted_package_is_let_through() -> None:
    with pytest.raises(DataError):
        models.load(poisoned("argparse.Namespace"))
    models.load(poisoned("argparse.Namespace"), packages=["argparse"])


@pytest.mark.parametrize("content", [b"", b"not a zip file"])
def test_file_that_is_no_model_is_refused(content: bytes) -> None:
    with pytest.raises(DataError, match="skops"):
        models.load(content)


@pytest.mark.parametrize("transformer", [*TRANSFORMERS, *OURS], ids=str)
@pytest.mark.parametrize("classifier", CLASSIFIERS, ids=str)
def test_types_that_are_trusted_are_those_that_skops_does_not_know(
    transformer: BaseEstimator, classifier: BaseEstimator
) -> None:
    X, y = load_digits(return_X_y=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that so few iterations do not converge
        fitted = clone(classifier).fit(X[:100], y[:100])
        content = models.dump(make_pipeline(clone(transformer).fit(X[:100]), fitted))
    assert set(models.trusted_types(content)) >= set(models.unknown_types(content))
