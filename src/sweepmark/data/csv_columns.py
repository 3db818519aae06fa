"""Reading CSV files by Arrow: all numbers, or columns of several types.

How a file is written (separator, decimal point, encoding) is its :mod:`dialect
<sweepmark.data.csv_dialect>`; the header and errors are of :mod:`sweepmark.data.csv_lines`.
"""

from __future__ import annotations

import contextlib
import io
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.data.columns import BOOLEANS, join_blocks, narrow_block, typed_cells
from sweepmark.data.csv_lines import cell_fault, find_booleans, first_fault
from sweepmark.data.unpacking import open_unpacked, packing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from sweepmark.config.schema import DatasetConfig
    from sweepmark.data.csv_lines import CsvHeader
    from sweepmark.errors import DataError

    Cells = list[str | None]

__all__ = ["counts_rows", "read_mixed", "read_numbers"]

_BLOCK = 1 << 20  # bytes of text that are decoded at a time
_PER_COLUMN = 1 << 10  # more of a wide table: Arrow takes some time for each column of a block
_WIDEST_BLOCK = 1 << 26
_LARGEST_BLOCK = (1 << 31) - 1  # Arrow's limit


def read_numbers(
    path: Path, header: CsvHeader, features: Sequence[int], label: int | None
) -> tuple[NDArray[Any], Cells]:
    """Return columns of finite numbers or booleans as an array, and the labels as text.

    Numbers are read block by block, so that a table of bytes never takes eight times its memory.

    Parameters
    ----------
    path : Path
        The file.
    header : CsvHeader
        Its columns.
    features : sequence of int
        Places of the columns to read, ascending.
    label : int or None
        Place of the labels.

    Returns
    -------
    X : ndarray of shape (n_rows, n_features), uint8 or float64
        ``uint8`` if every element is a whole number in [0, 255].
    labels : list of str
        The column ``label``; empty if that is None.

    Raises
    ------
    DataError
        With row and column of the first cell that is not a number.
    """
    import pyarrow as pa

    booleans = find_booleans(path, header, features)
    types = {header.names[place]: pa.float64() for place in features}
    types |= {header.names[place]: pa.bool_() for place in booleans}
    if label is not None:
        types[header.names[label]] = pa.string()
    order = {place: number for number, place in enumerate(features)}
    logical = [order[place] for place in booleans]
    blocks: list[NDArray[Any]] = []
    labels: Cells = []
    try:
        with _open(path, header, types) as batches:
            for batch in batches:
                X = _matrix(batch, len(features), logical)
                if not np.isfinite(X).all():
                    raise first_fault(path, header, features, reason="NaN or infinity")
                blocks.append(narrow_block(X))
                if label is not None:
                    labels += map(header.dialect.plain, batch.column(len(features)).to_pylist())
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        raise first_fault(path, header, features, booleans=booleans, reason=str(error)) from error
    return join_blocks(blocks, len(features)), labels


def _matrix(batch: Any, n_features: int, booleans: Sequence[int]) -> NDArray[Any]:
    """Return the first columns of a batch as an array of float64, which most are already."""
    import pyarrow as pa

    X = batch.select(range(n_features))
    if booleans:
        columns = X.columns
        for place in booleans:
            columns[place] = columns[place].cast(pa.uint8()).cast(pa.float64())
        X = pa.RecordBatch.from_arrays(columns, names=X.schema.names)
    matrix: NDArray[Any] = X.to_tensor().to_numpy()
    return matrix


def counts_rows(path: Path, header: CsvHeader, place: int) -> bool:
    """Return whether a column is 0, 1, 2 … as pandas writes the index of a frame."""
    import pyarrow as pa

    n_rows = 0
    try:
        with _open(path, header, {header.names[place]: pa.string()}, quoted=True) as batches:
            for batch in batches:
                numbers = map(str, range(n_rows, n_rows + len(batch)))
                if any(map(str.__ne__, batch.column(0).to_pylist(), numbers)):
                    return False
                n_rows += len(batch)
    except (pa.ArrowInvalid, UnicodeDecodeError):
        return False  # whoever reads all of the file says what is wrong with it
    return True


def read_mixed(
    path: Path,
    header: CsvHeader,
    features: Sequence[int],
    label: int | None,
    config: DatasetConfig,
) -> tuple[Any, Cells]:
    """Return columns by their types, missing values kept, and the labels.

    Parameters
    ----------
    path : Path
        The file.
    header : CsvHeader
        Its columns.
    features : sequence of int
        Places of the columns to read, ascending.
    label : int or None
        Place of the labels.
    config : DatasetConfig
        ``types`` of columns; those not listed are numbers if all their cells are numbers or all are
        booleans, and text if none is a number. ``missing``: cells that mean a missing value.

    Returns
    -------
    features : pyarrow.Table
        Columns of float64 and of string, with null for missing values.
    labels : list of str or None
        None for missing labels; empty if ``label`` is None.

    Raises
    ------
    DataError
        With row and column of a cell that is not a number in a column of numbers, or for an
        ambiguous column.
    """
    import pyarrow as pa

    places = [*features] if label is None else [*features, label]
    texts = {header.names[place]: pa.string() for place in places}
    try:
        with _open(path, header, texts, quoted=True, missing=config.missing) as batches:
            table = batches.read_all()
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        raise first_fault(path, header, (), reason=str(error)) from error
    columns = {}
    for number, place in enumerate(features):
        name, cells = header.names[place], table.column(number).combine_chunks()

        def fault(row: int, rule: str, place: int = place) -> DataError:
            return cell_fault(path, header, row, place, rule)

        columns[name] = typed_cells(
            cells, config.types.get(name), dialect=header.dialect, name=name, fault=fault
        )
    if label is None:
        return pa.table(columns), []
    cells = table.column(len(features)).to_pylist()
    return pa.table(columns), [cell and header.dialect.plain(cell) for cell in cells]


@contextlib.contextmanager
def _open(
    path: Path,
    header: CsvHeader,
    types: Mapping[str, Any],
    *,
    quoted: bool = False,
    missing: Sequence[str] = (),
) -> Iterator[Any]:
    """Open columns of a CSV file as a stream of batches; ``quoted`` cells may have line ends."""
    import pyarrow as pa
    from pyarrow import csv

    dialect = header.dialect
    block = max(_BLOCK, min(_PER_COLUMN * len(types), _WIDEST_BLOCK))
    block = max(block, _longest_row(path, header, quoted=quoted))  # a row must fit into a block
    with open_unpacked(path) as stream:
        # Of a path Arrow unpacks what its ending says, whatever the bytes are.
        source = pa.PythonFile(stream, mode="r") if packing(path) else pa.OSFile(str(path))
        yield csv.open_csv(
            source,
            read_options=csv.ReadOptions(
                column_names=header.names,
                skip_rows=header.n_lines,
                block_size=min(block, _LARGEST_BLOCK),
                encoding=dialect.encoding,
            ),
            parse_options=csv.ParseOptions(delimiter=dialect.separator, newlines_in_values=quoted),
            convert_options=csv.ConvertOptions(
                column_types=types,
                include_columns=list(types),
                null_values=list(missing),
                strings_can_be_null=bool(missing),
                true_values=[text for text, value in BOOLEANS.items() if value],
                false_values=[text for text, value in BOOLEANS.items() if not value],
                decimal_point=dialect.decimal,
            ),
        )


def _longest_row(path: Path, header: CsvHeader, *, quoted: bool) -> int:
    """Return an upper bound of the bytes of UTF-8 in a row, which may have line ends in quotes."""
    longest = n_bytes = 0
    is_open = False
    with open_unpacked(path) as stream:
        lines: Iterable[bytes] = stream
        if header.dialect.encoding != "utf-8":
            text = io.TextIOWrapper(stream, header.dialect.codec, errors="replace", newline="")
            lines = (line.encode() for line in text)
        if not quoted:
            return max(map(len, lines), default=0)
        for line in lines:
            n_bytes += len(line)
            is_open ^= line.count(b'"') % 2 == 1
            if not is_open:
                longest, n_bytes = max(longest, n_bytes), 0
    return max(longest, n_bytes)
