"""The first line of a CSV file, which names the columns or is data already."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sweepmark.errors import ConfigurationError, DataError, unknown_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["NUMBER", "CsvHeader", "is_number", "iterate_lines", "read_header"]

NUMBER = r"^[ \t]*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?[ \t]*$"
"""What is a number in a table; Arrow reads the same, and NaN and infinity besides."""

_NUMBER = re.compile(NUMBER)
_AT_LEAST = 2  # a label and a feature


@dataclass(frozen=True, slots=True)
class CsvHeader:
    """The columns of a CSV file.

    Attributes
    ----------
    names : tuple of str
        As the first line has them; ``column_1`` and so on where there is no header.
    is_given : bool
        Whether the file has a header.
    n_lines : int
        Lines before the first row of data.
    """

    names: tuple[str, ...]
    is_given: bool
    n_lines: int

    def index(self, name: str, *, key: str) -> int:
        """Return the place of a column, or say which there are and which key named it."""
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


def iterate_lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield each line that is not empty, with its number from 1, as its cells.

    Where a quoted cell goes over several lines, the number is that of the last.

    Raises
    ------
    DataError
        If the file is no text in UTF-8; a byte order mark is fine.
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
        Whether the first line is a header; None finds out: it is one if no cell is a number,
        and data if every cell is.
    remedy : str
        What to do where that cannot be found out.

    Raises
    ------
    DataError
        If the file is empty, a name is missing or stands twice, there are fewer than two
        columns, or the first line could be either.
    """
    number, cells = next(iterate_lines(path), (0, []))
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
