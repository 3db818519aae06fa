"""Experience: how long evaluations in the store took that resemble those to be computed."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Any, Self

from sweepmark.specification.specification import canonical_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sweepmark.coordinator.agenda import Family
    from sweepmark.store import EvaluationStore

__all__ = ["Experience"]

_MOST_READ = 300
"""Evaluations that are read, those written last; each takes about a millisecond."""

_LEAST = 5
"""Evaluations on the same number of rows of which the mean says something about others."""

_UNLIKE = ("fold", "n_splits", "seed")
"""Options of a method that change which rows are fitted on, and hardly how many."""


@dataclass(frozen=True, slots=True)
class Experience:
    """Wall seconds in a worker, by what was evaluated and by the number of training rows.

    They were measured on the machine that computed them, which may have been another one.
    """

    found: Mapping[str, Mapping[int, tuple[float, ...]]]

    @classmethod
    def of(cls, evaluations: EvaluationStore) -> Self:
        """Read the latest evaluations of a store, which need not exist."""
        found: dict[str, dict[int, tuple[float, ...]]] = defaultdict(dict)
        for document in evaluations.recent(_MOST_READ):
            kind, n_train = _kind(document["specification"])
            seconds = document["origin"]["ended"] - document["origin"]["started"]
            if n_train > 0 and seconds > 0:
                found[kind][n_train] = (*found[kind].get(n_train, ()), seconds)
        return cls(found)

    def seconds(self, family: Family) -> dict[int, float]:
        """Return the mean seconds of evaluations like those of a family, by training rows."""
        kind, _ = _kind(family.evaluations[0].document())
        known = self.found.get(kind, {})
        return {n: fmean(seconds) for n, seconds in known.items() if len(seconds) >= _LEAST}


def _kind(specification: Mapping[str, Any]) -> tuple[str, int]:
    """Return what decides the time of an evaluation beside its parameters, and its training rows.

    These are 0 where a file from elsewhere has no number of them.
    """
    parts = [specification.get(name) for name in ("classifier", "method", "split")]
    classifier, method, split = (part if isinstance(part, dict) else {} for part in parts)
    kind = [
        specification.get("data"),
        specification.get("task"),
        specification.get("preprocess"),
        specification.get("threads"),
        classifier.get("_target_"),
        {name: value for name, value in method.items() if name not in _UNLIKE},
    ]
    n_train = split.get("n_train")
    return canonical_json(kind), n_train if isinstance(n_train, int) else 0
