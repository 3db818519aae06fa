"""Estimators and transformers that scikit-learn lacks, or has only with a callable parameter."""

from __future__ import annotations

from sweepmark.estimators.augmentation import AugmentShift
from sweepmark.estimators.deskewing import Deskew
from sweepmark.estimators.gradients import Hog
from sweepmark.estimators.images import Shift, image_shape_of, shift_images
from sweepmark.estimators.scaling import Affine, Scale

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
