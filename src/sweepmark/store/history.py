"""A History: what a journal says, gathered by trial."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sweepmark.store.journal import Entry

__all__ = ["History", "Result"]


@dataclass(frozen=True, slots=True)
class Result:
    """What an evaluation came to, as a sweep means it.

    Attributes
    ----------
    digest : str
        As :func:`sweepmark.store.manifest.result_digest` returns it.
    fit_seconds, predict_seconds : float
        How long that took: this sweep, if it computed it, else who did.
    """

    digest: str
    fit_seconds: float
    predict_seconds: float


@dataclass(slots=True)
class History:
    """The state of a sweep after the entries taken so far.

    Attributes
    ----------
    opened : dict
        The first entry: blueprint, versions and identity of the sweep.
    params : dict of int to dict
        Parameters by trial number, as decided.
    outcomes : dict of int to dict
        The outcome entry by trial number; of several the last.
    retried : set of int
        Trials that came out once more: they had failed, or what they came to was lost.
    computed : set of str
        Keys of the evaluations that this sweep computed itself.
    results : dict of str to Result
        What the evaluations came to that the sweep is made of, by key.
    final : dict or None
        The entry on the chosen recipe's evaluation on the test part.
    warnings : list of dict
        Warnings that were journalled.
    stop : dict or None
        Why it stopped; None while it runs, or after a kill.
    is_resumed : bool
        Whether it went on after an interruption.
    seconds : float
        How long it was coordinated, over all resumes, up to the last entry of each.
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
        """Gather a journal's entries."""
        history = cls()
        for entry in entries:
            history.take(entry)
        return history

    @property
    def is_complete(self) -> bool:
        """Whether the sweep reached its end."""
        return self.stop is not None and self.stop["state"] == "complete"

    @property
    def last(self) -> float:
        """When the last entry was written, in seconds since the epoch."""
        return self._last

    def seconds_at(self, instant: float) -> float:
        """Return how long the sweep has been coordinated at a moment after the last entry."""
        return self.seconds + max(instant - self._last, 0.0)

    def silence(self, instant: float) -> float:
        """Return how many seconds before a moment the last entry was written."""
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
        """Take the last result; one that is computed again and comes out the same, as it was."""
        before = self.results.get(key)
        if before is None or before.digest != result.digest:
            self.results[key] = result

    def take(self, entry: Entry) -> None:
        """Take one more entry into account."""
        if entry["event"] not in {"opened", "resumed"}:  # each go has a clock of its own
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
            case _:  # written by a later version: nothing here depends on it
                pass
