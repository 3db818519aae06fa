"""Scale keeps scikit-learn's own contract."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from sweepmark.preprocessing import Scale


@parametrize_with_checks([Scale(divisor=2.5)])  # type: ignore[untyped-decorator]
def test_scale_is_a_transformer_in_scikit_learns_sense(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float32, np.float64])
def test_pixels_are_divided_in_float64(dtype: type) -> None:
    pixels: np.ndarray[Any, Any] = np.arange(256, dtype=dtype).reshape(4, 64)
    scaled = Scale(divisor=255.0).fit(pixels).transform(pixels)
    assert scaled.dtype == np.float64
    np.testing.assert_array_equal(scaled, pixels.astype(np.float64) / 255.0)


@pytest.mark.parametrize("divisor", [0.0, math.nan, math.inf])
def test_divisor_that_cannot_divide_is_refused_with_its_value(divisor: float) -> None:
    with pytest.raises(ValueError, match=f"divisor must be finite and not 0, but got {divisor}"):
        Scale(divisor=divisor).fit([[1.0]])
