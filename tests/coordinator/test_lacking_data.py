"""A sweep over data sets computes what it can, and says which data lack."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
import yaml

from program import Called
from published import file_config
from sweepmark.data.folder import STANDARD_NAMES
from tiny import write_sweep

if TYPE_CHECKING:
    from pathlib import Path

SWEEP = """# Two data sets
defaults:
  - override /dataset: {base}
  - override /preprocess: none
  - override /classifier: knn
  - override /grade: none
sweep:
  space:
    dataset:
      option: {options}
"""
SMALL = ("split.size=300", "engine=serial")


@pytest.fixture
def called(tmp_path: Path) -> Called:
    """The program with a cache of its own: what it fetches is there for no other test."""
    program = Called(tmp_path, cache=tmp_path / "cache")
    program.run("data", "fetch", "digits")
    return program


@pytest.fixture
def own(tmp_path: Path, digits_idx: Path) -> Path:
    """Sweeps over a data set of one's own, which lies in a folder that is not there yet."""
    folder = tmp_path / "own"
    for name, base, options in (
        ("both", "digits", "[clothes, digits]"),
        ("both_by_default_the_lacking", "clothes", "[clothes, digits]"),
        ("lacking_only", "digits", "[clothes]"),
    ):
        write_sweep(folder, name, SWEEP.format(base=base, options=options))
    files = {role: file_config(digits_idx / name) for role, name in STANDARD_NAMES.items()}
    values = {
        "name": "clothes",
        "format": "idx",
        "sample_size": None,
        "sources": {"folder": {"paths": [str(tmp_path / "clothes")]}},
        "files": {
            role: {"name": file.name, "size": file.size, "sha256": file.sha256}
            for role, file in files.items()
        },
    }
    (folder / "dataset").mkdir()
    (folder / "dataset" / "clothes.yaml").write_text(f"# Clothes\n{yaml.safe_dump(values)}")
    return folder


@pytest.mark.parametrize("sweep", ["both", "both_by_default_the_lacking"])
def test_what_can_be_had_is_computed_and_the_rest_after_it_was_fetched(
    called: Called, own: Path, digits_idx: Path, tmp_path: Path, sweep: str
) -> None:
    words = ("sweep", sweep, "--config-dir", own, *SMALL, "--json")
    first = called.run(*words, code=1)
    lacking, digits = first.document["trials"]
    assert (lacking["status"], lacking["reason"]) == ("failed", "data")
    assert (digits["status"], first.document["state"]) == ("complete", "complete")
    said = f"no source delivers clothes: see `sweepmark data fetch clothes --config-dir {own}`"
    assert any(said in text for text in map(str, first.document["warnings"]))
    assert "clothes cannot be had: trials on it fail, the others are run" in first.err
    (sweep_id,) = called.sweep_ids()
    before = called.journal(sweep_id)
    assert called.run("resume", sweep_id, "--json", code=1).document == first.document
    assert called.journal(sweep_id) == before  # nothing was tried
    shutil.copytree(digits_idx, tmp_path / "clothes")
    clothes, again = called.run("resume", sweep_id, "--retry-failed", "--json").document["trials"]
    assert clothes["metrics"]["accuracy"] > 0.9
    assert again["metrics"] == digits["metrics"]


def test_the_table_shows_it_with_the_command_that_tries_it_again(called: Called, own: Path) -> None:
    shown = called.run("sweep", "both", "--config-dir", own, *SMALL, code=1).out
    (row,) = [line for line in shown.splitlines() if "failed: data" in line]
    assert "clothes" in row
    assert f"sweepmark resume {called.sweep_ids()[0]} --retry-failed" in shown


def test_nothing_is_begun_where_no_trial_has_data(called: Called, own: Path) -> None:
    for words in (("sweep", "lacking_only"), ("run", "dataset=clothes")):
        refused = called.run(*words, "--config-dir", own, *SMALL, code=2)
        assert "clothes: no source delivered" in refused.err
    assert called.left() == []


def test_a_data_set_that_is_not_swept_by_name_is_asked_for_first(called: Called, own: Path) -> None:
    words = ("sweep", "classifiers", "dataset=clothes", "--config-dir", own, *SMALL)
    assert "no source delivered" in called.run(*words, code=2).err
    assert called.left() == []
