"""What every Tracker promises; ``tests/contracts/test_tracker.py`` holds each to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

from sweepmark.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sweepmark.tracking.records import Record

__all__ = [
    "DELIVERED_TAG",
    "LEFT_OUT_TAG",
    "MINIMUM_PREFIX",
    "SWEEP_TAG",
    "TRIAL_TAG",
    "EndStatus",
    "Tracker",
    "is_of_outcome",
    "match_run",
]

SWEEP_TAG = "sweepmark.sweep_id"
TRIAL_TAG = "sweepmark.search.trial"
DELIVERED_TAG = "sweepmark.delivered"
LEFT_OUT_TAG = "sweepmark.metrics_left_out"
"""Names the metrics that were NaN or infinite: MLflow would show 0 or 1.8e308 for them."""

MINIMUM_PREFIX = 6
"""So many characters of a run id may stand for the whole, if they are unique."""

_IDENTITY_TAGS = {SWEEP_TAG, TRIAL_TAG, DELIVERED_TAG}

EndStatus = Literal["FINISHED", "KILLED", "FAILED"]


class Tracker(Protocol):
    """Where runs are shown: one parent run a sweep, one child run a trial.

    Everything is idempotent on (sweep_id, trial number), so that a replay delivers what is
    missing and doubles nothing. There is one writer a sweep.
    """

    def open(self) -> None:
        """Connect now, while evaluations run, rather than when the first trial is there."""
        ...

    def open_parent(
        self, *, sweep_id: str, name: str, records: Sequence[Record], started: float
    ) -> str:
        """Open the sweep's run, or find it again and set it running; return its id."""
        ...

    def log_trial(  # noqa: PLR0913 -- all of it is the trial's
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
        """Write a trial's run whole and return its id.

        A run that is whole already is left alone, but for one that says that the trial failed or
        ended at another time: it was tried again, or what it came to was lost. One that was left
        half-written is written again.
        """
        ...

    def await_writable(self, *, seconds: float) -> None:
        """Wait until something could be written, no longer than so many seconds.

        Raises
        ------
        StoreError
            If another program kept it from being written all the time.
        """
        ...

    def close_parent(
        self, *, run_id: str, records: Sequence[Record], ended: float, status: EndStatus
    ) -> None:
        """Add records to the sweep's run and end it."""
        ...

    def delivered(self, sweep_id: str) -> Mapping[int, str]:
        """Return the ids of the trials' runs that are whole, by trial number."""
        ...

    def locate(self, run_id: str) -> tuple[str, int | None]:
        """Return the sweep and the trial's number (None: the sweep's own run) of a run.

        Parameters
        ----------
        run_id : str
            An id, or the first six characters or more of it.

        Raises
        ------
        NotFoundError
            If no run is meant, or several.
        """
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...


def is_of_outcome(tag: str) -> bool:
    """Return whether a tag says what became of a trial, and not which one it is."""
    return tag.startswith("sweepmark.") and tag not in _IDENTITY_TAGS


def match_run(wanted: str, run_ids: Iterable[str]) -> str:
    """Return the one run id that is meant.

    Raises
    ------
    NotFoundError
        If none is, or several are.
    """
    matching = [wanted] if wanted in (known := list(run_ids)) else []
    if not matching and len(wanted) >= MINIMUM_PREFIX:
        matching = [run_id for run_id in known if run_id.startswith(wanted)]
    if not matching:
        raise NotFoundError(
            f"no run has the id {wanted!r}. Give an id, or its first {MINIMUM_PREFIX} characters "
            "or more, as `sweepmark ui` and `sweepmark sweep --json` show them."
        )
    if len(matching) > 1:
        raise NotFoundError(f"{wanted!r} stands for several runs: {', '.join(sorted(matching))}.")
    return matching[0]
