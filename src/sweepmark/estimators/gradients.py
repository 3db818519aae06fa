"""Histograms of oriented gradients of images."""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin
from sklearn.utils._param_validation import Interval, StrOptions

from sweepmark.estimators.images import PictureTransformer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

__all__ = ["Hog"]


class Hog(ClassNamePrefixFeaturesOutMixin, PictureTransformer):
    """Histogram of oriented gradients of every image, by ``skimage.feature.hog``.

    N. Dalal and B. Triggs, Histograms of Oriented Gradients for Human Detection, 2005.

    Parameters
    ----------
    orientations : int, default=9
        Bins of a histogram, over 180 degrees.
    pixels_per_cell : sequence of two int, default=(4, 4)
        Height and width of the cell of one histogram, in pixels.
    cells_per_block : sequence of two int, default=(2, 2)
        Rows and columns of cells that are normalised together.
    block_norm : {"L1", "L1-sqrt", "L2", "L2-Hys"}, default="L2-Hys"
        How.
    transform_sqrt : bool, default=False
        Whether the square root of the pixels is taken first; they must not be negative then.
    image_shape : sequence of two int or None, default=None
        Height and width of an image; None means square images.

    Attributes
    ----------
    n_features_in_ : int
        Pixels of an image.
    n_features_out_ : int
        Blocks times cells of a block times orientations: 1,296 for 28 x 28 pixels.
    """

    libraries: ClassVar = ("scikit-image",)
    """Additional libraries whose versions are part of an evaluation's key."""

    _parameter_constraints: ClassVar = {
        "orientations": [Interval(Integral, 1, None, closed="left")],
        "pixels_per_cell": ["array-like"],
        "cells_per_block": ["array-like"],
        "block_norm": [StrOptions({"L1", "L1-sqrt", "L2", "L2-Hys"})],
        "transform_sqrt": ["boolean"],
        "image_shape": ["array-like", None],
    }

    def __init__(  # noqa: PLR0913, PLR0917 -- scikit-image's, which YAML names
        self,
        orientations: int = 9,
        pixels_per_cell: Sequence[int] = (4, 4),
        cells_per_block: Sequence[int] = (2, 2),
        block_norm: str = "L2-Hys",
        transform_sqrt: bool = False,  # noqa: FBT001, FBT002
        image_shape: Sequence[int] | None = None,
    ) -> None:
        self.orientations = orientations
        self.pixels_per_cell = pixels_per_cell
        self.cells_per_block = cells_per_block
        self.block_norm = block_norm
        self.transform_sqrt = transform_sqrt
        self.image_shape = image_shape

    def transform(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the histograms.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Images.

        Returns
        -------
        ndarray of shape (n_samples, n_features_out_), float64
        """
        from skimage.feature import hog

        pictures, shape = self._pictures(X, reset=False)
        histograms = np.empty((len(pictures), self.n_features_out_), np.float64)
        for picture, target in zip(pictures, histograms, strict=True):
            target[:] = hog(
                picture.reshape(shape).astype(np.float64),
                orientations=self.orientations,
                pixels_per_cell=tuple(self.pixels_per_cell),
                cells_per_block=tuple(self.cells_per_block),
                block_norm=self.block_norm,
                transform_sqrt=self.transform_sqrt,
            )
        return histograms

    def _note(self, shape: tuple[int, int]) -> None:
        self.n_features_out_ = self._count(shape)

    def _count(self, shape: tuple[int, int]) -> int:
        if min(*self.pixels_per_cell, *self.cells_per_block) < 1:
            raise ValueError(
                "pixels_per_cell and cells_per_block must be positive, but got "
                f"{list(self.pixels_per_cell)} and {list(self.cells_per_block)}."
            )
        sides = zip(shape, self.pixels_per_cell, self.cells_per_block, strict=True)
        blocks = [side // pixels - cells + 1 for side, pixels, cells in sides]
        if min(blocks) < 1:
            raise ValueError(
                f"a picture of {shape[0]} x {shape[1]} pixels must hold a block of "
                f"{list(self.cells_per_block)} cells of {list(self.pixels_per_cell)} pixels, but "
                "is smaller. Set smaller cells or blocks."
            )
        n_cells = self.cells_per_block[0] * self.cells_per_block[1]
        return blocks[0] * blocks[1] * n_cells * self.orientations

    @property
    def _n_features_out(self) -> int:
        """Number of output features, which ClassNamePrefixFeaturesOutMixin names hog0 and so on."""
        return self.n_features_out_
