"""Scaling of pixels by constants; nothing is learned from the data."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted, validate_data

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["Affine", "Scale"]


_DIVISOR = [
    Interval(Real, None, 0, closed="neither"),
    Interval(Real, 0, None, closed="neither"),
]
"""Finite, and not 0."""


class _Fixed(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Base class of transformers that learn nothing."""

    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Check parameters and rows; nothing is learned.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The training rows.
        y : ignored
            For scikit-learn's interface.

        Raises
        ------
        ValueError
            If ``divisor`` is 0, a parameter is not finite, or X is not a finite numeric array.
        """
        del y
        self._validate_params()
        validate_data(self, X)
        return self

    def _rows(self, X: ArrayLike) -> NDArray[Any]:
        """Return validated rows."""
        check_is_fitted(self)
        rows: NDArray[Any] = validate_data(self, X, reset=False)
        return rows

    def _as_fitted(self, plain: Any, **learned: float) -> Any:
        """Return a scaler of scikit-learn that has learned the same number for every feature."""
        seen = {name: value for name, value in vars(self).items() if name.endswith("_in_")}
        constants = {
            name: np.full(self.n_features_in_, value, np.float64) for name, value in learned.items()
        }
        vars(plain).update(seen | constants)
        return plain


class Scale(_Fixed):
    """Divide every feature by one number; nothing is learned from the data.

    Parameters
    ----------
    divisor : float, default=256.0
        What each value is divided by.

    Attributes
    ----------
    n_features_in_ : int
        Columns seen by ``fit``.

    Examples
    --------
    >>> Scale(divisor=256.0).fit_transform([[0, 64, 128]])
    array([[0.  , 0.25, 0.5 ]])
    """

    _parameter_constraints: ClassVar = {"divisor": _DIVISOR}

    def __init__(self, divisor: float = 256.0) -> None:
        self.divisor = divisor

    def transform(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return X / divisor.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples, n_features), float64
        """
        scaled: NDArray[np.float64] = np.divide(self._rows(X), self.divisor, dtype=np.float64)
        return scaled

    def to_sklearn(self) -> Any:
        """Return a scikit-learn transformer whose results are the same, bit for bit.

        Returns
        -------
        MaxAbsScaler
            With ``divisor`` as what it has learned; an estimator that is not fitted is returned
            itself, because scikit-learn's takes no constants.
        """
        from sklearn.preprocessing import MaxAbsScaler

        if not hasattr(self, "n_features_in_"):
            return self
        return self._as_fitted(MaxAbsScaler(), scale_=self.divisor, max_abs_=abs(self.divisor))


class Affine(_Fixed):
    """Transform every feature to ``x / divisor * factor + offset``, computed in that order.

    The defaults map bytes to the range 0.01 to 1.0, which suits networks of logistic units: ``x /
    255.0 * 0.99 + 0.01`` (T. Rashid, Make Your Own Neural Network, 2016).

    Parameters
    ----------
    divisor : float, default=255.0
        What each value is divided by.
    factor : float, default=0.99
        Factor of the quotient.
    offset : float, default=0.01
        The number added to the product.

    Attributes
    ----------
    n_features_in_ : int
        Columns seen by ``fit``.

    Examples
    --------
    >>> Affine().fit_transform([[0, 255]])
    array([[0.01, 1.  ]])
    """

    _parameter_constraints: ClassVar = {
        "divisor": _DIVISOR,
        "factor": [Interval(Real, None, None, closed="neither")],
        "offset": [Interval(Real, None, None, closed="neither")],
    }

    def __init__(self, divisor: float = 255.0, factor: float = 0.99, offset: float = 0.01) -> None:
        self.divisor = divisor
        self.factor = factor
        self.offset = offset

    def transform(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return X / divisor * factor + offset.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples, n_features), float64
        """
        scaled: NDArray[np.float64] = np.divide(self._rows(X), self.divisor, dtype=np.float64)
        scaled *= self.factor
        scaled += self.offset
        return scaled

    def to_sklearn(self) -> Any:
        """Return a scikit-learn transformer whose results are the same, bit for bit.

        Returns
        -------
        Pipeline
            A MaxAbsScaler, which divides, and a MinMaxScaler, which multiplies and adds; an
            estimator that is not fitted is returned itself, because these take no constants.
        """
        from sklearn.pipeline import Pipeline
        from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler

        if not hasattr(self, "n_features_in_"):
            return self
        divided = self._as_fitted(MaxAbsScaler(), scale_=self.divisor, max_abs_=abs(self.divisor))
        moved = self._as_fitted(MinMaxScaler(), scale_=self.factor, min_=self.offset)
        return Pipeline([("divide", divided), ("multiply_add", moved)])
