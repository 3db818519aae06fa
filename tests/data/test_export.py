from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from sweepmark.config.schema import DatasetConfig
from sweepmark.data import Dataset, Part, load
from sweepmark.data.export import export, export_gallery, pgm
from sweepmark.data.gallery import gallery_png
from sweepmark.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


@pytest.fixture
def digits(digits_idx: Path, empty_cache: Path) -> Dataset:
    assert not empty_cache.exists()
    return load(DatasetConfig(name="tiny", format="idx", path=str(digits_idx)))


@pytest.mark.parametrize("count", [1, 7, 1437, -1])
def test_csv_is_label_then_pixels(digits: Dataset, tmp_path: Path, count: int) -> None:
    path = export(digits, "train", count, "csv", tmp_path / "rows.csv")
    rows = np.loadtxt(path, delimiter=",", dtype=np.int64, ndmin=2)
    n_rows = 1437 if count == -1 else count
    assert len(path.read_text().splitlines()) == n_rows
    np.testing.assert_array_equal(rows[:, 0], digits.train.y[:n_rows])
    np.testing.assert_array_equal(rows[:, 1:], digits.train.X[:n_rows])


def test_csv_of_every_byte_and_of_other_numbers(tmp_path: Path) -> None:
    X = np.arange(256, dtype=np.uint8).reshape(2, 128)
    rows = [[label, *values] for label, values in zip((3, 9), X.tolist(), strict=True)]
    text = "".join(",".join(map(str, row)) + "\n" for row in rows)
    assert _exported(tmp_path / "bytes.csv", X, [3, 9]) == text
    numbers = np.array([[0.1, 2.0, 1 / 3, -0.0, 1e-320]])
    text = "300,0.1,2.0,0.3333333333333333,-0.0,1e-320\n"
    assert _exported(tmp_path / "other.csv", numbers, [300]) == text


def _exported(path: Path, X: NDArray[Any], y: list[int]) -> str:
    train = Part(X, np.array(y))
    dataset = Dataset(
        name="x", digest="0", source="", image_shape=None, files={}, train=train, test=None
    )
    return export(dataset, "train", -1, "csv", path).read_text()


@pytest.mark.parametrize("count", [0, -2, 361])
def test_a_count_out_of_range_is_refused_with_the_largest(
    digits: Dataset, tmp_path: Path, count: int
) -> None:
    with pytest.raises(ConfigurationError, match=rf"\[1, 360\].*test rows.*but got {count}"):
        export(digits, "test", count, "csv", tmp_path / "rows.csv")
    assert not (tmp_path / "rows.csv").exists()


def test_a_part_that_is_not_there_is_refused(digits: Dataset, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="one of train, test for tiny"):
        export(digits, "validation", 1, "csv", tmp_path / "rows.csv")


@pytest.mark.parametrize("file_format", ["pgm", "png"])
def test_one_picture_is_a_file(digits: Dataset, tmp_path: Path, file_format: str) -> None:
    path = export(digits, "train", 1, file_format, tmp_path / "digit")  # type: ignore[arg-type]
    pixels = np.asarray(Image.open(io.BytesIO(path.read_bytes())), dtype=float)
    drawn = digits.train.X[0].reshape(8, 8) * (255 / digits.train.X[0].max())
    np.testing.assert_allclose(pixels, drawn, atol=1)


def test_many_pictures_are_a_new_folder(digits: Dataset, tmp_path: Path) -> None:
    folder = export(digits, "test", 3, "pgm", tmp_path / "digits")
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["tiny-00000.pgm", "tiny-00001.pgm", "tiny-00002.pgm"]
    with pytest.raises(ConfigurationError, match=r"exists\. Name another"):
        export(digits, "test", 3, "pgm", folder)
    assert sorted(tmp_path.iterdir()) == [tmp_path / "cache", folder]


def test_plain_pgm_keeps_its_lines_short() -> None:
    image = np.full((28, 28), 255, dtype=np.uint8)
    lines = pgm(image, maximum=255).decode().splitlines()
    assert lines[:3] == ["P2", "28 28", "255"]
    assert max(map(len, lines)) <= 70
    assert " ".join(lines[3:]).split() == ["255"] * 784


def test_a_place_that_does_not_exist_is_refused(digits: Dataset, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere/x\.csv cannot be written"):
        export(digits, "train", 1, "csv", tmp_path / "nowhere" / "x.csv")


def test_only_a_file_is_replaced(digits: Dataset, tmp_path: Path) -> None:
    """A pipe is never one, nor is a device, as root may replace /dev/null too."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    link = tmp_path / "link"
    link.symlink_to(pipe)
    for path in (pipe, link):
        with pytest.raises(ConfigurationError, match="cannot be written: it is no file"):
            export(digits, "train", 1, "csv", path)
    assert pipe.is_fifo()
    assert link.is_symlink()


def test_a_link_stays_one(digits: Dataset, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("file")
    assert export(digits, "train", 1, "csv", tmp_path / "link") == tmp_path / "link"
    first = (tmp_path / "file").read_text()
    export(digits, "train", 2, "csv", tmp_path / "link")
    assert (tmp_path / "file").read_text().startswith(first)
    assert (tmp_path / "link").is_symlink()


def test_a_gallery_of_a_hundred_is_ten_by_ten_at_300_dpi(digits: Dataset, tmp_path: Path) -> None:
    path = export_gallery(digits, "train", 100, tmp_path / "grid.png")
    with Image.open(path) as picture:
        assert picture.size == (1208, 1208)
        assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.01)
        pixels = np.asarray(picture)
    first = 255 - np.rint(digits.train.X[0].reshape(8, 8) * (255 / 16))
    np.testing.assert_array_equal(pixels[8:120:14, 8:120:14], first)


def test_captions_have_room_below_the_images() -> None:
    images = np.zeros((3, 28, 28), dtype=np.uint8)
    images[0, 0, 0] = 255
    plain = Image.open(io.BytesIO(gallery_png(images, columns=3)))
    named = Image.open(io.BytesIO(gallery_png(images, captions=["4 as 9"] * 3, columns=3)))
    assert plain.size == (3 * 120 + 8, 120 + 8)
    assert named.size == (3 * 120 + 8, 120 + 8 + 24)
    assert np.asarray(named)[122:144].min() < 100


def test_a_gallery_of_equal_pixels_is_drawn() -> None:
    assert gallery_png(np.zeros((1, 2, 2))).startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("n_images", "captions", "message"),
    [(0, None, "n >= 1"), (2, ["a"], "one caption for each image, but got 1 for 2")],
)
def test_a_gallery_of_nothing_is_refused(
    n_images: int, captions: list[str] | None, message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        gallery_png(np.zeros((n_images, 2, 2)), captions=captions)
