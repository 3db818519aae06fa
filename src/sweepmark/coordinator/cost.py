"""What the evaluations of a family cost, by the samples of a probe."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

from sweepmark.coordinator.estimate import Estimate, extrapolate, plausible_growth, total

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sweepmark.coordinator.agenda import Family
    from sweepmark.coordinator.probe import Sample

__all__ = ["Cost"]

_GROWTH_OF_CACHE = (1.0, 2.0)
_LINEAR = (1.0, 1.0)
_COPIES_OF_ROWS = (0, 2, 4)
"""Training rows in double precision that an evaluation holds at a time, such as preprocessed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What the evaluations of a family cost.

    Attributes
    ----------
    work : Estimate
        Seconds of all of them.
    longest : Estimate
        Seconds of one with most rows.
    shared_seconds : float
        What they would take in addition if they shared nothing.
    stored : Estimate
        Bytes of all of them in the store.
    held, kept : Estimate
        Bytes of a worker without its cache, and of the cache for one set of rows.
    n_rows_sets : int
        How many sets of rows there are.
    """

    work: Estimate
    longest: Estimate
    shared_seconds: float
    stored: Estimate
    held: Estimate
    kept: Estimate
    n_rows_sets: int

    @classmethod
    def of(  # noqa: PLR0913 -- each has a meaning of its own
        cls,
        family: Family,
        samples: Mapping[int, Sequence[Sample]],
        known: Mapping[int, float],
        *,
        scale: float,
        n_slots: int,
        n_columns: int,
        cache_limit: int,
    ) -> Cost:
        """Return the cost of a family.

        Parameters
        ----------
        family : Family
            Its evaluations.
        samples : mapping of int to sequence of Sample
            Those of the probe, by the number of training rows.
        known : mapping of int to float
            Seconds of earlier evaluations in the store, likewise.
        scale : float
            How many more of these evaluations there are.
        n_slots : int
            How many run at a time.
        n_columns : int
            The features of a row.
        cache_limit : int
            The size in bytes of a worker's cache.
        """
        growth = plausible_growth(family.target)
        first = {n: _first_seconds(found) for n, found in samples.items() if len(found) > 1}
        each = _level(samples, {n: _each_seconds(found) for n, found in samples.items()})
        each |= known
        counts = family.rows()
        rows = {item.rows_key: item.split["n_train"] for item in family.evaluations}
        n_extra = max(min(n_slots, len(family.evaluations)) - len(rows), 0)
        largest = max(counts)
        begun = Counter(rows.values()) + Counter({largest: n_extra})
        work = total(extrapolate(each, n, growth) * (scale * count) for n, count in counts.items())
        if any(first.values()):
            work += total(extrapolate(first, n, growth) * count for n, count in begun.items())
        last = samples[max(samples)]
        shared = sum(item.shared_seconds for item in last) / sum(item.seconds for item in last)
        kept = extrapolate(
            {n: float(max(item.cache_bytes for item in found)) for n, found in samples.items()},
            largest,
            _GROWTH_OF_CACHE,
        )
        written = {n: fmean(item.stored_bytes for item in found) for n, found in samples.items()}
        lost = work.middle * shared
        if kept.middle > cache_limit:  # nothing stays in the cache for others
            work = Estimate(work.low, work.middle + lost, work.high + lost)
            shared = 0.0
        return cls(
            work=work,
            longest=extrapolate(each, largest, growth),
            shared_seconds=work.middle * shared,
            stored=total(
                extrapolate(written, n, _LINEAR) * (scale * count) for n, count in counts.items()
            ),
            held=_held(samples, largest, n_columns=n_columns),
            kept=kept,
            n_rows_sets=len(rows),
        )


def _first_seconds(samples: Sequence[Sample]) -> float:
    """Return what the first evaluation on some rows takes more than others on the same rows."""
    if len(samples) == 1:
        return 0.0
    others = min(item.seconds for item in samples[1:])
    return max(min(samples[1].shared_seconds, samples[0].seconds - others), 0.0)


def _each_seconds(samples: Sequence[Sample]) -> float:
    """Return the mean seconds of an evaluation on rows that others were computed on."""
    return (sum(item.seconds for item in samples) - _first_seconds(samples)) / len(samples)


def _level(samples: Mapping[int, Sequence[Sample]], means: Mapping[int, float]) -> dict[int, float]:
    """Return means of all trials by size, where at large sizes only the first ones were probed."""
    fullest = max(samples, key=lambda n: (len(samples[n]), n))
    return {
        n: mean * means[fullest] / _each_seconds(samples[fullest][: len(samples[n])])
        for n, mean in means.items()
    }


def _held(samples: Mapping[int, Sequence[Sample]], n: int, *, n_columns: int) -> Estimate:
    """Return the resident bytes of a worker at a number of rows, without its cache."""
    largest = max(samples)
    held = max(item.peak_bytes - item.cache_bytes for item in samples[largest])
    rows = 8 * n_columns * (n - largest)
    return Estimate(*(float(held + copies * rows) for copies in _COPIES_OF_ROWS))
