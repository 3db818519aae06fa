"""A CSV file line by line: its header, and the place of what is wrong.

Rows are read by Arrow (:mod:`sweepmark.data.csv_columns`), which knows no line numbers. So a file
that it refuses is read again here, by the standard library's slower reader.
"""

from __future__ import annotations

import csv
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sweepmark.errors import ConfigurationError, DataError, unknown_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = [
    "NUMBER",
    "CsvHeader",
    "cell_fault",
    "column_cells",
    "first_fault",
    "is_number",
    "read_header",
]

NUMBER = r"^[ \t]*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?[ \t]*$"
"""The syntax of numbers in tables: that of Arrow, without NaN and infinity."""

_NUMBER = re.compile(NUMBER)
_SHOWN = 40  # maximum characters of a cell in a message
_AT_LEAST = 2  # minimum number of columns: a label and a feature


@dataclass(frozen=True, slots=True)
class CsvHeader:
    """The columns of a CSV file.

    Attributes
    ----------
    names : tuple of str
        The column names in the first line; ``column_1`` and so on if there is no header.
    is_given : bool
        Whether the file has a header.
    n_lines : int
        Lines before the first row of data.
    left_out : int or None
        Index of a column that is neither a feature nor the label.
    """

    names: tuple[str, ...]
    is_given: bool
    n_lines: int
    left_out: int | None = None

    def others(self, label: int | None) -> list[int]:
        """Return the indices of the features, given that of the label."""
        places = range(len(self.names))
        return [place for place in places if place not in {label, self.left_out}]

    def index(self, name: str, *, key: str) -> int:
        """Return the index of a column; the error has the existing columns and the config key."""
        if name not in self.names:
            raise ConfigurationError(f"{key}: {unknown_name('column', name, self.names)}")
        return self.names.index(name)


def is_number(text: str) -> bool:
    """Return whether a cell is a finite decimal number.

    Examples
    --------
    >>> [is_number(text) for text in ("5", "-1.5e3", " 7 ", "nan", "1_000", "")]
    [True, True, True, False, False, False]
    """
    return _NUMBER.match(text) is not None


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the number (from 1) and the cells of each non-empty line.

    If a quoted cell spans several lines, the number is that of the last one.

    Raises
    ------
    DataError
        If the file is not UTF-8 text; a byte order mark is allowed.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        try:
            for cells in reader:
                if cells:
                    yield reader.line_num, cells
        except UnicodeDecodeError as error:
            raise DataError(
                f"{path}: must be text in UTF-8, but line {reader.line_num + 1} or one soon after "
                f"is not: {error.reason}"
            ) from error
        except csv.Error as error:
            raise DataError(f"{path}: line {reader.line_num}: {error}") from error


def read_header(
    path: Path,
    expected: bool | None,  # noqa: FBT001 -- as configured
    *,
    remedy: str = "Set dataset.header=true or false.",
) -> CsvHeader:
    """Return the columns of a CSV file.

    Parameters
    ----------
    path : Path
        The file.
    expected : bool or None
        Whether the first line is a header; None detects it: it is one if no cell is a number, and
        data if every cell is.
    remedy : str
        The advice in the error if detection fails.

    Raises
    ------
    DataError
        If the file is empty, a name is missing or duplicate, there are fewer than two columns, or
        the first line is ambiguous.
    """
    number, cells = next(_lines(path), (0, []))
    if not cells:
        raise DataError(f"{path}: must have rows, but the file is empty")
    if len(cells) < _AT_LEAST:
        raise DataError(
            f"{path}: line {number}: must have a label and at least one feature, separated by "
            f"commas, but has one column: {cells[0][:40]!r}"
        )
    numeric = [is_number(cell) for cell in cells]
    if expected is None:
        if any(numeric) and not all(numeric):
            first, other = cells[numeric.index(True)], cells[numeric.index(False)]
            raise DataError(
                f"{path}: line {number}: must be a header (no numbers) or data (numbers only), but "
                f"has both: {first!r} and {other!r}. {remedy}"
            )
        expected = not all(numeric)
    if not expected:
        numbered = tuple(f"column_{place + 1}" for place in range(len(cells)))
        return CsvHeader(numbered, is_given=False, n_lines=0)
    names = tuple(cell.strip() for cell in cells)
    _check_names(names, f"{path}: line {number}")
    return CsvHeader(names, is_given=True, n_lines=number)


def _check_names(names: tuple[str, ...], where: str) -> None:
    seen: dict[str, int] = {}
    for place, name in enumerate(names, start=1):
        if not name:
            raise DataError(f"{where}, column {place}: a header must name every column")
        if name in seen:
            raise DataError(
                f"{where}, column {place}: names must differ, but {name!r} is that of column "
                f"{seen[name]} too"
            )
        seen[name] = place


def first_fault(path: Path, header: CsvHeader, numeric: Sequence[int], *, reason: str) -> DataError:
    """Return the error for the first line that is not a valid row.

    Parameters
    ----------
    path : Path
        The file.
    header : CsvHeader
        Its columns.
    numeric : sequence of int
        Places of the columns whose cells must be finite numbers, ascending.
    reason : str
        Arrow's error, used if nothing is found.
    """
    for row, line, cells in _rows(path, header):
        if len(cells) != len(header.names):
            return DataError(
                f"{path}: row {row + 1} (line {line}): must have {len(header.names)} columns as "
                f"the first line has, but has {len(cells)}"
            )
        if _are_finite([cells[column] for column in numeric]):
            continue
        for column in numeric:
            if not (is_number(cells[column]) and math.isfinite(float(cells[column]))):
                rule = "must be a number"
                found = cell_fault(path, header, row, column, rule)
                return DataError(f"{found}. Text and missing values need dataset.table=mixed.")
    return DataError(f"{path}: cannot be read: {reason}")


def column_cells(path: Path, header: CsvHeader, column: int) -> tuple[str, ...]:
    """Return the cells of a column as they are; the file's rows must be valid."""
    return tuple(cells[column] for _, _, cells in _rows(path, header))


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
    cell = cells[column]
    found = repr(cell if len(cell) <= _SHOWN else cell[:_SHOWN] + "…") if cell else "nothing"
    return DataError(
        f"{path}: row {row + 1} (line {line}), column {header.names[column]!r}: {rule}, but got "
        f"{found}"
    )


def _rows(path: Path, header: CsvHeader) -> Iterator[tuple[int, int, list[str]]]:
    """Yield number from 0, line and cells of each row."""
    lines = _lines(path)
    if header.is_given:
        next(lines)
    for row, (line, cells) in enumerate(lines):
        yield row, line, cells


def _are_finite(cells: Sequence[str]) -> bool:
    """Return whether all cells are numbers; at once, since millions may precede an invalid one."""
    joined = "".join(cells)
    if not joined.isascii() or "_" in joined:
        return False  # float accepts other scripts' digits and underscores
    try:
        return math.isfinite(math.fsum(map(float, cells)))
    except (ValueError, OverflowError):
        return False
