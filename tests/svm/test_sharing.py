"""What fits of sweepmark.svm.SVC share, and that sharing changes no bit of what comes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import sklearn.svm
from threadpoolctl import threadpool_limits

from svm_data import blobs, forget
from sweepmark.cache import configure, freeze, statistics
from sweepmark.svm import SVC
from sweepmark.svm.content import digest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from svm_data import Data


def outcome(train: Data, X: NDArray[np.float64], **parameters: Any) -> tuple[Any, ...]:
    model = SVC(**parameters).fit(*train)
    return model.predict(X), model.decision_function(X), model.dual_coef_, model.intercept_


def assert_same(first: tuple[Any, ...], second: tuple[Any, ...]) -> None:
    for one, other in zip(first, second, strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("parameters", [{"C": 1.0}, {"C": 100.0, "gamma": 2.0}, {"tol": 1e-9}])
def test_neither_threads_nor_memory_change_a_bit(many: Data, parameters: dict[str, Any]) -> None:
    X = many[0][:333] + 0.05
    X[7] *= 1e5
    outcomes = []
    for n_threads in (1, 2, 4):
        for memory in (0, 300_000, 5_000_000, 2**31):
            forget()
            configure(memory=memory)
            with threadpool_limits(n_threads):
                outcomes.append(outcome(many, X, **parameters))
    for other in outcomes[1:]:
        assert_same(outcomes[0], other)


def test_what_was_fitted_before_changes_nothing(many: Data) -> None:
    X = many[0][:200] + 0.05
    grid = [
        {"C": C, "gamma": gamma} for C in (0.1, 5.0, 10.0, 30.0, 1000.0) for gamma in (0.1, 1.0)
    ]
    ascending = [outcome(many, X, **cell) for cell in grid]
    forget()
    descending = [outcome(many, X, **cell) for cell in reversed(grid)]
    for first, second, cell in zip(ascending, reversed(descending), grid, strict=True):
        assert_same(first, second)
        forget()
        assert_same(first, outcome(many, X, **cell))


def test_work_is_shared_along_c_and_gamma_and_between_predictions(digits: Data) -> None:
    X, y = digits
    SVC(C=1.0).fit(X, y)
    before = statistics()
    model = SVC(C=2.0).fit(X, y)
    shared = statistics()
    assert shared.kernel_hits > before.kernel_hits
    assert shared.shared_seconds > before.shared_seconds
    assert shared.kernel_misses == before.kernel_misses + 1  # the new C's solution
    model.predict(X)
    predicted = statistics()
    model.decision_function(X)
    assert statistics().kernel_misses == predicted.kernel_misses
    assert predicted.n_bytes <= predicted.peak_bytes


def test_the_head_of_a_training_set_shares_its_distances() -> None:
    X, y = blobs(8, (600, 600), 20)
    order = np.argsort(np.arange(len(y)) % 7, kind="stable")
    X, y = X[order], y[order]
    SVC().fit(X[:1000], y[:1000])
    before = statistics()
    SVC(gamma=0.3).fit(X, y)
    assert statistics().kernel_hits >= before.kernel_hits + 3


def test_what_is_changed_in_place_is_seen(digits: Data) -> None:
    X, y = digits[0][:300].copy(), digits[1][:300]
    model = SVC().fit(X, y)
    first = model.predict(X)
    X[:] = X[::-1].copy()
    assert np.array_equal(model.predict(X), first[::-1])
    model._intercept_ += 5
    assert not np.array_equal(model.predict(X), first[::-1])


def test_a_frozen_array_is_known_by_identity_and_a_new_one_is_not_mistaken_for_it() -> None:
    for seed in range(20):
        X, y = blobs(seed, (20, 20))
        X = freeze(X)
        assert np.array_equal(SVC().fit(X, y).predict(X), sklearn.svm.SVC().fit(X, y).predict(X))
        del X


def test_a_frozen_array_s_digest_follows_its_shape() -> None:
    array = freeze(np.arange(12.0).reshape(3, 4))
    first = digest(array)
    array.shape = (4, 3)
    assert digest(array) == digest(np.arange(12.0).reshape(4, 3)) != first


@pytest.mark.parametrize("kind", ["flag", "view"])
def test_a_read_only_array_that_is_changed_all_the_same_is_seen(digits: Data, kind: str) -> None:
    """Toggling the flag, or writing to what it is a view of."""
    X, y = digits[0][:300].copy(), digits[1][:300]
    rows = X if kind == "flag" else X[:]
    rows.flags.writeable = False
    asked = rows
    first = SVC(decision_function_shape="ovo").fit(rows, y)
    before = first.decision_function(asked)
    if kind == "flag":
        X.flags.writeable = True
    X[:] = X[::-1] ** 2
    if kind == "flag":
        X.flags.writeable = False
    second = SVC(decision_function_shape="ovo").fit(rows, y)
    changed = (first.decision_function(asked), second.decision_function(asked))
    forget()
    other = np.array(rows)
    assert np.array_equal(
        changed[1], SVC(decision_function_shape="ovo").fit(other, y).decision_function(other)
    )
    assert np.array_equal(changed[0], first.decision_function(other))
    assert not np.array_equal(changed[0], before)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"tol": 0.1}, {"tol": 1e-6}),
        ({"max_iter": 3}, {"max_iter": -1}),
        ({"max_iter": -1}, {"max_iter": 3}),
        ({"C": 1.0}, {"C": 2.0}),
        ({"C": 20.0, "max_iter": 10**6}, {"C": 20.0, "max_iter": -1}),
        ({"gamma": 0.1}, {"gamma": 0.2}),
        ({"class_weight": None}, {"class_weight": {0: 3.0}}),
    ],
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_fits_that_differ_in_one_parameter_share_no_solution(
    digits: Data, first: dict[str, Any], second: dict[str, Any]
) -> None:
    X, y = digits[0][:300], digits[1][:300]
    other = SVC(**first).fit(X, y)
    after = SVC(**second).fit(X, y)
    values = after.decision_function(X)
    forget()
    alone = SVC(**second).fit(X, y)
    assert np.array_equal(values, alone.decision_function(X))
    assert np.array_equal(after.n_iter_, alone.n_iter_)
    if "gamma" not in first and first.get("C") != 20:
        assert not np.array_equal(other.n_iter_, after.n_iter_)


def test_rows_that_differ_by_a_constant_share_no_decision() -> None:
    """Their distances are the same to the last bit, but not those from the rows decided on."""
    X = np.random.default_rng(0).integers(0, 16, (64, 5)).astype(float)
    y = (X[:, 0] + X[:, 1] > 15).astype(int)
    for shift in (0, 8):
        ours = SVC(gamma=0.01).fit(X + shift, y)
        theirs = sklearn.svm.SVC(gamma=0.01).fit(X + shift, y)
        assert np.array_equal(ours.predict(X), theirs.predict(X))
        assert np.allclose(ours.decision_function(X), theirs.decision_function(X), atol=1e-9)


def test_the_same_coefficients_of_other_classes_share_no_decision() -> None:
    """Where classes lie among the rows is not in the coefficients."""
    X = np.array([[0.0], [1.0], [5.0], [6.0]])
    models = [SVC(gamma=1.0, C=0.01).fit(X, y) for y in ([0, 1, 1, 2], [0, 0, 1, 2])]
    for model in models:
        model.decision_function_shape = "ovo"
        model._dual_coef_ = np.full((2, 4), 0.01)
        model._intercept_ = np.zeros(3)
        plain = model.to_sklearn().decision_function(X)
        assert np.allclose(model.decision_function(X), plain, atol=1e-12)
    assert not np.allclose(*(model.decision_function(X) for model in models))


def test_memory_must_not_be_negative() -> None:
    with pytest.raises(ValueError, match="at least 0 bytes, but got -1"):
        configure(memory=-1)
