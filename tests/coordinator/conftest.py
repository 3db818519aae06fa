"""What the tests of sweeps share: an obstacle, and a sweep that nothing disturbed."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from program import Called
from sweepmark.store import Store
from tiny import grid, run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sweepmark.report.results import SweepResult

    Fill = Callable[[Path], object]

SMALL = (
    *("dataset=digits", "split.size=120", "evaluation.n_splits=2", "engine=serial"),
    *("sweep.space.classifier.gamma=[0.01]", "grade=none"),
)


@pytest.fixture
def obstacle(tmp_path: Path) -> Path:
    path = tmp_path / "obstacle"
    path.touch()
    return path


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[SweepResult, Store]:
    store = Store(tmp_path_factory.mktemp("undisturbed") / "mlruns")
    return run(grid(), store), store


@pytest.fixture(scope="session")
def two_sweeps(
    shared: Callable[[str, Fill], Path], digits_cache: Path, migrated_store: Path
) -> Path:
    """A store of 8 evaluations: 2 of each of two sweeps alone, 3 of both, and a single run."""

    def fill(folder: Path) -> None:
        program = Called(folder, cache=digits_cache)
        shutil.copytree(migrated_store, program.store, dirs_exist_ok=True)
        for choices in ("[1,10]", "[10,100]"):
            program.run("sweep", "svc_c_gamma", *SMALL, f"sweep.space.classifier.C={choices}")
        program.run("run", "dataset=digits", "split.size=100", "engine=serial", "grade=none")

    return shared("two-sweeps", fill) / "folder" / "mlruns"
