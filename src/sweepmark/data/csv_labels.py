"""Encoding of a table's labels: whole numbers unchanged, text as indices of names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.data.csv_header import is_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["MIXED", "LabelError", "encode_labels"]

MIXED = "labels must be numbers throughout or text throughout"
"""The rule in the error for a label that is not a number, among numbers."""

_EXACT = 2.0**53  # from here on float64 cannot represent all integers


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
    numeric = np.array([is_number(text) for text in texts], dtype=bool)
    if names is not None or is_text or not numeric.any():
        known = {name: number for number, name in enumerate(names or texts)}
        if unknown := [place for place, text in enumerate(texts) if text not in known]:
            raise refuse(unknown, f"a label must be one of {', '.join(known)}")
        codes = np.array([known[text] for text in texts], dtype=np.int64)
        return codes[places], tuple(known)
    if not numeric.all():
        raise refuse(
            np.flatnonzero(~numeric),
            MIXED,
        )
    numbers = np.array(texts, dtype=np.float64)
    wrong = np.flatnonzero((numbers != np.rint(numbers)) | (np.abs(numbers) >= _EXACT))
    if len(wrong):
        raise refuse(wrong, "a label must be a whole number below 2^53")
    return numbers.astype(np.int64)[places], None
