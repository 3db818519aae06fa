"""Labels as internal codes, as values for estimators, and as names for people.

Splits, folds and predictions use integer *codes*. Estimators are fitted on *values*, the labels in
the file (integers, texts or booleans), so that a model predicts these wherever it is loaded. People
read and write *names*.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Labels"]

_BOOLEANS = {("False", "True"), ("false", "true"), ("FALSE", "TRUE")}
_SHOWN = 5


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """The labels of a data set, or those of a task derived from them.

    Attributes
    ----------
    codes : ndarray of shape (n_labels,), int64
        Ascending.
    values : ndarray of shape (n_labels,), int64, str or bool
        The labels for estimators, ascending as well.
    names : tuple of str
        The labels as text.

    Examples
    --------
    >>> labels = Labels.of_names(("churned", "stayed"))
    >>> labels.decode(np.array([1, 0])).tolist(), labels.find("stayed")
    (['stayed', 'churned'], 1)
    >>> Labels.of_names(("False", "True")).values
    array([False,  True])
    """

    codes: NDArray[np.int64]
    values: NDArray[Any]
    names: tuple[str, ...]

    @classmethod
    def of_integers(cls, codes: NDArray[np.int64]) -> Labels:
        """Create labels that are integers, which are their own codes."""
        return cls(codes, codes, tuple(map(str, codes.tolist())))

    @classmethod
    def of_names(cls, names: tuple[str, ...]) -> Labels:
        """Create labels from names, booleans if these are False and True; codes are indices."""
        values = np.array([False, True]) if names in _BOOLEANS else np.array(names)
        return cls(np.arange(len(names)), values, names)

    @classmethod
    def of_one(cls, name: str) -> Labels:
        """Create the boolean labels of one label against the rest."""
        return cls(np.arange(2), np.array([False, True]), (f"not {name}", name))

    @property
    def kind(self) -> str:
        """Type of the values: ``int64``, ``str`` or ``bool``."""
        return "str" if self.values.dtype.kind == "U" else str(self.values.dtype)

    def only(self, codes: NDArray[np.int64]) -> Labels:
        """Return the labels with some codes, in ascending order."""
        if self.codes is self.values:
            return Labels.of_integers(codes)
        places = np.searchsorted(self.codes, codes)
        return Labels(codes, self.values[places], tuple(self.names[i] for i in places.tolist()))

    def decode(self, codes: NDArray[np.int64]) -> NDArray[Any]:
        """Return the values of codes."""
        if self.codes is self.values:
            return codes
        return np.asarray(self.values[np.searchsorted(self.codes, codes)])

    def encode(self, values: NDArray[Any]) -> NDArray[np.int64]:
        """Return the codes of values.

        Raises
        ------
        DataError
            If a value is not a label.
        """
        if self.codes is self.values:
            return np.asarray(values, dtype=np.int64)
        asked = np.asarray(values).astype(bool if self.kind == "bool" else str)
        places = np.minimum(np.searchsorted(self.values, asked), len(self.values) - 1)
        if (wrong := self.values[places] != asked).any():
            found = np.unique(asked[wrong])[:_SHOWN].tolist()
            raise DataError(f"a label must be one of {', '.join(self.names)}, but got {found}")
        return self.codes[places]

    def find(self, wanted: object) -> int | None:
        """Return the code of a label given by name; booleans in upper or lower case."""
        text = str(wanted)
        if text in self.names:
            return int(self.codes[self.names.index(text)])
        if self.kind == "bool" and text.casefold() in (words := ["false", "true"]):
            return words.index(text.casefold())
        return None

    def value(self, code: int) -> int | str | bool:
        """Return the value of one code as a Python object."""
        (value,) = self.decode(np.array([code])).tolist()
        found: int | str | bool = value
        return found

    def called(self, codes: Sequence[int]) -> tuple[str, ...]:
        """Return the names of codes."""
        known = dict(zip(self.codes.tolist(), self.names, strict=True))
        return tuple(known.get(code, str(code)) for code in codes)
