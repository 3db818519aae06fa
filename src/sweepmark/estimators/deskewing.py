"""Deskewing of images."""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.base import OneToOneFeatureMixin
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_non_negative

from sweepmark.estimators.images import PictureTransformer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray
    from sklearn.utils import Tags

__all__ = ["Deskew"]

_CHUNK = 4096
"""Images whose moments are computed at a time."""


class Deskew(OneToOneFeatureMixin, PictureTransformer):
    """Shear every image about its centre of mass so that its ink is upright.

    With the ink as a distribution over rows r and columns c, each row is moved sideways by cov(r,
    c) / var(r) pixels for each row of distance from the mean row, so that the covariance becomes 0
    (the deskewing of Y. LeCun et al., Gradient-Based Learning Applied to Document Recognition,
    1998). A blank image, or one with ink in a single row, is not changed.

    Parameters
    ----------
    order : int, default=1
        Order of the interpolating spline; 1 is linear and yields no negative values.
    image_shape : sequence of two int or None, default=None
        Height and width; None means square images.

    Attributes
    ----------
    n_features_in_ : int
        Pixels of an image.

    Examples
    --------
    >>> slanted = [[0, 0, 9, 0, 9, 0, 9, 0, 0]]
    >>> Deskew().fit_transform(slanted).astype(int).tolist()
    [[0, 9, 0, 0, 9, 0, 0, 9, 0]]
    """

    _parameter_constraints: ClassVar = {
        "order": [Interval(Integral, 0, 5, closed="both")],
        "image_shape": ["array-like", None],
    }

    def __init__(self, order: int = 1, image_shape: Sequence[int] | None = None) -> None:
        self.order = order
        self.image_shape = image_shape

    def __sklearn_tags__(self) -> Tags:
        tags: Tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = True
        return tags

    def transform(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the deskewed images.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Images.

        Returns
        -------
        ndarray of shape (n_samples, n_features), float64
        """
        pictures, shape = self._pictures(X, reset=False)
        upright = np.empty(pictures.shape, np.float64)
        for start in range(0, len(pictures), _CHUNK):
            part = slice(start, start + _CHUNK)
            _deskew(
                pictures[part].reshape(-1, *shape), upright[part].reshape(-1, *shape), self.order
            )
        return upright

    def _pictures(self, X: ArrayLike, *, reset: bool) -> tuple[NDArray[Any], tuple[int, int]]:
        """Return images with positive ink on a background of 0."""
        pictures, shape = super()._pictures(X, reset=reset)
        check_non_negative(pictures, "Deskew")
        return pictures, shape


def _deskew(pictures: NDArray[Any], out: NDArray[np.float64], order: int) -> None:
    from scipy.ndimage import affine_transform

    slants, means = _slants(pictures)
    for picture, target, slant, mean in zip(pictures, out, slants, means, strict=True):
        if slant == 0:
            target[...] = picture
        else:
            shear = [[1.0, 0.0], [slant, 1.0]]  # column + slant * (row - mean)
            affine_transform(
                picture, shear, offset=[0.0, -slant * mean], output=target, order=order
            )


def _slants(pictures: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the slant of each image, in columns per row, and its mean row."""
    _, height, width = pictures.shape
    rows, columns = np.arange(height, dtype=np.float64), np.arange(width, dtype=np.float64)
    peak = pictures.max(axis=(1, 2), initial=0).astype(np.float64)
    ink = pictures / np.where(peak > 0, peak, 1.0)[:, None, None]  # so that no sum overflows
    by_row, by_column = ink.sum(axis=2), ink.sum(axis=1)
    total = np.where(peak > 0, by_row.sum(axis=1), 1.0)
    mean = by_row @ rows / total
    mean_column = by_column @ columns / total
    variance = by_row @ rows**2 / total - mean**2
    covariance = (ink @ columns) @ rows / total - mean * mean_column
    upright = variance <= 1e-9 * height**2  # ink in one row, up to rounding
    return np.where(upright, 0.0, covariance / np.where(upright, 1.0, variance)), mean
