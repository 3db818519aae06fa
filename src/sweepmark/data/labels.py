"""Labels as internal codes, as values for estimators, and as names for people.

Splits, folds and predictions use integer *codes*. Estimators are fitted on *values*, the labels in
the file (integers, texts or booleans), so that a model predicts these wherever it is loaded. People
read and write *names*.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.data.csv_dialect import PLAIN
from sweepmark.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["MIXED", "LabelError", "Labels", "encode_labels"]

MIXED = "labels must be numbers throughout or text throughout"
"""The rule in the error for a label that is not a number, among numbers."""

_MOST_CLASSES = 20
"""From more different numbers on, of which some are not whole, they are taken for quantities."""

_WHOLE = "a label must be a whole number below 2^53"

_REGRESSION = (
    "a label must be a whole number or a text: {} different numbers with decimals are quantities, "
    "and sweepmark classifies (for regression take scikit-learn's regressors with GridSearchCV or "
    "Optuna; dataset.label names another column)"
)

_EXACT = 2.0**53  # from here on float64 cannot represent all integers
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


class LabelError(Exception):
    """An invalid label, with its row and the rule that it violates.

    Attributes
    ----------
    row : int
        From 0.
    rule : str
        What the label must be.
    """

    def __init__(self, row: int, rule: str) -> None:
        super().__init__(row, rule)
        self.row = row
        self.rule = rule


def encode_labels(
    cells: Sequence[str | None], names: tuple[str, ...] | None = None, *, is_text: bool = False
) -> tuple[NDArray[np.int64], tuple[str, ...] | None]:
    """Return labels as integers, and their names if they are text.

    Parameters
    ----------
    cells : sequence of str or None
        The labels in the file; None is missing.
    names : tuple of str, optional
        The allowed names, such as those of the training rows.
    is_text : bool
        Whether labels are text even if they look like numbers.

    Returns
    -------
    y : ndarray of shape (n_rows,), int64
        The numbers themselves, or indices of names.
    names : tuple of str or None
        The names in alphabetical order; None if the labels are numbers.

    Raises
    ------
    LabelError
        If a label is missing, not a whole number among numbers, or not among the names.

    Examples
    --------
    >>> encode_labels(["no", "yes", "no"])
    (array([0, 1, 0]), ('no', 'yes'))
    """
    values, places = np.unique(
        np.array(["" if c is None else c for c in cells]), return_inverse=True
    )
    texts = values.tolist()

    def refuse(wrong: Any, rule: str) -> LabelError:
        return LabelError(int(np.flatnonzero(np.isin(places, wrong))[0]), rule)

    if "" in texts:
        raise refuse([texts.index("")], "a label must be given")
    numeric = np.array([PLAIN.is_number(text) for text in texts], dtype=bool)
    if names is not None or is_text or not numeric.any():
        known = {name: number for number, name in enumerate(names or texts)}
        if unknown := [place for place, text in enumerate(texts) if text not in known]:
            raise refuse(unknown, f"a label must be one of {', '.join(known)}")
        codes = np.array([known[text] for text in texts], dtype=np.int64)
        return codes[places], tuple(known)
    if not numeric.all():
        raise refuse(np.flatnonzero(~numeric), MIXED)
    numbers = np.array(texts, dtype=np.float64)
    wrong = np.flatnonzero((numbers != np.rint(numbers)) | (np.abs(numbers) >= _EXACT))
    if len(wrong):
        is_quantity = len(texts) > _MOST_CLASSES
        raise refuse(wrong, _REGRESSION.format(len(texts)) if is_quantity else _WHOLE)
    return numbers.astype(np.int64)[places], None
