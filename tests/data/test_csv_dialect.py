"""CSV files however they are written: separators, decimal points, encodings, compression."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sweepmark import data
from sweepmark.data import unpacking
from sweepmark.data.table import read_table
from sweepmark.errors import ConfigurationError, DataError
from tables import csv_config, write

if TYPE_CHECKING:
    from pathlib import Path

TEXT = "kind,width,height\nrose,1.5,2\niris,2.25,3\nrose,-4,0.5\n"
X = [[1.5, 2], [2.25, 3], [-4, 0.5]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "table.csv"


def _zip(content: bytes, *others: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("table.csv", content)
        for name in others:
            archive.writestr(name, b"1")
    return buffer.getvalue()


PACKS: dict[str, Any] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zip": _zip,
}
WRITTEN: dict[str, tuple[str | bytes, str]] = {
    "semicolons": (TEXT.replace(",", ";"), "separated by ';'"),
    "tabs": (TEXT.replace(",", "\t"), "separated by tabs"),
    "bars": (TEXT.replace(",", "|"), "separated by '|'"),
    "German": (TEXT.replace(",", ";").replace(".", ","), "separated by ';'; decimal comma"),
    "tabs and commas": (
        TEXT.replace(",", "\t").replace(".", ","),
        "separated by tabs; decimal comma",
    ),
    "UTF-16": (TEXT.encode("utf-16"), "encoded in utf-16"),
    "big-endian": (b"\xfe\xff" + TEXT.encode("utf-16-be"), "encoded in utf-16"),
    "Excel's text": (
        TEXT.replace(",", "\t").encode("utf-16"),
        "separated by tabs; encoded in utf-16",
    ),
}


@pytest.mark.usefixtures("empty_cache")
@pytest.mark.parametrize("way", WRITTEN)
def test_how_a_file_is_written_is_found_out_and_said(path: Path, way: str) -> None:
    content, found = WRITTEN[way]
    lines: list[str] = []
    for table in ("numeric", "mixed"):
        dataset = data.load(
            csv_config(write(path, content), table=table, label="kind"), report=lines.append
        )
        features: Any = dataset.train.X
        assert np.asarray(features).tolist() == X
        assert dataset.label_names == ("iris", "rose")
        assert lines.pop().endswith(f"2 features; {found}")


@pytest.mark.usefixtures("empty_cache")
def test_what_is_found_out_is_the_same_data_set_as_what_is_given(path: Path) -> None:
    write(path, TEXT.replace(",", ";").replace(".", ",").encode("utf-16"))
    found = data.load(csv_config(path))
    given = data.load(csv_config(path, separator=";", decimal=",", encoding="UTF16"))
    assert found.digest == given.digest
    write(path, TEXT)
    plain = data.load(csv_config(path))
    assert data.load(csv_config(path, separator=",", encoding="utf-8-sig")).digest == plain.digest
    write(path, "a;b,c\n1;5,2\n")
    digests = {
        data.load(csv_config(path, separator=one, decimal=".", table="mixed", header=True)).digest
        for one in (",", ";")
    }
    assert len(digests) == 2


@pytest.mark.usefixtures("empty_cache")
def test_a_compressed_file_is_the_same_data_set(tmp_path: Path) -> None:
    digests = {
        data.load(csv_config(write(tmp_path / name, pack(TEXT.encode())))).digest
        for name, pack in {"plain": bytes, **PACKS}.items()
    }
    assert len(digests) == 1


@pytest.mark.usefixtures("empty_cache")
@pytest.mark.parametrize("ending", ["gz", "bz2", "lz4", "zst"])
def test_a_name_of_packed_files_packs_none(tmp_path: Path, ending: str) -> None:
    lines: list[str] = []
    path = write(tmp_path / f"table.csv.{ending}", ",a,b,kind\n0,1,2,iris\n1,3,4,rose\n")
    for table in ("numeric", "mixed"):
        dataset = data.load(csv_config(path, table=table, label="kind"), report=lines.append)
        assert np.asarray(dataset.train.X).tolist() == [[1, 2], [3, 4]]
        assert "column_1 left out" in lines.pop()


@pytest.mark.parametrize(
    ("text", "separator"),
    [
        ("1,a;b;c\n2,d;e;f\n", ","),
        ("1,5;2,5;3\n0,5;1;3\n", ";"),
        ("name;size (cm, inner)\nx;1\ny;2\n", ";"),
        ("label,a\n1,2\n", ","),
        ("y\ttext\n1\thello, you\n0\tbye\n", "\t"),
        ('y;"a;b,c"\n1;2\n', ";"),
        ("a,b\n1,2\n3\n", ","),
    ],
)
def test_the_separator_is_what_fits_all_rows(path: Path, text: str, separator: str) -> None:
    from sweepmark.data.csv_dialect import find_dialect

    assert find_dialect(write(path, text), csv_config()).separator == separator


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_row_that_the_sample_cuts_says_nothing(
    path: Path, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sweepmark.data import csv_dialect

    sample = "y;day;a\n1;01.02.26;2,5\n1;01.02".encode(encoding)
    monkeypatch.setattr(csv_dialect, "_SAMPLE", len(sample))
    write(path, sample + ".26;3,5\n".encode(encoding.removesuffix("-sig").replace("16", "16-le")))
    assert csv_dialect.find_dialect(path, csv_config()).decimal == ","


def test_it_can_be_said(path: Path) -> None:
    table = read_table(write(path, "1:2,5:3\n4:5:6\n"), csv_config(separator=":", decimal=","))
    assert (table.y.tolist(), table.X.tolist()) == ([1, 4], [[2.5, 3], [5, 6]])
    table = read_table(write(path, "y\ta\n1\t2\n"), csv_config(separator="tab"))
    assert table.X.tolist() == [[2]]
    text = "größe,a\n1,2\n"
    for encoding in ("latin-1", "cp1252", "utf-16-le"):
        table = read_table(write(path, text.encode(encoding)), csv_config(encoding=encoding))
        assert table.file.names == ("größe", "a")
    write(path, text)
    with pytest.raises(ConfigurationError, match=r"must differ, but both are ','"):
        read_table(path, csv_config(separator=",", decimal=","))


def test_labels_have_a_decimal_comma_too(path: Path) -> None:
    for table in ("numeric", "mixed"):
        parsed = read_table(write(path, "y;a\n1,0;2,5\n0,0;3\n"), csv_config(table=table))
        assert parsed.y.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("größe,a\n1,2\n".encode("latin-1"), r"dataset\.encoding=cp1252 .*`iconv"),
        (b"y,a\n" + b"1,2\n" * 70_000 + b"\xe9,2\n", r"must be text in UTF-8.*line"),
        (TEXT.encode("utf-16-le"), r"utf-16-le without its mark.* dataset\.encoding=utf-16-le"),
        (TEXT.encode("utf-16-be"), r"utf-16-be without its mark"),
        ("y,a\n1,2\n".encode("utf-16")[:-1], "must be text in UTF-16"),
        ("y;a\n1;2\n1;1.234,5\n", r"row 2 \(line 3\), column 'a': must be a number"),
        ("y;a\n1;2.5\n1;1,5\n", """'1,5'. A decimal comma needs 'dataset.decimal=","'"""),
        ("y;a\n1;2,5\n1;3.5\n", r"row 1 \(line 2\), column 'a': .* got '2,5'"),
        (b"\x80\x04\x95", "a pickle, whose opening can run any code"),
        (b"%PDF-1.7\n", "is a PDF"),
    ],
)
def test_another_way_of_writing_is_named(path: Path, content: str | bytes, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        read_table(write(path, content), csv_config())
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("kind", PACKS)
def test_a_damaged_archive_is_refused(path: Path, kind: str) -> None:
    rows = "".join(f"{row % 2},{row * row}\n" for row in range(9_000)).encode()
    content = PACKS[kind](rows)
    for wrong in (content[:-20], content[:12], content[:200] + b"?????" + content[205:]):
        with pytest.raises(DataError, match=r"must be (a whole|text)") as caught:
            read_table(write(path, wrong), csv_config())
        assert str(path) in str(caught.value)


def test_an_archive_has_one_file(path: Path) -> None:
    table = read_table(write(path, _zip(TEXT.encode(), "__MACOSX/._table.csv")), csv_config())
    assert table.X.tolist() == X
    with pytest.raises(DataError, match=r"a zip of one file, but holds table\.csv, other\.csv"):
        read_table(write(path, _zip(TEXT.encode(), "other.csv")), csv_config())
    with pytest.raises(DataError, match="is an Excel workbook"):
        read_table(write(path, _zip(b"", "[Content_Types].xml")), csv_config())


@pytest.mark.parametrize("kind", PACKS)
def test_what_comes_out_of_a_file_is_bounded(
    path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "_LEAST", 1 << 16)
    write(path, PACKS[kind](b"1,2\n" * (1 << 16)))
    with pytest.raises(DataError, match=r"must have 65,536 bytes at most.*Unpack it"):
        read_table(path, csv_config())


def test_booleans_are_numbers(path: Path) -> None:
    text = "y,a,b,c\n1,True,false,5\n0,False,true,6\n"
    table = read_table(write(path, text), csv_config())
    assert table.X.tolist() == [[1, 0, 5], [0, 1, 6]]
    assert table.X.dtype == np.uint8
    text = "y,a,b,c,d\n1,TRUE,False,x,True\n0,,True,True,False\n"
    table = read_table(write(path, text), csv_config(table="mixed", types={"d": "text"}))
    assert table.X.to_pydict() == {
        "a": [1, None],
        "b": [0, 1],
        "c": ["x", "True"],
        "d": ["True", "False"],
    }
    with pytest.raises(DataError, match=r"row 2 \(line 3\), column 'a': must be True or False"):
        read_table(write(path, "y,a\n1,True\n0,2\n"), csv_config())


@pytest.mark.usefixtures("empty_cache")
def test_a_column_that_numbers_in_the_first_line_name_is_told_how_to_be_found(path: Path) -> None:
    write(path, "0,1,2\n1,5,6\n0,7,8\n")
    with pytest.raises(ConfigurationError, match=r"unknown column '0'.* dataset\.header=true"):
        data.load(csv_config(path, label="0"))
    assert data.load(csv_config(path, label="0", header=True)).train.n_rows == 2


@pytest.mark.usefixtures("empty_cache")
def test_a_text_among_numbers_may_mean_that_there_is_no_value(path: Path) -> None:
    write(path, "kind,a b\niris,1\nrose,NA\n")
    with pytest.raises(DataError, match=r"'\+\+dataset\.types={a b:text}', or .*dataset\.missing"):
        data.load(csv_config(path, table="mixed", label="kind"))
    given = csv_config(path, table="mixed", label="kind", missing=("", "NA"))
    assert data.load(given).train.n_rows == 2
