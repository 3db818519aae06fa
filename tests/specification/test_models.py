from __future__ import annotations

import importlib
import inspect
import io
import json
import pkgutil
import re
import warnings
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

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

import sweepmark
from sweepmark.errors import DataError
from sweepmark.estimators import Affine, AugmentShift, Deskew, Hog, Scale, Shift
from sweepmark.estimators.neural import LogisticMLP
from sweepmark.evaluation.export import dump_pipeline
from sweepmark.specification import models

if TYPE_CHECKING:
    from types import ModuleType

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
    back = models.load(dump_pipeline(pipeline, threshold=0.3))
    np.testing.assert_array_equal(back.predict(X), scores >= 0.3)


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


def defined(module: ModuleType) -> list[str]:
    """Functions and classes of a module, by their full names."""
    members = inspect.getmembers(module, lambda m: inspect.isclass(m) or inspect.isroutine(m))
    return [f"{module.__name__}.{name}" for name, member in members if hasattr(member, "__name__")]


def test_of_our_own_only_listed_estimators_are_trusted() -> None:
    """Whatever else our modules define or import is refused, functions above all."""
    rooms = ("cache", "estimators", "evaluation", "specification", "svm")
    modules = [
        importlib.import_module(found.name)
        for found in pkgutil.walk_packages(sweepmark.__path__, "sweepmark.")
        if found.name.split(".")[1] in rooms
    ]
    names = {name for module in modules for name in defined(module)}
    trusted = {name for name in names if set(models.trusted_types(poisoned(name)))}
    assert len(names) > 200
    ours = {f"{type(each).__module__}.{type(each).__name__}" for each in (*OURS, Scale())}
    assert trusted == ours | {"sweepmark.estimators.neural.LogisticMLP"}
    assert all(issubclass(pkgutil.resolve_name(name), BaseEstimator) for name in trusted)


@pytest.mark.parametrize(
    "name",
    [
        "sweepmark.estimators.images.shift_images",
        "sweepmark.estimators.shift_images",
        "sweepmark.cache.configure",
        "sweepmark.svm.warm_up",
        "sweepmark.estimators.images.PictureTransformer",
    ],
)
def test_other_names_of_our_own_are_refused(name: str) -> None:
    with pytest.raises(DataError, match=name):
        models.load(poisoned(name))


def test_every_estimator_of_ours_in_a_configuration_is_listed() -> None:
    """Our SVC alone is dumped as another class, scikit-learn's."""
    texts = [path.read_text() for path in (Path(__file__).parents[2] / "conf").glob("*/*.yaml")]
    found = {name for text in texts for name in re.findall(r"_target_: (sweepmark\.\S+)", text)}
    classes = {pkgutil.resolve_name(name) for name in found - {"sweepmark.svm.SVC"}}
    names = {f"{each.__module__}.{each.__name__}" for each in classes}
    assert names
    for name in names:
        assert models.trusted_types(poisoned(name)) == [name]


def test_trusted_package_is_let_through() -> None:
    with pytest.raises(DataError):
        models.load(poisoned("argparse.Namespace"))
    models.load(poisoned("argparse.Namespace"), packages=["argparse"])


def zipped(schema: str, *, flags: int = 0, wrong: bytes = b"") -> bytes:
    """A zip with a compressed schema, of which the beginning is overwritten."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("schema.json", schema)
    content = bytearray(target.getvalue())
    start = 30 + len("schema.json")  # of a zip's local header and the name in it
    content[start : start + len(wrong)] = wrong
    content[6] |= flags
    content[content.index(b"PK\1\2") + 8] |= flags
    return bytes(content)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a zip file",
        zipped("{}" * 50, wrong=b"\xff" * 5),
        zipped("{}", flags=1),  # encrypted
        zipped("[" * 100_000),
    ],
    ids=["empty", "no zip", "damaged", "encrypted", "nested"],
)
def test_file_that_is_no_model_is_refused(content: bytes) -> None:
    for read in (models.load, models.named_types):
        with pytest.raises(DataError, match="skops"):
            read(content)


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


def test_requirements_are_what_an_index_has() -> None:
    """Hog's library is, sweepmark is not, nor is a package that is only a folder."""
    from flaky import Flaky

    X, y = load_digits(return_X_y=True)
    plain = models.requirements(models.dump(make_pipeline(Scale().fit(X).to_sklearn(), SVC())))
    assert "scikit-learn" in [text.partition("==")[0] for text in plain]
    with_hog = models.requirements(models.dump(make_pipeline(Hog().fit(X), Flaky().fit(X, y))))
    assert {text.partition("==")[0] for text in set(with_hog) - set(plain)} == {"scikit-image"}


def test_code_that_travels_needs_nothing_else_of_sweepmark() -> None:
    assert models.code_files(models.dump(make_pipeline(StandardScaler(), SVC()))) == {}
    files = models.code_files(models.dump(Deskew()))
    assert {str(Path(name).parent) for name in files} == {"sweepmark/estimators"}
    text = b"".join(files.values()).decode()
    imported = set(re.findall(r"(?:from|import) (sweepmark(?:\.\w+)?)", text))
    assert imported == {"sweepmark.estimators"}
