"""The parts of an evaluation: the rows that it fits on, scores and monitors, and their labels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from sweepmark.specification.folds import fold_rows, hold_out
from sweepmark.specification.split import split_rows
from sweepmark.specification.task import positive_class, targets, task_labels

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from sweepmark.data import Dataset, Labels, Part
    from sweepmark.specification.specification import Specification

__all__ = ["Parts"]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Parts:
    """The rows of a data set that are fitted on, scored, and monitored without being either.

    Attributes
    ----------
    specification : Specification
        The evaluation.
    labels : Labels
        The codes, values and names of its classes.
    fit, scored : ndarray of int64
        Row numbers.
    watched : ndarray of int64 or None
        Rows that are only monitored; None if there are none.
    """

    specification: Specification
    labels: Labels
    fit: NDArray[np.int64]
    scored: NDArray[np.int64]
    watched: NDArray[np.int64] | None = None

    @classmethod
    def of(cls, specification: Specification) -> Parts:
        """Return the parts of a specification.

        Raises
        ------
        DataError
            If the data set is damaged in the cache, or missing (NotFoundError).
        """
        task, method = specification.task, specification.method
        dataset = _opened(specification.data, _root())
        labels = _labels(specification.data, _root(), **task)
        train, test = split_rows(specification.split, dataset)
        parts = cls(specification=specification, labels=labels, fit=train, scored=test)
        if method["name"] == "fold":
            return parts.divided(*fold_rows(method, targets(task, dataset.y[train]), parts.ranks))
        if method.get("validation") is None:
            return parts
        fit, held_out = hold_out(method["validation"], len(train), parts.ranks)
        if method["name"] == "validation":
            return parts.divided(fit, held_out)
        return replace(parts, fit=train[fit], watched=train[held_out])

    def divided(self, fit: NDArray[np.int64], scored: NDArray[np.int64]) -> Parts:
        """Return parts of the rows that are fitted on, given as positions in them."""
        return replace(self, fit=self.fit[fit], scored=self.fit[scored], watched=None)

    @property
    def ranks(self) -> NDArray[np.int64] | None:
        """The groups of the rows that are fitted on; None if rows are not divided by a column."""
        ranks = _opened(self.specification.data, _root()).ranks
        return None if ranks is None else ranks[self.fit]

    @property
    def positive(self) -> int | None:
        """The code of the positive class; None for more than two classes."""
        return positive_class(self.specification.task)

    @property
    def n_positive(self) -> int:
        """Number of fitted rows of the positive class; 0 if there is none."""
        return 0 if self.positive is None else int((self._y_fit == self.positive).sum())

    @property
    def taught(self) -> Labels:
        """The labels that are fitted on."""
        return self.labels.only(np.unique(self._y_fit))

    @property
    def _y_fit(self) -> NDArray[np.int64]:
        y = _opened(self.specification.data, _root()).y
        return targets(self.specification.task, y[self.fit])

    @property
    def pos_label(self) -> int | str | bool | None:
        """The positive class as a value that estimators use."""
        return None if self.positive is None else self.labels.value(self.positive)

    def take(self, rows: NDArray[np.int64]) -> Part:
        """Return rows, with labels as values that estimators use.

        The data set is opened for these rows only, so that its memory mapping is released with
        them.
        """
        from sweepmark.data import open_dataset

        part = open_dataset(self.specification.data).take(rows)
        y = self.labels.decode(targets(self.specification.task, part.y))
        return replace(part, y=y)


def _root() -> Path:
    from sweepmark.data import cache

    return cache.root()


@lru_cache(maxsize=2)
def _opened(digest: str, root: Path) -> Dataset:
    """Open a data set once for all its evaluations, some of which take little longer."""
    from sweepmark.data import open_dataset

    del root  # the cache folder is part of the key
    return open_dataset(digest)


@lru_cache(maxsize=16)
def _labels(digest: str, root: Path, name: str, positive: int | None = None) -> Labels:
    return task_labels({"name": name, "positive": positive}, _opened(digest, root))
