"""CSV files as tables: what they are taken for, and every way in which one can be wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweepmark.data.table import check_label_range, read_table
from sweepmark.errors import ConfigurationError, DataError
from tables import PASSENGERS, csv_config, titanic_config, write

if TYPE_CHECKING:
    from pathlib import Path

    from sweepmark.data.table import ParsedTable


def _read(path: Path, text: str | bytes, **values: Any) -> ParsedTable:
    return read_table(write(path, text), csv_config(**values))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "table.csv"


def test_the_label_stands_first_and_bytes_stay_bytes(path: Path) -> None:
    table = _read(path, "label,pixel0,pixel1\n7,0,255\n3,12,9\n")
    assert table.X.dtype == np.uint8
    assert table.X.tolist() == [[0, 255], [12, 9]]
    assert table.y.dtype == np.int64
    assert table.y.tolist() == [7, 3]
    assert table.feature_names == ("pixel0", "pixel1")
    assert table.file.is_named


def test_without_a_header_every_line_is_a_row(path: Path) -> None:
    table = _read(path, "7,0,255\n3,12,9\n")
    assert table.X.tolist() == [[0, 255], [12, 9]]
    assert not table.file.is_named
    assert table.file.names == ("column_1", "column_2", "column_3")


def test_columns_that_pandas_names_by_numbers_are_named_by_a_header(path: Path) -> None:
    table = _read(path, "0,1,2,3\n7,0,255,1\n3,12,9,0\n")
    assert table.file.names == ("0", "1", "2", "3")
    assert table.y.tolist() == [7, 3]
    for row in ("0,1,2\n3,12,9\n", "1,2,3,4\n3,12,9,0\n"):  # rows, for all one can tell
        assert not _read(path, row).file.is_named


@pytest.mark.parametrize(
    "text",
    [
        "a,b,c\r\n1,2,3\r\n4,5,6\r\n",
        "\ufeffa,b,c\n1,2,3\n4,5,6\n",
        "a,b,c\n1,2,3\n4,5,6",
        "a,b,c\n1,2,3\n\n4,5,6\n\n",
        'a,b,c\n1, 2,3\n4,5,"6"\n',
        '"a","b","c"\n1,2.0,3\n4,5,6\n',
        "\n\na,b,c\n1,2,3\n4,5,6\n",
    ],
    ids=["crlf", "bom", "no last newline", "empty lines", "quotes", "floats", "late"],
)
def test_the_same_table_written_otherwise(path: Path, text: str) -> None:
    table = _read(path, text)
    assert table.X.dtype == np.uint8
    assert table.X.tolist() == [[2, 3], [5, 6]]
    assert table.y.tolist() == [1, 4]
    assert table.file.names == ("a", "b", "c")


@pytest.mark.parametrize("cell", ["256", "-1", "0.5", "1e3", "+3.5"])
def test_other_numbers_are_float64(path: Path, cell: str) -> None:
    table = _read(path, f"a,b,c\n1,{cell},3\n4,5,6\n")
    assert table.X.dtype == np.float64
    assert table.X.tolist() == [[float(cell), 3], [5, 6]]


@pytest.mark.parametrize("label", ["species", "first"])
def test_a_label_is_named(path: Path, label: str) -> None:
    table = _read(path, "first,species,last\n1,2,3\n4,5,6\n", label=label)
    assert table.y.tolist() == ([1, 4] if label == "first" else [2, 5])
    assert label not in table.feature_names


def test_labels_of_text_are_numbered_by_name(path: Path) -> None:
    table = _read(path, "width,kind\n1.5,rose\n2,iris\n3,rose\n", label="kind")
    assert table.label_names == ("iris", "rose")
    assert table.y.tolist() == [1, 0, 1]


@given(
    rows=st.integers(1, 40).flatmap(
        lambda n: st.lists(
            st.lists(st.integers(0, 255), min_size=3, max_size=3), min_size=n, max_size=n
        )
    ),
    ending=st.sampled_from(["\n", "\r\n"]),
)
@settings(max_examples=50, deadline=None)
def test_bytes_are_decoded_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[int]], ending: str
) -> None:
    path = tmp_path_factory.mktemp("bytes") / "table.csv"
    text = "".join(",".join(map(str, row)) + ending for row in rows)
    table = _read(path, text, header=False, label="column_2")
    assert table.X.dtype == np.uint8
    assert np.column_stack([table.X[:, :1], table.y, table.X[:, 1:]]).tolist() == rows


@given(
    rows=st.lists(
        st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=2),
        min_size=1,
    )
)
@settings(max_examples=50, deadline=None)
def test_floats_are_those_that_were_written(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[float]]
) -> None:
    path = tmp_path_factory.mktemp("floats") / "table.csv"
    text = "label,a,b\n0,0.5,0\n" + "".join(f"1,{a!r},{b!r}\n" for a, b in rows)
    assert _read(path, text).X.tobytes() == np.array([[0.5, 0.0], *rows]).tobytes()


def test_a_row_is_read_whatever_its_length(path: Path) -> None:
    """Longer than the blocks of text that are decoded at a time, which have 1 MiB."""
    lines = "text of some length\n" * 60_000
    table = _read(path, f'y,a,b\n7,"{lines}",1\n8,"""{lines}",2\n', table="mixed")
    assert table.X.to_pydict() == {"a": [lines, f'"{lines}'], "b": [1, 2]}
    blank = " " * 900_000
    row = f"7,{blank}1,{blank}0.5,{blank}-0.0\n"
    for config in ({}, {"table": "mixed"}):
        table = _read(path, f"y,a,b,c\n{row}{row}", **config)
        assert table.y.tolist() == [7, 7]
        columns = table.X.to_pydict().values() if config else table.X.T.tolist()
        assert list(map(str, columns)) == ["[1.0, 1.0]", "[0.5, 0.5]", "[-0.0, -0.0]"]


def test_a_float_after_many_bytes_makes_all_of_them_floats(path: Path) -> None:
    table = _read(path, "\n".join(["1,2,-0.0"] * 300_000 + ["5,2,0.5"]))
    assert table.y[[0, -1]].tolist() == [1, 5]
    assert table.X[[0, -1]].tolist() == [[2, 0], [2, 0.5]]
    assert np.signbit(table.X[:-1, 1]).all()


@pytest.mark.parametrize("cell", ["0x1F", "NA", "null", "true", "1 2", "٣", "1,5"])
def test_what_arrow_would_take_for_a_number_or_for_nothing_is_none(path: Path, cell: str) -> None:
    with pytest.raises(DataError, match=r"row 2 \(line 3\)"):
        _read(path, f"a,b\n1,2\n1,{cell}\n")


@pytest.mark.row(15, "CSV that is wrong in one place")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b,c\n1,2,3\n4,5\n", r"row 2 \(line 3\): must have 3 columns .* but has 2"),
        ("a,b,c\n1,2,3,4\n4,5,6\n", r"row 1 \(line 2\): must have 3 columns .* but has 4"),
        ("a,b,c\n1,2,3\n4,x,6\n", r"row 2 \(line 3\), column 'b': must be a number, but got 'x'"),
        ("1,2,3\n\n\n4,5,x\n", r"row 2 \(line 4\), column 'column_3': must be a number"),
        ("a,b,c\n1,,3\n", r"row 1 \(line 2\), column 'b': must be a number, but got nothing"),
        ("a,b,c\n1,2,nan\n", r"column 'c': must be a number, but got 'nan'"),
        ("a,b,c\n1,2,3\n1,-inf,3\n", r"row 2 \(line 3\), column 'b': .* got '-inf'"),
        ("a,b,c\n1,2,1e999\n", "column 'c': must be a number, but got '1e999'"),
        ("a,b,c\n1,1_0,3\n", "column 'b': must be a number, but got '1_0'"),
        ("a,b,c\n", "must have rows, but has a header only"),
        ("", "must have rows, but the file is empty"),
        ("\n\n", "must have rows, but the file is empty"),
        ("a,b,a\n1,2,3\n", "column 3: names must differ, but 'a' is that of column 1 too"),
        ("a,,column_2\n1,2,3\n", "names must differ, but 'column_2' is that of column 2 too"),
        ("a:b\n1:2\n", r"separated by commas, but has one column: 'a:b'"),
        ("1,b,3\n1,2,3\n", r"line 1: must be a header .* or data .* Set dataset\.header"),
        ("a,b\n1.5,2\n", r"row 1 \(line 2\), column 'a': a label must be a whole number"),
        ("a,b\n1,2\nx,2\n", r"row 2 \(line 3\), column 'a': labels must be numbers throughout or"),
        ("a,b\n1,2\n,2\n", r"row 2 \(line 3\), column 'a': a label must be given"),
        (b"a,b\n1,2\n1,\xff\n", "must be text in UTF-8"),
        ("a,b\n1,2\n", None),
    ],
)
def test_a_wrong_table_says_where(path: Path, text: str | bytes, message: str | None) -> None:
    if message is None:
        assert _read(path, text).X.shape == (1, 1)
        return
    with pytest.raises(DataError, match=message) as caught:
        _read(path, text)
    assert str(path) in str(caught.value)


@pytest.mark.row(15, "CSV with a label out of range")
@pytest.mark.parametrize("wrong", ["10", "-1"])
def test_a_label_out_of_range_says_where(path: Path, wrong: str) -> None:
    table = _read(path, f"a,b\n9,2\n0,2\n{wrong},3\n")
    message = rf"row 3 \(line 4\), column 'a': a label must be in \[0, 9\], but got '{wrong}'"
    with pytest.raises(DataError, match=message):
        check_label_range(table, 10)
    check_label_range(table, None)


@pytest.mark.row(15, "CSV with one wrong cell of 42,000 rows")
@pytest.mark.parametrize("cell", ["seven", "", "1.5e", "NaN"])
@pytest.mark.parametrize("usual", ["17", "0.25"])
def test_one_wrong_cell_in_42000_rows_is_named(path: Path, cell: str, usual: str) -> None:
    rows = [f"3,1,{usual},0,255,9\n"] * 42_000
    rows[41_233] = f"3,1,{usual},0,{cell},9\n"
    message = rf"row 41234 \(line 41235\), column 'pixel3': must be a number, but got .*{cell}"
    with pytest.raises(DataError, match=message):
        _read(path, "label,pixel0,pixel1,pixel2,pixel3,pixel4\n" + "".join(rows))


def test_an_unknown_column_is_answered_with_those_there_are(path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"dataset\.label: .*'kin'.*Did you mean 'kind'"):
        _read(path, "width,kind\n1,2\n", label="kin")


def test_of_many_columns_some_are_named(path: Path) -> None:
    text = ",".join(f"a{place:03}" for place in range(200)) + "\n" + "1," * 199 + "1\n"
    with pytest.raises(ConfigurationError, match=r"mean 'a.77'\? .* a099, … \(200 in all\)"):
        _read(path, text, label="a77")


def test_a_mixed_table_keeps_types_and_missing_values(path: Path) -> None:
    table = read_table(write(path, PASSENGERS), titanic_config(path))
    columns = table.X.to_pydict()
    assert columns["Age"] == [22, 38, None, 35, 4.5, 54]
    assert columns["Cabin"] == [None, "C85", None, "C123", None, "E46"]
    assert columns["Ticket"][2] == "310"
    assert columns["Name"][1] == 'Smith, Mrs. Ann (Mary "May" Jones)'
    assert "Survived" not in columns
    assert table.y.tolist() == [0, 1, 1, 1, 0, 0]


def test_columns_of_a_mixed_table_say_themselves_what_they_are(path: Path) -> None:
    text = 'y,size,port,none\n1,1.5,S,\n0,,"Q\nx",\n1,3,?,\n'
    table = _read(path, text, table="mixed", missing=("", "?"))
    assert table.X.to_pydict() == {
        "size": [1.5, None, 3],
        "port": ["S", "Q\nx", None],
        "none": [None, None, None],
    }
    assert [str(kind) for kind in table.X.schema.types] == ["double", "string", "double"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("y,a\n1,2\n1,3\n0,x\n", r"row 3 \(line 4\), column 'a': .*dataset\.types=\{a:text\}"),
        ("y,a,b\n1,2,3\n1,2\n", r"row 2 \(line 3\): must have 3 columns"),
        ("y,a\n1,2\n,3\n", r"row 2 \(line 3\), column 'y': a label must be given"),
        ("y,a\n1,2\n1,1e999\n", r"row 2 \(line 3\), column 'a': must be finite"),
        ("y,a\n", "must have rows"),
    ],
)
def test_a_wrong_mixed_table_says_where(path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        _read(path, text, table="mixed")


def test_text_in_a_column_of_numbers_is_refused(path: Path) -> None:
    write(path, PASSENGERS.replace(",54,", ",old,"))
    message = r"row 6 \(line 7\), column 'Age': must be a number or missing, but got 'old'"
    with pytest.raises(DataError, match=message):
        read_table(path, titanic_config(path))


def test_a_type_for_a_column_that_is_not_there_is_refused(path: Path) -> None:
    write(path, PASSENGERS.replace("Embarked", "Port"))
    with pytest.raises(ConfigurationError, match=r"dataset\.types: unknown column 'Embarked'"):
        read_table(path, titanic_config(path))


def test_a_table_may_be_wide(path: Path) -> None:
    """Wider than Arrow's blocks are long; some columns are booleans."""
    n_columns = 6_000
    X = np.random.default_rng(0).integers(0, 1000, size=(3, n_columns)) / 8
    names = ",".join(f"a_name_of_some_length_{place}" for place in range(n_columns))
    rows = "".join(f"1,{','.join(map(str, row))},True,False\n" for row in X.tolist())
    table = _read(path, f"y,{names},b,c\n{rows}")
    assert np.array_equal(table.X, np.column_stack([X, [1] * 3, [0] * 3]))
