"""The Dataset: its parts as arrays, its names and its origin."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.data.labels import Labels

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from pandas import DataFrame

__all__ = ["Dataset", "Part"]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Rows with labels, such as the official training file.

    Attributes
    ----------
    X : ndarray or DataFrame of shape (n_rows, n_features)
        An array is of uint8 or float64, read-only, and memory-mapped if it comes from the cache. A
        table with text or missing values is a frame: columns of numbers are float64 with NaN for
        missing values, others are str with missing values kept.
    y : ndarray of shape (n_rows,), int64
        Labels, or their indices in ``label_names``; read-only.
    """

    X: NDArray[Any] | DataFrame
    y: NDArray[np.int64]

    @property
    def is_frame(self) -> bool:
        """Whether X is a pandas DataFrame."""
        return not isinstance(self.X, np.ndarray)

    @property
    def n_rows(self) -> int:
        """The number of rows."""
        return len(self.y)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Dataset:
    """A data set in two parts: official training rows and, optionally, test rows.

    Rows are numbered consecutively: training rows from 0, test rows after them.

    Attributes
    ----------
    name : str
        Its name in the configuration.
    digest : str
        SHA-256 over the SHA-256s of its files; equal digests are equal data.
    source : str
        The source that it was fetched from.
    image_shape : (int, int) or None
        Height and width of the image in each row of X; None if rows are not images.
    files : mapping of str to str
        SHA-256 of each (decompressed) file by role: ``train_images``, ``train_labels``,
        ``test_images``, ``test_labels``; of a table ``train_table`` and ``test_table``.
    train : Part
        The official training rows, or all there are.
    test : Part or None
        The official test rows.
    feature_names : tuple of str or None
        Names of the columns of X; None if they have none.
    label_column : str or None
        Name of the label column; None if it has none.
    label_names : tuple of str or None
        The labels in the file, if they are text; ``y`` has indices into it.
    split_column : str or None
        Name of the column that the rows are divided by, which is none of X.
    ranks : ndarray of shape (n_rows,), int64, or None
        For each row the rank of its value in that column; equal ranks are equal values.
    identifiers : mapping of str to str
        Columns of a file that say which row it is, and what gives them away.
    """

    name: str
    digest: str
    source: str
    image_shape: tuple[int, int] | None
    files: Mapping[str, str]
    train: Part
    test: Part | None
    feature_names: tuple[str, ...] | None = None
    label_column: str | None = None
    label_names: tuple[str, ...] | None = None
    split_column: str | None = None
    ranks: NDArray[np.int64] | None = None
    identifiers: Mapping[str, str] = field(default_factory=dict)

    @property
    def parts(self) -> dict[str, Part]:
        """The parts by name: ``train`` and, if there is one, ``test``."""
        return {"train": self.train} if self.test is None else self._both(self.test)

    def _both(self, test: Part) -> dict[str, Part]:
        return {"train": self.train, "test": test}

    @property
    def n_rows(self) -> int:
        """Number of rows in all parts."""
        return sum(part.n_rows for part in self.parts.values())

    @property
    def n_features(self) -> int:
        """Columns of X."""
        return int(self.train.X.shape[1])

    @property
    def is_frame(self) -> bool:
        """Whether X is a pandas DataFrame, with text or missing values."""
        return self.train.is_frame

    @property
    def dtype(self) -> str:
        """Type of the elements of X: ``uint8``, ``float64``, or ``mixed`` for a frame."""
        return "mixed" if self.is_frame else str(self.train.X.dtype)

    @property
    def column_types(self) -> dict[str, str] | None:
        """The type of each column of a frame, ``number`` or ``text``; None for an array."""
        if not self.is_frame:
            return None
        frame: Any = self.train.X
        return {
            str(name): "number" if dtype == np.float64 else "text"
            for name, dtype in frame.dtypes.items()
        }

    def label_text(self, label: int) -> str:
        """Return a label as text: its name if there are names."""
        return str(label) if self.label_names is None else self.label_names[label]

    @property
    def labels(self) -> Labels:
        """The labels that occur in any part; for text labels all in ``label_names``."""
        if self.label_names is None:
            return Labels.of_integers(self.classes)
        return Labels.of_names(self.label_names)

    @property
    def classes(self) -> NDArray[np.int64]:
        """The labels that occur in any part, ascending."""
        return np.unique(np.concatenate([part.y for part in self.parts.values()]))

    @property
    def y(self) -> NDArray[np.int64]:
        """All labels, in row order; a copy if there are two parts."""
        if self.test is None:
            return self.train.y
        return np.concatenate([self.train.y, self.test.y])

    def take(self, rows: NDArray[np.integer[Any]]) -> Part:
        """Return the given rows, in the given order.

        Parameters
        ----------
        rows : ndarray of int
            Row numbers in [0, n_rows); repeats are allowed.

        Returns
        -------
        Part
            A view if the rows are consecutive and in one part, otherwise a copy.

        Raises
        ------
        IndexError
            If a row number is negative or too large.
        """
        rows = np.asarray(rows)
        if rows.size and not (rows.min() >= 0 and rows.max() < self.n_rows):
            raise IndexError(
                f"rows must be in [0, {self.n_rows}), but got {rows.min()} to {rows.max()}"
            )
        start = 0
        for part in self.parts.values():
            own = rows - start
            if rows.size and own.min() >= 0 and own.max() < part.n_rows:
                return _pick(part, own)
            start += part.n_rows
        return self._gather(rows)

    def _gather(self, rows: NDArray[np.integer[Any]]) -> Part:
        """Copy rows from both parts; for arrays, without copying either part."""
        if self.is_frame:
            import pandas as pd

            whole = pd.concat([part.X for part in self.parts.values()], ignore_index=True)
            return Part(whole.iloc[rows], self.y[rows])
        X = np.empty((len(rows), self.n_features), dtype=self.train.X.dtype)
        y = np.empty(len(rows), dtype=np.int64)
        start = 0
        for part in self.parts.values():
            (here,) = np.nonzero((rows >= start) & (rows < start + part.n_rows))
            X[here] = part.X[rows[here] - start]
            y[here] = part.y[rows[here] - start]
            start += part.n_rows
        return Part(X, y)


def _pick(part: Part, rows: NDArray[np.integer[Any]]) -> Part:
    chosen: Any = rows
    if bool(np.all(np.diff(rows) == 1)):
        chosen = slice(int(rows[0]), int(rows[-1]) + 1)
    X: Any = part.X
    return Part(X.iloc[chosen] if part.is_frame else X[chosen], part.y[chosen])
