"""Transformers of our own, where scikit-learn has none that can be named without a callable."""

from __future__ import annotations

from sweepmark.preprocessing.augmentation import AugmentShift
from sweepmark.preprocessing.deskewing import Deskew
from sweepmark.preprocessing.gradients import Hog
from sweepmark.preprocessing.images import Shift, image_shape_of, shift_images
from sweepmark.preprocessing.scaling import Affine, Scale

__all__ = [
    "Affine",
    "AugmentShift",
    "Deskew",
    "Hog",
    "Scale",
    "Shift",
    "image_shape_of",
    "shift_images",
]
