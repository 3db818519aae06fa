"""Columns of a table that are no features: dropped, or found to number the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sweepmark import data
from sweepmark.data.table import read_table
from sweepmark.data.table_rows import read_rows
from sweepmark.errors import ConfigurationError, DataError
from tables import csv_config, write

if TYPE_CHECKING:
    from pathlib import Path

TEXT = "Id,label,when,a,b\n901,1,May,2,3\n902,0,June,4,5\n"
INDEXED = ",label,a,b\n0,1,2,3\n1,0,4,5\n"

pytestmark = pytest.mark.usefixtures("empty_cache")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write(tmp_path / "table.csv", TEXT)


@pytest.mark.parametrize("table", ["numeric", "mixed"])
def test_dropped_columns_are_no_features(path: Path, table: Any) -> None:
    dataset = data.load(csv_config(path, drop=("Id", "when"), table=table))
    features: Any = dataset.train.X
    assert np.asarray(features).tolist() == [[2, 3], [4, 5]]
    assert dataset.feature_names == ("a", "b")
    assert dataset.label_column == "label"  # the first that is left
    other = data.load(csv_config(path, drop=("Id", "when", "a"), table=table))
    same = data.load(csv_config(path, drop=("when", "Id"), table=table))
    assert other.digest != dataset.digest == same.digest


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"drop": ("id",)}, r"dataset\.drop: unknown column 'id'. Did you mean 'Id'\?"),
        ({"drop": ("label",), "label": "label"}, "'label' is the label"),
        ({"drop": ("Id", "when", "a", "b")}, "must have a feature"),
        ({"drop": ("Id", "label", "when", "a", "b")}, "must have a label and a feature"),
    ],
)
def test_what_cannot_be_dropped(path: Path, values: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        data.load(csv_config(path, **values))


def test_an_index_of_pandas_is_found_out_left_out_and_said(path: Path) -> None:
    lines: list[str] = []
    dataset = data.load(csv_config(write(path, INDEXED)), report=lines.append)
    assert np.asarray(dataset.train.X).tolist() == [[2, 3], [4, 5]]
    assert (dataset.label_column, dataset.feature_names) == ("label", ("a", "b"))
    assert lines[0].endswith("label in label, 2 features; column_1 left out: it numbers the rows")
    assert read_table(path, csv_config(label="column_1")).X.shape == (2, 3)


@pytest.mark.parametrize(
    "text", [INDEXED.replace("\n1,", "\n2,"), INDEXED.replace("\n0,", "\n00,")]
)
def test_a_column_without_a_name_that_counts_nothing_is_a_column(path: Path, text: str) -> None:
    lines: list[str] = []
    dataset = data.load(csv_config(write(path, text), label="label"), report=lines.append)
    assert dataset.feature_names == ("column_1", "a", "b")
    assert lines[0].endswith("without a name, and so called column_1")
    assert data.load(csv_config(path, drop=("column_1",))).feature_names == ("a", "b")


def test_test_rows_are_left_without_the_same_columns(path: Path, tmp_path: Path) -> None:
    write(path, INDEXED)
    test = write(tmp_path / "test.csv", ",label,a,b\n7,1,6,7\n5,0,8,9\n")
    dataset = data.load(csv_config(path, test_path=str(test)))
    assert dataset.test is not None
    assert np.asarray(dataset.test.X).tolist() == [[6, 7], [8, 9]]
    write(test, "label,a,b\n1,6,7\n")
    write(path, TEXT)
    dataset = data.load(csv_config(path, test_path=str(test), drop=("Id", "when")))
    assert dataset.n_rows == 3


@pytest.mark.parametrize(
    "text",
    ["a,b\n7,8\n", "b,when,a\n8,,7\n", ",a,b\n5,7,8\n", "Id,a,b,label\nx,7,8,1\n", "a;b\n7;8\n"],
)
def test_new_rows_may_have_them(path: Path, tmp_path: Path, text: str) -> None:
    config = csv_config(path, drop=("Id", "when"))
    X, _, _ = read_rows(write(tmp_path / "new.csv", text), data.load(config), config)
    assert np.asarray(X).tolist() == [[7, 8]]


def test_new_rows_without_names_are_as_those_of_the_training(tmp_path: Path) -> None:
    path = write(tmp_path / "train.csv", "5,2,1,3\n6,4,0,5\n")
    config = csv_config(path, drop=("column_1",), label="column_3")
    dataset = data.load(config)
    assert np.asarray(dataset.train.X).tolist() == [[2, 3], [4, 5]]
    X, y, _ = read_rows(path, dataset, config)
    assert np.asarray(X).tolist() == [[2, 3], [4, 5]]
    assert y is not None
    assert y.tolist() == [1, 0]
    X, y, _ = read_rows(write(tmp_path / "new.csv", "7,8\n"), dataset, config)
    assert (np.asarray(X).tolist(), y) == ([[7, 8]], None)
    with pytest.raises(DataError, match="must have the 2 features"):
        read_rows(write(tmp_path / "new.csv", "7,8,9,10,11\n"), dataset, config)
