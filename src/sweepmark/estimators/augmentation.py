"""Data augmentation: shifted copies of training images."""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.base import OneToOneFeatureMixin
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import validate_data

from sweepmark.estimators.images import PictureTransformer, shift_images

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

__all__ = ["AugmentShift"]

_DIRECTIONS = ((0, 1), (0, -1), (1, 0), (-1, 0))
"""(down, right) in the published order: right, left, down, up."""

_CHUNK = 4096
"""Images shifted at a time, which limits the additional memory."""


class AugmentShift(OneToOneFeatureMixin, PictureTransformer):
    """Add copies of every training image shifted right, left, down and up, then shuffle.

    The number of rows becomes five times as large, so this is not a transformation:
    ``fit_resample`` is applied to the training part of an evaluation only. ``transform`` returns
    its input unchanged, so that a fitted Pipeline with this step predicts correctly. Published in
    A. Géron, Hands-On Machine Learning with Scikit-Learn and TensorFlow, 2017, chapter 3, exercise
    2.

    Parameters
    ----------
    pixels : int, default=1
        Pixels to shift by; vacated pixels are 0.
    image_shape : sequence of two int or None, default=None
        Height and width; None means square images.
    random_state : int, RandomState instance or None, default=None
        Seed of the shuffle: the order is that of ``numpy.random.permutation`` after
        ``numpy.random.seed(random_state)``.

    Attributes
    ----------
    n_features_in_ : int
        Pixels of an image.

    Examples
    --------
    >>> X, y = AugmentShift(random_state=0).fit_resample([[1, 2, 3, 4]], [7])
    >>> X.tolist(), y.tolist()
    ([[2, 0, 4, 0], [1, 2, 3, 4], [0, 1, 0, 3], [0, 0, 1, 2], [3, 4, 0, 0]], [7, 7, 7, 7, 7])
    """

    _parameter_constraints: ClassVar = {
        "pixels": [Interval(Integral, 1, None, closed="left")],
        "image_shape": ["array-like", None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        pixels: int = 1,
        image_shape: Sequence[int] | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.pixels = pixels
        self.image_shape = image_shape
        self.random_state = random_state

    def transform(self, X: ArrayLike) -> NDArray[Any]:
        """Return the images unchanged: only training rows are augmented.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Images.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
        """
        return self._pictures(X, reset=False)[0]

    def fit_resample(self, X: ArrayLike, y: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return five times as many rows, shuffled.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training images.
        y : array-like of shape (n_samples,)
            Their labels.

        Returns
        -------
        X : ndarray of shape (5 * n_samples, n_features)
            Of the same dtype.
        y : ndarray of shape (5 * n_samples,)

        Raises
        ------
        ValueError
            If the pixels do not fit the image shape.
        """
        self.fit(X)
        pictures, labels = validate_data(self, X, y, reset=False)
        shape = self._shape(pictures.shape[1])
        n_rows, n_blocks = len(pictures), 1 + len(_DIRECTIONS)
        order = check_random_state(self.random_state).permutation(n_blocks * n_rows)
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        resampled = np.empty((len(order), pictures.shape[1]), pictures.dtype)
        for start in range(0, n_rows, _CHUNK):
            rows = pictures[start : start + _CHUNK]
            for block, (down, right) in enumerate([(0, 0), *_DIRECTIONS]):
                first = block * n_rows + start
                resampled[place[first : first + len(rows)]] = shift_images(
                    rows, down=down * self.pixels, right=right * self.pixels, image_shape=shape
                )
        return resampled, np.tile(labels, n_blocks)[order]
