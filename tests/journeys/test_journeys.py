"""Three kinds of user, each a script that runs the installed program from an empty folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

HERE = Path(__file__).parent
JOURNEYS = ("data_scientist", "hydra_user", "teacher")
_LEFT_OUT = ("SWEEPMARK_", "MLFLOW_", "PYTHON", "COV_")

pytestmark = pytest.mark.slow


def write_customers(folder: Path) -> None:
    """Write 400 customers of whom one in eight left, and 30 new ones, as a German Excel would."""
    random = np.random.default_rng(0)
    lines = []
    for number in range(430):
        age, income = random.integers(18, 80), random.normal(40, 12)
        tariff = random.choice(["basic", "plus", "café"])
        left = random.random() < (0.45 if tariff == "plus" and income < 35 else 0.06)
        cells = [f"K{number:05}", str(age), f"{income:.2f}".replace(".", ","), tariff]
        if random.random() < 0.1:
            cells[2] = ""
        lines.append([*cells, "yes" if left else "no"])
    head = ["customer", "age", "income", "tariff"]
    for name, rows, columns in (
        ("customers", lines[:400], [*head, "churned"]),
        ("new", [line[:4] for line in lines[400:]], head),
    ):
        text = "\n".join(";".join(cells) for cells in [columns, *rows])
        (folder / f"{name}.csv").write_text(f"{text}\n", encoding="utf-8")


def write_digits(folder: Path) -> None:
    X, y = load_digits(return_X_y=True)
    rows = np.column_stack([y[:300], X[:300]]).astype(int)
    np.savetxt(folder / "digits.csv", rows, fmt="%d", delimiter=",")


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("given")
    write_customers(folder)
    write_digits(folder)
    return folder


@pytest.mark.parametrize("name", JOURNEYS)
def test_journey(name: str, given: Path, tmp_path: Path, digits_cache: Path) -> None:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(_LEFT_OUT)}
    environment = kept | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "SWEEPMARK_CACHE": str(digits_cache),
        "GIVEN": str(given),
        "HERE": str(HERE),
        "PYTHON": sys.executable,
        "SITE_PACKAGES": sysconfig.get_path("purelib"),
    }
    done = subprocess.run(
        [str(shutil.which("bash")), "-c", f". '{HERE}/functions.sh'; . '{HERE}/{name}.sh'"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
