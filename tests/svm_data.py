"""What the tests of sweepmark.svm fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.datasets import load_digits

from sweepmark.cache import configure

if TYPE_CHECKING:
    from numpy.typing import NDArray

Data = tuple["NDArray[np.float64]", "NDArray[Any]"]


def forget() -> None:
    """Empty what fits share."""
    configure(memory=0)
    configure()


def digits() -> Data:
    X, y = load_digits(return_X_y=True)
    return X / 16, y


def blobs(seed: int, counts: tuple[int, ...], n_features: int = 5) -> Data:
    """Return so many rows of each class, in disorder; the classes overlap."""
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(len(counts)), counts)
    X = rng.normal(size=(len(y), n_features)) + y[:, np.newaxis] * 0.7
    order = rng.permutation(len(y))
    return X[order], y[order]


def many() -> Data:
    """Enough rows for float32 distances, several strips a class, and rows too long for it."""
    return blobs(6, (400, 500, 300, 20), 10)
