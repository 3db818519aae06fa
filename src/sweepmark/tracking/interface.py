"""The interface of trackers; ``tests/contracts/test_tracker.py`` tests all implementations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, Self

from sweepmark.commands import command_line
from sweepmark.config.schema import TrackingConfig
from sweepmark.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from sweepmark.tracking.records import Artifact, Record

__all__ = [
    "LEFT_OUT_TAG",
    "MINIMUM_PREFIX",
    "SWEEP_TAG",
    "TRIAL_TAG",
    "EndStatus",
    "Tracker",
    "is_of_outcome",
    "lacks_run",
    "match_run",
]

SWEEP_TAG = "sweepmark.sweep_id"
TRIAL_TAG = "sweepmark.search.trial"
LEFT_OUT_TAG = "sweepmark.metrics_left_out"
"""The tag listing metrics that were NaN or infinite, which MLflow would show as 0 or 1.8e308."""

MINIMUM_PREFIX = 6
"""Minimum length of an abbreviated run id, which must be unique."""

_IDENTITY_TAGS = {SWEEP_TAG, TRIAL_TAG}

EndStatus = Literal["FINISHED", "KILLED", "FAILED"]


class Tracker(Protocol):
    """Writes runs: one parent run per sweep, one child run per trial.

    All operations are idempotent by (sweep_id, trial number), so that a resume delivers what is
    missing and duplicates nothing. Each sweep has a single writer.

    Attributes
    ----------
    options : type
        The dataclass of its options: TrackingConfig, or a subclass with further ones.
    is_kept : bool
        Whether the runs outlive the process.
    """

    options: ClassVar[type[TrackingConfig]] = TrackingConfig
    is_kept: ClassVar[bool]

    @classmethod
    def create(cls, config: Any, *, store: Path) -> Self:
        """Return a tracker of its options, writing into a store's folder, which need not exist."""
        ...

    def open(self) -> None:
        """Connect early, while evaluations run, rather than with the first trial."""
        ...

    def open_parent(
        self, *, sweep_id: str, name: str, records: Sequence[Record], started: float
    ) -> str:
        """Create the sweep's parent run, or find it and set it running; return its id."""
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
        """Write a trial's run completely and return its id.

        A complete run is not changed, unless it is of a failure or of another end time: the trial
        was retried then, or its result was lost. An incomplete run is written again.
        """
        ...

    def await_writable(self, *, seconds: float) -> None:
        """Wait until the database is writable, with a timeout in seconds.

        Raises
        ------
        StoreError
            If another program locked it until the timeout.
        """
        ...

    def close_parent(
        self, *, run_id: str, records: Sequence[Record], ended: float, status: EndStatus
    ) -> None:
        """Add records to the sweep's parent run and end it."""
        ...

    def attach(self, *, sweep_id: str, artifacts: Sequence[Artifact]) -> str:
        """Add files to a sweep's own run, or to that of a single run, and return its id.

        Its status and end stay as they are. A file of the same path is replaced.

        Raises
        ------
        NotFoundError
            If there is no such run.
        """
        ...

    def delivered(self, sweep_id: str) -> Mapping[int, str]:
        """Return the ids of the complete runs of trials, by trial number."""
        ...

    def locate(self, run_id: str) -> tuple[str, int | None]:
        """Return the sweep and the trial number (None for a parent run) of a run.

        Parameters
        ----------
        run_id : str
            A run id, or at least its first six characters.

        Raises
        ------
        NotFoundError
            If no run matches, or several do.
        """
        ...

    def close(self) -> None:
        """Close files and connections."""
        ...


def lacks_run(sweep_id: str) -> NotFoundError:
    """Return the error that a sweep has no run of its own."""
    command = command_line("doctor", "--rebuild")
    return NotFoundError(f"there is no run of {sweep_id}. Have it made: `{command}`.")


def is_of_outcome(tag: str) -> bool:
    """Return whether a tag describes the outcome of a trial rather than its identity."""
    return tag.startswith("sweepmark.") and tag not in _IDENTITY_TAGS


def match_run(wanted: str, run_ids: Iterable[str]) -> str:
    """Return the only matching run id.

    Raises
    ------
    NotFoundError
        If none matches, or several do.
    """
    matching = [wanted] if wanted in (known := list(run_ids)) else []
    if not matching and len(wanted) >= MINIMUM_PREFIX:
        matching = [run_id for run_id in known if run_id.startswith(wanted)]
    if not matching:
        raise NotFoundError(
            f"no run has the id {wanted!r}. Give an id, or its first {MINIMUM_PREFIX} characters "
            "or more, as `sweepmark ui` and --json show them."
        )
    if len(matching) > 1:
        raise NotFoundError(f"{wanted!r} stands for several runs: {', '.join(sorted(matching))}.")
    return matching[0]
