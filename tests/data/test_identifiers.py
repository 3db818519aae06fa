"""Columns that say which row it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from sweepmark import data
from sweepmark.data.identifiers import find_identifiers
from tables import csv_config, write

if TYPE_CHECKING:
    from pathlib import Path

N_ROWS = 300
RNG = np.random.default_rng(0)
UNIQUE = RNG.permutation(N_ROWS * 1000)[:N_ROWS]


def _found(values: Any, name: str) -> str | None:
    X = np.column_stack([np.zeros(len(values)), values])
    found = find_identifiers(X, ("other", name))
    of_columns = find_identifiers(pa.table({"other": X[:, 0], name: X[:, 1]}), ("other", name))
    assert found == of_columns
    assert set(found) <= {name}
    return found.get(name)


@pytest.mark.parametrize(
    ("values", "name", "reason"),
    [
        (np.arange(N_ROWS), "a", "counts the rows"),
        (np.arange(17, 30), "a", "counts the rows"),
        (RNG.permutation(N_ROWS), "a", "differs in every row"),
        (np.sort(RNG.permutation(500)[:N_ROWS]), "a", "differs in every row"),
        (UNIQUE, "a", None),  # a price, say
        (UNIQUE, "id", "differs in every row"),
        (UNIQUE, "customer_id", "differs in every row"),
        (UNIQUE, "PassengerId", "differs in every row"),
        (UNIQUE, "humid", None),
        (UNIQUE, "kno", None),
        (UNIQUE + 0.5, "id", None),
        (UNIQUE // 2000, "id", None),
        (np.full(N_ROWS, 3), "id", None),
        (np.arange(9), "id", None),
        (np.arange(20)[::-1], "a", None),  # so few may be dense by chance
    ],
)
def test_numbers(values: Any, name: str, reason: str | None) -> None:
    assert _found(values, name) == reason


@pytest.mark.parametrize(
    ("texts", "reason"),
    [
        ([f"C{number}" for number in UNIQUE], "differs in every row"),
        ([f"C{number // 2}" for number in range(N_ROWS)], None),
        ([f"a comment of some length, as customers make them: {one}" for one in UNIQUE], None),
        ([None, *map(str, UNIQUE)], None),
    ],
)
def test_texts(texts: list[str | None], reason: str | None) -> None:
    found = find_identifiers(pa.table({"a": pa.array(texts, pa.string())}), ("a",))
    assert found.get("a") == reason


def test_bytes() -> None:
    X = np.arange(N_ROWS * 2, dtype=np.uint8).reshape(N_ROWS, 2)
    assert find_identifiers(X, ("a", "id")) == {}
    few = np.arange(20, dtype=np.uint8).reshape(20, 1)
    assert find_identifiers(few[::-1], ("id",)) == {"id": "differs in every row"}
    assert find_identifiers(few, ("a",)) == {"a": "counts the rows"}


@pytest.mark.usefixtures("empty_cache")
def test_a_data_set_has_them_by_the_names_of_its_file(tmp_path: Path) -> None:
    rows = "".join(f"{row % 2},{row * row},{row}\n" for row in range(20))
    dataset = data.load(csv_config(write(tmp_path / "bare.csv", rows)))
    assert dataset.identifiers == {"column_3": "counts the rows"}
    assert data.open_dataset(dataset.digest).identifiers == dataset.identifiers
    dropped = data.load(csv_config(tmp_path / "bare.csv", drop=("column_3",)))
    assert dropped.identifiers == {}
