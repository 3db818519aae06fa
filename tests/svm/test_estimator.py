"""sweepmark.svm.SVC against scikit-learn's own."""

from __future__ import annotations

import pickle
import subprocess
import sys
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import scipy.sparse
import sklearn.svm
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.utils.estimator_checks import check_estimator

from svm_data import blobs
from sweepmark.cache import statistics
from sweepmark.svm import SVC

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from svm_data import Data

ATTRIBUTES = (
    "support_",
    "support_vectors_",
    "n_support_",
    "dual_coef_",
    "intercept_",
    "n_iter_",
    "fit_status_",
    "shape_fit_",
    "classes_",
    "class_weight_",
    "n_features_in_",
)


def assert_like_libsvm(X: NDArray[np.float64], y: NDArray[Any], **parameters: Any) -> None:
    """Fit both; labels must agree wherever the solver's tolerance does not leave them open."""
    ours = SVC(**parameters).fit(X, y)
    theirs = sklearn.svm.SVC(**parameters).fit(X, y)
    rng = np.random.default_rng(0)
    scored = np.vstack([X, X + rng.normal(scale=0.1, size=X.shape)])
    pairs = sklearn.base.clone(theirs).set_params(decision_function_shape="ovo", break_ties=False)
    margins = np.abs(np.atleast_2d(pairs.fit(X, y).decision_function(scored).T)).min(axis=0)
    clear = margins > 0.01
    assert np.array_equal(ours.predict(scored)[clear], theirs.predict(scored)[clear])
    for name in ATTRIBUTES:
        mine, other = np.asarray(getattr(ours, name)), np.asarray(getattr(theirs, name))
        assert mine.dtype == other.dtype, name
        assert mine.ndim == other.ndim, name
    # At a huge C, libsvm's shrinking alone moves thresholds by more than that.
    unshrunk = sklearn.svm.SVC(**parameters | {"shrinking": False}).fit(X, y)
    assert np.allclose(ours.intercept_, unshrunk.intercept_, atol=0.01)
    agreed = np.isclose(theirs.intercept_, unshrunk.intercept_, atol=0.005)
    assert np.allclose(ours.intercept_[agreed], theirs.intercept_[agreed], atol=0.01)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"C": 0.01},
        {"C": 10.0, "gamma": 1.0},
        {"C": 100.0},
        {"gamma": 100.0, "C": 50.0},
        {"class_weight": "balanced", "C": 0.1},
        {"gamma": 0.0},
        {"shrinking": False},
        {"max_iter": 20},
    ],
)
def test_digits_are_fitted_and_predicted_like_libsvm(
    digits: Data, parameters: dict[str, Any]
) -> None:
    X, y = digits
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sklearn.exceptions.ConvergenceWarning)
        ours = SVC(**parameters).fit(X[:700], y[:700])
        theirs = sklearn.svm.SVC(**parameters).fit(X[:700], y[:700])
    assert vars(ours).keys() == vars(theirs).keys()
    for name in ATTRIBUTES:
        mine, other = np.asarray(getattr(ours, name)), np.asarray(getattr(theirs, name))
        assert (mine.dtype, mine.shape) == (other.dtype, other.shape), name
        assert np.allclose(mine, other, atol=2e-3), name
    assert np.array_equal(ours.predict(X[700:]), theirs.predict(X[700:]))
    assert np.allclose(
        ours.decision_function(X[700:]), theirs.decision_function(X[700:]), atol=5e-3
    )


@pytest.mark.parametrize("gamma", [1e-3, "scale", 100.0])
@pytest.mark.parametrize("C", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize(
    "counts", [(1, 1), (1, 1, 1, 1), (1, 40), (30, 25), (3, 50, 7, 2), (12,) * 12]
)
def test_degenerate_classes(counts: tuple[int, ...], C: float, gamma: float | str) -> None:
    X, y = blobs(1, counts)
    assert_like_libsvm(X, y, C=C, gamma=gamma)


def test_duplicated_rows_are_alike_even_at_a_large_gamma() -> None:
    X, y = blobs(2, (40, 40, 40))
    X = np.vstack([X, X, X[:60]]) * 30
    y = np.concatenate([y, y, y[:60]])
    for C in (0.1, 1.0, 100.0):
        model = SVC(gamma=100.0, C=C).fit(X, y)
        assert np.array_equal(
            model.predict(X), sklearn.svm.SVC(gamma=100.0, C=C).fit(X, y).predict(X)
        )
        assert np.array_equal(model.predict(X[:120]), model.predict(X[120:240]))


def test_contradicting_duplicates() -> None:
    X, y = blobs(3, (30, 30))
    assert_like_libsvm(np.vstack([X, X]), np.concatenate([y, 1 - y]), gamma=100.0)


def test_constant_features_and_constant_rows() -> None:
    X, y = blobs(4, (20, 30))
    X[:, 2] = 1e6
    assert_like_libsvm(X, y, gamma=0.1)
    assert_like_libsvm(np.ones((20, 3)), np.arange(20) % 3)


def test_ties() -> None:
    X = np.array([[0.0], [1.0], [2.0], [3.0]])
    y = np.array([0, 1, 1, 0])
    grid = np.linspace(-1, 4, 51)[:, np.newaxis]
    for parameters in ({"break_ties": True}, {"break_ties": False}):
        X3, y3 = blobs(5, (9, 9, 9), 2)
        ours, theirs = SVC(**parameters).fit(X3, y3), sklearn.svm.SVC(**parameters).fit(X3, y3)
        assert np.array_equal(ours.predict(X3 * 2), theirs.predict(X3 * 2))
    assert np.array_equal(
        SVC(gamma=1.0).fit(X, y).predict(grid), sklearn.svm.SVC(gamma=1.0).fit(X, y).predict(grid)
    )


@settings(max_examples=60, deadline=None)
@given(
    data=st.tuples(
        st.integers(0, 2**32 - 1),
        st.lists(st.integers(1, 40), min_size=2, max_size=6).map(tuple),
    ).map(lambda drawn: blobs(*drawn, n_features=4)),
    scale=st.sampled_from([1e-3, 1.0, 1e3]),
    n_levels=st.sampled_from([0, 2, 5]),
    parameters=st.fixed_dictionaries(
        {
            "C": st.floats(-3, 3).map(lambda power: 10**power),
            "gamma": st.floats(-4, 2).map(lambda power: 10**power),
            "class_weight": st.sampled_from([None, "balanced", {0: 3.0}]),
        }
    ),
)
def test_any_data_is_classified_like_libsvm(
    data: Data, scale: float, n_levels: int, parameters: dict[str, Any]
) -> None:
    X, y = data
    if n_levels:  # few distinct values: rows are repeated and distances tie
        X = np.round(X * n_levels / 4)
    assert_like_libsvm(X * scale, y, **parameters | {"gamma": parameters["gamma"] / scale**2})


def test_float32_distances_keep_libsvm_s_labels(many: Data) -> None:
    for C in (0.1, 1.0, 100.0):
        ours = SVC(C=C, gamma=0.1).fit(*many)
        theirs = sklearn.svm.SVC(C=C, gamma=0.1).fit(*many)
        X = many[0] + 0.05
        assert np.array_equal(ours.predict(X), theirs.predict(X))
        assert np.allclose(ours.decision_function(X), theirs.decision_function(X), atol=0.02)


def test_predicting_changes_no_attribute_and_results_are_the_caller_s(digits: Data) -> None:
    X, y = digits
    model = SVC(decision_function_shape="ovo").fit(X[:300], y[:300])
    before = dict(vars(model))
    values = model.decision_function(X)
    values[:] = 0
    assert model.decision_function(X).any()
    assert vars(model).keys() == before.keys()
    model.intercept_ += 1


def test_it_becomes_a_plain_svc(digits: Data) -> None:
    X, y = digits
    model = SVC(C=3.0, class_weight={1: 2.0}).fit(X[:300], y[:300])
    plain = model.to_sklearn()
    assert type(plain) is sklearn.svm.SVC
    assert plain.get_params() == model.get_params()
    assert np.array_equal(pickle.loads(pickle.dumps(plain)).predict(X), model.predict(X))  # noqa: S301
    assert np.allclose(plain.decision_function(X), model.decision_function(X), atol=1e-8)


def test_copies_predict_without_what_the_original_was_trained_on(digits: Data) -> None:
    X, y = digits
    model = SVC().fit(X[:300], y[:300])
    copy = pickle.loads(pickle.dumps(model))  # noqa: S301
    assert np.array_equal(copy.predict(X), model.predict(X))
    assert not hasattr(clone(model), "support_")


def test_the_parent_does_what_is_not_dense_rbf(digits: Data) -> None:
    X, y = digits[0][:200], digits[1][:200]
    before = statistics()
    for kernel in ("linear", "poly", "sigmoid", lambda a, b: a @ b.T):
        ours, theirs = SVC(kernel=kernel).fit(X, y), sklearn.svm.SVC(kernel=kernel).fit(X, y)
        assert np.array_equal(ours.decision_function(X), theirs.decision_function(X))
    sparse = scipy.sparse.csr_array(X)
    assert np.array_equal(
        SVC().fit(sparse, y).predict(sparse), sklearn.svm.SVC().fit(sparse, y).predict(sparse)
    )
    weights = np.linspace(0, 2, len(y))
    assert np.array_equal(
        SVC().fit(X, y, weights).decision_function(X),
        sklearn.svm.SVC().fit(X, y, weights).decision_function(X),
    )
    assert statistics().kernel_misses == before.kernel_misses


def test_refitting_by_the_parent_forgets_our_fit(digits: Data) -> None:
    X, y = digits[0][:200], digits[1][:200]
    model = SVC().fit(X, y)
    model.set_params(kernel="linear").fit(X, y)
    assert np.array_equal(model.predict(X), sklearn.svm.SVC(kernel="linear").fit(X, y).predict(X))


@pytest.mark.parametrize("class_weight", [{0: 0.1}, {0: 0.1, 1: 0.1}])
def test_a_small_class_weight_bounds_variables_above_c_10_too(class_weight: Any) -> None:
    """At C = 10 their bound is 1: a solution that is at it is none for C = 1000."""
    X, y = blobs(9, (40, 40), 2)
    parameters = {"class_weight": class_weight, "gamma": 0.5, "shrinking": False}
    for C in (10.0, 1000.0):
        ours = SVC(C=C, **parameters).fit(X, y)
        theirs = sklearn.svm.SVC(C=C, **parameters).fit(X, y)
        np.testing.assert_allclose(
            ours.decision_function(X), theirs.decision_function(X), atol=0.02
        )
        assert np.isclose(np.abs(ours.dual_coef_).max(), np.abs(theirs.dual_coef_).max(), rtol=0.05)


def test_a_solver_given_up_is_reported(digits: Data) -> None:
    model = SVC(max_iter=3)
    with pytest.warns(sklearn.exceptions.ConvergenceWarning, match="max_iter=3"):
        model.fit(*digits)
    assert model.fit_status_ == 1
    assert model.n_iter_.max() == 3


def test_scikit_learn_s_estimator_checks_pass() -> None:
    reason = "libsvm's tolerance: weighted and repeated rows take other paths"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check_estimator(
            SVC(),
            expected_failed_checks={
                "check_sample_weight_equivalence_on_dense_data": reason,
                "check_sample_weight_equivalence_on_sparse_data": reason,
            },
        )


_PLUGGED = """
import sys, pytest, sklearn.svm
from sweepmark.svm import SVC
sklearn.svm.SVC = SVC
sys.exit(pytest.main(["--pyargs", "sklearn.svm.tests.test_svm", "-q", "-p", "no:cacheprovider",
                      "-c", "/dev/null"]))
"""


@pytest.mark.slow
def test_scikit_learn_s_own_tests_pass_in_its_svc_s_place() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PLUGGED], capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout
