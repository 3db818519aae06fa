"""Parquet and Feather files as tables, read by Arrow in batches of bounded size."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.data.columns import join_blocks, narrow_block, typed_cells
from sweepmark.data.csv_dialect import PLAIN
from sweepmark.data.csv_lines import shown_cell
from sweepmark.data.table_entry import file_digest
from sweepmark.data.table_file import TableFile
from sweepmark.data.unpacking import largest
from sweepmark.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from sweepmark.config.schema import DatasetConfig

__all__ = ["CELL", "ArrowFile", "explained", "too_large"]

CELL = 8
"""Bytes of a decoded number."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ArrowFile(TableFile):
    """A Parquet or Feather file.

    Attributes
    ----------
    kind : str
        ``Parquet`` or ``Feather``.
    types : tuple of pyarrow.DataType
        The types of the columns.
    batches : callable
        Given names of columns, yields record batches that have these among others.
    """

    kind: str
    types: tuple[Any, ...]
    batches: Callable[[list[str]], Iterator[Any]]

    def digest(self) -> str:
        """Return the SHA-256 of the file in hexadecimal."""
        return file_digest(self.path)

    def read(
        self, features: Sequence[int], label: int | None, config: DatasetConfig
    ) -> tuple[Any, list[str | None], bool]:
        """Read the rows; see :meth:`TableFile.read`."""
        places = [*features] if label is None else [*features, label]
        for place in places:
            self._check_type(place, is_numeric=config.table == "numeric" and place != label)
        labels: list[str | None] = []
        parts: list[Any] = []
        n_rows = 0
        for batch in self._read(places):
            if label is not None:
                labels += map(_label, batch.column(len(features)).to_pylist())
            if config.table == "mixed":
                parts.append(batch.select(range(len(features))))
            else:
                parts.append(narrow_block(self._numbers(batch, features, n_rows)))
            n_rows += len(batch)
        is_text = label is not None and (
            _kind(self.types[label]) == "text" or config.types.get(self.names[label]) == "text"
        )
        X: Any
        if config.table == "mixed":
            X = self._columns(features, parts, config)
        else:
            X = join_blocks(parts, len(features))
        return X, labels, is_text

    def fault(self, row: int, place: int, rule: str) -> DataError:
        """Return the error for a cell that breaks a rule."""
        start, value = 0, None
        for batch in self._read([place]):
            if row < start + len(batch):
                value = batch.column(0)[row - start].as_py()
                break
            start += len(batch)
        found = shown_cell(None if value is None else str(value))
        return DataError(
            f"{self.path}: row {row + 1}, column {self.names[place]!r}: {rule}, but got {found}"
        )

    def _read(self, places: Sequence[int]) -> Iterator[Any]:
        """Yield batches of some columns, checked, as far as their size is bounded."""
        names = [self.names[place] for place in places]
        bound = left = largest(self.path)
        with explained(self.path, self.kind):
            for batch in self.batches(names):
                found = batch.select(names)
                found.validate(full=True)
                left -= max(found.nbytes, CELL * len(found) * len(names))
                if left < 0:
                    raise too_large(self.path, bound)
                yield found

    def _check_type(self, place: int, *, is_numeric: bool) -> None:
        import pyarrow as pa

        name, found = self.names[place], self.types[place]
        kind = _kind(found)
        way_on = f"leave it out: 'dataset.drop=[{name}]'."
        if pa.types.is_temporal(found):
            raise DataError(
                f"{self.path}: column {name!r} has dates or times ({found}), of which no number "
                "follows by itself. Write it as numbers, such as days (for split.order also as "
                f"texts in ISO 8601), or {way_on}"
            )
        if kind is None:
            raise DataError(
                f"{self.path}: column {name!r}: must be of numbers, booleans or text, but is of "
                f"type {found}. Write it otherwise, or {way_on}"
            )
        if is_numeric and kind == "text":
            raise DataError(
                f"{self.path}: column {name!r}: must be of numbers, but is text. Text and missing "
                "values need dataset.table=mixed."
            )

    def _numbers(self, batch: Any, features: Sequence[int], start: int) -> NDArray[Any]:
        """Return a batch's features as an array of float64."""
        X = np.empty((len(batch), len(features)))
        for number, place in enumerate(features):
            cells = self._floats(batch.column(number), place)
            X[:, number] = cells.to_numpy(zero_copy_only=False)
        if not np.isfinite(X).all():
            row, number = map(int, np.argwhere(~np.isfinite(X))[0])
            fault = self.fault(start + row, features[number], "must be a finite number")
            raise DataError(f"{fault}. Missing values need dataset.table=mixed.")
        return X

    def _floats(self, cells: Any, place: int) -> Any:
        """Return a column of numbers as float64, with null for missing values."""
        import pyarrow as pa

        if pa.types.is_dictionary(cells.type):
            cells = cells.cast(cells.type.value_type)
        if pa.types.is_boolean(cells.type):
            cells = cells.cast(pa.uint8())
        try:
            return cells.cast(pa.float64())
        except pa.ArrowInvalid as error:
            raise DataError(
                f"{self.path}: column {self.names[place]!r}: must be of numbers that float64 has "
                f"exactly, below 2^53, but: {error}"
            ) from error

    def _columns(self, features: Sequence[int], parts: list[Any], config: DatasetConfig) -> Any:
        import pyarrow as pa

        names = [self.names[place] for place in features]
        schema = pa.schema([(self.names[place], self.types[place]) for place in features])
        table = pa.Table.from_batches(parts, schema) if parts else schema.empty_table()
        columns = {
            name: self._column(table.column(number), place, config)
            for number, (name, place) in enumerate(zip(names, features, strict=True))
        }
        return pa.table(columns)

    def _column(self, cells: Any, place: int, config: DatasetConfig) -> Any:
        """Return a column of a mixed table as float64 or string."""
        import pyarrow as pa
        from pyarrow import compute

        name = self.names[place]
        declared = config.types.get(name)

        def fault(row: int, rule: str) -> DataError:
            return self.fault(row, place, rule)

        if _kind(self.types[place]) == "number" and declared == "text":
            cells = pa.chunked_array([pa.array(map(_label, cells.to_pylist()), pa.string())])
        elif _kind(self.types[place]) == "number":
            numbers = self._floats(cells, place).combine_chunks()
            is_missing = compute.is_in(numbers, value_set=self._marks(place, config))
            is_missing = compute.or_(is_missing, compute.is_nan(numbers))
            numbers = compute.if_else(is_missing, None, numbers)
            wrong = compute.index(compute.is_inf(numbers), value=True).as_py()
            if wrong >= 0:
                raise fault(wrong, "must be finite or missing")
            return numbers
        texts = cells.cast(pa.string()).combine_chunks()
        is_missing = compute.is_in(texts, value_set=pa.array(config.missing, pa.string()))
        texts = compute.if_else(is_missing, None, texts)
        if declared != "number":
            return texts
        return typed_cells(texts, declared, dialect=PLAIN, name=name, fault=fault)

    def _marks(self, place: int, config: DatasetConfig) -> Any:
        """Return the numbers that mean a missing value."""
        import pyarrow as pa

        cells = [] if pa.types.is_boolean(self.types[place]) else config.missing
        return pa.array([float(cell) for cell in cells if PLAIN.is_number(cell)], pa.float64())


def _kind(found: Any) -> str | None:
    """Return ``number`` or ``text`` for a type of Arrow; None for any other."""
    import pyarrow as pa

    types = pa.types
    if types.is_dictionary(found):
        found = found.value_type
    if types.is_string(found) or types.is_large_string(found) or types.is_string_view(found):
        return "text"
    numbers = (
        types.is_boolean,
        types.is_integer,
        types.is_floating,
        types.is_decimal,
        types.is_null,
    )
    return "number" if any(test(found) for test in numbers) else None


def _label(value: Any) -> str | None:
    """Return a value as the text of a label; None if it is missing."""
    return None if value is None or value != value else str(value)  # noqa: PLR0124 -- NaN


def too_large(path: Path, bound: int) -> DataError:
    """Return the error for a file whose content exceeds a number of bytes."""
    return DataError(
        f"{path}: its content must have {bound:,} bytes at most (20 times the file's, and at least "
        "2 GiB), but has more. Give fewer rows or columns, or write it without compression."
    )


@contextlib.contextmanager
def explained(path: Path, kind: str) -> Iterator[None]:
    """Turn Arrow's errors into one that names the file."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, MemoryError, ValueError, LookupError) as error:
        if isinstance(error, DataError):
            raise
        reason = str(error).partition("\n")[0]
        raise DataError(f"{path}: must be a whole {kind} file, but: {reason}") from error
