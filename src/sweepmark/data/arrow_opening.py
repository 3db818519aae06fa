"""Opening Parquet and Feather files: their columns, and how their rows are read."""

from __future__ import annotations

import contextlib
import json
import re
from typing import TYPE_CHECKING, Any

from sweepmark.data.arrow_file import CELL, ArrowFile, explained, too_large
from sweepmark.data.unpacking import largest
from sweepmark.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["open_feather", "open_parquet"]

_BATCH = 4096  # rows
_INDEX = re.compile(r"__index_level_\d+__")  # what pandas calls an index without a name


def open_parquet(path: Path) -> ArrowFile:
    """Open a Parquet file.

    Raises
    ------
    DataError
        If it is damaged, or its rows would take too much memory.
    """
    from pyarrow import parquet

    with explained(path, "Parquet"), parquet.ParquetFile(path) as file:
        schema, n_rows = file.schema_arrow, file.metadata.num_rows
    if CELL * n_rows > (bound := largest(path)):
        raise too_large(path, bound)

    def batches(names: list[str]) -> Iterator[Any]:
        if CELL * n_rows * len(names) > bound:
            raise too_large(path, bound)
        with parquet.ParquetFile(path) as file:
            yield from file.iter_batches(_BATCH, columns=names)

    return _opened(path, "Parquet", schema, batches)


def open_feather(path: Path) -> ArrowFile:
    """Open a Feather file, which is Arrow's file format.

    Raises
    ------
    DataError
        If it is damaged.
    """
    import pyarrow as pa
    from pyarrow import ipc

    with explained(path, "Feather"), pa.OSFile(str(path)) as source:
        schema = ipc.open_file(source).schema

    def batches(names: list[str]) -> Iterator[Any]:
        places = [schema.get_field_index(name) for name in names]
        with pa.OSFile(str(path)) as source:
            reader = ipc.open_file(source, options=ipc.IpcReadOptions(included_fields=places))
            for number in range(reader.num_record_batches):
                yield reader.get_batch(number)

    return _opened(path, "Feather", schema, batches)


def _opened(
    path: Path, kind: str, schema: Any, batches: Callable[[list[str]], Iterator[Any]]
) -> ArrowFile:
    with explained(path, kind):
        names, indices = tuple(schema.names), _pandas_index(schema)  # may be no UTF-8
    if twice := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
        raise DataError(f"{path}: the names of columns must differ, but {twice[0]!r} occurs twice")
    return ArrowFile(
        path=path,
        names=names,
        is_named=True,
        index=tuple(place for place, name in enumerate(names) if name in indices),
        findings=(kind,),
        kind=kind,
        types=tuple(schema.types),
        batches=batches,
    )


def _pandas_index(schema: Any) -> set[str]:
    """Return the columns that pandas wrote as the index of a frame."""
    found = {name for name in schema.names if _INDEX.fullmatch(name)}
    with contextlib.suppress(ValueError, LookupError, TypeError, RecursionError):
        named = json.loads(schema.metadata[b"pandas"])["index_columns"]
        found |= {name for name in named if isinstance(name, str)}
    return found
