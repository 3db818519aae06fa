"""The interface of files with a table: CSV, Parquet, Feather and npz."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sweepmark.errors import ConfigurationError, unknown_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from sweepmark.config.schema import DatasetConfig
    from sweepmark.errors import DataError

__all__ = ["TableFile"]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class TableFile(ABC):
    """A file with a table, opened: its columns are known, its rows are not read yet.

    Attributes
    ----------
    path : Path
        The file.
    names : tuple of str
        All columns; ``column_1`` and so on where the file has no name.
    is_named : bool
        Whether the file names its columns.
    index : tuple of int
        Places of columns that number the rows, which are no features.
    unnamed : tuple of int
        Places of columns without a name, in a file that names its columns.
    findings : tuple of str
        What was found out about how the file is written, in words.
    settings : mapping of str to str
        The same for the digest of the data set: only what is not as in most files.
    has_own_labels : bool
        Whether the format itself says which column has the labels: ``own_label``.
    own_label : int or None
        Its place; None if the file has no labels.
    image_shape : (int, int) or None
        Height and width of the image in each row, if the format says so.
    """

    path: Path
    names: tuple[str, ...]
    is_named: bool
    index: tuple[int, ...] = ()
    unnamed: tuple[int, ...] = ()
    findings: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    has_own_labels: bool = False
    own_label: int | None = None
    image_shape: tuple[int, int] | None = None

    def place(self, name: str, *, key: str) -> int:
        """Return the place of a column; the error has the existing columns and the config key."""
        if name not in self.names:
            raise ConfigurationError(f"{key}: {unknown_name('column', name, self.names)}")
        return self.names.index(name)

    @abstractmethod
    def digest(self) -> str:
        """Return the SHA-256 of the file's content in hexadecimal."""

    @abstractmethod
    def read(
        self, features: Sequence[int], label: int | None, config: DatasetConfig
    ) -> tuple[Any, list[str | None], bool]:
        """Read the rows.

        Parameters
        ----------
        features : sequence of int
            Places of the columns to read, ascending.
        label : int or None
            Place of the labels.
        config : DatasetConfig
            ``table``, ``types`` and ``missing``.

        Returns
        -------
        X : ndarray of shape (n_rows, n_features), uint8 or float64; or pyarrow.Table
            An array of finite numbers if ``table`` is numeric, else columns of float64 and string
            with null for missing values.
        labels : list of str or None
            None for missing labels; empty if ``label`` is None.
        is_text : bool
            Whether labels are text even if they look like numbers.

        Raises
        ------
        DataError
            If the file is damaged or a cell is not what it must be, with row and column.
        """

    @abstractmethod
    def fault(self, row: int, place: int, rule: str) -> DataError:
        """Return the error for a cell, at a row and a place from 0, that breaks a rule."""
