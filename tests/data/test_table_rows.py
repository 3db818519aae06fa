"""New rows for a model, with and without labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sweepmark.data import load
from sweepmark.data.table_rows import read_rows
from sweepmark.errors import DataError
from tables import PASSENGERS, csv_config, titanic_config, write

if TYPE_CHECKING:
    from pathlib import Path

    from sweepmark.data import Dataset

pytestmark = pytest.mark.usefixtures("empty_cache")


@pytest.fixture
def named(tmp_path: Path) -> Dataset:
    return load(csv_config(write(tmp_path / "train.csv", "label,a,b\n1,2,3\n0,4,5\n")))


@pytest.fixture
def numbered(tmp_path: Path) -> Dataset:
    return load(csv_config(write(tmp_path / "train.csv", "1,2,3\n0,4,5\n")))


def test_a_file_without_labels(named: Dataset, tmp_path: Path) -> None:
    X, y, _ = read_rows(write(tmp_path / "new.csv", "a,b\n7,8\n"), named, csv_config())
    assert (np.asarray(X).tolist(), y) == ([[7, 8]], None)


def test_columns_are_found_by_name(named: Dataset, tmp_path: Path) -> None:
    X, y, _ = read_rows(write(tmp_path / "new.csv", "b,label,a\n8,1,7\n"), named, csv_config())
    assert np.asarray(X).tolist() == [[7, 8]]
    assert y is not None
    assert y.tolist() == [1]


@pytest.mark.parametrize(
    ("text", "labels"), [("7,8\n", None), ("1,7,8\n", [1]), ("a,b\n7,8\n", None)]
)
def test_without_names_places_decide(
    numbered: Dataset, tmp_path: Path, text: str, labels: list[int] | None
) -> None:
    X, y, _ = read_rows(write(tmp_path / "new.csv", text), numbered, csv_config())
    assert np.asarray(X).tolist() == [[7, 8]]
    assert (None if y is None else y.tolist()) == labels


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\n7\n", "has one column"),
        ("a,c\n7,8\n", "lacks 'b' and has besides 'c'"),
        ("a,b\n7,x\n", r"row 1 \(line 2\), column 'b': must be a number"),
        ("a,b\n", "must have rows"),
        ("label,a,b\nyes,7,8\n", "labels must be numbers"),
        ("7,8,9,10\n", "must have the 2 features of mine, or a label and these, but has 4"),
    ],
)
def test_other_columns_are_refused(named: Dataset, tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_rows(write(tmp_path / "new.csv", text), named, csv_config())


def test_rows_of_a_mixed_table(tmp_path: Path) -> None:
    path = write(tmp_path / "train.csv", PASSENGERS)
    dataset = load(titanic_config(path))
    without = "Age,PassengerId,Pclass,Name,Sex,SibSp,Parch,Ticket,Fare,Cabin,Embarked\n"
    new = write(tmp_path / "new.csv", without + ",9,3,Nobody,male,0,0,5,,,S\n")
    X, y, _ = read_rows(new, dataset, titanic_config(path))
    frame: Any = X
    trained: Any = dataset.train.X
    assert y is None
    assert frame.columns.tolist() == trained.columns.tolist()
    assert frame.dtypes.tolist() == trained.dtypes.tolist()
    assert frame["Ticket"].tolist() == ["5"]
    _, y, _ = read_rows(path, dataset, titanic_config(path))
    assert y is not None
    assert y.tolist() == dataset.train.y.tolist()
    with pytest.raises(DataError, match="must have a header"):
        read_rows(write(tmp_path / "bare.csv", "1,2\n"), dataset, titanic_config(path))
