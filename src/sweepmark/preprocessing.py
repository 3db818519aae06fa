"""Transformers of our own, where scikit-learn has none that can be named without a callable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["Scale"]


class Scale(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
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

    def __init__(self, divisor: float = 256.0) -> None:
        self.divisor = divisor

    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Note the number of features.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The training rows.
        y : ignored
            For scikit-learn's interface.

        Raises
        ------
        ValueError
            If ``divisor`` is 0 or not finite, or X is no finite numeric table.
        """
        del y
        if not np.isfinite(self.divisor) or self.divisor == 0:
            raise ValueError(f"divisor must be finite and not 0, but got {self.divisor!r}.")
        validate_data(self, X)
        return self

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
        check_is_fitted(self)
        X = validate_data(self, X, reset=False)
        return np.divide(X, self.divisor, dtype=np.float64)
