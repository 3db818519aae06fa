"""Folders of the user's own."""

from __future__ import annotations

import gzip
import shutil
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from idx_files import decode
from published import dataset_config, gzip_bomb
from sweepmark.config.schema import DatasetConfig
from sweepmark.data import load, published_digest
from sweepmark.errors import DataError, NotFoundError
from sweepmark.sources import idx

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("empty_cache")


@pytest.fixture
def folder(digits_idx: Path, tmp_path: Path) -> Path:
    """A folder of one's own, to change at will."""
    return shutil.copytree(digits_idx, tmp_path / "mine")


def _load(folder: Path, lines: list[str] | None = None) -> Any:
    config = DatasetConfig(name="mine", format="idx", path=str(folder))
    return load(config, report=None if lines is None else lines.append)


def test_content_alone_decides_the_digest(folder: Path, digits_idx: Path) -> None:
    for path in list(folder.iterdir()):
        renamed = folder / f"{path.name.replace('-idx', '.idx')}.gz"
        renamed.write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    dataset = _load(folder)
    assert dataset.digest == published_digest(dataset_config(digits_idx))
    assert dataset.name == "mine"
    assert dataset.source == str(folder)


def test_it_is_decoded_once_and_again_when_it_changes(folder: Path) -> None:
    lines: list[str] = []
    first = _load(folder, lines)
    assert len(lines) == 1
    _load(folder, lines)
    assert len(lines) == 1
    labels = folder / "train-labels-idx1-ubyte"
    changed = decode(labels.read_bytes())
    changed[0] = 9
    labels.write_bytes(idx.encode(changed))
    second = _load(folder, lines)
    assert len(lines) == 2
    assert second.digest != first.digest
    assert second.train.y[0] == 9


def test_all_that_is_missing_is_listed_with_the_names_looked_for(folder: Path) -> None:
    (folder / "train-labels-idx1-ubyte").unlink()
    (folder / "t10k-images-idx3-ubyte").unlink()
    with pytest.raises(NotFoundError) as caught:
        _load(folder)
    message = str(caught.value)
    assert "lacks 2 of 4 files" in message
    assert "train labels: none of train-labels-idx1-ubyte, train-labels-idx1-ubyte.gz" in message
    assert "test images: none of" in message
    assert "t10k-images.idx3-ubyte.gz" in message


def test_no_folder_at_all(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"dataset\.path must be a folder"):
        _load(tmp_path / "nowhere")


def _header(n_images: int) -> bytes:
    return struct.pack(">HBBIII", 0, 8, 3, n_images, 8, 8)


@pytest.mark.parametrize("compress", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("n_images", [1438, 1436, 2**31, 0])
def test_a_wrong_count_is_refused(folder: Path, compress: Any, n_images: int) -> None:
    path = folder / "train-images-idx3-ubyte"
    path.write_bytes(compress(_header(n_images) + path.read_bytes()[16:]))
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte.*(must be|has)"):
        _load(folder)


def test_a_label_too_many_is_refused(folder: Path) -> None:
    path = folder / "train-labels-idx1-ubyte"
    path.write_bytes(idx.encode(np.zeros(1438, dtype=np.uint8)))
    with pytest.raises(DataError, match=r"equal in number, but .* has 1437 and .* has 1438"):
        _load(folder)


def test_images_in_the_place_of_labels_are_refused(folder: Path) -> None:
    shutil.copy(folder / "train-images-idx3-ubyte", folder / "train-labels-idx1-ubyte")
    with pytest.raises(DataError, match="labels must be integers of rank 1, found uint8 of rank 3"):
        _load(folder)


def test_test_images_of_another_shape_are_refused(folder: Path) -> None:
    images = np.zeros((360, 4, 16), dtype=np.uint8)
    (folder / "t10k-images-idx3-ubyte").write_bytes(idx.encode(images))
    with pytest.raises(DataError, match="must agree in type and shape"):
        _load(folder)


def test_a_bomb_behind_a_right_header_is_not_read_on(folder: Path, empty_cache: Path) -> None:
    path = folder / "train-images-idx3-ubyte"
    with path.open("wb") as file:
        file.writelines(gzip_bomb(10 * 1024, head=_header(1437)))
    with pytest.raises(DataError, match="found more than 91984"):
        _load(folder)
    assert not list(empty_cache.rglob("*.npy"))


@pytest.mark.parametrize("dtype", ["i1", "i2", "i4", "f4", "f8"])
def test_other_element_types_become_float64(folder: Path, dtype: str) -> None:
    values = np.arange(-64, 360 * 4 - 64).reshape(360, 2, 2).astype(dtype)
    for part, n_rows in (("train", 360), ("t10k", 60)):
        (folder / f"{part}-images-idx3-ubyte").write_bytes(idx.encode(values[:n_rows]))
        labels = np.arange(n_rows, dtype=np.int32)
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(idx.encode(labels))
    dataset = _load(folder)
    assert dataset.train.X.dtype == np.float64
    np.testing.assert_array_equal(dataset.train.X, values.reshape(360, 4))
    np.testing.assert_array_equal(dataset.test.y, np.arange(60))


def test_nan_is_refused(folder: Path) -> None:
    values = np.zeros((1437, 2), dtype=np.float32)
    values[1000, 1] = np.nan
    (folder / "train-images-idx3-ubyte").write_bytes(idx.encode(values))
    (folder / "t10k-images-idx3-ubyte").write_bytes(idx.encode(values[:360]))
    with pytest.raises(DataError, match="must be finite"):
        _load(folder)
