"""How a CSV file is written: its encoding, what separates its cells, and its decimal point.

What is not configured is found out from the first rows. UTF-16 and UTF-32 are recognised by their
byte order mark; other encodings cannot be told apart for certain and have to be named.
"""

from __future__ import annotations

import codecs
import contextlib
import csv
import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from sweepmark.data.unpacking import first_bytes
from sweepmark.errors import ConfigurationError, DataError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from sweepmark.config.schema import DatasetConfig

__all__ = ["PLAIN", "Dialect", "find_dialect", "given_dialect", "is_found_out"]

_SAMPLE = 1 << 18  # bytes that are looked at
_ROWS = 20  # rows in which a separator must give as many cells as in the first
_SEPARATORS = (",", ";", "\t", "|")
_UTF8 = "utf-8"
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_FOREIGN = {
    b"\x80": "a pickle, whose opening can run any code",
    b"\x93NUMPY": "one NumPy array (.npy)",
    b"\xd0\xcf\x11\xe0": "an Excel workbook (.xls)",
    b"\x89HDF": "an HDF5 file",
    b"SQLite format 3": "an SQLite database",
    b"%PDF": "a PDF",
}
_NUMBERS = {
    point: re.compile(rf"^[ \t]*[+-]?([0-9]+{sign}?[0-9]*|{sign}[0-9]+)([eE][+-]?[0-9]+)?[ \t]*$")
    for point, sign in ((".", r"\."), (",", ","))
}
_LONGEST_CELL = 1 << 30
_SPELLED = {"\t": "tabs", ",": "commas", " ": "spaces"}


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a CSV file is written.

    Attributes
    ----------
    separator : str
        The character between cells.
    decimal : {".", ","}
        The decimal point.
    encoding : str
        Python's name of the encoding; ``utf-8`` with or without a byte order mark.
    """

    separator: str = ","
    decimal: Literal[".", ","] = "."
    encoding: str = _UTF8

    @property
    def codec(self) -> str:
        """The name for reading: one for which a byte order mark is no text."""
        return "utf-8-sig" if self.encoding == _UTF8 else self.encoding

    @property
    def spelled(self) -> str:
        """The separator as messages have it."""
        return _SPELLED.get(self.separator, repr(self.separator))

    @property
    def number(self) -> str:
        """A regular expression for numbers: the syntax of Arrow, without NaN and infinity."""
        return _NUMBERS[self.decimal].pattern

    def is_number(self, cell: str) -> bool:
        """Return whether a cell is a finite decimal number.

        Examples
        --------
        >>> [Dialect().is_number(cell) for cell in ("5", "-1.5e3", " 7 ", "nan", "1_000", "")]
        [True, True, True, False, False, False]
        """
        return _NUMBERS[self.decimal].match(cell) is not None

    def rows(self, lines: Iterable[str]) -> Any:
        """Return a reader of the standard library for lines of text."""
        csv.field_size_limit(_LONGEST_CELL)
        return csv.reader(lines, delimiter=self.separator)

    def plain(self, cell: str) -> str:
        """Return a number as it is written with a point; any other cell unchanged."""
        if self.decimal == "." or not self.is_number(cell):
            return cell
        return cell.replace(self.decimal, ".")

    @property
    def findings(self) -> tuple[str, ...]:
        """What is not as in most CSV files, in words."""
        found = []
        if self.separator != ",":
            found.append(f"separated by {self.spelled}")
        if self.decimal != ".":
            found.append("decimal comma")
        if self.encoding != _UTF8:
            found.append(f"encoded in {self.encoding}")
        return tuple(found)

    @property
    def settings(self) -> dict[str, str]:
        """What is not as in most CSV files, by the keys of the configuration."""
        return {
            name: getattr(self, name)
            for name in ("separator", "decimal", "encoding")
            if getattr(self, name) != getattr(PLAIN, name)
        }


PLAIN = Dialect()
"""The dialect of most files: commas, points and UTF-8."""


def given_dialect(config: DatasetConfig) -> Dialect:
    """Return how a published CSV file is written: what is not configured is not found out."""
    return Dialect(
        separator=_character(config.separator) or PLAIN.separator,
        decimal=config.decimal or PLAIN.decimal,
        encoding=_normal(config.encoding or PLAIN.encoding),
    )


def find_dialect(path: Path, config: DatasetConfig) -> Dialect:
    """Return how a CSV file is written: as configured, else as its first rows show.

    Raises
    ------
    ConfigurationError
        If separator and decimal point are configured as the same character.
    DataError
        If the file is no text in its encoding, as far as it is looked at.
    """
    head = first_bytes(path, _SAMPLE)
    _check_text(path, head, config.encoding)
    encoding = _normal(config.encoding or _marked(head))
    codec = Dialect(encoding=encoding).codec
    text = codecs.getincrementaldecoder(codec)("replace").decode(head)
    is_cut = len(head) == _SAMPLE
    separator = _character(config.separator) or _separator(text, config.decimal, is_cut=is_cut)
    decimal = config.decimal or _decimal(text, separator, is_cut=is_cut)
    if separator == decimal:
        raise ConfigurationError(
            f"dataset.separator and dataset.decimal must differ, but both are {decimal!r}."
        )
    return Dialect(separator, decimal, encoding)


def _character(separator: str | None) -> str | None:
    return "\t" if separator == "tab" else separator


def _normal(encoding: str) -> str:
    name = codecs.lookup(encoding).name
    return _UTF8 if name == "utf-8-sig" else name


def _marked(head: bytes) -> str:
    return next((name for mark, name in _MARKS.items() if head.startswith(mark)), _UTF8)


def is_found_out(separator: str | None) -> bool:
    """Return whether a configured separator is one that is found out if none is configured."""
    return separator is None or _character(separator) in _SEPARATORS


def _check_text(path: Path, head: bytes, encoding: str | None) -> None:
    for magic, name in _FOREIGN.items():
        if head.startswith(magic) and encoding is None:
            raise DataError(
                f"{path}: must be CSV (text in UTF-8), Parquet, Feather or npz, but is {name}. "
                "Save it as one of these."
            )
    if encoding is None and _marked(head) == _UTF8 and b"\0" in head[:4096]:
        wide = "utf-16-be" if head[:1] == b"\0" else "utf-16-le"
        raise DataError(
            f"{path}: must be text in UTF-8, but has bytes of zero: {wide} without its mark, or no "
            f"text. `iconv -f {wide} -t utf-8 FILE > NEW` converts it; dataset.encoding={wide} "
            "reads it as it is."
        )


def _sample(text: str, separator: str, *, is_cut: bool) -> list[list[str]]:
    """Return the non-empty rows of a text, without the last one (of several) if that is cut."""
    rows: list[list[str]] = []
    with contextlib.suppress(csv.Error):
        rows.extend(filter(None, Dialect(separator).rows(io.StringIO(text, newline=""))))
    return rows[:-1] if is_cut and len(rows) > 1 else rows


def _separator(text: str, decimal: Literal[".", ","] | None, *, is_cut: bool) -> str:
    """Return the separator that gives all rows as many cells, and most of these as numbers."""
    found: dict[str, float] = {}
    first: dict[str, int] = {}
    for separator in _SEPARATORS:
        rows = _sample(text, separator, is_cut=is_cut)[:_ROWS]
        if not rows or len(rows[0]) == 1:
            continue
        first[separator] = len(rows[0])
        if all(len(row) == len(rows[0]) for row in rows):
            points: tuple[Literal[".", ","], ...] = (".",) if separator == "," else (".", ",")
            points = (decimal,) if decimal else points
            cells = [cell for row in rows for cell in row]
            found[separator] = max(_share(cells, point) for point in points)
    if found:
        return max(found, key=lambda separator: found[separator])  # the first of equals
    return "," if "," in first or not first else max(first, key=lambda each: first[each])


def _share(cells: list[str], decimal: Literal[".", ","]) -> float:
    dialect = Dialect(decimal=decimal)
    return sum(map(dialect.is_number, cells)) / len(cells)


def _decimal(text: str, separator: str, *, is_cut: bool) -> Literal[".", ","]:
    """Return a comma if cells are numbers with commas and none is one with a point."""
    if separator == ",":
        return "."
    cells = {cell.strip() for row in _sample(text, separator, is_cut=is_cut) for cell in row}
    comma, point = Dialect(decimal=","), PLAIN
    if any("." in cell and point.is_number(cell) for cell in cells):
        return "."
    return "," if any("," in cell and comma.is_number(cell) for cell in cells) else "."
