"""Parquet, Feather and npz files as tables, and every way in which one can be wrong."""

from __future__ import annotations

import contextlib
import datetime as dt
import decimal
import io
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import feather, parquet

from sweepmark import data
from sweepmark.data import unpacking
from sweepmark.data.table import read_table
from sweepmark.data.table_rows import read_rows
from sweepmark.errors import ConfigurationError, DataError
from tables import csv_config, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Write = Callable[[pa.Table, Path], None]

pytestmark = pytest.mark.usefixtures("empty_cache")

COLUMNS: dict[str, Any] = {
    "kind": ["rose", "iris", "rose"],
    "width": [1.5, 2.25, -4],
    "is_wild": [True, False, True],
    "age": pa.array([1, 2, 300], pa.int16()),
    "price": pa.array(list(map(decimal.Decimal, ("1.25", "2.50", "3.75")))),
}
X = [[1.5, 1, 1, 1.25], [2.25, 0, 2, 2.5], [-4, 1, 300, 3.75]]


def _parquet(table: pa.Table, path: Path) -> None:
    parquet.write_table(table, path, row_group_size=len(table) // 2 + 1)


def _feather(table: pa.Table, path: Path) -> None:
    feather.write_feather(table, str(path), chunksize=len(table) // 2 + 1)


@pytest.fixture(params=[_parquet, _feather], ids=["Parquet", "Feather"])
def save(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "table"


def test_numbers_of_every_kind_become_an_array(path: Path, save: Write) -> None:
    save(pa.table(COLUMNS), path)
    lines: list[str] = []
    dataset = data.load(csv_config(path), report=lines.append)
    assert np.asarray(dataset.train.X).tolist() == X
    assert dataset.label_names == ("iris", "rose")
    assert dataset.feature_names == ("width", "is_wild", "age", "price")
    kind = save.__name__.removeprefix("_").title()
    assert lines[0].endswith(f"header kind, width, is_wild, …; label in kind, 4 features; {kind}")
    save(pa.table({"y": [1, 0], "a": [0, 255], "b": [7.0, 8.0]}), path)
    table = read_table(path, csv_config(label="y"))
    assert table.X.dtype == np.uint8
    assert table.y.tolist() == [1, 0]


def test_the_sign_of_zero_is_kept_in_every_block(path: Path, save: Write) -> None:
    save(pa.table({"y": [0, 1, 0, 1], "a": [-0.0, 1, 2, 0.5]}), path)
    assert np.signbit(read_table(path, csv_config()).X).tolist() == [[True], *[[False]] * 3]


def test_a_mixed_table_keeps_text_and_missing_values(path: Path, save: Write) -> None:
    columns = {
        "y": pa.array([True, False, True]),
        "city": pa.array(["Bonn", None, "Köln"]).dictionary_encode(),
        "size": [1.5, None, float("nan")],
        "code": ["7", "8", "?"],
        "zip": pa.array([1, 2, None], pa.int64()),
        "is_new": [True, None, False],
        "none": pa.nulls(3),
        "large": pa.array(["a", "b", "c"], pa.large_string()),
    }
    save(pa.table(columns), path)
    config = csv_config(path, table="mixed", missing=("", "?"), types={"zip": "text"})
    table = read_table(path, config)
    assert table.label_names == ("False", "True")
    assert table.X.to_pydict() == {
        "city": ["Bonn", None, "Köln"],
        "size": [1.5, None, None],
        "code": ["7", "8", None],
        "zip": ["1", "2", None],
        "is_new": [1, None, 0],
        "none": [None] * 3,
        "large": ["a", "b", "c"],
    }
    numbers = read_table(path, csv_config(table="mixed", missing=("?",), types={"code": "number"}))
    assert numbers.X.column("code").to_pylist() == [7, 8, None]


@pytest.mark.parametrize("table", ["auto", "mixed"])
def test_a_number_that_means_a_missing_value_does_so_in_all_formats(
    tmp_path: Path, table: Any
) -> None:
    frame = pd.DataFrame({"y": [0, 1, 0], "a": [-999, 300, 1], "b": [-999, 0.5, -1], "c": 1.0})
    frame.to_parquet(tmp_path / "parquet")
    frame.to_feather(tmp_path / "feather")
    frame.astype({"b": str}).replace("-999.0", "-999").to_csv(tmp_path / "csv", index=False)
    with (tmp_path / "npz").open("wb") as stream:
        np.savez(stream, X=frame[["a", "b", "c"]].to_numpy(), y=frame.y.to_numpy())
    for name in ("parquet", "feather", "csv", "npz"):
        config = csv_config(tmp_path / name, table=table, missing=("", "-999"))
        X: Any = data.load(config).train.X
        expected = [[np.nan, np.nan, 1], [300, 0.5, 1], [1, -1, 1]]
        np.testing.assert_array_equal(X.to_numpy(), expected, err_msg=name)
    types = {"a": "text"}
    config = csv_config(tmp_path / "parquet", table=table, missing=("-999",), types=types)
    X = data.load(config).train.X
    assert X["a"].isna().tolist() == [True, False, False]
    # What can only be read as a mixed table is none without such a mark.
    assert not data.load(csv_config(tmp_path / "csv", table="auto")).is_frame


def test_a_frame_of_pandas_is_the_same_in_all_formats(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"y": ["a", "b", "a"], "size": [1.5, None, 2], "city": pd.Categorical(["x", "y", None])},
        index=[5, 7, 9],
    )
    frame.to_parquet(tmp_path / "parquet")
    frame.reset_index(drop=True).to_feather(tmp_path / "feather")
    frame.to_csv(tmp_path / "csv", index=False)
    frame.set_index(pd.Index([3, 4, 5], name="Id")).to_parquet(tmp_path / "named")
    found = [
        read_table(tmp_path / name, csv_config(table="mixed")).X.to_pydict()
        for name in ("csv", "parquet", "feather", "named")
    ]
    assert found == [{"size": [1.5, None, 2], "city": ["x", "y", None]}] * 4
    lines: list[str] = []
    data.load(csv_config(tmp_path / "parquet", table="mixed"), report=lines.append)
    assert lines[0].endswith("Parquet; __index_level_0__ left out: it numbers the rows")


def test_training_and_test_rows_may_be_in_two_formats(path: Path, tmp_path: Path) -> None:
    _parquet(pa.table(COLUMNS), path)
    test = write(tmp_path / "test.csv", "kind,width,is_wild,age,price\niris,1,True,2,3\n")
    dataset = data.load(csv_config(path, test_path=str(test)))
    assert np.asarray(dataset.take(np.array([3])).X).tolist() == [[1, 1, 2, 3]]
    write(test, "kind,width,is_wild,price,age\niris,1,True,2,3\n")
    with pytest.raises(DataError, match=r"the same columns in the same order, but .* has 'age'"):
        data.load(csv_config(path, test_path=str(test)))


def test_columns_are_dropped_whatever_they_are(path: Path, save: Write) -> None:
    when = [dt.date(2026, 1, day) for day in (1, 2, 3)]
    save(pa.table({**COLUMNS, "when": when, "tags": [[1], [2], []]}), path)
    dataset = data.load(csv_config(path, drop=("when", "tags", "price")))
    assert dataset.feature_names == ("width", "is_wild", "age")


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ([dt.date(2026, 1, 1)] * 3, r"'wrong' has dates or times \(date32.*drop=\[wrong\]"),
        ([dt.datetime(2026, 1, 1)] * 3, r"dates or times \(timestamp.*split.order"),  # noqa: DTZ001
        ([dt.timedelta(1)] * 3, r"dates or times \(duration"),
        ([[1], [2], []], r"must be of numbers, booleans or text, but is of type list<.*drop="),
        ([{"a": 1}] * 3, "but is of type struct<a: int64>"),
        ([b"1"] * 3, "but is of type binary"),
        (["1", "2", "3"], r"must be of numbers, but is text\. .* dataset\.table=mixed"),
        ([1, None, 3], "row 2, column 'wrong': must be a finite number, but got nothing.*mixed"),
        ([1, 2, float("inf")], "row 3, column 'wrong': must be a finite number, but got 'inf'"),
        ([1, 2**53 + 1, 3], r"column 'wrong': .* below 2\^53"),
    ],
)
def test_what_is_no_number_is_refused(path: Path, save: Write, column: Any, message: str) -> None:
    save(pa.table({"y": [0, 1, 0], "wrong": column}), path)
    with pytest.raises(DataError, match=message) as caught:
        read_table(path, csv_config())
    assert str(path) in str(caught.value)


def test_labels_and_cells_say_where_they_are_wrong(path: Path, save: Write) -> None:
    save(pa.table({"y": [0, None, 1], "a": [1.0, 2, float("-inf")]}), path)
    with pytest.raises(DataError, match=r"row 3, column 'a': must be finite or missing"):
        read_table(path, csv_config(table="mixed"))
    with pytest.raises(DataError, match=r"row 2, column 'y': a label must be given"):
        read_table(path, csv_config(table="mixed", types={"a": "text"}))
    save(pa.table({"y": [], "a": []}), path)
    with pytest.raises(DataError, match="must have rows"):
        read_table(path, csv_config())
    save(pa.table([[1], [2], [3]], ["y", "a", "a"]), path)
    with pytest.raises(DataError, match="the names of columns must differ, but 'a' occurs twice"):
        read_table(path, csv_config())


def test_a_damaged_file_is_refused(path: Path, save: Write) -> None:
    rows = np.arange(6_000.0)
    save(pa.table({"y": rows % 2, "a": rows, "b": list(map(str, rows))}), path)
    content = path.read_bytes()
    rng = np.random.default_rng(0)
    for n_bytes in (8, 100, len(content) // 2, len(content) - 1):
        write(path, content[:n_bytes])
        with pytest.raises(DataError, match=r"must be a whole (Parquet|Feather) file"):
            read_table(path, csv_config(table="mixed"))
    for _ in range(30):  # refused or read, but never a crash
        wrong = bytearray(content)
        for place in rng.integers(8, len(content), 40):
            wrong[place] ^= 0xFF
        write(path, bytes(wrong))
        with contextlib.suppress(DataError, ConfigurationError):
            read_table(path, csv_config(table="mixed"))


def test_content_is_bounded(path: Path, save: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "_LEAST", 1 << 20)
    zeros, text = np.zeros(1 << 18), ["x" * 100_000] * 100
    for column in (zeros, text):
        table = pa.table({"y": column, "a": column})
        if save is _parquet:
            parquet.write_table(table, path)
        else:
            feather.write_feather(table, str(path), compression="zstd")
        with pytest.raises(DataError, match=r"must have .* bytes at most"):
            read_table(path, csv_config(table="mixed"))


def test_new_rows_in_every_format(path: Path, tmp_path: Path, save: Write) -> None:
    save(pa.table({**COLUMNS, "Id": ["p", "q", "r"]}), path)
    config = csv_config(path, drop=("Id",))
    dataset = data.load(config)
    for columns in (COLUMNS, {name: COLUMNS[name] for name in reversed(COLUMNS)}):
        save(pa.table(columns), tmp_path / "new")
        X_new, y, _ = read_rows(tmp_path / "new", dataset, config)
        assert np.asarray(X_new).tolist() == X
        assert y is not None
        assert y.tolist() == [1, 0, 1]
    save(pa.table({"width": [1.0]}), tmp_path / "new")
    with pytest.raises(DataError, match="lacks 'is_wild', 'age', 'price'"):
        read_rows(tmp_path / "new", dataset, config)
    write(tmp_path / "new", "width;age;price;is_wild\n1,5;2;3,5;False\n")
    X_new, y, _ = read_rows(tmp_path / "new", dataset, config)
    assert (np.asarray(X_new).tolist(), y) == ([[1.5, 0, 2, 3.5]], None)


def _npz(path: Path, **arrays: Any) -> Path:
    with path.open("wb") as file:
        np.savez(file, **arrays)
    return path


IMAGES = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)


def test_npz_has_rows_or_images_and_labels(path: Path) -> None:
    lines: list[str] = []
    dataset = data.load(csv_config(_npz(path, X=IMAGES, y=[3, 7])), report=lines.append)
    assert dataset.image_shape == (2, 3)
    assert dataset.train.X.dtype == np.uint8
    assert np.array_equal(dataset.train.X, IMAGES.reshape(2, 6))
    assert (dataset.classes.tolist(), dataset.feature_names) == ([3, 7], None)
    assert lines == [f"mine: {path}: 2 rows; 6 features; npz"]
    for labels, names in (
        (["b", "a"], ("a", "b")),
        (["10", "9"], ("10", "9")),
        ([True, False], ("False", "True")),
    ):
        _npz(path, data=IMAGES.reshape(2, 6) / 2, target=np.array(labels), more=[1])
        dataset = data.load(csv_config(path, image_shape=(3, 2)))
        assert dataset.label_names == names
        assert dataset.dtype == "float64"
        assert dataset.image_shape == (3, 2)
    _npz(path, X=IMAGES, y=[10, 9])
    assert read_table(path, csv_config(types={"y": "text"})).label_names == ("10", "9")
    _npz(path, X=[[1, np.nan], [2, 3]], y=[0, 1])
    table = read_table(path, csv_config(table="mixed", drop=("column_1",)))
    assert table.X.to_pydict() == {"column_2": [None, 3]}


def test_new_rows_in_npz(path: Path, tmp_path: Path) -> None:
    config = csv_config(_npz(path, X=IMAGES, y=[3, 7]))
    dataset = data.load(config)
    X_new, y, _ = read_rows(_npz(tmp_path / "new", X=IMAGES), dataset, config)
    assert (np.array_equal(X_new, IMAGES.reshape(2, 6)), y) == (True, None)
    X_new, y, _ = read_rows(path, dataset, config)
    assert y is not None
    assert y.tolist() == [3, 7]
    with pytest.raises(DataError, match="must have the 6 features"):
        read_rows(_npz(tmp_path / "new", X=np.ones((2, 7))), dataset, config)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"X": [[1.0]]}, "must have labels, an array y or target"),
        ({"a": [[1.0]], "b": [1]}, r"must have arrays X and y, .* but has a, b\. .*savez"),
        ({"X": np.array([[object()]]), "y": [1]}, "X must be .* Python objects, which are not"),
        ({"X": [[1.0]], "y": np.array([object()])}, "y must be .* Python objects"),
        ({"X": [["a"]], "y": [1]}, "X must be of numbers"),
        ({"X": [1.0, 2], "y": [1, 2]}, r"X must be .* but is float64 of shape \(2,\)"),
        ({"X": np.ones((0, 3)), "y": np.ones(0)}, "X must be"),
        ({"X": [[1j]], "y": [1]}, "X must be of numbers"),
        ({"X": [[1.0]], "y": [1, 2]}, r"y must be .* of shape \(1,\), but is int64 of shape"),
        ({"X": [[1.0], [np.nan]], "y": [1, 2]}, "row 2, column_1: must be a finite number"),
        ({"X": [[1.0], [2]], "y": [1, 2.5]}, r"label 1: a label must be a whole number"),
        ({"X": [[2**53 + 1]], "y": [1]}, r"below 2\^53"),
    ],
)
def test_other_arrays_are_refused(path: Path, arrays: Any, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        read_table(_npz(path, **arrays), csv_config())
    assert str(path) in str(caught.value)


def test_npz_has_no_column_of_labels(path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"are the array y\. Leave it out"):
        read_table(_npz(path, X=IMAGES, y=[3, 7]), csv_config(label="y"))
    with pytest.raises(ConfigurationError, match=r"3 x 3 is not 6"):
        data.load(csv_config(path, image_shape=(3, 3)))


def test_a_damaged_npz_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = _npz(path, X=np.ones((9, 9)), y=np.arange(9)).read_bytes()
    huge = io.BytesIO()
    shape = "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000, 9), }"
    header = b"\x93NUMPY\1\0" + (118).to_bytes(2, "little") + shape.ljust(117).encode() + b"\n"
    with zipfile.ZipFile(huge, "w") as archive:
        archive.writestr("X.npy", header)
        archive.writestr("y.npy", b"nothing")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("X.npy", content)
        start = len(b"X.npy") + 30  # bytes of a zip's local header
    lzma = bytearray(packed.getvalue())
    lzma[start + 4] = 0xFF  # properties that no LZMA stream has
    broken = (content[:-30], content[:300] + b"?" * 9 + content[309:], huge.getvalue(), bytes(lzma))
    for wrong in broken:
        with pytest.raises(DataError, match=r"must be a whole (npz|zip) file") as caught:
            read_table(write(path, wrong), csv_config())
        assert str(path) in str(caught.value)
    monkeypatch.setattr(unpacking, "_LEAST", 1 << 10)
    with path.open("wb") as file:
        np.savez_compressed(file, X=np.zeros((1000, 90)), y=np.zeros(1000))
    with pytest.raises(DataError, match="bytes at most"):
        read_table(path, csv_config())
