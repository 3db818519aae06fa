"""OpenML through scikit-learn: as a source of known files, and as data sets by their name."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import socket
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.data import entry
from sweepmark.data.csv_columns import narrow
from sweepmark.data.csv_labels import LabelError, encode_labels
from sweepmark.data.index import load_indexed
from sweepmark.data.table_entry import table_digest, write_tables
from sweepmark.errors import ConfigurationError, DataError, FetchError
from sweepmark.sources import Source, idx
from sweepmark.sources.transfer import SourceError, UnreachableError, write_verified

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from sweepmark.config.schema import DatasetConfig, FileConfig
    from sweepmark.data.dataset import Dataset

__all__ = ["OpenML", "load_openml"]

_TIMEOUT = 30.0


class OpenML(Source):
    """A data set of OpenML whose rows are those of IDX files: training part first, then test.

    Parameters
    ----------
    name : str
        What OpenML calls it, such as ``mnist_784``.
    version : int
        Its version there.
    data_home : Path or None
        Where scikit-learn keeps what it downloads; None is a folder that is gone afterwards,
        unless scikit-learn's own has OpenML's files already.

    References
    ----------
    https://scikit-learn.org/stable/modules/generated/sklearn.datasets.fetch_openml.html
    """

    def __init__(self, name: str, version: int, *, data_home: Path | None = None) -> None:
        self.label = f"OpenML {name} version {version}"
        self._name = name
        self._version = version
        self._data_home = data_home
        self._arrays: tuple[NDArray[Any], NDArray[Any]] | None = None

    def fetch(self, file: FileConfig, folder: Path, *, advance: Callable[[int], None]) -> Path:
        """Download the data set (once) and encode the rows that the file has."""
        if self._arrays is None:
            self._arrays = self._download(self._data_home or _data_home(folder))
        X, y = self._arrays
        side = math.isqrt(X.shape[1])
        header, row = (8, 1) if "labels" in file.name else (16, X.shape[1])
        n_rows = (file.size - header) // row
        part = slice(-n_rows, None) if file.name.startswith("t10k") else slice(0, n_rows)
        if "labels" in file.name:
            content = idx.encode(y[part])
        elif "images" in file.name and side * side == X.shape[1]:
            content = idx.encode(X[part].reshape(-1, side, side))
        else:
            raise SourceError(f"its rows of {X.shape[1]} features are not those of {file.name}")
        target = folder / file.name
        write_verified([content], file, target, advance=advance)
        return target

    def _download(self, data_home: Path) -> tuple[NDArray[Any], NDArray[Any]]:
        bunch = _ask(self._name, self._version, None, data_home)
        try:
            X = bunch.data.to_numpy(dtype=np.float64)
            y = bunch.target.to_numpy().astype(np.float64)
        except (TypeError, ValueError, AttributeError) as error:
            raise UnreachableError(f"its rows are not bytes: {error}") from error
        X, y = narrow(X), narrow(y)
        if X.dtype != np.uint8 or y.dtype != np.uint8:
            raise UnreachableError("its rows are not bytes")
        return X, y


def load_openml(config: DatasetConfig, say: Callable[[str], None]) -> Dataset:
    """Return a data set of OpenML, downloading it first if the cache does not have it.

    Columns of numbers without missing values become an array, anything else a frame.

    Raises
    ------
    FetchError
        If OpenML cannot be reached or has no such data set.
    DataError
        If it has no labels, or a label is missing.
    ConfigurationError
        If ``config.label`` is none of its columns, or a path is given.
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
        bunch = _ask(config.name, config.version, config.label, _data_home(work))
    except SourceError as error:
        raise FetchError(
            f"{config.name}: OpenML: {error}. Download it elsewhere as CSV and use dataset=csv "
            "dataset.path=FILE.csv, or use the data that need no download (dataset=digits)."
        ) from error
    X, y, names = _features(bunch.data), *_labels(config, bunch.target)
    found = bunch.details
    content = {"train_table": _content_digest(X, y)}
    meta = {
        "layout": entry.LAYOUT,
        "name": config.name,
        "source": f"OpenML {found['name']} version {found['version']}",
        "digest": table_digest(content, config),
        "files": content,
        "image_shape": config.image_shape,
        "feature_names": [str(name) for name in bunch.data.columns],
        "label_column": str(bunch.target.name),
        "label_names": names,
    }
    write_tables(finished, {"train": (X, y)}, meta)
    return str(meta["digest"])


def _ask(name: str, version: int | None, label: str | None, data_home: Path) -> Any:
    """Return what scikit-learn makes of a data set of OpenML."""
    from sklearn.datasets import fetch_openml

    try:
        with warnings.catch_warnings(), _patience():
            warnings.simplefilter("ignore")  # about inactive versions and retries
            bunch = fetch_openml(
                name,
                version=version or "active",
                target_column=label or "default-target",
                data_home=data_home,
                as_frame=True,
                # "pandas" fails on labels that are numbers, as MNIST's are, from pandas 3.1 on:
                # https://github.com/scikit-learn/scikit-learn/pull/34902
                parser="liac-arff",
                n_retries=1,
                delay=0.1,
            )
    except KeyError as error:
        raise ConfigurationError(
            f"dataset.label must be a column of {name}, but got {label!r}: {error.args[0]}"
        ) from error
    except OSError as error:  # URLError is one
        reason = getattr(error, "reason", None) or error
        raise UnreachableError(f"cannot be reached: {reason}") from error
    except ValueError as error:
        raise UnreachableError(" ".join(str(error).split())) from error
    return bunch


@contextlib.contextmanager
def _patience() -> Iterator[None]:
    """Bound how long a server is waited for: scikit-learn leaves that to the system."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_TIMEOUT)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _data_home(folder: Path) -> Path:
    """Return scikit-learn's own folder if it has files of OpenML, else one below ``folder``."""
    import os

    own = Path(os.environ.get("SCIKIT_LEARN_DATA", "~/scikit_learn_data")).expanduser()
    return own if (own / "openml").is_dir() else folder / "openml"


def _features(frame: Any) -> Any:
    """Return a frame as one array where that loses nothing, else as columns of two types."""
    import pandas as pd
    import pyarrow as pa

    numeric = [pd.api.types.is_numeric_dtype(dtype) for dtype in frame.dtypes]
    if all(numeric):
        X = frame.to_numpy(dtype=np.float64)
        if np.isfinite(X).all():
            return narrow(X)
    columns = {}
    for (name, column), is_numeric in zip(frame.items(), numeric, strict=True):
        if is_numeric:
            columns[str(name)] = pa.array(column.to_numpy(dtype=np.float64), from_pandas=True)
        else:
            texts = [None if pd.isna(value) else str(value) for value in column]
            columns[str(name)] = pa.array(texts, pa.string())
    return pa.table(columns)


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


def _content_digest(X: Any, y: NDArray[np.int64]) -> str:
    """Hash values, not files: OpenML's are made anew whenever it likes."""
    hasher = hashlib.sha256()
    if isinstance(X, np.ndarray):
        hasher.update(f"{X.dtype.str} {X.shape}".encode() + X.tobytes())
    else:
        for name in X.schema.names:
            hasher.update(json.dumps([name, X.column(name).to_pylist()]).encode())
    hasher.update(y.tobytes())
    return hasher.hexdigest()
