"""What the tests of sweeps share: an obstacle, and a sweep that nothing disturbed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sweepmark.store import Store
from tiny import grid, run

if TYPE_CHECKING:
    from pathlib import Path

    from sweepmark.report.results import SweepResult


@pytest.fixture
def obstacle(tmp_path: Path) -> Path:
    path = tmp_path / "obstacle"
    path.touch()
    return path


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[SweepResult, Store]:
    store = Store(tmp_path_factory.mktemp("undisturbed") / "mlruns")
    return run(grid(), store), store
