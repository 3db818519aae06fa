"""Diagnosis of an invalid CSV file, by line, row and column, with a slow reader."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sweepmark.data.csv_header import CsvHeader, is_number, iterate_lines
from sweepmark.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

__all__ = ["cell_fault", "first_fault"]

_SHOWN = 40  # maximum characters of a cell in a message


def first_fault(
    path: Path, header: CsvHeader, numeric: Collection[int], *, reason: str = ""
) -> DataError:
    """Return the error for the first line that is not a valid row.

    Parameters
    ----------
    path : Path
        The file.
    header : CsvHeader
        Its columns.
    numeric : collection of int
        Places of the columns whose cells must be finite numbers.
    reason : str
        The fast reader's error, used if nothing is found.
    """
    for row, line, cells in _rows(path, header):
        if len(cells) != len(header.names):
            return DataError(
                f"{path}: {_place(row, line)}: must have {len(header.names)} columns as the first "
                f"line has, but has {len(cells)}"
            )
        if _are_numbers(cells, numeric):
            continue
        for column in sorted(numeric):
            if not _is_finite(cells[column]):
                place = row, line, column
                found = _bad_cell(path, header, place, cells[column], "must be a number")
                return DataError(f"{found}. Text and missing values need dataset.table=mixed.")
    return DataError(f"{path}: cannot be read: {reason}")


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
    for number, line, cells in _rows(path, header):
        if number == row:
            return _bad_cell(path, header, (row, line, column), cells[column], rule)
    return DataError(f"{path}: row {row + 1}: {rule}")


def _bad_cell(
    path: Path, header: CsvHeader, place: tuple[int, int, int], cell: str, rule: str
) -> DataError:
    row, line, column = place
    found = repr(cell if len(cell) <= _SHOWN else cell[:_SHOWN] + "…") if cell else "nothing"
    return DataError(
        f"{path}: {_place(row, line)}, column {header.names[column]!r}: {rule}, but got {found}"
    )


def _place(row: int, line: int) -> str:
    return f"row {row + 1} (line {line})"


def _rows(path: Path, header: CsvHeader) -> Iterator[tuple[int, int, list[str]]]:
    """Yield number from 0, line and cells of each row."""
    skip = 1 if header.is_given else 0
    for number, (line, cells) in enumerate(iterate_lines(path)):
        if number >= skip:
            yield number - skip, line, cells


def _are_numbers(cells: Sequence[str], numeric: Collection[int]) -> bool:
    """Return whether all cells are numbers; at once, since millions may precede an invalid one."""
    joined = ",".join([cells[column] for column in numeric])
    if not joined.isascii() or "_" in joined:
        return False  # float accepts other scripts' digits and underscores
    if not joined.encode().translate(None, b"0123456789,"):
        return ",," not in f",{joined},"
    try:
        return math.isfinite(math.fsum(map(float, joined.split(","))))
    except (ValueError, OverflowError):
        return False


def _is_finite(cell: str) -> bool:
    return is_number(cell) and math.isfinite(float(cell))
