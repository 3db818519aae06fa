"""The parts of an evaluation: which rows it fits on, scores and watches, and their labels."""

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
    """Which rows of the data set are fitted on, scored, and watched without being either.

    Attributes
    ----------
    specification : Specification
        Whose they are.
    labels : Labels
        What its classes are called, inside and outside.
    fit, scored : ndarray of int64
        Numbers of rows.
    watched : ndarray of int64 or None
        None where no other rows are watched.
    """

    specification: Specification
    labels: Labels
    fit: NDArray[np.int64]
    scored: NDArray[np.int64]
    watched: NDArray[np.int64] | None = None

    @classmethod
    def of(cls, specification: Specification) -> Parts:
        """Return the parts that a specification asks for.

        Raises
        ------
        DataError
            If the data set is damaged in the cache, or not there (NotFoundError).
        """
        task, method = specification.task, specification.method
        dataset = _opened(specification.data, _root())
        labels = _labels(specification.data, _root(), **task)
        train, test = split_rows(specification.split, dataset)
        parts = cls(specification=specification, labels=labels, fit=train, scored=test)
        if method["name"] == "fold":
            return parts.divided(*fold_rows(method, targets(task, dataset.y[train])))
        if method.get("validation") is None:
            return parts
        fit, held_out = hold_out(method["validation"], len(train))
        if method["name"] == "validation":
            return parts.divided(fit, held_out)
        return replace(parts, fit=train[fit], watched=train[held_out])

    def divided(self, fit: NDArray[np.int64], scored: NDArray[np.int64]) -> Parts:
        """Return parts of those that are fitted on, given as positions in them."""
        return replace(self, fit=self.fit[fit], scored=self.fit[scored], watched=None)

    @property
    def positive(self) -> int | None:
        """The number of the positive class; None of more than two."""
        return positive_class(self.specification.task)

    @property
    def n_positive(self) -> int:
        """How many rows of the positive class are fitted on; 0 where there is none."""
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
        """The positive class as estimators have it."""
        return None if self.positive is None else self.labels.value(self.positive)

    def take(self, rows: NDArray[np.int64]) -> Part:
        """Return rows with labels as estimators have them.

        The data set is opened for them alone: what is mapped of it goes when they do.
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
    """Open a data set once for all evaluations of it: some take little longer than that."""
    from sweepmark.data import open_dataset

    del root  # where it is looked for
    return open_dataset(digest)


@lru_cache(maxsize=16)
def _labels(digest: str, root: Path, name: str, positive: int | None = None) -> Labels:
    return task_labels({"name": name, "positive": positive}, _opened(digest, root))
