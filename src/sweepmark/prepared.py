"""Rows as preprocessing leaves them, shared between the evaluations of a process.

The cells of a grid on one fold fit the same preprocessing on the same rows. It is fitted once, and
the arrays it makes are read-only, so that no classifier can change what the next one sees.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark import sharing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from sweepmark.data import Part

__all__ = ["Prepared", "prepare", "transform"]


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """Fitted preprocessing and the training rows it made.

    Attributes
    ----------
    steps : tuple of transformers
        Fitted, in order; what only changes training rows is among them.
    X : ndarray, sparse matrix or DataFrame of shape (n_rows, n_features)
        What the classifier is fitted on; an array is read-only.
    y : ndarray of shape (n_rows,), int64
        Its labels.
    """

    steps: tuple[Any, ...]
    X: Any
    y: NDArray[np.int64]


def prepare(steps: Sequence[Any], rows: Callable[[], Part], *, key: str) -> Prepared:
    """Return preprocessing fitted on training rows.

    Parameters
    ----------
    steps : sequence of transformers
        Unfitted. One with ``fit_resample`` changes training rows and their number.
    rows : callable
        Opens the training rows; not called if they are prepared already. They are let go of as
        soon as they are transformed.
    key : str
        What decides rows and steps; see ``Specification.rows_key``.
    """

    def make() -> Prepared:
        part = rows()
        X, y = part.X, part.y
        del part
        for step in steps:
            if hasattr(step, "fit_resample"):
                X, y = step.fit_resample(X, y)
            else:
                X = step.fit_transform(X, y)
        return Prepared(tuple(steps), _read_only(X), _read_only(y))

    if not steps:  # the rows are mapped from the cache, which all processes share
        return make()
    return sharing.fetch(("prepared", key), make, lambda made: _size(made.X) + made.y.nbytes)


def transform(steps: Sequence[Any], X: Any, *, key: str | None = None) -> Any:
    """Return what fitted preprocessing makes of rows that are not fitted on.

    Parameters
    ----------
    steps : sequence of transformers
        Fitted; one with ``fit_resample`` is left out.
    X : ndarray or DataFrame of shape (n_rows, n_features)
        The rows.
    key : str or None
        What decides rows and steps; None shares nothing.
    """

    def make() -> Any:
        made = X
        for step in steps:
            if not hasattr(step, "fit_resample"):
                made = step.transform(made)
        return _read_only(made)

    if not steps or key is None:
        return make()
    return sharing.fetch(("transformed", key), make, _size)


def _read_only(X: Any) -> Any:
    if not isinstance(X, np.ndarray):
        return X
    if not X.flags.owndata:
        X = X.view()
    X.flags.writeable = False
    return X


def _size(X: Any) -> int:
    """Return the bytes that rows hold; of what is no array an estimate from above."""
    if isinstance(X, np.ndarray):
        return X.nbytes
    if hasattr(X, "memory_usage"):
        return int(X.memory_usage(deep=True).sum())
    return int(X.data.nbytes) * 3  # a sparse matrix: values and their places
