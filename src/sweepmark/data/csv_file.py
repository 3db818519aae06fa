"""CSV files as tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sweepmark.data.csv_columns import counts_rows, read_mixed, read_numbers
from sweepmark.data.csv_dialect import find_dialect
from sweepmark.data.csv_lines import CsvHeader, cell_fault, read_header
from sweepmark.data.table_file import TableFile
from sweepmark.data.unpacking import unpacked_digest
from sweepmark.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sweepmark.config.schema import DatasetConfig
    from sweepmark.errors import DataError

__all__ = ["CsvFile", "open_csv"]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class CsvFile(TableFile):
    """A CSV file, compressed or not.

    Attributes
    ----------
    header : CsvHeader
        Its columns and how it is written.
    """

    header: CsvHeader

    def place(self, name: str, *, key: str) -> int:
        """Return the place of a column; see :meth:`TableFile.place`."""
        try:
            return TableFile.place(self, name, key=key)
        except ConfigurationError as error:
            if self.is_named:
                raise
            remedy = "The first line is taken for data; dataset.header=true makes it names."
            raise ConfigurationError(f"{error} {remedy}") from None

    def digest(self) -> str:
        """Return the SHA-256 of the file's unpacked content in hexadecimal."""
        return unpacked_digest(self.path)

    def read(
        self, features: Sequence[int], label: int | None, config: DatasetConfig
    ) -> tuple[Any, list[str | None], bool]:
        """Read the rows; see :meth:`TableFile.read`."""
        X: Any
        if config.table == "mixed":
            X, cells = read_mixed(self.path, self.header, features, label, config)
        else:
            X, cells = read_numbers(self.path, self.header, features, label)
        is_text = label is not None and config.types.get(self.names[label]) == "text"
        return X, cells, is_text

    def fault(self, row: int, place: int, rule: str) -> DataError:
        """Return the error for a cell that breaks a rule, with its line."""
        return cell_fault(self.path, self.header, row, place, rule)


def open_csv(path: Path, config: DatasetConfig, *, remedy: str) -> CsvFile:
    """Open a CSV file: find out how it is written, and which columns it has.

    Parameters
    ----------
    path : Path
        The file.
    config : DatasetConfig
        Separator, decimal point, encoding and header, as far as they are given.
    remedy : str
        The advice in the error if it is not clear whether there is a header.
    """
    dialect = find_dialect(path, config)
    header = read_header(path, config.header, dialect=dialect, remedy=remedy)
    is_index = 0 in header.unnamed and config.label != header.names[0]
    return CsvFile(
        path=path,
        names=header.names,
        is_named=header.is_given,
        index=(0,) if is_index and counts_rows(path, header, 0) else (),
        unnamed=header.unnamed,
        findings=dialect.findings,
        settings=dialect.settings,
        header=header,
    )
