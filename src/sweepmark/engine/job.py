"""What engines run: a Job, which has an Outcome, a Scorecard or a Failure."""

from __future__ import annotations

import pkgutil
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sweepmark.terminal import cut

if TYPE_CHECKING:
    from sweepmark.scores.scorecard import Scorecard
    from sweepmark.specification.specification import Specification

__all__ = [
    "Clock",
    "Evaluate",
    "Failure",
    "Job",
    "Outcome",
    "Reason",
    "Reply",
    "attempt",
    "call",
]

Reason = Literal["error", "killed", "timeout", "memory", "nan", "data"]
"""The kinds of failure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One evaluation to be computed.

    Attributes
    ----------
    specification : Specification
        The evaluation.
    keep_model : bool
        Whether the Scorecard includes the fitted model.
    shared_memory : int or None
        Size in bytes of the process's cache; None takes the process's default.
    """

    specification: Specification
    keep_model: bool = False
    shared_memory: int | None = None


_LONGEST = 1000
"""Maximum characters of a message; the traceback has the full text."""

Evaluate = Callable[[Job], "Scorecard"]
"""A function that evaluates a job."""


def call(names: Iterable[str]) -> None:
    """Call functions without arguments, each named ``module:name``."""
    for name in names:
        pkgutil.resolve_name(name)()


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why an evaluation has no Scorecard.

    Attributes
    ----------
    reason : {"error", "killed", "timeout", "memory", "nan", "data"}
        An exception; a dead worker; the time or memory limit; a NaN objective; an unavailable data
        set.
    message : str
        One line.
    traceback : str
        The worker's traceback; empty if there was no exception.
    """

    reason: Reason
    message: str
    traceback: str = ""

    @classmethod
    def of(cls, exception: Exception) -> Failure:
        r"""Create a Failure from an exception.

        Examples
        --------
        >>> Failure.of(ValueError("two\nlines")).message
        'ValueError: two lines'
        """
        return cls(
            reason="memory" if isinstance(exception, MemoryError) else "error",
            message=cut(" ".join(f"{type(exception).__name__}: {exception}".split()), _LONGEST),
            traceback="".join(traceback.format_exception(exception)),
        )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Reply:
    """What came of a job, a Scorecard or a Failure, and its seconds."""

    scorecard: Scorecard | None = None
    failure: Failure | None = None
    seconds: float


def attempt(evaluate: Evaluate, job: Job) -> Reply:
    """Run a job; an exception is its outcome."""
    scorecard = failure = None
    started = time.monotonic()
    try:
        scorecard = evaluate(job)
    except Exception as exception:  # noqa: BLE001 - see above
        failure = Failure.of(exception)
    return Reply(scorecard=scorecard, failure=failure, seconds=time.monotonic() - started)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Outcome:
    """The result of a Job: a Scorecard or a Failure.

    Attributes
    ----------
    job : Job
        As it was submitted.
    scorecard : Scorecard or None
        None if it failed.
    failure : Failure or None
        None if it succeeded.
    slot : int
        Where it ran.
    started, ended : float
        Seconds since the epoch; ``started <= ended`` even if the system's clock was set back.
    """

    job: Job
    scorecard: Scorecard | None
    failure: Failure | None
    slot: int
    started: float
    ended: float


class Clock:
    """Monotonic timestamps: the system's clock is read once, then the monotonic clock.

    Examples
    --------
    >>> clock = Clock()
    >>> clock.date(5.0) - clock.date(3.0)
    2.0
    """

    def __init__(self) -> None:
        self._epoch = time.time() - time.monotonic()

    def date(self, instant: float) -> float:
        """Convert a value of :func:`time.monotonic` to seconds since the epoch."""
        return self._epoch + instant

    def go_on_from(self, date: float) -> None:
        """Ensure that later timestamps are not before a given one, such as another process's."""
        self._epoch += max(date - self.date(time.monotonic()), 0.0)
