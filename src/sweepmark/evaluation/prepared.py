"""Preprocessed rows, cached for the evaluations of a process.

The cells of a grid on one fold fit the same preprocessing on the same rows. It is fitted once, and
its output arrays are frozen, so that no classifier can change the next one's input. Seconds and
warnings are those of the first computation, so that they do not depend on the state of the cache.
"""

from __future__ import annotations

import time
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark import cache

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from sweepmark.data import Part

__all__ = ["Prepared", "prepare", "transform"]


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """Preprocessed rows with the fitted steps, the seconds and the warnings.

    Attributes
    ----------
    steps : tuple of transformers
        Fitted, in order, including those with ``fit_resample``.
    X : ndarray, sparse matrix or DataFrame of shape (n_rows, n_features)
        The input of the classifier; an array is read-only (frozen if cached), anything else is a
        copy.
    y : ndarray of shape (n_rows,), int64, or None
        Their labels, for rows that are fitted on.
    seconds : float
        Seconds of the steps when they were computed, for this evaluation or an earlier one.
    warnings : tuple of (str, type)
        Warnings of the steps; issued again in every evaluation that uses the rows.
    """

    steps: tuple[Any, ...]
    X: Any
    y: NDArray[np.int64] | None
    seconds: float
    warnings: tuple[tuple[str, type[Warning]], ...]


def prepare(steps: Sequence[Any], rows: Callable[[], Part], *, key: str | None) -> Prepared:
    """Return preprocessing fitted on training rows.

    Parameters
    ----------
    steps : sequence of transformers
        Unfitted. A step with ``fit_resample`` may change the number of training rows.
    rows : callable
        Opens the training rows; not called on a cache hit. The rows are released as soon as they
        are transformed.
    key : str or None
        Identifies rows and steps; see ``Specification.rows_key``. None disables the cache.
    """

    def make() -> Prepared:
        part = rows()
        X, y = part.X, part.y
        del part
        started = time.perf_counter()
        with _recorded() as caught:
            for step in steps:
                if hasattr(step, "fit_resample"):
                    X, y = step.fit_resample(X, y)
                else:
                    X = step.fit_transform(X, y)
        seconds = time.perf_counter() - started
        return Prepared(tuple(steps), X, y, seconds, _texts(caught))

    # Without steps the rows are memory-mapped from the data cache, which all processes share.
    return _made(make, ("prepared", key) if steps and key is not None else None)


def transform(steps: Sequence[Any], X: Any, *, key: str | None = None) -> Prepared:
    """Transform rows by fitted preprocessing.

    Parameters
    ----------
    steps : sequence of transformers
        Fitted; steps with ``fit_resample`` are skipped.
    X : ndarray or DataFrame of shape (n_rows, n_features)
        The rows.
    key : str or None
        Identifies rows and steps; None disables the cache.
    """

    def make() -> Prepared:
        made = X
        started = time.perf_counter()
        with _recorded() as caught:
            for step in steps:
                if not hasattr(step, "fit_resample"):
                    made = step.transform(made)
        seconds = time.perf_counter() - started
        return Prepared(tuple(steps), made, None, seconds, _texts(caught))

    return _made(make, ("transformed", key) if steps and key is not None else None)


def _made(make: Callable[[], Prepared], key: tuple[str, str] | None) -> Prepared:
    """Return rows for one evaluation: their warnings are issued, mutable data are copied."""
    if key is None:
        made = make()
        made = replace(made, X=_read_only(made.X), y=_read_only(made.y))
    else:
        made = cache.fetch(key, lambda: _frozen(make()), _size)
    for text, category in made.warnings:
        warnings.warn(text, category, stacklevel=4)
    return made if isinstance(made.X, np.ndarray) else replace(made, X=made.X.copy())


@contextmanager
def _recorded() -> Iterator[list[warnings.WarningMessage]]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield caught


def _texts(caught: list[warnings.WarningMessage]) -> tuple[tuple[str, type[Warning]], ...]:
    return tuple(dict.fromkeys((str(one.message), one.category) for one in caught))


def _frozen(made: Prepared) -> Prepared:
    """Return immutable rows, so that object identity implies equal content."""
    X, y = made.X, made.y
    if isinstance(X, np.ndarray):
        # Arrays of objects cannot be frozen, and a copy of non-contiguous rows would have another
        # memory layout, on which last digits can depend.
        is_plain = X.flags.forc and not X.dtype.hasobject
        X = cache.freeze(X) if is_plain else _read_only(X)
    return replace(made, X=X, y=None if y is None else cache.freeze(y))


def _read_only(X: Any) -> Any:
    if not isinstance(X, np.ndarray):
        return X
    if not X.flags.owndata:
        X = X.view()
    X.flags.writeable = False
    return X


def _size(made: Prepared) -> int:
    """Return the size of rows in bytes; for other types than arrays an upper estimate."""
    X, labels = made.X, 0 if made.y is None else made.y.nbytes
    if isinstance(X, np.ndarray):
        return X.nbytes + labels
    if hasattr(X, "memory_usage"):
        return int(X.memory_usage(deep=True).sum()) + labels
    return int(X.data.nbytes) * 3 + labels  # a sparse matrix: values and indices
