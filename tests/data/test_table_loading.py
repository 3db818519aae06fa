"""Tables in the cache: read once, known again, noticed when damaged."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import published
from published import WebServer, whole
from sweepmark import data
from sweepmark.data.entry import verify
from sweepmark.data.export import export
from sweepmark.data.summary import describe
from sweepmark.errors import ConfigurationError, DataError, NotFoundError
from sweepmark.sources.server import MirrorOptions
from tables import PASSENGERS, csv_config, titanic_config, write
from tiny import dataset_config

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sweepmark.config.schema import DatasetConfig

NUMBERS = "label,a,b\n1,2,3\n0,4,5\n1,6,7\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write(tmp_path / "table.csv", NUMBERS)


@pytest.fixture(autouse=True)
def _cache(empty_cache: Path) -> None:
    """Each test has an empty cache."""
    del empty_cache


def test_a_table_is_read_once_and_mapped_ever_after(path: Path) -> None:
    lines: list[str] = []
    first = data.load(csv_config(path), report=lines.append)
    assert lines == [
        f"mine: {path}: 3 rows, header label, a, b; label in label, 2 features",
    ]
    second = data.load(csv_config(path), report=lines.append)
    assert len(lines) == 1
    opened = data.open_dataset(first.digest)
    for dataset in (first, second, opened):
        assert np.asarray(dataset.train.X).tolist() == [[2, 3], [4, 5], [6, 7]]
        assert not np.asarray(dataset.train.X).flags.writeable
        assert dataset.feature_names == ("a", "b")
        assert dataset.label_column == "label"
        assert dataset.test is None


def test_another_way_of_reading_is_another_data_set(path: Path) -> None:
    digests = {
        data.load(csv_config(path, **values)).digest
        for values in ({}, {"label": "b"}, {"table": "mixed"}, {"image_shape": (1, 2)})
    }
    assert len(digests) == 4


def test_a_changed_file_is_read_again(path: Path) -> None:
    first = data.load(csv_config(path))
    write(path, NUMBERS.replace("7", "8"))
    second = data.load(csv_config(path))
    assert second.digest != first.digest
    assert np.asarray(second.train.X)[2, 1] == 8


def test_the_test_rows_may_have_a_file_of_their_own(path: Path, tmp_path: Path) -> None:
    test = write(tmp_path / "test.csv", "label,a,b\n0,1.5,2\n")
    dataset = data.load(csv_config(path, test_path=str(test), image_shape=(2, 1)))
    assert dataset.test is not None
    assert dataset.train.X.dtype == dataset.test.X.dtype == np.float64
    assert dataset.image_shape == (2, 1)
    assert set(dataset.files) == {"train_table", "test_table"}


@pytest.mark.parametrize(
    ("train", "test", "message"),
    [
        (NUMBERS, "label,a\n0,1\n", "has 2 features and .* has 1"),
        (NUMBERS, "label,a,c\n0,1,2\n", "has 'b' where .* has 'c'"),
        (NUMBERS, "label,a,b\nx,1,2\n", "must both be numbers or both text"),
        ("y,a\nx,1\nz,2\n", "y,a\nx,1\nq,2\n", "a label must be one of x, z, but got 'q'"),
        ("y,a\nx,1\nz,2\n", "y,a\n5,1\n", "a label must be one of x, z, but got '5'"),
    ],
)
def test_test_rows_of_another_kind_are_refused(
    tmp_path: Path, train: str, test: str, message: str
) -> None:
    one, other = write(tmp_path / "train.csv", train), write(tmp_path / "test.csv", test)
    with pytest.raises(DataError, match=message):
        data.load(csv_config(one, test_path=str(other)))


def test_a_path_without_a_home_folder_is_named_by_its_key(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.path.expanduser", lambda given: given)  # as where no home is known
    with pytest.raises(ConfigurationError, match=r"^dataset\.test_path: the home folder"):
        data.load(csv_config(path, test_path="~/test.csv"))


def test_a_column_is_numbers_in_both_files_or_text_in_both(tmp_path: Path) -> None:
    one = write(tmp_path / "train.csv", "y,a,b\n0,1,x\n1,2,y\n")
    other = write(tmp_path / "test.csv", "y,a,b\n0,q,\n")
    with pytest.raises(DataError, match="column 'a' must be numbers in all files or text in all"):
        data.load(csv_config(one, test_path=str(other), table="mixed"))
    write(other, "y,a,b\n0,3,\n")
    dataset = data.load(csv_config(one, test_path=str(other), table="mixed"))
    taken: Any = dataset.take(np.array([2, 0]))
    assert taken.X["a"].tolist() == [3, 1]
    assert taken.X["b"].isna().tolist() == [True, False]


def test_a_label_out_of_range_is_refused_before_anything_is_cached(
    path: Path, empty_cache: Path
) -> None:
    write(path, NUMBERS.replace("0,4", "10,4"))
    with pytest.raises(DataError, match=r"column 'label': a label must be in \[0, 9\]"):
        data.load(csv_config(path, n_classes=10))
    assert not list(empty_cache.rglob("*.npy"))


def test_pictures_have_as_many_pixels_as_there_are_features(path: Path) -> None:
    with pytest.raises(ConfigurationError, match="2 x 2 is not 2"):
        data.load(csv_config(path, image_shape=(2, 2)))


def test_no_file_at_all(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"dataset\.path must be a file, CSV .*nowhere\.csv"):
        data.load(csv_config(tmp_path / "nowhere.csv"))
    with pytest.raises(ConfigurationError, match=r"Set dataset\.path=FILE"):
        data.load(dataset_config("csv"))


def test_passengers_are_a_frame_with_missing_values(tmp_path: Path) -> None:
    dataset = data.load(titanic_config(write(tmp_path / "p.csv", PASSENGERS)))
    frame: Any = dataset.train.X
    assert dataset.dtype == "mixed"
    assert dataset.image_shape is None
    assert frame["Age"].isna().tolist() == [False, False, True, False, False, False]
    assert frame["Pclass"].tolist() == [3, 1, 3, 1, 3, 2]
    assert frame["Cabin"].count() == 3
    kinds = dataset.column_types
    assert kinds is not None
    assert {name for name, kind in kinds.items() if kind == "text"} == {
        *("Name", "Sex", "Ticket", "Cabin", "Embarked"),
    }
    document = describe(dataset, published=None)
    columns = {column["name"]: column for column in document["columns"]}
    assert columns["Embarked"]["values"] == [
        {"value": "S", "count": 3},
        {"value": "C", "count": 1},
        {"value": "Q", "count": 1},
    ]
    assert columns["Pclass"]["values"][0] == {"value": 3, "count": 3}
    assert (columns["Age"]["n_given"], columns["Cabin"]["n_given"]) == (5, 3)
    assert [line["count"] for line in document["parts"]["train"]["labels"]] == [3, 3]


def test_a_frame_is_exported_and_comes_back_as_it_was(tmp_path: Path) -> None:
    dataset = data.load(titanic_config(write(tmp_path / "p.csv", PASSENGERS)))
    exported = export(dataset, "train", -1, "csv", tmp_path / "exported.csv")
    assert exported.read_text().startswith("Survived,PassengerId,Pclass,Name,Sex,Age,")
    again: Any = data.load(titanic_config(exported)).train
    assert again.X.equals(dataset.train.X)
    assert again.y.tolist() == dataset.train.y.tolist()
    with pytest.raises(ConfigurationError, match="are no pictures"):
        export(dataset, "train", 1, "png", tmp_path / "x.png")


def _published(path: Path, *mirrors: str) -> DatasetConfig:
    files = {"train_table": published.file_config(path)}
    options = MirrorOptions(urls=mirrors, suffix="")
    return replace(dataset_config("titanic"), files=files, sources={"mirror": options})


def test_a_published_table_is_fetched_verified_and_the_same_as_ones_own(tmp_path: Path) -> None:
    path = write(tmp_path / "titanic.csv", PASSENGERS)
    with WebServer() as web:
        web.pages["/titanic.csv"] = whole(PASSENGERS.encode())
        config = _published(path, web.url)
        assert not data.is_cached(config)
        dataset = data.load(config)
    assert data.is_cached(config)
    assert dataset.digest == data.published_digest(config)
    assert dataset.source.startswith("mirror http://127.0.0.1")
    own = data.load(replace(config, path=str(path)))
    assert own.digest == dataset.digest
    assert own.source == str(path)


def test_a_table_that_is_another_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "titanic.csv", PASSENGERS)
    with WebServer() as web:
        web.pages["/titanic.csv"] = whole(PASSENGERS.replace("male", "mole").encode())
        with pytest.raises(DataError, match=r"(?s)found .*dataset\.path=FILE\.csv"):
            data.load(_published(path, web.url))


def _remove(path: Path) -> None:
    path.unlink()


def _shorten(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 2)


@pytest.mark.parametrize("damage", [_remove, _shorten])
@pytest.mark.parametrize("name", ["train_X.npy", "train_X.arrow", "train_y.npy", "meta.json"])
def test_a_damaged_table_is_noticed_and_read_again(
    tmp_path: Path, empty_cache: Path, name: str, damage: Callable[[Path], None]
) -> None:
    mixed = name.endswith("arrow")
    path = write(tmp_path / "t.csv", PASSENGERS if mixed else NUMBERS)
    config = titanic_config(path) if mixed else csv_config(path)
    digest = data.load(config).digest
    damage(empty_cache / "datasets" / digest / name)
    with pytest.raises(DataError, match="is damaged"):
        data.open_dataset(digest)
    assert data.load(config).digest == digest
    assert data.open_dataset(digest).n_rows == (6 if mixed else 3)


def test_a_changed_bit_is_noticed_when_it_is_looked_for(path: Path, empty_cache: Path) -> None:
    dataset = data.load(csv_config(path))
    array = empty_cache / "datasets" / dataset.digest / "train_X.npy"
    content = bytearray(array.read_bytes())
    content[-1] ^= 1
    array.write_bytes(content)
    with pytest.raises(DataError, match=r"train_X\.npy must have SHA-256"):
        verify(data.open_dataset(dataset.digest))
    verify(data.mend(csv_config(path)))
