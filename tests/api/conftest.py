"""A folder to be in, with the digits in the cache."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path, digits_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the test is in; it is that of the fixture ``program``, too."""
    monkeypatch.setenv("SWEEPMARK_CACHE", str(digits_cache))
    place = tmp_path / "folder"
    place.mkdir(exist_ok=True)
    monkeypatch.chdir(place)
    return place
