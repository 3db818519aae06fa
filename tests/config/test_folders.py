"""Folders of configurations: ours, described file by file, and the user's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from sweepmark.config.folders import Folders, description
from sweepmark.errors import ConfigurationError

ROOT = Path(__file__).parents[2]
OURS = sorted([*(ROOT / "conf").rglob("*.yaml"), *(ROOT / "sweeps").glob("*.yaml")])


@pytest.mark.parametrize("path", OURS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_file_of_ours_says_what_it_is(path: Path) -> None:
    assert len(description(path)) > len("# ")


def test_groups_and_sweeps_are_the_files() -> None:
    folders = Folders()
    found = {f"{group}/{name}" for group, names in folders.groups().items() for name in names}
    found |= {f"sweeps/{name}" for name in folders.sweeps()}
    assert found == {f"{p.parent.name}/{p.stem}" for p in OURS if p.parent.name != "conf"}


def test_first_line_that_is_no_comment_describes_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("seed: 1\n# later\n")
    assert description(tmp_path / "a.yaml") == ""
    (tmp_path / "a.yaml").write_text("# @package _global_\n# A preset\nseed: 1\n")
    assert description(tmp_path / "a.yaml") == "A preset"
    assert not any("@package" in text for text in Folders().groups()["experiment"].values())
    assert all(Folders().groups()["experiment"].values())


@pytest.mark.parametrize("place", ["classifier/mine.yml", "sweeps/mine.yml", "experiment/x.YAML"])
def test_file_that_would_be_passed_over_is_refused(tmp_path: Path, place: str) -> None:
    file = tmp_path / place
    file.parent.mkdir()
    file.write_text("# Mine\n")
    with pytest.raises(ConfigurationError) as refused:
        Folders.of([tmp_path])
    assert f"{file} must end in .yaml" in str(refused.value)
    assert f"mv {file} {file.with_suffix('.yaml')}" in str(refused.value)


def add(folder: Path, name: str, text: str = "# Mine\na: 1\n") -> Path:
    path = folder / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_options_and_sweeps_of_ones_own_join_ours(tmp_path: Path) -> None:
    add(tmp_path, "classifier/mine")
    add(tmp_path, "sweeps/mine")
    folders = Folders.of([tmp_path])
    assert folders.groups()["classifier"]["mine"] == "Mine"
    assert "svc" in folders.groups()["classifier"]
    assert folders.sweeps()["mine"].description == "Mine"


def test_folder_that_is_no_group_is_left_alone(tmp_path: Path) -> None:
    add(tmp_path, "notes/mine")
    assert Folders.of([tmp_path]).groups() == Folders().groups()


@pytest.mark.parametrize("name", ["classifier/svc", "sweeps/svc_tpe"])
def test_name_that_is_taken_is_refused_with_both_files(tmp_path: Path, name: str) -> None:
    path = add(tmp_path, name)
    with pytest.raises(ConfigurationError, match="Rename yours") as error:
        Folders.of([tmp_path])
    assert str(path) in str(error.value)
    assert str(Folders().main.parent) in str(error.value)


def test_name_in_two_folders_of_ones_own_is_refused(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        add(tmp_path / folder, "classifier/mine")
    with pytest.raises(ConfigurationError, match="must stand once"):
        Folders.of([tmp_path / "a", tmp_path / "b"])


def test_one_folder_given_twice_counts_once(tmp_path: Path) -> None:
    add(tmp_path, "classifier/mine")
    assert Folders.of([tmp_path, tmp_path / "."]) == Folders.of([tmp_path])


def test_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="--config-dir must name a folder") as error:
        Folders.of([tmp_path / "nowhere"])
    assert str(tmp_path / "nowhere") in str(error.value)
