"""The predictions of a fitted recipe, and their file format."""

from __future__ import annotations

import io
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Predictions", "concatenate", "load_predictions", "predictions_npz"]

_ARRAYS = ("rows", "y_true", "y_pred", "scores")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Predictions:
    """The predictions of a fitted recipe for the rows it was scored on.

    Attributes
    ----------
    rows : ndarray of shape (n,), int64
        Row numbers in the data set: training rows count from 0, test rows continue after them.
    y_true, y_pred : ndarray of shape (n,), int64
        Class labels.
    scores : ndarray of shape (n, n_classes) or (n,), float64, or None
        decision_function or probabilities, columns in the order of ``Scorecard.classes``; one
        column (the positive class's) if there are two classes.
    """

    rows: NDArray[Any]
    y_true: NDArray[Any]
    y_pred: NDArray[Any]
    scores: NDArray[Any] | None


def predictions_npz(
    predictions: Predictions, *, classes: Sequence[int] = (), names: Sequence[str] = ()
) -> bytes:
    """Return the predictions as the content of an uncompressed ``.npz`` file.

    Parameters
    ----------
    predictions : Predictions
        The file's ``rows``, ``y_true``, ``y_pred`` and ``scores``.
    classes : sequence of int
        The file's ``classes``: the possible values of ``y_true`` and ``y_pred``, ascending.
    names : sequence of str
        The file's ``names``: the names of the classes. Both are omitted if empty.
    """
    arrays = {name: getattr(predictions, name) for name in _ARRAYS}
    if names:
        arrays["classes"], arrays["names"] = np.array(classes), np.array(names)
    buffer = io.BytesIO()
    np.savez(buffer, **{name: array for name, array in arrays.items() if array is not None})
    return buffer.getvalue()


def load_predictions(content: bytes) -> Predictions:
    """Load predictions from the content of an ``.npz`` file, without unpickling.

    Raises
    ------
    DataError
        If it is not such a file.
    """
    try:
        _refuse_compressed(content)
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return Predictions(
                rows=arrays["rows"],
                y_true=arrays["y_true"],
                y_pred=arrays["y_pred"],
                scores=arrays.get("scores"),
            )
    except (*_UNREADABLE, AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"predictions must be an .npz file of {_ARRAYS}: {error!r}") from error


_UNREADABLE = (EOFError, MemoryError, NotImplementedError, OSError, zipfile.BadZipFile, zlib.error)


def _refuse_compressed(content: bytes) -> None:
    """Raise on compressed members, which :func:`predictions_npz` never writes (zip bombs)."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if any(member.compress_type != zipfile.ZIP_STORED for member in archive.infolist()):
            raise ValueError("a compressed member")


def concatenate(parts: Sequence[Predictions]) -> Predictions:
    """Concatenate predictions, sorted by row."""
    rows = np.concatenate([part.rows for part in parts])
    order = np.argsort(rows, kind="stable")
    scores = [part.scores for part in parts if part.scores is not None]
    return Predictions(
        rows=rows[order],
        y_true=np.concatenate([part.y_true for part in parts])[order],
        y_pred=np.concatenate([part.y_pred for part in parts])[order],
        scores=np.concatenate(scores)[order] if len(scores) == len(parts) else None,
    )
