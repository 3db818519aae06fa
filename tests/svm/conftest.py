"""What the tests of sweepmark.svm fit, each with nothing shared that an earlier one left."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import svm_data
from sweepmark.cache import configure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from svm_data import Data


@pytest.fixture(autouse=True)
def _nothing_shared() -> Iterator[None]:
    svm_data.forget()
    yield
    configure()


@pytest.fixture(scope="module")
def digits() -> Data:
    return svm_data.digits()


@pytest.fixture(scope="module")
def many() -> Data:
    return svm_data.many()
