"""Arrays that cannot be changed, and what is not one."""

from __future__ import annotations

import numpy as np
import pytest

from sweepmark.cache import freeze, freeze_rows, is_frozen


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_frozen_array_is_equal_and_stays_so(order: str) -> None:
    array = np.asarray(np.arange(6.0).reshape(2, 3), order=order)  # type: ignore[call-overload]
    frozen = freeze(array)
    assert np.array_equal(frozen, array)
    assert (frozen.dtype, frozen.strides) == (array.dtype, array.strides)
    array[:] = 0
    assert frozen[1, 2] == 5
    for view in (frozen, frozen[1:], frozen.T):
        assert is_frozen(view)
        with pytest.raises(ValueError, match="WRITEABLE"):
            view.flags.writeable = True
    assert freeze(frozen) is frozen


def test_rows_are_taken_frozen() -> None:
    array = np.arange(12.0).reshape(4, 3)
    taken = freeze_rows(array, np.array([3, 1]))
    assert np.array_equal(taken, array[[3, 1]])
    assert is_frozen(taken)
    assert freeze_rows(array, np.empty(0, dtype=np.intp)).shape == (0, 3)


def test_a_flag_freezes_nothing() -> None:
    array = np.arange(3.0)
    array.flags.writeable = False
    view = np.arange(6.0)[::2]
    view.flags.writeable = False
    for other in (array, view, np.frombuffer(bytearray(8)), np.arange(3)):
        assert not is_frozen(other)


def test_objects_cannot_be_frozen() -> None:
    with pytest.raises(TypeError, match="objects"):
        freeze(np.array([None, 1]))
