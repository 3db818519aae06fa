"""The house: how many rooms there are, which may import which, and that the map names them all."""

from __future__ import annotations

import pkgutil
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "sweepmark"
PACKAGES = {path.parent.name for path in SOURCE.glob("*/__init__.py")}
LOOSE = {path.stem for path in SOURCE.glob("*.py")} - {"__init__", "__main__"}
NO_ROOM = {"browser", "contracts", "errands", "faults", "journeys"}


def test_there_are_few_rooms_and_nothing_lies_below_them() -> None:
    assert len(PACKAGES) <= 19
    assert len(LOOSE) <= 6
    folders = {path.parent for path in SOURCE.rglob("*.py")}
    assert folders == {SOURCE, *(SOURCE / name for name in PACKAGES)}


def test_no_loose_module_has_the_name_of_a_room() -> None:
    assert not LOOSE & PACKAGES


def test_every_room_has_its_place_in_the_layers() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    assert "exclude_type_checking_imports" not in settings
    (layers,) = [
        contract["layers"] for contract in settings["contracts"] if contract["type"] == "layers"
    ]
    assert len(layers) <= 11
    placed = [name for layer in layers for name in re.split(r" [|:] ", layer)]
    assert sorted(placed) == sorted(PACKAGES | LOOSE)
    assert not any(contract.get("ignore_imports") for contract in settings["contracts"][:2])


def test_tests_lie_in_the_room_that_they_test() -> None:
    folders = {path.parent.relative_to(ROOT / "tests") for path in ROOT.glob("tests/*/*.py")}
    assert {str(folder) for folder in folders} <= PACKAGES | NO_ROOM


def test_the_map_names_every_room_once() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    rooms = re.findall(r"^\| `(\w+)(?:\.py)?` \|", text, flags=re.MULTILINE)
    beside = ["conf", "sweeps", "tests", "benchmarks", "examples"]
    assert sorted(rooms) == sorted([*PACKAGES, *LOOSE, *beside])


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "README.md", "SECURITY.md"])
def test_files_that_pages_name_are_there(page: str) -> None:
    text = (ROOT / page).read_text()
    named = re.findall(
        r"`((?:src/sweepmark/|tests/|docs/|benchmarks/|conf/|sweeps/|examples/)[\w./*-]+)`", text
    )
    for room, path in re.findall(r"`(\w+)/([\w/]+\.py)`", text):
        if room in PACKAGES:
            named.append(f"src/sweepmark/{room}/{path}")
    missing = [name for name in named if not list(ROOT.glob(name.rstrip("/")))]
    assert missing == []


SOURCES = [path for name in ("src", "tests", "benchmarks") for path in ROOT.glob(f"{name}/**/*.py")]


def test_files_that_the_code_names_are_there() -> None:
    missing = {
        (path.name, name)
        for path in SOURCES
        for name in re.findall(r"\btests/[\w/]+\.py\b", path.read_text())
        if not (ROOT / name).exists()
    }
    assert missing == set()


def test_what_docstrings_refer_to_by_its_full_name_is_there() -> None:
    """Others are names of their own module."""
    names = {
        name
        for path in SOURCES
        for name in re.findall(
            r":(?:mod|func|class|meth):`~?(sweepmark\.[\w.]+)`", path.read_text()
        )
    }
    assert len(names) > 5
    for name in names:
        pkgutil.resolve_name(name)
