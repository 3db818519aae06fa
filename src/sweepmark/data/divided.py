"""Data sets without the column that their rows are divided by, which is kept as ranks.

Such a data set is an entry of the cache of its own, made from the entry of the whole table.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.data import entry
from sweepmark.data.arrays import keep_entry
from sweepmark.data.frames import frame_columns, frame_features
from sweepmark.data.loading import load
from sweepmark.data.table_entry import RANKS, write_tables
from sweepmark.data.table_loading import check_image_shape
from sweepmark.errors import ConfigurationError, DataError, unknown_name

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from sweepmark.config.schema import DatasetConfig
    from sweepmark.config.split import SplitColumn
    from sweepmark.data.dataset import Dataset

__all__ = ["load_divided"]

_MONTH = re.compile(r"\d{4}-\d{2}")
_FINER = re.compile(r"[.,]\d{6}(\d+)")  # which datetime drops
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EXACT = 2.0**53  # from here on float64 cannot represent all integers


def load_divided(
    config: DatasetConfig, by: SplitColumn, *, report: Callable[[str], None] | None = None
) -> Dataset:
    """Load a data set without one of its columns, whose ranks are :attr:`Dataset.ranks`.

    A numeric CSV table is read as a mixed one, so that the column may have text; the other columns
    must be finite numbers as ever.

    Parameters
    ----------
    config : DatasetConfig
        The data set.
    by : SplitColumn
        The column.
    report : callable or None
        As for :func:`sweepmark.data.load`.

    Raises
    ------
    ConfigurationError
        If the data set has no such column, or official test rows.
    DataError
        If the column has missing values, cannot be ordered, or other columns are not as configured.
    """
    is_numeric = config.format == "csv" and config.table == "numeric"
    if config.test_path is not None:
        raise ConfigurationError(
            f"{by} divides the rows of one file, but got dataset.test_path={config.test_path}. "
            f"Set dataset.test_path=null or {by.key}=null."
        )
    asked = replace(config, table="mixed", image_shape=None) if is_numeric else config
    whole = load(asked, report=report)
    _check(whole, by)
    shape = config.image_shape if is_numeric else whole.image_shape
    text = json.dumps([whole.digest, by.role, by.name, is_numeric, shape])
    digest = hashlib.sha256(text.encode()).hexdigest()

    def fill(folder: Path) -> None:
        frame = _frame(whole)
        ranks = _ranks(frame[by.name], by)
        if report is not None:
            report(
                f"{config.name}: column {by.name} is {by.key} and no feature; "
                f"{len(np.unique(ranks)):,} distinct values"
            )
        X = _features(frame.drop(columns=[by.name]), config, shape)
        np.save(folder / RANKS, ranks, allow_pickle=False)
        names = [name for name in whole.feature_names or () if name != by.name]
        meta = {
            "layout": entry.LAYOUT,
            "name": config.name,
            "source": whole.source,
            "digest": digest,
            "files": dict(whole.files),
            "image_shape": shape,
            "feature_names": names,
            "label_column": whole.label_column,
            "label_names": whole.label_names,
            "split_column": by.name,
            "identifiers": {
                name: why for name, why in whole.identifiers.items() if name != by.name
            },
        }
        write_tables(folder, {"train": (X, np.asarray(whole.train.y))}, meta)

    return replace(keep_entry(digest, fill), name=config.name, source=whole.source)


def _check(whole: Dataset, by: SplitColumn) -> None:
    """Raise if a data set cannot be divided by a column."""
    if whole.feature_names is None:
        raise ConfigurationError(
            f"{by} needs columns with names, but {whole.name} has none (images, arrays, or a file "
            f"without a header). Set {by.key}=null."
        )
    if by.name == whole.label_column:
        raise ConfigurationError(
            f"{by.key} must not be the column of the labels, but got {by.name!r}."
        )
    if by.name not in whole.feature_names:
        raise ConfigurationError(unknown_name(f"column of {by.key}", by.name, whole.feature_names))
    if whole.test is not None:
        raise ConfigurationError(
            f"{by} chooses the test rows, but {whole.name} has official ones. Set {by.key}=null."
        )
    if whole.n_features == 1:
        raise ConfigurationError(
            f"{by} takes its column out of the features, but {whole.name} has no other."
        )


def _frame(whole: Dataset) -> Any:
    import pandas as pd

    X: Any = whole.train.X
    return X if whole.is_frame else pd.DataFrame(X, columns=list(whole.feature_names or ()))


def _features(frame: Any, config: DatasetConfig, shape: tuple[int, int] | None) -> Any:
    """Return the other columns as the configuration has them: an array, or typed columns."""
    if config.format == "csv" and config.table == "mixed":
        return frame_columns(frame)
    X = frame_features(frame)
    if config.format != "csv":
        return np.ascontiguousarray(X) if isinstance(X, np.ndarray) else X
    if not isinstance(X, np.ndarray):
        name, row, found = next(_faults(frame))
        raise DataError(
            f"{config.path}: row {row + 1}, column {name!r}: must be a number, but got {found}. "
            "Set dataset.table=mixed to keep text and missing values."
        )
    check_image_shape(shape, X.shape[1])
    return np.ascontiguousarray(X)


def _faults(frame: Any) -> Any:
    """Yield column, row and content of cells that are no numbers, the first of each column."""
    for name, column in frame.items():
        wrong = column.isna().to_numpy() if column.dtype == np.float64 else np.ones(len(column))
        for row in np.flatnonzero(wrong)[:1]:
            found = column.iloc[row]
            yield name, int(row), repr(found) if isinstance(found, str) else "none"


def _ranks(column: Any, by: SplitColumn) -> NDArray[np.int64]:
    """Return for each row the rank of its value among the distinct ones, from 0."""
    missing = np.flatnonzero(column.isna().to_numpy())
    if len(missing):
        raise DataError(
            f"{by.key}: every row must have a value in column {by.name!r}, but {len(missing)} have "
            f"none, the first in row {missing[0] + 1}"
        )
    is_text = not np.issubdtype(getattr(column.dtype, "type", object), np.number)
    values = np.array([str(cell) for cell in column]) if is_text else column.to_numpy()
    if not is_text:
        _check_exact(values, by)
    distinct, places = np.unique(values, return_inverse=True)
    if is_text and by.role == "order":
        times = [_time(text) for text in distinct.tolist()]
        wrong = [number for number, time in enumerate(times) if time is None]
        if wrong:
            row = int(np.flatnonzero(np.isin(places, wrong))[0])
            raise DataError(
                f"{by.key}: column {by.name!r} must have numbers, or dates and times in ISO 8601 "
                f"such as 2026-01-31, but row {row + 1} has {str(values[row])!r}"
            )
        ranks = {time: rank for rank, time in enumerate(sorted({*filter(None, times)}))}
        places = np.array([ranks[time] for time in times if time is not None])[places]
    return places.astype(np.int64)


def _check_exact(values: NDArray[Any], by: SplitColumn) -> None:
    """Raise if there are numbers so large that different ones are kept as the same."""
    too_large = np.flatnonzero(np.abs(values.astype(np.float64)) >= _EXACT)
    if not len(too_large):
        return
    row = int(too_large[0])
    way_on = (
        f"Read them as text: ++dataset.types={{{by.name}:text}}, or a column of texts in Python."
        if by.role == "groups"
        else "Write them as dates and times, or as smaller numbers."
    )
    raise DataError(
        f"{by.key}: column {by.name!r} must have numbers below 2^53, from which on different ones "
        f"are kept as the same, but row {row + 1} has about {values[row]:.0f}. {way_on}"
    )


def _time(text: str) -> tuple[int, str] | None:
    """Return a date or time in microseconds and further digits; None if it is none.

    Without an offset it is taken as if it were UTC.
    """
    text = text.strip()
    try:
        found = datetime.fromisoformat(f"{text}-01" if _MONTH.fullmatch(text) else text)
    except ValueError:
        return None
    elapsed = (found if found.tzinfo else found.replace(tzinfo=UTC)) - _EPOCH
    finer = _FINER.search(text)
    return elapsed // timedelta(microseconds=1), finer[1].rstrip("0") if finer else ""
