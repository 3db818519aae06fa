"""Columns of tables: as few types as possible, whatever they were read from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from sweepmark.data.csv_dialect import Dialect

__all__ = ["BOOLEANS", "join_blocks", "narrow", "narrow_block", "typed_cells", "widen"]

BOOLEANS = {"False": 0, "false": 0, "FALSE": 0, "True": 1, "true": 1, "TRUE": 1}
"""Cells of features that are read as numbers, if all of their column are among them."""


def narrow(X: NDArray[Any]) -> NDArray[Any]:
    """Return an array as uint8 if that is lossless."""
    if X.size and X.min() >= 0 and X.max() <= np.iinfo(np.uint8).max:
        small = X.astype(np.uint8, copy=False)
        if np.array_equal(small, X):
            return small
    return X


def narrow_block(X: NDArray[Any]) -> NDArray[Any]:
    """Return rows of a larger array as uint8 if that is lossless whatever the others are."""
    # The sign of -0.0 would be lost if other blocks turn out to be float64.
    return X if np.signbit(X).any() else narrow(X)


def join_blocks(blocks: Sequence[NDArray[Any]], n_features: int) -> NDArray[Any]:
    """Return blocks of rows, of which there may be none, as one array of uint8 or float64."""
    return narrow(np.concatenate([np.empty((0, n_features), dtype=np.uint8), *blocks]))


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
                f"Set '++dataset.types={{{name}:text}}'."
            )
        types[name] = found.pop() if found else columns[0].type
    schema = pa.schema(types)
    return [X.rename_columns(schema.names).cast(schema) for X in features]


def typed_cells(
    cells: Any,
    declared: str | None,
    *,
    dialect: Dialect,
    name: str,
    fault: Callable[[int, str], DataError],
) -> Any:
    """Return a column of texts as numbers or as texts.

    Parameters
    ----------
    cells : pyarrow.Array of string
        The column, with null for missing values.
    declared : {"number", "text"} or None
        Its type; None decides by its cells.
    dialect : Dialect
        How numbers are written.
    name : str
        What the column is called.
    fault : callable
        Returns the error for a row, from 0, and the rule that its cell breaks.

    Raises
    ------
    DataError
        If a cell is not a number where it must be, or the column is ambiguous.
    """
    import pyarrow as pa
    from pyarrow import compute

    if declared == "text":
        return cells
    n_given = len(cells) - cells.null_count
    is_number = compute.match_substring_regex(cells, dialect.number)
    n_numbers = compute.sum(is_number).as_py() or 0
    if n_given and not n_numbers:
        if len(found := cells.unique().drop_null()) <= len(BOOLEANS) and all(
            text in BOOLEANS for text in found.to_pylist()
        ):
            values = pa.array(BOOLEANS.values(), pa.float64())
            return values.take(compute.index_in(cells, pa.array(BOOLEANS)))
        if declared is None:
            return cells
    if n_numbers < n_given:
        row = compute.index(is_number, value=False).as_py()
        if declared is None:
            raise fault(
                row,
                f"must be a number as {n_numbers} others of its column are (or set "
                f"'++dataset.types={{{name}:text}}', or list it in dataset.missing, in quotes, if "
                "it means that there is no value)",
            )
        raise fault(row, "must be a number or missing")
    cells = compute.utf8_trim(cells, " \t")
    if dialect.decimal != ".":
        cells = compute.replace_substring(cells, dialect.decimal, ".")
    numbers = compute.cast(cells, pa.float64())
    finite = compute.is_finite(numbers)
    if compute.any(compute.invert(finite)).as_py():
        row = compute.index(finite, value=False).as_py()
        raise fault(row, "must be finite")
    return numbers
