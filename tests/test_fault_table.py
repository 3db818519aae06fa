"""The table of faults: what it counts, and that no row is skipped unnoticed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROWS = """
import pytest

@pytest.mark.row(1, "done")
def test_done(): pass

@pytest.mark.row(2, "skipped")
def test_skipped(): pytest.skip("no such program")

def test_no_row(): pytest.skip("this may be")
"""
SETTINGS = "[pytest]\nmarkers = row(number, scenario): a row\n"


@pytest.mark.parametrize(
    ("ci", "code", "outcome", "processes"),
    [("", 0, "1 skipped", ()), ("true", 1, "1 failed", ("-n", "1"))],
)
def test_a_skipped_row_fails_in_ci(
    tmp_path: Path, ci: str, code: int, outcome: str, processes: tuple[str, ...]
) -> None:
    (tmp_path / "test_rows.py").write_text(ROWS)
    (tmp_path / "pytest.ini").write_text(SETTINGS)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-ra", "-p", "fault_table", *processes, str(tmp_path)],
        env=os.environ | {"CI": ci, "PYTHONPATH": str(Path(__file__).parent)},
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == code, done.stdout + done.stderr
    (row,) = [line for line in done.stdout.splitlines() if line.startswith("  2  skipped")]
    assert outcome in row
    assert "no such program" in done.stdout
