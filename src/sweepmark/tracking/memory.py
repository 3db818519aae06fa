"""A Tracker that keeps runs in memory: for ``tracking=none`` and for tests."""

from __future__ import annotations

import math
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Self

from sweepmark.config.schema import TrackingConfig
from sweepmark.errors import NotFoundError
from sweepmark.tracking.interface import (
    LEFT_OUT_TAG,
    SWEEP_TAG,
    TRIAL_TAG,
    is_of_outcome,
    lacks_run,
    match_run,
)
from sweepmark.tracking.records import Metric, Tag

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from sweepmark.tracking.interface import EndStatus
    from sweepmark.tracking.records import Artifact, Record

__all__ = ["MemoryRun", "MemoryTracker"]


@dataclass(slots=True)
class MemoryRun:
    """One run; mutable."""

    sweep_id: str
    number: int | None
    name: str
    parent: str | None
    started: float
    status: str = "RUNNING"
    ended: float | None = None
    records: dict[tuple[object, ...], Record] = field(default_factory=dict)

    def add(self, records: Sequence[Record]) -> None:
        """Add records; they replace records of the same kind and name."""
        for record in records:
            if not (isinstance(record, Metric) and not math.isfinite(record.value)):
                self.records[_identity(record)] = record
        left_out = [r.name for r in records if isinstance(r, Metric) and not math.isfinite(r.value)]
        if left_out:
            self.add([Tag(LEFT_OUT_TAG, ", ".join(dict.fromkeys(left_out)))])


class MemoryTracker:
    """Keeps runs for as long as the process lives.

    Attributes
    ----------
    runs : dict of str to MemoryRun
        By run id.
    """

    options: ClassVar[type[TrackingConfig]] = TrackingConfig
    is_kept: ClassVar[bool] = False

    @classmethod
    def create(cls, config: TrackingConfig, *, store: Path) -> Self:
        """See :meth:`Tracker.create`; nothing is written."""
        del config, store
        return cls()

    def __init__(self) -> None:
        self.runs: dict[str, MemoryRun] = {}
        self._ids: dict[tuple[str, int | None], str] = {}

    def open(self) -> None:
        """See :meth:`Tracker.open`."""

    def open_parent(
        self, *, sweep_id: str, name: str, records: Sequence[Record], started: float
    ) -> str:
        """See :meth:`Tracker.open_parent`."""
        run_id = self._open(MemoryRun(sweep_id, None, name, None, started))
        self.runs[run_id].status = "RUNNING"
        self.runs[run_id].add(records)
        return run_id

    def log_trial(  # noqa: PLR0913 -- the interface's
        self,
        *,
        sweep_id: str,
        number: int,
        name: str,
        parent: str | None,
        records: Sequence[Record],
        started: float,
        ended: float,
        failed: bool,
    ) -> str:
        """See :meth:`Tracker.log_trial`."""
        run_id = self._open(MemoryRun(sweep_id, number, name, parent, started))
        run = self.runs[run_id]
        if run.status in {"RUNNING", "FAILED"} or run.ended != ended:
            _forget_tags(run)
            run.add(records)
            run.status, run.ended = ("FAILED" if failed else "FINISHED"), ended
        return run_id

    def await_writable(self, *, seconds: float) -> None:
        """See :meth:`Tracker.await_writable`."""

    def close_parent(
        self, *, run_id: str, records: Sequence[Record], ended: float, status: EndStatus
    ) -> None:
        """See :meth:`Tracker.close_parent`."""
        if run_id not in self.runs:
            raise NotFoundError(f"no run has the id {run_id!r}.")
        run = self.runs[run_id]
        run.add(records)
        run.status, run.ended = status, ended

    def attach(self, *, sweep_id: str, artifacts: Sequence[Artifact]) -> str:
        """See :meth:`Tracker.attach`."""
        run_id = self._ids.get((sweep_id, None), self._ids.get((sweep_id, 0)))
        if run_id is None:
            raise lacks_run(sweep_id)
        self.runs[run_id].add(artifacts)
        return run_id

    def delivered(self, sweep_id: str) -> Mapping[int, str]:
        """See :meth:`Tracker.delivered`."""
        return {
            number: run_id
            for (sweep, number), run_id in self._ids.items()
            if sweep == sweep_id and number is not None
        }

    def locate(self, run_id: str) -> tuple[str, int | None]:
        """See :meth:`Tracker.locate`."""
        run = self.runs[match_run(run_id, self.runs)]
        return run.sweep_id, run.number

    def close(self) -> None:
        """See :meth:`Tracker.close`."""

    def _open(self, run: MemoryRun) -> str:
        key = (run.sweep_id, run.number)
        if key not in self._ids:
            self._ids[key] = run_id = uuid.uuid4().hex
            run.add([Tag(SWEEP_TAG, run.sweep_id)])
            if run.number is not None:
                run.add([Tag(TRIAL_TAG, str(run.number))])
            self.runs[run_id] = run
        return self._ids[key]


def _forget_tags(run: MemoryRun) -> None:
    """Remove the outcome tags of a trial that was retried."""
    for kind, name, *rest in list(run.records):
        if kind is Tag and is_of_outcome(str(name)):
            del run.records[kind, name, *rest]


def _identity(record: Record) -> tuple[object, ...]:
    name = getattr(record, "name", getattr(record, "path", ""))
    return (type(record), name, getattr(record, "step", 0), getattr(record, "context", ""))
