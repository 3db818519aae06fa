"""Our transformers keep scikit-learn's own contract, and bring pixels where they say."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from sweepmark.estimators import Affine, AugmentShift, Deskew, Hog, Scale, Shift


class OneRow:
    """Takes every row for a picture one pixel high: scikit-learn's checks have any width."""

    def _shape(self, n_features: int) -> tuple[int, int]:
        return 1, n_features


class RowAugmentShift(OneRow, AugmentShift): ...


class RowShift(OneRow, Shift): ...


class RowDeskew(OneRow, Deskew): ...


class RowHog(OneRow, Hog): ...


OURS = [
    Scale(divisor=2.5),
    Affine(divisor=2.5),
    RowAugmentShift(random_state=0),
    RowShift(right=1),
    RowDeskew(),
    RowHog(pixels_per_cell=(1, 1), cells_per_block=(1, 1)),
]


@parametrize_with_checks(OURS)  # type: ignore[untyped-decorator]
def test_is_a_transformer_in_scikit_learns_sense(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float32, np.float64])
def test_pixels_are_divided_in_float64(dtype: type) -> None:
    pixels: np.ndarray[Any, Any] = np.arange(256, dtype=dtype).reshape(4, 64)
    scaled = Scale(divisor=255.0).fit(pixels).transform(pixels)
    assert scaled.dtype == np.float64
    np.testing.assert_array_equal(scaled, pixels.astype(np.float64) / 255.0)


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float64])
def test_pixels_are_brought_to_the_published_range_to_the_last_digit(dtype: type) -> None:
    pixels: np.ndarray[Any, Any] = np.arange(256, dtype=dtype).reshape(4, 64)
    scaled = Affine().fit_transform(pixels)
    np.testing.assert_array_equal(scaled, pixels / 255.0 * 0.99 + 0.01)
    assert (scaled.min(), scaled.max(), scaled.dtype) == (0.01, 1.0, np.float64)


@pytest.mark.parametrize("divisor", [0.0, math.nan, math.inf])
def test_divisor_that_cannot_divide_is_refused_with_its_value(divisor: float) -> None:
    with pytest.raises(ValueError, match=f"'divisor' .* of Scale must be .* Got {divisor}"):
        Scale(divisor=divisor).fit([[1.0]])


@pytest.mark.parametrize("wrong", [0.0, math.nan, math.inf])
@pytest.mark.parametrize("name", ["divisor", "factor", "offset"])
def test_number_that_is_no_use_is_refused_with_its_name(name: str, wrong: float) -> None:
    if wrong == 0 and name != "divisor":
        Affine(**{name: wrong}).fit([[1.0]])
        return
    with pytest.raises(ValueError, match=rf"'{name}' parameter of Affine must be .* Got {wrong}"):
        Affine(**{name: wrong}).fit([[1.0]])


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float64])
@pytest.mark.parametrize(
    "ours", [Scale(), Scale(divisor=-3.7), Affine(), Affine(divisor=-7, factor=0, offset=-1.3)]
)
def test_scikit_learns_transformer_gives_the_same_bits(ours: Any, dtype: type) -> None:
    rng = np.random.default_rng(0)
    pixels: np.ndarray[Any, Any] = (
        (rng.normal(size=(30, 64)) * 100 + 128).clip(0, 255).astype(dtype)
    )
    plain = ours.fit(pixels).to_sklearn()
    assert type(plain).__module__.startswith("sklearn.")
    wanted = ours.transform(pixels)
    got = plain.transform(pixels)
    assert got.dtype == wanted.dtype
    assert got.tobytes() == wanted.tobytes()


def test_transformer_that_is_not_fitted_stays_what_it_is() -> None:
    for ours in (Scale(), Affine()):
        assert ours.to_sklearn() is ours
