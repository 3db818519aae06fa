"""The interface of engines: one evaluation per slot, each with an Outcome."""

from __future__ import annotations

import pkgutil
import time
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from sweepmark.config.schema import EngineConfig
from sweepmark.terminal import cut

if TYPE_CHECKING:
    from types import TracebackType

    from sweepmark.scores.scorecard import Scorecard
    from sweepmark.specification.specification import Specification

__all__ = ["Clock", "Engine", "Evaluate", "Failure", "Job", "Outcome", "Reason", "call"]

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


class Engine(ABC):
    """Runs evaluations, and has no other responsibility.

    An engine has numbered slots, each of which runs one job at a time. It must be used only by the
    thread that created it. As a context manager, it is closed at the end.

    Attributes
    ----------
    n_slots : int
        Slots are numbered from 0 to ``n_slots - 1``.
    is_apart : bool
        Whether evaluations run in other processes, so that work in this one does not affect their
        timings.
    options : type
        The dataclass of its options: EngineConfig, or a subclass with further ones.
    """

    options: ClassVar[type[EngineConfig]] = EngineConfig
    n_slots: int
    is_apart: bool

    @classmethod  # noqa: B027 -- it may have nothing to refuse
    def check(cls, config: EngineConfig) -> None:
        """Raise if the engine does not support a valid combination of options.

        Raises
        ------
        ConfigurationError
            With an option that it supports.
        """

    @classmethod
    @abstractmethod
    def create(  # noqa: PLR0913 -- each has a default of its own
        cls,
        config: EngineConfig,
        *,
        evaluate: Evaluate | None = None,
        n_jobs: int | None = None,
        clock: Clock | None = None,
        warm_up: Sequence[str] = (),
        fork: bool = False,
    ) -> Self:
        """Return a new engine of checked options; see :func:`sweepmark.engine.create_engine`."""

    @abstractmethod
    def idle(self) -> list[int]:
        """Return the free slots, ascending; empty once the engine is closed."""

    @abstractmethod
    def submit(self, job: Job, *, slot: int) -> None:
        """Assign a job to a free slot, without waiting.

        Raises
        ------
        ValueError
            If the slot is busy or does not exist.
        """

    @abstractmethod
    def wait(self, timeout: float | None = None) -> list[Outcome]:
        """Return the outcomes of finished jobs, in any order, each once.

        Parameters
        ----------
        timeout : float or None
            Maximum seconds to wait for the first outcome; None is no limit.

        Returns
        -------
        list of Outcome
            At least one, unless the timeout expired or there is no job.

        Raises
        ------
        StoreError
            If the machine cannot run evaluations at all.
        """

    @abstractmethod
    def cancel(self, slot: int) -> None:
        """Cancel the job of a slot, running or not; it has no outcome and the slot becomes free."""

    @abstractmethod
    def close(self) -> None:
        """Kill running jobs and all processes; closing again does nothing."""

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
