"""Tables without the column that their rows are divided by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from sweepmark.config.schema import DatasetConfig
from sweepmark.config.split import SplitColumn
from sweepmark.data import load, open_dataset
from sweepmark.data.arrays import keep_arrays
from sweepmark.data.divided import load_divided
from sweepmark.data.entry import verify
from sweepmark.data.table_rows import read_rows
from sweepmark.errors import ConfigurationError, DataError
from tables import PASSENGERS, csv_config, titanic_config, write
from tiny import dataset_config

if TYPE_CHECKING:
    from pathlib import Path

TABLE = "who,label,a,b\nzoe,1,2,300\nann,0,-4,5.5\nzoe,1,6,7\nbob,0,1,1\n"
PLAIN = "label,a,b\n1,2,300\n0,-4,5.5\n1,6,7\n0,1,1\n"
WHO = SplitColumn("groups", "who")


@pytest.fixture(autouse=True)
def _cache(empty_cache: Path) -> None:
    del empty_cache


def ranks(folder: Path, cells: list[str], *, role: Any = "order", types: Any = None) -> list[int]:
    text = "at,label,a\n" + "".join(f"{cell},{n % 2},{n}\n" for n, cell in enumerate(cells))
    config = csv_config(write(folder / "table.csv", text), label="label", types=types or {})
    found = load_divided(config, SplitColumn(role, "at")).ranks
    assert found is not None
    return [int(rank) for rank in found]


def test_features_are_those_of_the_file_without_the_column(tmp_path: Path) -> None:
    lines: list[str] = []
    config = csv_config(write(tmp_path / "table.csv", TABLE), label="label")
    found = load_divided(config, WHO, report=lines.append)
    plain = load(csv_config(write(tmp_path / "plain.csv", PLAIN), label="label"))
    np.testing.assert_array_equal(found.train.X, plain.train.X)
    assert found.train.X.dtype == plain.train.X.dtype
    np.testing.assert_array_equal(found.y, plain.y)
    assert (found.feature_names, found.split_column) == (("a", "b"), "who")
    assert found.ranks is not None
    assert found.ranks.tolist() == [2, 0, 2, 1]
    assert lines[-1] == "mine: column who is split.groups and no feature; 3 distinct values"

    verify(found)
    again = open_dataset(found.digest)
    assert again.ranks is not None
    assert again.ranks.tolist() == [2, 0, 2, 1]

    ways = [SplitColumn("order", "a"), SplitColumn("groups", "a"), SplitColumn("groups", "b")]
    config = csv_config(tmp_path / "plain.csv", label="label")
    assert len({load_divided(config, by).digest for by in ways}) == 3


def test_mixed_tables_stay_frames_and_frames_of_python_can_be_divided(tmp_path: Path) -> None:
    titanic = titanic_config(write(tmp_path / "train.csv", PASSENGERS))
    found = load_divided(titanic, SplitColumn("groups", "Ticket"))
    assert found.is_frame
    assert found.ranks is not None
    assert "Ticket" not in (found.column_types or {"Ticket": "text"})
    assert len(set(found.ranks.tolist())) == 6

    frame = pd.DataFrame({"who": list("abab"), "x": [1.0, 2.5, 3.0, 4.0], "y": [0, 1, 1, 0]})
    kept = keep_arrays((frame, "y"), name="frame")
    config = dataset_config("csv")
    config = type(config)(name="frame", format="cache", digest=kept.digest)
    numbers = load_divided(config, WHO)
    np.testing.assert_array_equal(numbers.train.X, frame[["x"]].to_numpy())


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["10", "9", "9.5"], [2, 0, 1]),
        (["2026-01-31", "2025-12-01", "2026-01-31"], [1, 0, 1]),
        (["2026-01", "2025-12", "2026-02"], [1, 0, 2]),
        (["2026-01-31T10:00:00+02:00", "2026-01-31T09:00:00Z", "2026-01-31 08:00"], [0, 1, 0]),
        (["0001-01-01 00:00+05:00", "0001-01-01", "9999-12-31"], [0, 1, 2]),
        (
            [f"2026-01-31 08:00:00.{each}" for each in ("12345603", "123456", "123456020", "2")],
            [2, 0, 1, 3],
        ),
    ],
)
def test_order_is_of_numbers_or_of_iso_dates(
    tmp_path: Path, cells: list[str], expected: list[int]
) -> None:
    assert ranks(tmp_path, cells) == expected


def test_long_numbers_of_groups_are_told_apart_as_texts(tmp_path: Path) -> None:
    cells = [str(2**53 + n) for n in (1, 0, 1)]
    found = ranks(tmp_path, cells, role="groups", types={"at": "text"})
    assert found == [1, 0, 1]
    frame = pd.DataFrame({"at": [2**53 + 1, 2**53, 3], "a": [1, 2, 3]})
    kept = keep_arrays((frame, [0, 1, 0]), name="mine")
    config = DatasetConfig(name="mine", format="cache", digest=kept.digest)
    with pytest.raises(DataError, match="a column of texts in Python"):
        load_divided(config, SplitColumn("groups", "at"))


@pytest.mark.parametrize(
    ("cells", "role", "says"),
    [
        (["31.01.2026", "01.02.2026"], "order", r"ISO 8601 .* but row 1 has '31\.01\.2026'"),
        (["2026-01-31", "soon"], "order", "but row 2 has 'soon'"),
        (["a", "", "b"], "groups", "1 have none, the first in row 2"),
        (["1", "a"], "groups", "dataset.types={at:text}"),
        (["1", "9007199254740993"], "groups", r"below 2\^53.* row 2 has .*types={at:text}"),
        (["-9007199254740993", "1"], "order", r"below 2\^53.* row 1 has about -9007.* smaller"),
    ],
)
def test_values_that_say_nothing_are_refused(
    tmp_path: Path, cells: list[str], role: str, says: str
) -> None:
    with pytest.raises(DataError, match=says):
        ranks(tmp_path, cells, role=role)


@pytest.mark.parametrize(
    ("by", "values", "says"),
    [
        (SplitColumn("groups", "wo"), {}, "unknown column of split.groups 'wo'.*'who'"),
        (SplitColumn("groups", "label"), {}, "must not be the column of the labels"),
        (WHO, {"test_path": "x.csv"}, "dataset.test_path=null or split.groups=null"),
        (WHO, {"image_shape": (3, 3)}, "3 x 3 is not 2"),
        (WHO, {"header": False}, "needs columns with names"),
    ],
)
def test_tables_that_cannot_be_divided(
    tmp_path: Path, by: SplitColumn, values: dict[str, Any], says: str
) -> None:
    config = csv_config(write(tmp_path / "t.csv", TABLE), **({"label": "label"} | values))
    if "header" in values:
        config = csv_config(write(tmp_path / "t.csv", "1,2\n3,4\n"), header=False)
    with pytest.raises(ConfigurationError, match=says):
        load_divided(config, by)


def test_other_columns_must_be_numbers_as_ever(tmp_path: Path) -> None:
    text = TABLE.replace("6,7", "6,")
    config = csv_config(write(tmp_path / "t.csv", text), label="label")
    with pytest.raises(DataError, match=r"row 3, column 'b': must be a number, but got none"):
        load_divided(config, WHO)
    with pytest.raises(ConfigurationError, match="but digits has none"):
        load_divided(dataset_config("digits"), WHO)


@pytest.mark.parametrize("text", [TABLE, TABLE.replace("who,label", "b2,label"), PLAIN])
def test_rows_to_predict_may_have_the_column(tmp_path: Path, text: str) -> None:
    config = csv_config(write(tmp_path / "t.csv", TABLE), label="label")
    found = load_divided(config, WHO)
    new = write(tmp_path / "new.csv", text)
    if "b2" in text:
        with pytest.raises(DataError, match="has besides 'b2'"):
            read_rows(new, found, config)
        return
    X, y, _ = read_rows(new, found, config)
    np.testing.assert_array_equal(X, found.train.X)
    assert y is not None
    np.testing.assert_array_equal(y, found.y)
