"""Placement: which of the waiting evaluations a free worker takes, so that work is shared.

A worker keeps what it computed: a fold's fitted preprocessing, its distances, the kernel of a
gamma. So it stays with the rows it has, then with the parameters that make it compute anew, and
goes through those along which it need not, like C. A worker without anything left of its own takes
rows that no other has, the most first, so that no long fit is left for the end, and at last it
helps another. Placement decides where and in which order
evaluations run, never which numbers come out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sweepmark.specification import canonical_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sweepmark.engine import Job
    from sweepmark.specification import Specification

__all__ = ["Placement"]

_SHARING = frozenset({"C", "n_estimators", "n_neighbors"})
"""Parameters of classifiers along which fits on the same rows share most of their work."""


@dataclass(frozen=True, slots=True)
class _Place:
    """What an evaluation works on: its rows as preprocessed, and what else it computes anew."""

    rows: str
    family: str

    @classmethod
    def of(cls, specification: Specification) -> _Place:
        classifier = specification.classifier.items()
        family = {name: value for name, value in classifier if name not in _SHARING}
        return cls(specification.rows_key, canonical_json(family))


@dataclass(slots=True)
class Placement:
    """Remembers what each slot worked on last."""

    _places: dict[str, _Place] = field(default_factory=dict)
    _last: dict[int, _Place] = field(default_factory=dict)

    def choose(self, ready: Iterable[Job], slot: int) -> Job:
        """Return the job that a slot shares most with; of equals one with most rows, or the first.

        Parameters
        ----------
        ready : iterable of Job
            What could be begun, in the order in which it was wanted; at least one.
        slot : int
            Which is free.
        """
        last = self._last.get(slot)
        others = {place for other, place in self._last.items() if other != slot}
        rows_of_others = {place.rows for place in others}

        def strangeness(job: Job) -> tuple[int, ...]:
            place = self._place(job)
            own = last is not None and place.rows == last.rows
            return (
                not (own and place == last),
                not own,
                place.rows in rows_of_others,
                place in others,
                -job.specification.split["n_train"],
            )

        chosen = min(ready, key=strangeness)
        self._last[slot] = self._place(chosen)
        return chosen

    def forget(self, job: Job) -> None:
        """Let go of a job that is done."""
        self._places.pop(job.specification.key, None)

    def _place(self, job: Job) -> _Place:
        key = job.specification.key
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = _Place.of(job.specification)
        return place
