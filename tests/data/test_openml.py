"""Data sets of OpenML, read from the files that scikit-learn keeps of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from openml_files import publish, publish_columns
from sweepmark import data
from sweepmark.config.schema import DatasetConfig, FileConfig
from sweepmark.errors import ConfigurationError, DataError, FetchError
from sweepmark.sources.openml import OpenML
from sweepmark.sources.transfer import SourceError, UnreachableError

if TYPE_CHECKING:
    from pathlib import Path

PORTS: list[tuple[str, str | list[str]]] = [
    ("age", "numeric"),
    ("port", ["C", "S"]),
    ("name", "string"),
    ("survived", ["no", "yes"]),
]
PASSENGERS = [["22", "S", "'Ann B'", "yes"], ["?", "C", "Max", "no"], ["4.5", "?", "?", "no"]]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """scikit-learn's folder; no network: whoever asks it is refused at once."""
    del empty_cache
    folder = tmp_path / "scikit_learn_data"
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(folder))
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    return folder


def _config(name: str, **values: Any) -> DatasetConfig:
    return DatasetConfig(name=name, format="openml", **values)


@pytest.mark.parametrize("version", [1, None])
def test_numbers_become_an_array(home: Path, version: int | None) -> None:
    X = np.array([[0, 255], [3, 4], [5, 6]], dtype=np.uint8)
    publish(home, "tiny", X, [7, 8, 7])
    dataset = data.load(_config("tiny", version=version))
    np.testing.assert_array_equal(dataset.train.X, X)
    assert dataset.dtype == "uint8"
    assert dataset.train.y.tolist() == [7, 8, 7]
    assert dataset.source == "OpenML tiny version 1"
    assert dataset.feature_names == ("pixel1", "pixel2")
    assert dataset.label_column == "class"


def test_it_is_known_again_without_asking(home: Path) -> None:
    publish(home, "tiny", np.array([[0.5], [1.5]]), ["a", "b"])
    first = data.load(_config("tiny"))
    for path in sorted(home.rglob("*.gz")):
        path.unlink()
    second = data.load(_config("tiny"))
    assert second.digest == first.digest
    assert data.open_dataset(first.digest).label_names == ("a", "b")


def test_text_and_missing_values_become_a_frame(home: Path) -> None:
    publish_columns(home, "ports", PORTS, PASSENGERS)
    dataset = data.load(_config("ports"))
    frame: Any = dataset.train.X
    assert dataset.column_types == {"age": "number", "port": "text", "name": "text"}
    assert frame["age"].isna().tolist() == [False, True, False]
    assert frame["port"].tolist()[:2] == ["S", "C"]
    assert frame["name"].tolist()[0] == "Ann B"
    assert [dataset.label_text(label) for label in dataset.train.y] == ["yes", "no", "no"]


def test_another_column_can_be_the_label(home: Path) -> None:
    publish_columns(home, "ports", PORTS, PASSENGERS[:2])
    dataset = data.load(_config("ports", label="port"))
    assert dataset.label_column == "port"
    assert dataset.label_names == ("C", "S")
    with pytest.raises(ConfigurationError, match=r"dataset\.label.*'pier'"):
        data.load(_config("ports", label="pier"))


def test_columns_are_dropped(home: Path) -> None:
    publish_columns(home, "ports", PORTS, PASSENGERS)
    dataset = data.load(_config("ports", drop=("name", "port")))
    assert dataset.feature_names == ("age",)
    assert data.load(_config("ports", drop=("name",))).digest != dataset.digest
    with pytest.raises(ConfigurationError, match=r"unknown column 'Name'\. Did you mean 'name'"):
        data.load(_config("ports", drop=("Name",)))
    with pytest.raises(ConfigurationError, match="must leave a feature"):
        data.load(_config("ports", drop=("name", "port", "age")))


def test_a_missing_label_is_refused(home: Path) -> None:
    publish_columns(home, "ports", PORTS, PASSENGERS)
    with pytest.raises(DataError, match=r"Target column 'port' has 1 missing values"):
        data.load(_config("ports", label="port"))


def test_offline_it_says_so_and_what_else_there_is() -> None:
    with pytest.raises(FetchError, match=r"OpenML: cannot be reached: .*dataset=csv"):
        data.load(_config("mnist_784", version=1))


def test_a_file_of_ones_own_is_no_data_set_of_openml(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="Use dataset=csv"):
        data.load(_config("tiny", path=str(tmp_path)))


def test_a_source_that_is_offline_is_not_asked_again(tmp_path: Path) -> None:
    file = FileConfig(name="train-labels-idx1-ubyte", size=9, sha256="0" * 64)
    with pytest.raises(UnreachableError, match="cannot be reached"):
        OpenML("mnist_784", 1).fetch(file, tmp_path, advance=print)


def test_rows_that_are_no_bytes_are_no_source(home: Path, tmp_path: Path) -> None:
    publish(home, "tiny", np.array([[0.5], [1.5]]), [1, 2])
    file = FileConfig(name="train-labels-idx1-ubyte", size=9, sha256="0" * 64)
    with pytest.raises(SourceError, match="its rows are not bytes"):
        OpenML("tiny", 1, data_home=home).fetch(file, tmp_path, advance=print)
