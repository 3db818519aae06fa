"""The compiled solver against libsvm's, which has the same steps: not a bit may differ."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.svm import SVC

from sweepmark.svm.smo import minimize

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray


def rbf(X: NDArray[np.float64], gamma: float) -> NDArray[np.float32]:
    """Return a kernel whose elements float32 can hold."""
    distances = ((X[:, np.newaxis] - X) ** 2).sum(axis=2)
    return np.asarray(np.exp(-gamma * distances), dtype=np.float32)


def assert_libsvm_s_bits(
    kernel: NDArray[np.float32], n_first: int, *, weights: tuple[float, float], **options: Any
) -> None:
    n_second = len(kernel) - n_first
    C, tol, max_iter = options["C"], options["tol"], options.get("max_iter", -1)
    bounds = (C * weights[0], C * weights[1])
    coefficients, intercept, n_iter, given_up = minimize(
        kernel, 0, n_first, n_first, n_second, *bounds, tol, max_iter
    )
    # A binary SVC shows its second class as the positive one; libsvm's is the first.
    plain = SVC(
        kernel="precomputed", shrinking=False, class_weight=dict(enumerate(weights)), **options
    )
    plain.fit(kernel.astype(np.float64), np.repeat([0, 1], [n_first, n_second]))
    expected = np.zeros(len(kernel))
    expected[plain.support_] = -plain.dual_coef_[0]
    np.testing.assert_array_equal(coefficients, expected)
    assert intercept == -plain.intercept_[0]
    assert n_iter == plain.n_iter_[0]
    assert given_up == plain.fit_status_


@settings(deadline=None, max_examples=200)
@given(
    seed=st.integers(0, 2**32 - 1),
    sizes=st.tuples(st.integers(1, 70), st.integers(1, 70)),
    values=st.integers(1, 5),
    gamma=st.sampled_from([1e-3, 0.1, 1.0, 100.0]),
    C=st.sampled_from([1e-3, 0.5, 10.0, 1e5]),
    weights=st.sampled_from([(1.0, 1.0), (0.1, 7.0)]),
)
def test_any_two_classes(  # noqa: PLR0913, PLR0917
    seed: int,
    sizes: tuple[int, int],
    values: int,
    gamma: float,
    C: float,
    weights: tuple[float, float],
) -> None:
    """Few values make for equal rows, ties and classes that lie on each other."""
    X = np.random.default_rng(seed).integers(0, values, (sum(sizes), 3)).astype(np.float64)
    options = {"C": C, "tol": 1e-3, "max_iter": 20_000}  # some of them would take for ever
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        assert_libsvm_s_bits(rbf(X, gamma), sizes[0], weights=weights, **options)


@pytest.mark.parametrize("C", [0.01, 1.0, 1000.0])
@pytest.mark.parametrize("pair", [(3, 8), (0, 1)])
def test_real_classes(pair: tuple[int, int], C: float) -> None:
    X, y = load_digits(return_X_y=True)
    rows = np.concatenate([X[y == label] for label in pair]) / 16
    kernel = rbf(rows, 0.5)
    assert_libsvm_s_bits(kernel, int((y == pair[0]).sum()), weights=(1, 1), C=C, tol=1e-3)


def test_a_pair_is_read_where_it_lies_in_a_larger_kernel() -> None:
    X, y = load_digits(return_X_y=True)
    X, y = X[:600] / 16, y[:600]
    order = np.argsort(y, kind="stable")
    counts = np.bincount(y).tolist()
    starts = np.concatenate([[0], np.cumsum(counts)]).tolist()
    whole = rbf(X[order], 0.5)
    rows = np.r_[starts[2] : starts[3], starts[7] : starts[8]]
    alone = minimize(
        whole[np.ix_(rows, rows)], 0, counts[2], counts[2], counts[7], 1.0, 1.0, 1e-3, -1
    )
    inside = minimize(whole, starts[2], counts[2], starts[7], counts[7], 1.0, 1.0, 1e-3, -1)
    np.testing.assert_array_equal(alone[0], inside[0])
    assert alone[1:] == inside[1:]
