"""A multilayer perceptron of logistic units, trained one row at a time."""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval
from sklearn.utils.multiclass import check_classification_targets, unique_labels
from sklearn.utils.validation import check_is_fitted, validate_data

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["LogisticMLP"]

_ON, _OFF = 0.99, 0.01
"""Targets: values that a logistic unit can reach, unlike 1 and 0."""

_CHUNK = 10_000
"""Rows predicted at a time."""


class LogisticMLP(ClassifierMixin, BaseEstimator):
    """One hidden layer of logistic units, logistic outputs, plain gradient steps, no biases.

    It implements T. Rashid, Make Your Own Neural Network, 2016: rows in their order, targets 0.99
    for the row's class and 0.01 for the others, weights drawn from a normal distribution with
    standard deviation n_inputs ** -0.5. As in the book, the error propagated to the hidden layer is
    the output error without the derivative of the logistic function, so the steps of that layer are
    not exactly gradient descent.

    Parameters
    ----------
    hidden_units : int, default=200
        Units of the hidden layer.
    learning_rate : float, default=0.1
        Factor of each step.
    epochs : int, default=5
        Number of passes of ``fit`` over the rows.
    random_state : int, RandomState instance or None, default=None
        Seed of the initial weights.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, ascending.
    n_features_in_ : int
        Columns seen by ``fit``.
    n_epochs_ : int
        Number of passes over training rows so far.
    weights_hidden_ : ndarray of shape (n_features_in_, hidden_units), float64
        Weights from the features to the hidden units.
    weights_output_ : ndarray of shape (hidden_units, n_classes), float64
        Weights from the hidden units to the outputs.

    Examples
    --------
    >>> X, y = [[1.0, 0.01], [0.01, 1.0]], [3, 8]
    >>> LogisticMLP(hidden_units=5, epochs=500, random_state=0).fit(X, y).predict(X)
    array([3, 8])
    """

    _parameter_constraints: ClassVar = {
        "hidden_units": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        hidden_units: int = 200,
        learning_rate: float = 0.1,
        epochs: int = 5,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.hidden_units = hidden_units
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Initialise the weights and make ``epochs`` passes over the rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows, best in the range 0.01 to 1.
        y : array-like of shape (n_samples,)
            Their labels.

        Raises
        ------
        ValueError
            If a parameter is out of range, or X and y are invalid.
        """
        self._validate_params()
        rows, labels = validate_data(self, X, y, dtype=np.float64, order="C")
        check_classification_targets(labels)
        self._start(unique_labels(labels))
        codes = np.searchsorted(self.classes_, labels)
        for _ in range(self.epochs):
            self._epoch(rows, codes)
        return self

    def partial_fit(self, X: ArrayLike, y: ArrayLike, classes: ArrayLike | None = None) -> Self:
        """Make one pass over the rows; ``epochs`` calls are equivalent to ``fit``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows.
        y : array-like of shape (n_samples,)
            Their labels.
        classes : array-like of shape (n_classes,) or None, default=None
            All possible labels; by default the first call takes those of y.

        Raises
        ------
        ValueError
            If y has a label that is not among ``classes_``, or ``classes`` has changed.
        """
        self._validate_params()
        first = not hasattr(self, "classes_")
        rows, labels = validate_data(self, X, y, reset=first, dtype=np.float64, order="C")
        check_classification_targets(labels)
        if first:
            self._start(unique_labels(labels if classes is None else np.asarray(classes)))
        elif classes is not None and not np.array_equal(unique_labels(classes), self.classes_):
            raise ValueError(
                f"classes must be those of the first call, {self.classes_}, but got {classes}."
            )
        if not (known := np.isin(labels, self.classes_)).all():
            raise ValueError(
                f"y must have labels among {self.classes_}, but got {np.unique(labels[~known])}."
            )
        self._epoch(rows, np.searchsorted(self.classes_, labels))
        return self

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the label of the strongest output.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        outputs = self._outputs(X)
        labels: NDArray[Any] = self.classes_[outputs.argmax(axis=1)]
        return labels

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the outputs, normalised to sum 1.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        outputs = self._outputs(X)
        np.maximum(outputs, np.finfo(np.float64).tiny, out=outputs)  # so that no sum is 0
        outputs /= outputs.sum(axis=1, keepdims=True)
        return outputs

    def _start(self, classes: NDArray[Any]) -> None:
        """Initialise the weights, those of the hidden layer first, as in the book."""
        random = check_random_state(self.random_state)
        n_inputs, n_hidden = self.n_features_in_, self.hidden_units
        hidden = random.normal(0.0, n_inputs**-0.5, (n_hidden, n_inputs))
        output = random.normal(0.0, n_hidden**-0.5, (len(classes), n_hidden))
        self.classes_ = classes
        self.n_epochs_ = 0
        self.weights_hidden_, self.weights_output_ = hidden.T, output.T

    def _epoch(self, rows: NDArray[np.float64], codes: NDArray[np.int64]) -> None:
        """Make one step per row, without allocating arrays.

        BLAS's dger adds the outer product of a step in one pass over the weights; NumPy needs
        three. It requires the weights in Fortran order, in which they are stored. A loaded model
        may have another order, so they are converted first.
        """
        from scipy.linalg.blas import dger
        from scipy.special import expit

        hidden = np.asfortranarray(self.weights_hidden_)
        output = np.asfortranarray(self.weights_output_)
        units, errors = np.empty(hidden.shape[1]), np.empty(output.shape[1])
        results, back, slope = np.empty_like(errors), np.empty_like(units), np.empty_like(units)
        targets = np.where(np.eye(len(errors), dtype=bool), _ON, _OFF)
        for row, code in zip(rows, codes, strict=True):
            expit(np.dot(hidden.T, row, out=units), out=units)
            expit(np.dot(output.T, units, out=results), out=results)
            np.subtract(targets[code], results, out=errors)
            np.dot(output, errors, out=back)
            errors *= results
            errors *= np.subtract(1.0, results, out=results)
            dger(self.learning_rate, units, errors, a=output, overwrite_a=1)
            back *= units
            back *= np.subtract(1.0, units, out=slope)
            dger(self.learning_rate, row, back, a=hidden, overwrite_a=1)
        self.weights_hidden_, self.weights_output_ = hidden, output
        self.n_epochs_ += 1

    def _outputs(self, X: ArrayLike) -> NDArray[np.float64]:
        from scipy.special import expit

        check_is_fitted(self)
        rows = validate_data(self, X, reset=False, dtype=np.float64)
        outputs = np.empty((len(rows), len(self.classes_)))
        for start in range(0, len(rows), _CHUNK):
            part = rows[start : start + _CHUNK]
            outputs[start : start + _CHUNK] = expit(
                expit(part @ self.weights_hidden_) @ self.weights_output_
            )
        return outputs
