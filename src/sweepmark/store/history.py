"""The History of a sweep: the content of its journal, by trial."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sweepmark.store.journal import Entry

__all__ = ["History", "Result"]


@dataclass(frozen=True, slots=True)
class Result:
    """The result of an evaluation in a sweep.

    Attributes
    ----------
    digest : str
        As returned by :func:`sweepmark.store.manifest.result_digest`.
    fit_seconds, predict_seconds : float
        Seconds of the computation, by this sweep or by the one that it was reused from.
    """

    digest: str
    fit_seconds: float
    predict_seconds: float


@dataclass(slots=True)
class History:
    """The state of a sweep after the entries processed so far.

    Attributes
    ----------
    opened : dict
        The first entry: blueprint, versions and identity of the sweep.
    params : dict of int to dict
        Parameters by trial number, as decided.
    outcomes : dict of int to dict
        The last outcome entry by trial number.
    retried : set of int
        Trials with more than one outcome: they had failed, or their result was lost.
    computed : set of str
        Keys of the evaluations computed by this sweep.
    results : dict of str to Result
        The results of the sweep's evaluations, by key.
    final : dict or None
        The entry on the final test of the chosen recipe.
    warnings : list of dict
        Journalled warnings.
    stop : dict or None
        Why it stopped; None while it runs, and after a kill.
    is_resumed : bool
        Whether it was resumed after an interruption.
    seconds : float
        Total seconds of coordination, over all resumes, each up to its last entry.
    """

    opened: Entry = field(default_factory=dict)
    params: dict[int, dict[str, Any]] = field(default_factory=dict)
    outcomes: dict[int, Entry] = field(default_factory=dict)
    retried: set[int] = field(default_factory=set)
    computed: set[str] = field(default_factory=set)
    results: dict[str, Result] = field(default_factory=dict)
    final: Entry | None = None
    warnings: list[Entry] = field(default_factory=list)
    stop: Entry | None = None
    is_resumed: bool = False
    seconds: float = 0.0
    _last: float = 0.0

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Self:
        """Create the history of a journal's entries."""
        history = cls()
        for entry in entries:
            history.take(entry)
        return history

    @property
    def is_complete(self) -> bool:
        """Whether the sweep was completed."""
        return self.stop is not None and self.stop["state"] == "complete"

    @property
    def last(self) -> float:
        """Time of the last entry, in seconds since the epoch."""
        return self._last

    def seconds_at(self, instant: float) -> float:
        """Return the total seconds of coordination at a time after the last entry."""
        return self.seconds + max(instant - self._last, 0.0)

    def silence(self, instant: float) -> float:
        """Return the seconds between the last entry and a time."""
        return instant - self._last

    @property
    def has_failures(self) -> bool:
        """Whether a trial failed."""
        return any(outcome["status"] == "failed" for outcome in self.outcomes.values())

    def wanted(self) -> dict[str, bool]:
        """Return the keys of the evaluations that it consists of, and whether each has a model."""
        keys = {
            key: False
            for outcome in self.outcomes.values()
            if outcome["status"] != "failed"
            for key in outcome["keys"]
        }
        if self.final is not None and self.final["key"] is not None:
            keys[self.final["key"]] = True
        return keys

    def _note_evaluation(self, entry: Entry) -> None:
        key = entry["key"]
        if entry["reason"] is None:
            self.computed.add(key)
            seconds = entry["fit_seconds"], entry["predict_seconds"]
            self._note_result(key, Result(entry["digest"], *seconds))

    def _note_outcome(self, outcome: Entry) -> None:
        if outcome["number"] in self.outcomes:
            self.retried.add(outcome["number"])
        self.outcomes[outcome["number"]] = outcome
        if outcome["status"] != "failed":
            for key, result in zip(outcome["keys"], outcome["results"], strict=True):
                self._note_result(key, Result(**result))

    def _note_result(self, key: str, result: Result) -> None:
        """Update a result; an equal one that was computed again keeps its first seconds."""
        before = self.results.get(key)
        if before is None or before.digest != result.digest:
            self.results[key] = result

    def take(self, entry: Entry) -> None:
        """Process one more entry."""
        if entry["event"] not in {"opened", "resumed"}:  # each execution has its own clock
            self.seconds = self.seconds_at(entry["at"])
        self._last = entry["at"]
        match entry["event"]:
            case "opened":
                self.opened = entry
            case "trial":
                self.params[entry["number"]] = entry["params"]
            case "evaluation":
                self._note_evaluation(entry)
            case "outcome":
                self._note_outcome(entry)
            case "final":
                self.final = entry
                if entry["result"] is not None:
                    self._note_result(entry["key"], Result(**entry["result"]))
            case "warning":
                self.warnings.append(entry)
            case "stop" | "resumed":
                self.stop = entry if entry["event"] == "stop" else None
                self.is_resumed = self.is_resumed or entry["event"] == "resumed"
            case _:  # unknown events of later versions are ignored
                pass
