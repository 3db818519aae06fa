"""What a model is asked about: CSV, IDX images and pictures, told apart by their first bytes."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from sweepmark.data import Dataset, Part, intake
from sweepmark.errors import ConfigurationError, DataError, NotFoundError
from sweepmark.sources import idx
from tables import csv_config, write

if TYPE_CHECKING:
    from pathlib import Path


def read_intake(path: Path, known: Dataset, *, header: bool | None = None) -> intake.Intake:
    return intake.read_intake(path, known, csv_config(), header=header)


def dataset(shape: tuple[int, int] | None = (28, 28), dtype: str = "uint8") -> Dataset:
    n_features = shape[0] * shape[1] if shape else 3
    part = Part(np.zeros((2, n_features), dtype=dtype), np.array([0, 1]))
    return Dataset(
        name="mine", digest="0", source="", image_shape=shape, files={}, train=part, test=None
    )


def picture(folder: Path) -> Path:
    grey = np.full((50, 40), 250, dtype=np.uint8)
    grey[10:40, 18:23] = 20
    Image.fromarray(grey).save(folder / "one.png")
    return folder / "one.png"


def test_a_picture_becomes_one_row(tmp_path: Path) -> None:
    found = read_intake(picture(tmp_path), dataset())
    X = np.asarray(found.X)
    assert X.shape == (1, 784)
    assert X.dtype == np.uint8
    assert found.picture is not None
    assert np.array_equal(X.reshape(28, 28), found.picture.image)
    assert found.y is None
    assert "dark on light, ink in 30 x 5 pixels at row 10, column 18" in found.notes[0]


@pytest.mark.parametrize("known", [dataset((8, 8)), dataset(None), dataset(dtype="float64")])
def test_a_picture_is_for_models_of_such_images(tmp_path: Path, known: Dataset) -> None:
    with pytest.raises(ConfigurationError, match="28 x 28 images in bytes, but mine has"):
        read_intake(picture(tmp_path), known)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("shape", [(5, 2, 3), (5, 6)])
def test_idx_images(tmp_path: Path, pack: Any, shape: tuple[int, ...]) -> None:
    images = np.arange(30, dtype=np.uint8).reshape(shape)
    path = write(tmp_path / "images", pack(idx.encode(images)))
    X = np.asarray(read_intake(path, dataset((2, 3))).X)
    assert X.dtype == np.uint8
    assert np.array_equal(X, images.reshape(5, 6))
    wide = np.asarray(read_intake(path, dataset((2, 3), "float64")).X)
    assert wide.dtype == np.float64


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (idx.encode(np.zeros((2, 4, 4), dtype="u1")), "rows of mine, n x 2 x 3, but has 2 x 4 x 4"),
        (idx.encode(np.zeros(9, dtype="u1")), "are these the labels"),
        (idx.encode(np.zeros((2, 2, 3))), "elements must be bytes, but are float64"),
        (idx.encode(np.zeros((2, 2, 3), dtype="i1")), "elements must be bytes, but are int8"),
        (idx.encode(np.zeros((0, 2, 3), dtype="u1")), "must have rows"),
        (idx.encode(np.zeros((2, 2, 3), dtype="u1"))[:-1], "length must be"),
        (b"\0\0\x08\x03" + b"\xff" * 4 + b"\0\0\0\x02\0\0\0\x03", "bytes at most"),
        (b"\0\0\x07\x03", "element type"),
        (gzip.compress(b"1,2,3\n", mtime=0), "the 6 features of mine, or a label and these"),
        (b"\x1f\x8bno", "whole gzip file"),
        (b"", "the file is empty"),
        (b"\x93NUMPY", r"but is one NumPy array \(\.npy\)"),
        (b"\x7fELF\0\0\1\2,\xff\n", "must be text in UTF-8"),
        (b"1,2,3\n", "the 6 features of mine, or a label and these, but has 3 columns"),
        (b"a,1,b\n", "Say --header yes or --header no"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message) as refused:
        read_intake(write(tmp_path / "new", content), dataset((2, 3)))
    assert "new" in str(refused.value)


def test_a_file_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="nothing is not there"):
        read_intake(tmp_path / "nothing", dataset())
    with pytest.raises(NotFoundError, match="is a folder"):
        read_intake(tmp_path, dataset())


def test_rows_get_the_type_that_the_model_knows(tmp_path: Path) -> None:
    path = write(tmp_path / "new.csv", "1,2,3\n4,5,6\n")
    assert np.asarray(read_intake(path, dataset(None)).X).dtype == np.uint8
    assert np.asarray(read_intake(path, dataset(None, "float64")).X).dtype == np.float64


def test_pixels_of_another_range_are_said(tmp_path: Path) -> None:
    path = write(tmp_path / "new.csv", "0.5,0,0.25\n1,0,0\n")
    (note,) = read_intake(path, dataset(None)).notes
    assert "every value is in [0, 1], but those of mine are bytes" in note
    assert read_intake(path, dataset(None, "float64")).notes == ()


def test_the_header_may_be_said(tmp_path: Path) -> None:
    path = write(tmp_path / "new.csv", "1,2,3\n4,5,6\n")
    assert len(read_intake(path, dataset(None), header=True).X) == 1
