"""A CSV file line by line: its header, and the place of what is wrong.

Rows are read by Arrow (:mod:`sweepmark.data.csv_columns`), which knows no line numbers. So a file
that it refuses is read again here, by the standard library's slower reader.
"""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sweepmark.data.columns import BOOLEANS
from sweepmark.data.csv_dialect import PLAIN, Dialect
from sweepmark.data.unpacking import open_unpacked
from sweepmark.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = [
    "CsvHeader",
    "cell_fault",
    "find_booleans",
    "first_fault",
    "read_header",
    "shown_cell",
]

_SHOWN = 40  # maximum characters of a cell in a message
_COUNTING = 4  # columns from which on 0, 1, 2 … is no row
_AT_LEAST = 2  # minimum number of columns: a label and a feature


@dataclass(frozen=True, slots=True)
class CsvHeader:
    """The columns of a CSV file.

    Attributes
    ----------
    names : tuple of str
        The column names in the first line, ``column_1`` and so on where it has none.
    is_given : bool
        Whether the file has a header.
    n_lines : int
        Lines before the first row of data.
    dialect : Dialect
        How the file is written.
    unnamed : tuple of int
        Places of the columns that a header leaves without a name.
    """

    names: tuple[str, ...]
    is_given: bool
    n_lines: int
    dialect: Dialect = PLAIN
    unnamed: tuple[int, ...] = ()


def _lines(path: Path, dialect: Dialect) -> Iterator[tuple[int, list[str]]]:
    """Yield the number (from 1) and the cells of each non-empty line.

    If a quoted cell spans several lines, the number is that of the last one.

    Raises
    ------
    DataError
        If the file is not text in its encoding; a byte order mark is allowed.
    """
    with open_unpacked(path) as stream:
        file = io.TextIOWrapper(stream, encoding=dialect.codec, newline="")
        reader = dialect.rows(file)
        try:
            for cells in reader:
                if cells:
                    yield reader.line_num, cells
        except UnicodeDecodeError as error:
            raise DataError(
                f"{path}: must be text in {dialect.encoding.upper()}, but line "
                f"{reader.line_num + 1} or one soon after is not: {error.reason}. Western files "
                f"are often in cp1252, a Latin-1: dataset.encoding=cp1252 reads them, and `iconv "
                "-f cp1252 -t utf-8 FILE > NEW` converts them."
            ) from error
        except csv.Error as error:
            raise DataError(f"{path}: line {reader.line_num}: {error}") from error


def read_header(
    path: Path,
    expected: bool | None,  # noqa: FBT001 -- as configured
    *,
    dialect: Dialect = PLAIN,
    remedy: str = "Set dataset.header=true or false.",
) -> CsvHeader:
    """Return the columns of a CSV file.

    Parameters
    ----------
    path : Path
        The file.
    expected : bool or None
        Whether the first line is a header; None detects it: it is one if no cell is a number, or if
        four cells or more are 0, 1, 2 …, as pandas names columns, and data if every cell is one.
    dialect : Dialect
        How the file is written.
    remedy : str
        The advice in the error if detection fails.

    Raises
    ------
    DataError
        If the file is empty, a name is duplicate, there are fewer than two columns, or
        the first line is ambiguous.
    """
    number, cells = next(_lines(path, dialect), (0, []))
    if not cells:
        raise DataError(f"{path}: must have rows, but the file is empty")
    if len(cells) < _AT_LEAST:
        raise DataError(
            f"{path}: line {number}: must have a label and at least one feature, separated by "
            f"{dialect.spelled}, but has one column: {cells[0][:40]!r}"
        )
    numeric = [dialect.is_number(cell) or cell in BOOLEANS for cell in cells]
    if expected is None:
        if any(numeric) and not all(numeric):
            first, other = cells[numeric.index(True)], cells[numeric.index(False)]
            raise DataError(
                f"{path}: line {number}: must be a header (no numbers) or data (numbers only), but "
                f"has both: {first!r} and {other!r}. {remedy}"
            )
        expected = not all(numeric) or _counts(cells)
    numbered = tuple(f"column_{place}" for place in range(1, len(cells) + 1))
    if not expected:
        return CsvHeader(numbered, is_given=False, n_lines=0, dialect=dialect)
    given = [cell.strip() for cell in cells]
    names = tuple(name or other for name, other in zip(given, numbered, strict=True))
    _check_names(names, f"{path}: line {number}")
    unnamed = tuple(place for place, name in enumerate(given) if not name)
    return CsvHeader(names, is_given=True, n_lines=number, dialect=dialect, unnamed=unnamed)


def _counts(cells: Sequence[str]) -> bool:
    return len(cells) >= _COUNTING and cells == list(map(str, range(len(cells))))


def _check_names(names: tuple[str, ...], where: str) -> None:
    seen: dict[str, int] = {}
    for place, name in enumerate(names, start=1):
        if name in seen:
            raise DataError(
                f"{where}, column {place}: names must differ, but {name!r} is that of column "
                f"{seen[name]} too"
            )
        seen[name] = place


def find_booleans(path: Path, header: CsvHeader, places: Sequence[int]) -> tuple[int, ...]:
    """Return the places of columns whose first cell is a boolean."""
    _, _, cells = next(_rows(path, header), (0, 0, []))
    return tuple(place for place in places if place < len(cells) and cells[place] in BOOLEANS)


def first_fault(
    path: Path,
    header: CsvHeader,
    numeric: Sequence[int],
    *,
    booleans: Sequence[int] = (),
    reason: str,
) -> DataError:
    """Return the error for the first line that is not a valid row.

    Parameters
    ----------
    path : Path
        The file.
    header : CsvHeader
        Its columns.
    numeric : sequence of int
        Places of the columns whose cells must be finite numbers, ascending.
    booleans : sequence of int
        Places of those whose cells must be booleans instead.
    reason : str
        Arrow's error, used if nothing is found.
    """
    dialect = header.dialect
    logical = set(booleans)
    numbers = [place for place in numeric if place not in logical]
    for row, line, cells in _rows(path, header):
        if len(cells) != len(header.names):
            return DataError(
                f"{path}: row {row + 1} (line {line}): must have {len(header.names)} columns as "
                f"the first line has, but has {len(cells)}"
            )
        for column in booleans:
            if cells[column] not in BOOLEANS:
                rule = "must be True or False as the first of its column is"
                return cell_fault(path, header, row, column, rule)
        if _are_finite([cells[column] for column in numbers], dialect):
            continue
        for column in numbers:
            if not _is_finite(cells[column], dialect):
                rule = "must be a number"
                found = cell_fault(path, header, row, column, rule)
                return DataError(f"{found}. {_way_on(cells[column], dialect)}")
    return DataError(f"{path}: cannot be read: {reason}")


def _way_on(cell: str, dialect: Dialect) -> str:
    other = replace(dialect, decimal="." if dialect.decimal == "," else ",")
    if dialect.separator != other.decimal and other.is_number(cell):
        name = "point" if other.decimal == "." else "comma"
        return f"A decimal {name} needs 'dataset.decimal=\"{other.decimal}\"'."
    return "Text and missing values need dataset.table=mixed."


def cell_fault(path: Path, header: CsvHeader, row: int, column: int, rule: str) -> DataError:
    """Return the error for a cell that is known to be invalid.

    Parameters
    ----------
    path : Path
        The file.
    header : CsvHeader
        Its columns.
    row, column : int
        The cell's place, both from 0.
    rule : str
        What it must be, such as ``must be in [0, 9]``.
    """
    line, cells = next(
        (line, cells) for number, line, cells in _rows(path, header) if number == row
    )
    return DataError(
        f"{path}: row {row + 1} (line {line}), column {header.names[column]!r}: {rule}, but got "
        f"{shown_cell(cells[column])}"
    )


def shown_cell(cell: str | None) -> str:
    """Return a cell as messages have it: a long one by its beginning."""
    if not cell:
        return "nothing"
    return repr(cell if len(cell) <= _SHOWN else cell[:_SHOWN] + "…")


def _rows(path: Path, header: CsvHeader) -> Iterator[tuple[int, int, list[str]]]:
    """Yield number from 0, line and cells of each row."""
    lines = _lines(path, header.dialect)
    if header.is_given:
        next(lines)
    for row, (line, cells) in enumerate(lines):
        yield row, line, cells


def _are_finite(cells: Sequence[str], dialect: Dialect) -> bool:
    """Return whether all cells are numbers; at once, since millions may precede an invalid one."""
    joined = "".join(cells)
    if not joined.isascii() or "_" in joined:
        return False  # float accepts other scripts' digits and underscores
    if dialect.decimal != ".":
        return all(_is_finite(cell, dialect) for cell in cells)
    try:
        return math.isfinite(math.fsum(map(float, cells)))
    except (ValueError, OverflowError):
        return False


def _is_finite(cell: str, dialect: Dialect) -> bool:
    return dialect.is_number(cell) and math.isfinite(float(dialect.plain(cell)))
