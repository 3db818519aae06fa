"""Projections in a background thread, so that writing to databases does not delay workers."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sweepmark.coordinator.projections import Projections
    from sweepmark.report.results import SweepResult
    from sweepmark.scores.scorecard import Scorecard
    from sweepmark.search.trial import Trial

__all__ = ["Background"]

_MOST_WAITING = 64
"""Maximum number of trials waiting to be written; beyond it the loop waits."""


class Background:
    """Calls Projections in one background thread, in the order of the calls.

    Connecting to a new MLflow store takes two seconds and writing a trial 50 ms; an evaluation may
    take less. An exception in the thread is raised by the next call, and nothing more is written
    then.

    Parameters
    ----------
    projections : Projections
        Called in the thread, and closed with this object.
    """

    def __init__(self, projections: Projections) -> None:
        self._projections = projections
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="projections")
        self._waiting: deque[Future[Any]] = deque()
        self._has_begun = False
        self._has_failed = False

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close both databases, in the thread that opened them."""
        self._executor.submit(self._projections.__exit__, *error).result()
        self._executor.shutdown()

    @property
    def run_ids(self) -> dict[int, str]:
        """The run ids by trial number; waits until all settled trials are delivered."""
        run_ids: dict[int, str] = self._ask(lambda: self._projections.run_ids)
        return run_ids

    def prepare(self) -> None:
        """Start opening the sweep's parent run."""
        if not self._has_begun:
            self._has_begun = True
            self._begin(self._projections.prepare)
        self._look(most=_MOST_WAITING)

    def settled(self, trial: Trial, cards: Sequence[Scorecard]) -> None:
        """Queue a trial for delivery."""
        self._begin(lambda: self._projections.settled(trial, cards))
        self._look(most=_MOST_WAITING)

    def finish(self, result: SweepResult, *, ended: float) -> None:
        """End the sweep's parent run with its result."""
        self._ask(lambda: self._projections.finish(result, ended=ended))

    def interrupt(self, *, ended: float) -> None:
        """End the sweep's parent run; trials still queued are delivered on resume."""
        self._has_failed = True
        self._executor.submit(lambda: self._projections.interrupt(ended=ended)).result()

    def _begin(self, work: Callable[[], Any]) -> None:
        self._waiting.append(self._executor.submit(self._unless_failed, work))

    def _ask(self, work: Callable[[], Any]) -> Any:
        self._begin(work)
        last = self._waiting[-1]
        self._look(most=0)
        return last.result()

    def _look(self, *, most: int) -> None:
        """Wait until at most ``most`` calls are queued; exceptions of finished calls are raised."""
        while self._waiting and (len(self._waiting) > most or self._waiting[0].done()):
            self._waiting.popleft().result()

    def _unless_failed(self, work: Callable[[], Any]) -> Any:
        if self._has_failed:
            return None
        try:
            return work()
        except BaseException:
            self._has_failed = True
            raise
