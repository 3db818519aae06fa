"""Placement: which waiting evaluation a free worker computes, so that it can reuse its cache.

A worker caches a fold's fitted preprocessing, its distances, and the kernel of a gamma. So it first
takes evaluations that differ only in parameters that reuse nearly everything, like C; then the
oldest ones on rows that it has cached, or that no worker has. With several folds, all folds of a
trial are computed before the next trial if the worker has memory for their rows; otherwise all
trials of a fold before the next fold. A worker without such work helps another one. Among equals
the one with most rows goes first, so that no long fit is left for the end. Placement affects where
and in which order evaluations run, never their results.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sweepmark.specification.specification import canonical_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sweepmark.engine import Job
    from sweepmark.specification.specification import Specification

__all__ = ["Placement"]

_SHARING = frozenset({"C", "n_estimators", "n_neighbors"})
"""Parameters of classifiers in which fits on the same rows may differ and still share most work."""

_BYTES_PER_PAIR = 16
"""Maximum bytes cached per pair of training rows: a distance and a kernel value, in double."""


@dataclass(frozen=True, slots=True)
class _Place:
    """The shareable work of an evaluation: its preprocessed rows, and what is computed on them."""

    rows: str
    family: str

    @classmethod
    def of(cls, specification: Specification) -> _Place:
        classifier = specification.classifier.items()
        family = {name: value for name, value in classifier if name not in _SHARING}
        return cls(specification.rows_key, canonical_json(family))


@dataclass(slots=True)
class Placement:
    """Tracks what each slot works on, and which rows it has cached."""

    _places: dict[str, _Place] = field(default_factory=dict)
    _last: dict[int, _Place] = field(default_factory=dict)
    _rows: dict[int, set[str]] = field(default_factory=dict)
    _ages: dict[str, int] = field(default_factory=dict)

    def choose(self, ready: Iterable[Job], slot: int) -> Job:
        """Return the job that reuses most of a slot's cache; among equals one with most rows.

        Parameters
        ----------
        ready : iterable of Job
            The jobs that could be started, in the order of request; at least one.
        slot : int
            The free slot.
        """
        placed = [(self._place(job), job) for job in ready]
        for place, _ in placed:
            self._ages.setdefault(place.family, len(self._ages))
        left = {place.rows for place, _ in placed}
        own = self._rows.get(slot, set()) & left
        last = self._last.get(slot)
        others = {place for other, place in self._last.items() if other != slot}
        taken = {rows for other, some in self._rows.items() if other != slot for rows in some}
        taken |= {place.rows for place in others}

        def strangeness(item: tuple[_Place, Job]) -> tuple[int, ...]:
            place, job = item
            is_new = place.rows not in own
            return (
                place != last,
                is_new and (place.rows in taken or not _has_room(job, len(own))),
                is_new and place.rows in taken,
                place in others,
                self._ages[place.family],
                is_new,
                -job.specification.split["n_train"],
            )

        place, chosen = min(placed, key=strangeness)
        self._last[slot] = place
        self._rows[slot] = own | {place.rows}
        return chosen

    def forget(self, job: Job) -> None:
        """Forget a finished job."""
        self._places.pop(job.specification.key, None)

    def _place(self, job: Job) -> _Place:
        key = job.specification.key
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = _Place.of(job.specification)
        return place


def _has_room(job: Job, n_kept: int) -> bool:
    """Whether a worker with that many sets of rows in its cache has room for those of a job."""
    if job.shared_memory is None or not n_kept:
        return True
    n_train: int = job.specification.split["n_train"]
    return (n_kept + 1) * _BYTES_PER_PAIR * n_train**2 <= job.shared_memory
