"""NumPy's npz files as tables: an array of rows or of images, and one of labels."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.data.columns import narrow
from sweepmark.data.csv_dialect import PLAIN
from sweepmark.data.table_entry import file_digest
from sweepmark.data.table_file import TableFile
from sweepmark.data.unpacking import UNPACKING_FAULTS, largest
from sweepmark.errors import ConfigurationError, DataError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from sweepmark.config.schema import DatasetConfig

__all__ = ["NpzFile", "open_npz"]

_PAIRS = (("X", "y"), ("data", "target"))
_SUFFIX = ".npy"
_OF_ROWS, _OF_IMAGES = 2, 3  # dimensions
_EXACT = 2**53  # from here on float64 cannot represent all integers


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class NpzFile(TableFile):
    """An npz file, read.

    Attributes
    ----------
    X : ndarray of shape (n_rows, n_features)
        Numbers or booleans.
    y : ndarray of shape (n_rows,) or None
        Labels: integers, booleans, texts, or floats that are whole.
    """

    X: NDArray[Any]
    y: NDArray[Any] | None

    def digest(self) -> str:
        """Return the SHA-256 of the file in hexadecimal."""
        return file_digest(self.path)

    def read(
        self, features: Sequence[int], label: int | None, config: DatasetConfig
    ) -> tuple[Any, list[str | None], bool]:
        """Return the rows; see :meth:`TableFile.read`."""
        n_before = len(self.names) - self.X.shape[1]  # columns before those of X
        X = self.X[:, [place - n_before for place in features]]
        if X.dtype.kind in "iu" and X.size and max(-int(X.min()), int(X.max())) >= _EXACT:
            raise DataError(f"{self.path}: whole numbers must be below 2^53")
        X = X if X.dtype == np.uint8 else X.astype(np.float64)
        is_mixed = config.table == "mixed"
        marks = [float(cell) for cell in config.missing if PLAIN.is_number(cell)]
        if is_mixed and marks and self.X.dtype.kind != "b":
            X = np.where(np.isin(X, marks), np.nan, X)
        wrong = ~(np.isfinite(X) | np.isnan(X)) if is_mixed else ~np.isfinite(X)
        if wrong.any():
            row, number = map(int, np.argwhere(wrong)[0])
            rule = "must be finite or missing" if is_mixed else "must be a finite number"
            fault = self.fault(row, features[number], rule)
            raise (
                fault
                if is_mixed
                else DataError(f"{fault}. Missing values need dataset.table=mixed.")
            )
        cells = [] if label is None or self.y is None else [str(one) for one in self.y.tolist()]
        is_text = self.y is not None and (
            self.y.dtype.kind == "U" or config.types.get(self.names[0]) == "text"
        )
        if not is_mixed:
            return narrow(X), [*cells], is_text
        import pyarrow as pa

        columns = {
            self.names[place]: pa.array(X[:, number].astype(np.float64), from_pandas=True)
            for number, place in enumerate(features)
        }
        return pa.table(columns), [*cells], is_text

    def fault(self, row: int, place: int, rule: str) -> DataError:
        """Return the error for a cell that breaks a rule."""
        n_before = len(self.names) - self.X.shape[1]
        if place < n_before and self.y is not None:
            where, value = f"label {row}", self.y[row]
        else:
            where, value = f"row {row + 1}, {self.names[place]}", self.X[row, place - n_before]
        return DataError(f"{self.path}: {where}: {rule}, but got {value}")


def open_npz(path: Path, config: DatasetConfig) -> NpzFile:
    """Open an npz file and read its arrays, without unpickling anything.

    Raises
    ------
    DataError
        If it is damaged, lacks arrays by known names, or these have other types or shapes.
    ConfigurationError
        If a column of labels is configured.
    """
    if config.label is not None:
        raise ConfigurationError(
            f"dataset.label is the column of a table, but the labels of {path} are the array y. "
            "Leave it out."
        )
    try:
        X, y = _arrays(path)
    except (*UNPACKING_FAULTS, MemoryError) as error:
        if isinstance(error, DataError):
            raise
        reason = str(error).partition("\n")[0]
        raise DataError(f"{path}: must be a whole npz file, but: {reason}") from error
    shape = None
    if X.ndim == _OF_IMAGES:
        shape = (int(X.shape[1]), int(X.shape[2]))
        X = X.reshape(len(X), -1)
    numbered = [f"column_{place}" for place in range(1, X.shape[1] + 1)]
    return NpzFile(
        path=path,
        names=tuple(numbered if y is None else ["y", *numbered]),
        is_named=False,
        findings=("npz",),
        has_own_labels=True,
        own_label=None if y is None else 0,
        image_shape=shape,
        X=X,
        y=y,
    )


def _arrays(path: Path) -> tuple[NDArray[Any], NDArray[Any] | None]:
    with zipfile.ZipFile(path) as archive:
        sizes = {
            member.filename.removesuffix(_SUFFIX): member.file_size for member in archive.infolist()
        }
        names = next((pair for pair in _PAIRS if pair[0] in sizes), None)
        if names is None:
            raise DataError(
                f"{path}: must have arrays X and y, or data and target, but has "
                f"{', '.join(sizes)}. Write it by numpy.savez(FILE, X=…, y=…)."
            )
        given = [name for name in names if name in sizes]
        if sum(sizes[name] for name in given) > (bound := largest(path)):
            raise DataError(
                f"{path}: its content must have {bound:,} bytes at most, but has more. Write it by "
                "numpy.savez, which does not compress."
            )
        X, *labels = [_array(archive, name, path) for name in given]
    if X.dtype.kind not in "biuf" or X.ndim not in {_OF_ROWS, _OF_IMAGES} or not X.size:
        raise DataError(
            f"{path}: {names[0]} must be of numbers and of shape (n_rows, n_features) or, for "
            f"images, (n_rows, height, width), but is {X.dtype} of shape {X.shape}"
        )
    for y in labels:
        if y.dtype.kind not in "biufU" or y.shape != (len(X),):
            raise DataError(
                f"{path}: {names[1]} must be whole numbers, booleans or texts of shape "
                f"({len(X)},), but is {y.dtype} of shape {y.shape}"
            )
    return X, labels[0] if labels else None


def _array(archive: zipfile.ZipFile, name: str, path: Path) -> NDArray[Any]:
    content = archive.read(name + _SUFFIX)
    try:
        return np.asarray(np.load(io.BytesIO(content), allow_pickle=False))
    except ValueError as error:
        if "allow_pickle" not in str(error):
            raise
        raise DataError(
            f"{path}: {name} must be an array of numbers or texts, but is one of Python objects, "
            "which are not loaded: that can run any code. Give it a dtype."
        ) from error
