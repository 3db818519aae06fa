"""The data verbs, as the command line calls them."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from sweepmark.cli.data import define
from sweepmark.cli.parser import Parser
from sweepmark.errors import SweepmarkError
from tables import PASSENGERS, write

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("empty_cache")


def _run(*words: object) -> int:
    args = argparse.Namespace()
    parser = Parser(prog="sweepmark data")
    define(parser)
    parser.read([str(word) for word in words], into=args)
    code = args.handler(args)
    assert isinstance(code, int)
    return code


def test_list_says_what_is_in_the_cache(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("fetch", "digits") == 0
    assert "1,797 rows from scikit-learn; the SHA-256 of every file matches" in (
        capsys.readouterr().out.replace("\n", " ")
    )
    assert _run("list") == 0
    lines = {line.split()[0]: line.split()[1] for line in _lines(capsys)[2:]}
    assert lines["digits"] == "yes"
    assert lines["mnist"] == "no"


def _lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line for line in capsys.readouterr().out.splitlines() if line.strip()]


def test_describe_digits(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("describe", "digits") == 0
    text = " ".join(capsys.readouterr().out.split())
    for fact in ("1,797 (1,797 train)", "64 (8 x 8)", "uint8", "0.1 MB", "as published yes"):
        assert fact in text
    assert "0 178 9.91%" in text


def test_describe_prints_one_document(digits_idx: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert _run("describe", "mnist", f"dataset.path={digits_idx}", "--json") == 0
    document = json.loads(capfd.readouterr().out)
    assert document["name"] == "mnist"
    assert document["published"] is False
    assert document["source"] == str(digits_idx)
    assert {name: part["n_rows"] for name, part in document["parts"].items()} == {
        "train": 1437,
        "test": 360,
    }


def test_describe_shows_the_columns_of_a_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "p.csv", PASSENGERS)
    assert _run("describe", "titanic", f"dataset.path={path}") == 0
    text = " ".join(capsys.readouterr().out.split())
    for fact in ("Age number 5", "Cabin text 3", "Embarked text 5 S: 3, C: 1, Q: 1"):
        assert fact in text
    assert "Sex text 6 male: 3, female: 3" in text
    assert "int64" not in text


def test_describe_says_that_files_are_of_ones_own(
    digits_idx: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run("describe", "mnist", f"dataset.path={digits_idx}") == 0
    assert "as published no" in " ".join(capsys.readouterr().out.split())


def test_show_and_export_write_files(digits_idx: Path, tmp_path: Path) -> None:
    path = f"dataset.path={digits_idx}"
    assert _run("show", "mnist", path, "--count", 9, "--labels", "-o", tmp_path / "grid.png") == 0
    assert (tmp_path / "grid.png").read_bytes().startswith(b"\x89PNG")
    rows = tmp_path / "rows.csv"
    assert _run("export", "mnist", path, "--split", "test", "--count", 5, "-o", rows) == 0
    assert len(rows.read_text().splitlines()) == 5
    digits = tmp_path / "digits"
    assert _run("export", "mnist", path, "--count", 2, "--format", "pgm", "-o", digits) == 0
    assert len(list(digits.iterdir())) == 2
    words = ("--first", 3, "--count", 2, "--format", "png")
    assert _run("export", "mnist", path, *words, "-o", tmp_path / "two") == 0
    assert sorted(each.stem for each in (tmp_path / "two").iterdir()) == [
        "mnist-00003",
        "mnist-00004",
    ]


def test_show_draws_shifted_copies_beside_each_image(digits_idx: Path, tmp_path: Path) -> None:
    """As the second write-up does, with training image 1000."""
    words = ("show", "mnist", f"dataset.path={digits_idx}", "--first", 1000, "--count", 1)
    shifts = ("--shift", "down=5", "--shift", "left=5")
    assert _run(*words, *shifts, "-o", tmp_path / "three.png") == 0
    cell, scale = 112, 14
    with Image.open(tmp_path / "three.png") as picture:
        pixels = np.asarray(picture)
    image, down, left = (
        pixels[8 : 8 + cell : scale, start : start + cell : scale] for start in (8, 128, 248)
    )
    assert image.min() == 0
    assert (down[5:] == image[:3]).all()
    assert (down[:5] == 255).all()
    assert (left[:, :3] == image[:, 5:]).all()
    assert (left[:, 3:] == 255).all()


@pytest.mark.parametrize(
    "words",
    [
        ("describe", "nothing"),
        ("describe", "digits", "dataset.sample_size=none"),
        ("export", "digits", "--split", "test", "--count", "1", "-o", "x.csv"),
        ("export", "digits", "--count", "1798", "-o", "x.csv"),
        ("export", "digits", "--first", "1797", "--count", "1", "-o", "x.csv"),
        ("export", "digits", "--first", "1796", "--count", "2", "-o", "x.csv"),
        ("export", "digits", "--count", "1", "-o", f"{__file__}/x.csv"),
        ("show", "digits", "-o", f"{__file__}/x.png"),
        ("show", "digits", "-o", "/"),
    ],
)
def test_what_is_wrong_exits_2(words: tuple[str, ...]) -> None:
    with pytest.raises(SweepmarkError) as caught:
        _run(*words)
    assert caught.value.exit_code == 2
