"""sweepmark.svm.SVC where numbers are large, small or close, at the sizes that decide precision."""

from __future__ import annotations

import copy
import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import sklearn.svm
from sklearn.base import clone
from sklearn.metrics import average_precision_score, roc_auc_score

import svm_data
from sweepmark.cache import freeze, is_frozen, statistics
from sweepmark.svm import SVC, precision

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from program import Called
    from svm_data import Data


def two_classes(n: int, d: int, *, seed: int = 0) -> tuple[Data, NDArray[np.float64]]:
    """Return so many rows of two classes that are close, and 500 others."""
    rng = np.random.default_rng(seed)
    y = np.arange(n + 500) % 2
    X = rng.normal(size=(n + 500, d)) + 0.3 * y[:, np.newaxis]
    return (X[:n], y[:n]), X[n:]


def assert_alike(train: Data, asked: NDArray[np.float64], **parameters: Any) -> None:
    ours, theirs = SVC(**parameters).fit(*train), sklearn.svm.SVC(**parameters).fit(*train)
    assert np.array_equal(ours.predict(asked), theirs.predict(asked))
    wanted = theirs.decision_function(asked)
    off = np.abs(ours.decision_function(asked) - wanted).max()
    assert off <= 0.02 * np.abs(wanted).max()


def is_ours(train: Data, **parameters: Any) -> bool:
    svm_data.forget()
    before = statistics().kernel_misses
    SVC(**parameters).fit(*train)
    return statistics().kernel_misses > before + 1  # the longest row's norm is looked for anyway


@pytest.mark.parametrize("n", [998, 1000, 1002])
def test_kernels_that_float32_cannot_hold_decide(n: int) -> None:
    """All of the training rows' are 0 in float32, whose own decisions would be 0."""
    train, asked = two_classes(n, 200)
    assert_alike(train, asked, gamma=1.0, C=10.0)
    assert is_ours(train, gamma=1.0, C=10.0)


@pytest.mark.parametrize("scale", [1e-170, 1e-30, 1e-20, 1e-10, 1e10, 1e25, 1e100])
def test_the_scale_of_many_rows_changes_nothing(scale: float) -> None:
    (X, y), asked = two_classes(1000, 20)
    assert_alike((X * scale, y), asked * scale, C=1.0)


@pytest.mark.parametrize("n", [300, 1000])
@pytest.mark.parametrize("gamma", [1e-12, 1.0, 1e4])
def test_a_training_row_far_from_the_origin_matches_itself(n: int, gamma: float) -> None:
    rng = np.random.default_rng(0)
    X, y = 1e10 + np.round(rng.normal(size=(n, 3)) * 1e5), np.arange(n) % 2
    assert_alike((X, y), X, gamma=gamma)


def test_rows_far_from_those_trained_on_are_decided_on_as_libsvm_does() -> None:
    for n in (300, 1200):
        train, asked = two_classes(n, 5)
        model = SVC(gamma=0.1).fit(*train)
        near = model.decision_function(asked)
        far = asked.copy()
        factors = (2, 10, 50, 1e6, 1e25, 1e160, 1e300)
        for place, factor in enumerate(factors):
            far[60 * place] *= factor
        values = model.decision_function(far)
        wanted = model.to_sklearn().decision_function(far)
        np.testing.assert_allclose(values, wanted, rtol=1e-12, atol=1e-12)
        places = [60 * place for place in range(len(factors))]
        assert np.array_equal(np.delete(values, places), np.delete(near, places))


def test_float32_is_left_where_its_errors_would_show() -> None:
    """A hundred times its bound: decisions would be wrong by more than they may."""
    (X, y), asked = two_classes(1000, 5)
    X, asked = X + 100, asked + 100
    gamma = 100 * 2**19 * 1e-3 / float((X**2).sum(axis=1).max())
    ours = SVC(gamma=gamma, C=10.0).fit(X, y)
    theirs = sklearn.svm.SVC(gamma=gamma, C=10.0, shrinking=False).fit(X, y)
    off = ours.decision_function(asked) - theirs.decision_function(asked)
    assert np.abs(off).max() < 3e-3


SINGLE, DOUBLE = 2.0**19 * 1e-3, 2.0**48 * 1e-3


@pytest.mark.parametrize(
    ("longest", "changed", "expected"),
    [
        (SINGLE, {}, np.float32),
        (SINGLE * 1.001, {}, np.float64),
        (SINGLE, {"n_rows": 999}, np.float64),
        (SINGLE, {"gamma": 1.001}, np.float64),
        (SINGLE, {"tol": 1e-4}, np.float64),
        (SINGLE / 10, {"tol": 1e-4}, np.float32),
        (SINGLE * 1.001, {"tol": 1.0}, np.float64),  # no larger tolerance allows for more
        (SINGLE, {"bound": 10.0}, np.float32),
        (SINGLE, {"bound": 11.0}, np.float64),
        (2.0**40, {"gamma": 1e-12}, np.float32),
        (2.1**40, {"gamma": 1e-20}, np.float64),
        (2.0**-40, {"gamma": 1e12}, np.float32),
        (2.1**-40, {"gamma": 1e12}, np.float64),
        (DOUBLE, {}, np.float64),
        (DOUBLE * 1.001, {}, None),
        (DOUBLE, {"bound": 11.0}, None),
        (2.0**900, {"gamma": 0.0}, np.float64),
        (2.0**901, {"gamma": 0.0}, None),
        (2.0**-901, {"gamma": 0.0}, None),
        (0.0, {}, None),
        (np.inf, {}, None),
        (1.0, {"gamma": np.inf}, None),
    ],
)
def test_what_decides_the_precision(longest: float, changed: Any, expected: Any) -> None:
    given: dict[str, Any] = {"n_rows": 1000, "gamma": 1.0, "tol": 1e-3, "bound": 1.0}
    assert precision.choose_dtype(longest, **given | changed) is expected


@pytest.mark.parametrize("options", [{"C": 11.0}, {"C": 1.0, "class_weight": {1: 11.0}}])
def test_large_bounds_of_dual_variables_ask_for_more_precision(
    options: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (X, y), _ = two_classes(1000, 5)
    gamma = SINGLE / float((X**2).sum(axis=1).max()) / 1.01
    chosen: list[Any] = []

    def choose(*args: Any, **given: Any) -> Any:
        chosen.append(choose_as_ever(*args, **given))
        return chosen[-1]

    choose_as_ever = precision.choose_dtype
    monkeypatch.setattr(precision, "choose_dtype", choose)
    for parameters in ({"C": 10.0}, options):
        SVC(gamma=gamma, **parameters).fit(X, y)
    assert chosen == [np.float32, np.float64]


def double_gamma(model: SVC) -> None:
    model._gamma *= 2  # noqa: SLF001 - as other code might


def halve_gamma(model: SVC) -> None:
    model._gamma /= 2  # noqa: SLF001


def change_kernel(model: SVC) -> None:
    model.set_params(kernel="linear")


def change_vectors(model: SVC) -> None:
    model.support_vectors_ = model.support_vectors_ + 0.1


def change_numbers(model: SVC) -> None:
    model._n_support[:] = model._n_support[::-1].copy()  # noqa: SLF001


def change_coefficients(model: SVC) -> None:
    model._dual_coef_ *= 1.5


def change_intercepts(model: SVC) -> None:
    model._intercept_ += 0.5


@pytest.mark.parametrize(
    "change",
    [
        double_gamma,
        halve_gamma,
        change_kernel,
        change_vectors,
        change_numbers,
        change_coefficients,
        change_intercepts,
    ],
)
def test_a_model_that_is_changed_after_its_fit_decides_as_libsvm_would(
    change: Callable[[SVC], None],
) -> None:
    X, y = svm_data.blobs(3, (40, 30, 20))
    model = SVC(decision_function_shape="ovo").fit(X, y)
    before = model.decision_function(X)
    change(model)
    wanted = model.to_sklearn().decision_function(X)
    np.testing.assert_allclose(model.decision_function(X), wanted, atol=1e-10)
    assert not np.allclose(before, wanted)


def test_support_vectors_cannot_be_changed_in_place() -> None:
    model = SVC().fit(*svm_data.blobs(3, (40, 30, 20)))
    assert is_frozen(model.support_vectors_)
    with pytest.raises(ValueError, match="read-only"):
        model.support_vectors_ += 1


def test_rows_changed_after_a_fit_do_not_change_the_model() -> None:
    X, y = svm_data.blobs(4, (40, 30))
    asked = X.copy()
    for rows in (X, freeze(X)):
        model = SVC().fit(rows, y)
        before = model.decision_function(asked)
        svm_data.forget()
        X += 1
        assert np.array_equal(model.decision_function(asked), before)
        X -= 1


@pytest.mark.parametrize(
    "duplicate",
    [copy.copy, copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))],  # noqa: S301
)
def test_a_copy_that_is_changed_or_fitted_anew_is_a_model_of_its_own(
    duplicate: Callable[[SVC], SVC],
) -> None:
    X, y = svm_data.blobs(5, (40, 30))
    model = SVC().fit(X, y)
    before = model.decision_function(X)
    other = duplicate(model)
    np.testing.assert_allclose(other.decision_function(X), before, atol=1e-12)
    other._dual_coef_ = other._dual_coef_ * 2
    wanted = other.to_sklearn().decision_function(X)
    np.testing.assert_allclose(other.decision_function(X), wanted, atol=1e-12)
    other.fit(X + 1, y)
    assert np.array_equal(model.decision_function(X), before)
    assert not hasattr(clone(model), "support_vectors_")


@pytest.mark.parametrize("n_levels", [2, 3])
def test_ties_among_scores_are_libsvm_s(n_levels: int) -> None:
    """Tables of few distinct rows, scaled: equal rows have one score, and rank as libsvm's do."""
    for seed in range(10):
        rng = np.random.default_rng(seed)
        X = rng.integers(0, n_levels, (500, 5)) @ rng.normal(size=(5, 5))
        y = (X[:, 0] + rng.normal(size=500) > np.median(X[:, 0])).astype(int)
        parameters = {"gamma": 0.3 / X.var() / 5, "tol": 1e-6, "shrinking": False}
        models = [kind(**parameters).fit(X[:300], y[:300]) for kind in (SVC, sklearn.svm.SVC)]
        ours, theirs = (model.decision_function(X[300:]) for model in models)
        rows, places = np.unique(X[300:], axis=0, return_inverse=True)
        scores = {(int(place), float(score)) for place, score in zip(places, ours, strict=True)}
        assert len(scores) == len(rows)
        for metric in (roc_auc_score, average_precision_score):
            assert metric(y[300:], ours) == metric(y[300:], theirs)


def test_a_run_agrees_with_libsvm_and_with_its_own_model(called: Called) -> None:
    """A table whose classes only kernels below float32's smallest number tell apart."""
    (X, y), _ = two_classes(1400, 60)
    lines = [",".join(["label", *(f"f{column}" for column in range(60))])]
    lines += [
        ",".join(map(repr, [label, *row]))
        for label, row in zip(y.tolist(), X.tolist(), strict=True)
    ]
    table = called.folder / "rows.csv"
    table.write_text("\n".join(lines))
    common = [
        "dataset=csv",
        f"dataset.path={table}",
        "preprocess=none",
        "split.size=null",
        "classifier.gamma=4.0",
        "classifier.C=10",
    ]
    figures, labels = {}, {}
    for classifier in ("svc_libsvm", "svc"):
        done = called.run("run", *common, f"classifier={classifier}", "--json").document
        figures[classifier] = done["trials"][0]["metrics"]["accuracy"]
        labels[classifier] = called.run("predict", "latest", table).out
    assert figures["svc"] == figures["svc_libsvm"] > 0.6
    assert [line.split(",")[:2] for line in labels["svc"].splitlines()] == [
        line.split(",")[:2] for line in labels["svc_libsvm"].splitlines()
    ]
