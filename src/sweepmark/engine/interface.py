"""What every engine does: take evaluations one per slot and hand back what became of them."""

from __future__ import annotations

import pkgutil
import time
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self

from sweepmark.terminal import cut

if TYPE_CHECKING:
    from types import TracebackType

    from sweepmark.scores.scorecard import Scorecard
    from sweepmark.specification.specification import Specification

__all__ = ["Clock", "Engine", "Evaluate", "Failure", "Job", "Outcome", "Reason", "call"]

Reason = Literal["error", "killed", "timeout", "memory", "nan", "data"]
"""Why there is no Scorecard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One evaluation to be done.

    Attributes
    ----------
    specification : Specification
        What is evaluated.
    keep_model : bool
        Whether the Scorecard carries the fitted model.
    shared_memory : int or None
        Bytes of work that its process may keep for later jobs; None leaves that to the process.
    """

    specification: Specification
    keep_model: bool = False
    shared_memory: int | None = None


_LONGEST = 1000
"""Characters of a message; the whole of it is in the traceback."""

Evaluate = Callable[[Job], "Scorecard"]
"""The function that does the work."""


def call(names: Iterable[str]) -> None:
    """Call functions without arguments, each named ``module:name``."""
    for name in names:
        pkgutil.resolve_name(name)()


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why an evaluation gave no Scorecard.

    Attributes
    ----------
    reason : {"error", "killed", "timeout", "memory", "nan", "data"}
        An exception; a dead worker; a limit of the engine; a score that is no number; a data set
        that cannot be had.
    message : str
        One line.
    traceback : str
        The worker's; empty where there was no exception.
    """

    reason: Reason
    message: str
    traceback: str = ""

    @classmethod
    def of(cls, exception: Exception) -> Failure:
        r"""Describe an exception.

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
class Outcome:
    """What became of a Job: a Scorecard or a Failure.

    Attributes
    ----------
    job : Job
        As it was submitted.
    scorecard : Scorecard or None
        None if it failed.
    failure : Failure or None
        None if it did not.
    slot : int
        Where it ran.
    started, ended : float
        Seconds since the epoch, ``started <= ended`` whatever the system's clock did.
    """

    job: Job
    scorecard: Scorecard | None
    failure: Failure | None
    slot: int
    started: float
    ended: float


class Clock:
    """Dates that never run backwards: the system's clock is read once, then only differences.

    Examples
    --------
    >>> clock = Clock()
    >>> clock.date(5.0) - clock.date(3.0)
    2.0
    """

    def __init__(self) -> None:
        self._epoch = time.time() - time.monotonic()

    def date(self, instant: float) -> float:
        """Return the seconds since the epoch of an instant of :func:`time.monotonic`."""
        return self._epoch + instant

    def go_on_from(self, date: float) -> None:
        """Let no date to come be before one that was given earlier, by another process say."""
        self._epoch += max(date - self.date(time.monotonic()), 0.0)


class Engine(ABC):
    """Moves evaluations to where they are done, and nothing else.

    An engine has numbered slots, each of which does one job at a time. It belongs to the thread
    that made it. Used as a context manager, it is closed at the end.

    Attributes
    ----------
    n_slots : int
        Slots are numbered from 0 to ``n_slots - 1``.
    is_apart : bool
        Whether evaluations run in processes of their own, so that this one may do other work
        meanwhile without changing what they are timed at.
    """

    n_slots: int
    is_apart: bool

    @abstractmethod
    def idle(self) -> list[int]:
        """Return the free slots, ascending; none once the engine is closed."""

    @abstractmethod
    def submit(self, job: Job, *, slot: int) -> None:
        """Give a job to a free slot; returns at once.

        Raises
        ------
        ValueError
            If the slot is busy or does not exist.
        """

    @abstractmethod
    def wait(self, timeout: float | None = None) -> list[Outcome]:
        """Return the outcomes of jobs that ended, in any order, each job's once.

        Parameters
        ----------
        timeout : float or None
            Seconds to wait at most for the first outcome; None is as long as it takes.

        Returns
        -------
        list of Outcome
            At least one, unless the time is over or there is no job.

        Raises
        ------
        StoreError
            If the machine does not let an evaluation run at all.
        """

    @abstractmethod
    def cancel(self, slot: int) -> None:
        """Drop the job of a slot, running or not; it has no outcome and the slot is free."""

    @abstractmethod
    def close(self) -> None:
        """Kill what runs and leave no process behind; closing again does nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exception: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _check_free(self, slot: int) -> None:
        """Raise ValueError unless ``slot`` is free."""
        free = self.idle()
        if slot not in free:
            msg = f"a job goes to a free slot, but got slot {slot}; free are {free}"
            raise ValueError(msg)
