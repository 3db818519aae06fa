"""The perceptron follows the published recipe, and scikit-learn's contract."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.special import expit
from sklearn.datasets import load_digits
from sklearn.utils.estimator_checks import parametrize_with_checks

from sweepmark.estimators.neural import LogisticMLP

Array = np.ndarray[Any, Any]


@parametrize_with_checks(  # type: ignore[untyped-decorator]
    [LogisticMLP(hidden_units=20, learning_rate=0.3, epochs=100, random_state=0)]
)
def test_perceptron_is_a_classifier_in_scikit_learns_sense(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.fixture(scope="module")
def digits() -> tuple[Array, Array]:
    X, y = load_digits(return_X_y=True)
    return X / 16 * 0.99 + 0.01, y


def published(X: Array, y: Array, *, n_hidden: int, epochs: int, seed: int) -> tuple[Array, Array]:
    """Train as the book does, statement by statement."""
    random = np.random.RandomState(seed)
    wih = random.normal(0.0, pow(X.shape[1], -0.5), (n_hidden, X.shape[1]))
    who = random.normal(0.0, pow(n_hidden, -0.5), (10, n_hidden))
    for _ in range(epochs):
        for row, label in zip(X, y, strict=True):
            targets_list = np.zeros(10) + 0.01
            targets_list[int(label)] = 0.99
            inputs = np.array(row, ndmin=2).T
            targets = np.array(targets_list, ndmin=2).T
            hidden_outputs = expit(np.dot(wih, inputs))
            final_outputs = expit(np.dot(who, hidden_outputs))
            output_errors = targets - final_outputs
            hidden_errors = np.dot(who.T, output_errors)
            who += 0.1 * np.dot(
                (output_errors * final_outputs * (1.0 - final_outputs)),
                np.transpose(hidden_outputs),
            )
            wih += 0.1 * np.dot(
                (hidden_errors * hidden_outputs * (1.0 - hidden_outputs)), np.transpose(inputs)
            )
    return wih, who


def test_weights_are_those_of_the_published_programme(digits: tuple[Array, Array]) -> None:
    X, y = digits[0][:500], digits[1][:500]
    wih, who = published(X, y, n_hidden=17, epochs=3, seed=4)
    fitted = LogisticMLP(hidden_units=17, epochs=3, random_state=4).fit(X, y)
    np.testing.assert_allclose(fitted.weights_hidden_.T, wih, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(fitted.weights_output_.T, who, rtol=1e-9, atol=1e-12)


def test_as_many_passes_as_epochs_are_a_fit(digits: tuple[Array, Array]) -> None:
    X, y = digits
    fitted = LogisticMLP(30, epochs=3, random_state=1).fit(X, y)
    passed = LogisticMLP(30, random_state=1)
    for _ in range(3):
        passed.partial_fit(X, y, classes=np.arange(10))
    np.testing.assert_array_equal(passed.predict_proba(X), fitted.predict_proba(X))
    assert passed.n_epochs_ == fitted.n_epochs_ == 3


def test_it_learns_and_its_shares_sum_to_one(digits: tuple[Array, Array]) -> None:
    X, y = digits
    fitted = LogisticMLP(60, epochs=10, random_state=0).fit(X[:1200], y[:1200])
    assert fitted.score(X[1200:], y[1200:]) > 0.88
    shares = fitted.predict_proba(X)
    np.testing.assert_allclose(shares.sum(axis=1), 1.0)
    np.testing.assert_array_equal(shares.argmax(axis=1), fitted.predict(X))


def test_labels_may_be_text(digits: tuple[Array, Array]) -> None:
    X, y = digits
    names = np.where(y == 5, "five", "other")
    assert set(LogisticMLP(10, epochs=1).fit(X, names).predict(X)) <= {"five", "other"}


def test_saturated_outputs_have_shares_all_the_same() -> None:
    fitted = LogisticMLP(2, random_state=0).fit([[1.0], [0.5]], [0, 1])
    fitted.weights_hidden_[:] = 1e4
    fitted.weights_output_[:] = -1e4
    np.testing.assert_array_equal(fitted.predict_proba([[1.0]]), [[0.5, 0.5]])


@pytest.mark.parametrize(
    "wrong", [{"hidden_units": 0}, {"epochs": 0}, {"learning_rate": 0.0}, {"learning_rate": np.nan}]
)
def test_parameter_out_of_range_is_refused_with_its_name(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"'{next(iter(wrong))}' parameter of LogisticMLP must be"):
        LogisticMLP(**wrong).fit([[1.0], [2.0]], [0, 1])


def test_label_or_classes_that_the_first_call_did_not_know_are_refused() -> None:
    begun = LogisticMLP(2).partial_fit([[1.0], [0.5]], [0, 1])
    with pytest.raises(ValueError, match=r"labels among \[0 1\], but got \[7\]"):
        begun.partial_fit([[1.0]], [7])
    with pytest.raises(ValueError, match="classes must be those of the first call"):
        begun.partial_fit([[1.0]], [1], classes=[0, 1, 2])
