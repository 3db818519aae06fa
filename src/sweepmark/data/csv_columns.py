"""Reading CSV files by Arrow: all numbers, or columns of several types.

How a file is written (separator, encoding, quotes) is said in :func:`_open` and, for the header and
for errors, in :mod:`sweepmark.data.csv_lines`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.data.csv_lines import NUMBER, cell_fault, first_fault
from sweepmark.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from sweepmark.data.csv_lines import CsvHeader

    Cells = list[str | None]

__all__ = ["narrow", "read_mixed", "read_numbers", "widen"]

_BLOCK = 1 << 20  # bytes of text that are decoded at a time


def read_numbers(path: Path, header: CsvHeader, label: int | None) -> tuple[NDArray[Any], Cells]:
    """Return a table of finite numbers as an array, and the labels as text.

    Numbers are read block by block, so that a table of bytes never takes eight times its memory.

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

    features = header.others(label)
    types = dict.fromkeys(header.names, pa.string()) | {
        header.names[place]: pa.float64() for place in features
    }
    blocks: list[NDArray[Any]] = [np.empty((0, len(features)), dtype=np.uint8)]
    labels: Cells = []
    try:
        for batch in _open(path, header, types):
            X = batch.select(features).to_tensor().to_numpy()
            if not np.isfinite(X).all():
                raise first_fault(path, header, features, reason="NaN or infinity")
            # The sign of -0.0 would be lost if other blocks turn out to be float64.
            blocks.append(X if np.signbit(X).any() else narrow(X))
            if label is not None:
                labels += batch.column(label).to_pylist()
    except pa.ArrowInvalid as error:
        raise first_fault(path, header, features, reason=str(error)) from error
    return narrow(np.concatenate(blocks)), labels


def narrow(X: NDArray[Any]) -> NDArray[Any]:
    """Return an array as uint8 if that is lossless."""
    if X.size and X.min() >= 0 and X.max() <= np.iinfo(np.uint8).max:
        small = X.astype(np.uint8, copy=False)
        if np.array_equal(small, X):
            return small
    return X


def widen(features: Sequence[Any]) -> list[Any]:
    """Return the features of several tables converted to common types.

    Arrays become float64 unless all are uint8. A column without values in one table takes its type
    from the others.

    Raises
    ------
    DataError
        If a column has numbers in one table and text in another.
    """
    if all(isinstance(X, np.ndarray) for X in features):
        wide = any(X.dtype != np.uint8 for X in features)
        return [X.astype(np.float64, copy=False) if wide else X for X in features]
    import pyarrow as pa

    types: dict[str, Any] = {}
    for name in features[0].schema.names:
        columns = [X.column(name) for X in features]
        found = {column.type for column in columns if column.null_count < len(column)}
        if len(found) > 1:
            raise DataError(
                f"column {name!r} must be numbers in all files or text in all. "
                f"Set ++dataset.types={{{name}:text}}."
            )
        types[name] = found.pop() if found else columns[0].type
    schema = pa.schema(types)
    return [X.rename_columns(schema.names).cast(schema) for X in features]


def read_mixed(
    path: Path,
    header: CsvHeader,
    label: int | None,
    *,
    types: Mapping[str, str],
    missing: Sequence[str],
) -> tuple[Any, Cells]:
    """Return a table's columns by their types, missing values kept, and the labels.

    Parameters
    ----------
    path : Path
        The file.
    header : CsvHeader
        Its columns.
    label : int or None
        Place of the labels.
    types : mapping of str to {"number", "text"}
        Types of columns; those not listed are numbers if all their cells are, text if none is.
    missing : sequence of str
        Cell texts that mean a missing value.

    Returns
    -------
    features : pyarrow.Table
        Columns of float64 and of string, with null for missing values.
    labels : list of str or None
        None for missing labels; empty if ``label`` is None.

    Raises
    ------
    ConfigurationError
        If ``types`` has an unknown column.
    DataError
        With row and column of a cell that is not a number in a column of numbers, or for an
        ambiguous column.
    """
    import pyarrow as pa

    for name in types:
        header.index(name, key="dataset.types")
    texts = dict.fromkeys(header.names, pa.string())
    try:
        table = _open(path, header, texts, quoted=True, missing=missing).read_all()
    except pa.ArrowInvalid as error:
        raise first_fault(path, header, (), reason=str(error)) from error
    columns = {}
    for place in header.others(label):
        name, cells = header.names[place], table.column(place).combine_chunks()
        columns[name] = _typed(path, header, place, cells, types.get(name))
    return pa.table(columns), [] if label is None else table.column(label).to_pylist()


def _open(
    path: Path,
    header: CsvHeader,
    types: Mapping[str, Any],
    *,
    quoted: bool = False,
    missing: Sequence[str] = (),
) -> Any:
    """Open a CSV file as a stream of batches; ``quoted`` cells may have line ends in them."""
    from pyarrow import csv

    with path.open("rb") as file:
        longest = max(map(len, file), default=0)
    return csv.open_csv(
        path,
        read_options=csv.ReadOptions(
            column_names=header.names,
            skip_rows=header.n_lines,
            block_size=max(_BLOCK, longest),  # a row must fit into a block
        ),
        parse_options=csv.ParseOptions(newlines_in_values=quoted),
        convert_options=csv.ConvertOptions(
            column_types=types, null_values=list(missing), strings_can_be_null=bool(missing)
        ),
    )


def _typed(path: Path, header: CsvHeader, place: int, cells: Any, declared: str | None) -> Any:
    import pyarrow as pa
    from pyarrow import compute

    is_number = compute.match_substring_regex(cells, NUMBER)
    n_numbers = compute.sum(is_number).as_py() or 0
    n_given = len(cells) - cells.null_count
    if declared == "text" or (declared is None and n_given and not n_numbers):
        return cells
    if n_numbers < n_given:
        row = compute.index(is_number, value=False).as_py()
        if declared is None:
            name = header.names[place]
            raise cell_fault(
                path,
                header,
                row,
                place,
                f"must be a number as {n_numbers} others of its column are (or set "
                f"++dataset.types={{{name}:text}})",
            )
        raise cell_fault(path, header, row, place, "must be a number or missing")
    numbers = compute.cast(compute.utf8_trim(cells, " \t"), pa.float64())
    finite = compute.is_finite(numbers)
    if compute.any(compute.invert(finite)).as_py():
        row = compute.index(finite, value=False).as_py()
        raise cell_fault(path, header, row, place, "must be finite")
    return numbers
