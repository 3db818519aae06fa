"""Rows that are images: their shape, and shifting them."""

from __future__ import annotations

import math
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

__all__ = ["PictureTransformer", "Shift", "image_shape_of", "shift_images"]

_N_SIDES = 2


def image_shape_of(n_features: int, image_shape: Sequence[int] | None = None) -> tuple[int, int]:
    """Return the height and width of an image with a number of pixels.

    Parameters
    ----------
    n_features : int
        Pixels of an image.
    image_shape : sequence of two int, or None
        The configured height and width; None means a square image.

    Raises
    ------
    ValueError
        If the pixels do not fit that shape.

    Examples
    --------
    >>> image_shape_of(784)
    (28, 28)
    """
    if image_shape is None:
        side = math.isqrt(n_features)
        if side * side != n_features:
            raise ValueError(
                f"image_shape must be given where pictures are not square, and {n_features} "
                "features are no square. Set image_shape=[rows,columns]."
            )
        return side, side
    shape = tuple(image_shape)
    if len(shape) != _N_SIDES or min(shape) < 1 or math.prod(shape) != n_features:
        raise ValueError(
            "image_shape must be two positive integers, rows and columns, whose product is the "
            f"number of features, {n_features}, but got {list(image_shape)}."
        )
    return int(shape[0]), int(shape[1])


def shift_images(
    X: NDArray[Any],
    *,
    down: int = 0,
    right: int = 0,
    image_shape: Sequence[int] | None = None,
    out: NDArray[Any] | None = None,
) -> NDArray[Any]:
    """Shift images by whole pixels, without wrapping around.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Images, one per row.
    down, right : int
        Pixels to move by; negative moves up and left.
    image_shape : sequence of two int, or None
        Height and width; None means square images.
    out : ndarray of shape (n_samples, n_features), or None
        Array to write the result into.

    Returns
    -------
    ndarray of shape (n_samples, n_features)
        Of X's dtype; vacated pixels are 0.

    Examples
    --------
    >>> import numpy as np
    >>> shift_images(np.array([[1, 2, 3, 4]]), right=1)
    array([[0, 1, 0, 3]])
    """
    height, width = image_shape_of(X.shape[1], image_shape)
    if out is None:
        out = np.empty(X.shape, X.dtype)
    out[...] = 0
    source = X.reshape(-1, height, width)
    target = out.reshape(-1, height, width)
    rows_to, rows_from = _spans(down, height)
    columns_to, columns_from = _spans(right, width)
    target[:, rows_to, columns_to] = source[:, rows_from, columns_from]
    return out


def _spans(by: int, length: int) -> tuple[slice, slice]:
    """Return the target and source slices of a shift along one axis."""
    by = max(-length, min(by, length))
    return slice(max(0, by), length + min(0, by)), slice(max(0, -by), length - max(0, by))


class PictureTransformer(TransformerMixin, BaseEstimator):
    """Base class of transformers of images, with a parameter ``image_shape``."""

    image_shape: Sequence[int] | None

    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Check parameters and the image shape; nothing is learned from the pixels.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Images.
        y : ignored
            For scikit-learn's interface.

        Raises
        ------
        ValueError
            If a parameter or a pixel is out of range, or the pixels do not fit the image shape.
        """
        del y
        self._validate_params()
        _, shape = self._pictures(X, reset=True)
        self._note(shape)
        return self

    def _pictures(self, X: ArrayLike, *, reset: bool) -> tuple[NDArray[Any], tuple[int, int]]:
        """Return validated rows, and the shape of their images."""
        if not reset:
            check_is_fitted(self)
        pictures: NDArray[Any] = validate_data(self, X, reset=reset)
        return pictures, self._shape(pictures.shape[1])

    def _shape(self, n_features: int) -> tuple[int, int]:
        return image_shape_of(n_features, self.image_shape)

    def _note(self, shape: tuple[int, int]) -> None:
        """Set attributes that depend on the image shape."""


class Shift(OneToOneFeatureMixin, PictureTransformer):
    """Shift every image by the same number of pixels; vacated pixels are 0.

    Parameters
    ----------
    down, right : int, default=0
        Pixels to move by; negative moves up and left.
    image_shape : sequence of two int or None, default=None
        Height and width; None means square images.

    Attributes
    ----------
    n_features_in_ : int
        Pixels of an image.

    Examples
    --------
    >>> Shift(down=1).fit_transform([[1, 2, 3, 4]])
    array([[0, 0, 1, 2]])
    """

    _parameter_constraints: ClassVar = {
        "down": [Integral],
        "right": [Integral],
        "image_shape": ["array-like", None],
    }

    def __init__(
        self, down: int = 0, right: int = 0, image_shape: Sequence[int] | None = None
    ) -> None:
        self.down = down
        self.right = right
        self.image_shape = image_shape

    def transform(self, X: ArrayLike) -> NDArray[Any]:
        """Return the shifted images.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Images.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            Of X's dtype.
        """
        pictures, shape = self._pictures(X, reset=False)
        return shift_images(pictures, down=self.down, right=self.right, image_shape=shape)
