"""Data sets of OpenML by name, kept in the cache."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sweepmark.data import entry
from sweepmark.data.frames import content_digest, frame_features
from sweepmark.data.identifiers import find_identifiers
from sweepmark.data.index import load_indexed
from sweepmark.data.labels import LabelError, encode_labels
from sweepmark.data.table_entry import table_digest, write_tables
from sweepmark.errors import ConfigurationError, DataError, FetchError, unknown_name
from sweepmark.sources.openml import fetch_frame, home_of
from sweepmark.sources.transfer import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from sweepmark.config.schema import DatasetConfig
    from sweepmark.data.dataset import Dataset

__all__ = ["load_openml"]


def load_openml(config: DatasetConfig, say: Callable[[str], None]) -> Dataset:
    """Return a data set of OpenML, downloading it first if it is not in the cache.

    Columns of numbers without missing values become an array, anything else a frame.

    Raises
    ------
    FetchError
        If OpenML cannot be reached or has no such data set.
    DataError
        If it has no labels, or a label is missing.
    ConfigurationError
        If ``config.label`` or one of ``config.drop`` is not one of its columns, or a path is given.
    """
    if config.path is not None:
        raise ConfigurationError(
            "dataset.path is no part of dataset=openml. Use dataset=csv with it."
        )

    def decode(work: Path, finished: Path) -> str:
        say(f"{config.name}: asking OpenML")
        return _write(config, work, finished)

    text = json.dumps(["openml", config.name, config.version, table_digest({}, config)])
    dataset = load_indexed(
        hashlib.sha256(text.encode()).hexdigest(),
        decode,
        on_wait=lambda: say(f"{config.name}: another process is fetching it; waiting"),
        say=lambda line: say(f"{config.name}: {line}"),
    )
    return replace(dataset, name=config.name)


def _write(config: DatasetConfig, work: Path, finished: Path) -> str:
    """Download a data set and write its entry; return its digest."""
    try:
        bunch = fetch_frame(config.name, config.version, config.label, home_of(work))
    except SourceError as error:
        raise FetchError(
            f"{config.name}: OpenML: {error}. Download it elsewhere as CSV and use dataset=csv "
            "dataset.path=FILE.csv, or use the data that need no download (dataset=digits)."
        ) from error
    frame = _without(bunch.data, config)
    X, y, names = frame_features(frame), *_labels(config, bunch.target)
    found = bunch.details
    content = {"train_table": content_digest(X, y)}
    meta = {
        "layout": entry.LAYOUT,
        "name": config.name,
        "source": f"OpenML {found['name']} version {found['version']}",
        "digest": table_digest(content, config),
        "files": content,
        "image_shape": config.image_shape,
        "feature_names": [str(name) for name in frame.columns],
        "label_column": str(bunch.target.name),
        "label_names": names,
        "identifiers": find_identifiers(X, list(map(str, frame.columns))),
    }
    write_tables(finished, {"train": (X, y)}, meta)
    return str(meta["digest"])


def _without(frame: Any, config: DatasetConfig) -> Any:
    """Return a frame without the columns that are dropped."""
    names = [str(name) for name in frame.columns]
    for name in config.drop:
        if name not in names:
            raise ConfigurationError(f"dataset.drop: {unknown_name('column', name, names)}")
    if set(config.drop) == set(names):
        raise ConfigurationError("dataset.drop must leave a feature, but names all columns.")
    return frame.drop(columns=[*dict.fromkeys(config.drop)])


def _labels(config: DatasetConfig, target: Any) -> tuple[NDArray[np.int64], tuple[str, ...] | None]:
    import pandas as pd

    if target is None or not isinstance(target, pd.Series):
        raise DataError(f"{config.name}: must have one column of labels. Set dataset.label=COLUMN.")
    try:
        return encode_labels([None if pd.isna(value) else str(value) for value in target])
    except LabelError as error:
        raise DataError(
            f"{config.name}: row {error.row + 1}, column {target.name!r}: {error.rule}, but got "
            f"{target.iloc[error.row]!r}"
        ) from None
