"""The probe of a plan: small evaluations of each family, timed in worker processes.

Each family is evaluated at 200 rows, then at twice as many again and again, smallest first, until
the time is over; what is under way then is killed. Its trials are taken in an order in which those
that share work follow each other, as in a sweep, and of which every beginning is a sample of all.
"""

from __future__ import annotations

import math
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from sweepmark.config.schema import EngineConfig
from sweepmark.coordinator.miniatures import miniatures
from sweepmark.engine import Job, count_slots, create_engine, shared_memory
from sweepmark.engine.work import probe_job
from sweepmark.store import Origin
from sweepmark.store.documents import to_be_stored

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sweepmark.config.schema import Config
    from sweepmark.coordinator.agenda import Family
    from sweepmark.data import Dataset
    from sweepmark.engine import Engine, Outcome
    from sweepmark.search.blueprint import Blueprint
    from sweepmark.specification.specification import Specification

__all__ = ["PROBE_SECONDS", "Probed", "Sample", "create_probe", "measure"]

PROBE_SECONDS = 10.0
"""Maximum duration of a probe, from when its workers are asked to its end."""

_ENDING = 0.5  # seconds of it that are left for ending the workers
_MOST_WORKERS = 4
_MOST_GROWTH = 3.0
"""By how much an evaluation may take longer at twice the rows to be worth a beginning."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One evaluation of a probe.

    Attributes
    ----------
    seconds : float
        Wall time in the worker.
    shared_seconds : float
        What it would have taken in addition without what earlier evaluations left in the cache.
    peak_bytes, cache_bytes : int
        Resident memory of the worker so far, and the size of its cache.
    stored_bytes : int
        The size of its files in a store.
    accuracy : float
        The share of rows that it predicted correctly, in [0, 1].
    """

    seconds: float
    shared_seconds: float
    peak_bytes: int
    cache_bytes: int
    stored_bytes: int
    accuracy: float

    @classmethod
    def of(cls, outcome: Outcome) -> Sample | None:
        """Return what an outcome says; None if the evaluation failed."""
        card = outcome.scorecard
        if card is None:
            return None
        _, files = to_be_stored(outcome.job.specification, card, Origin("", 0, 0.0, 0.0))
        return cls(
            seconds=outcome.ended - outcome.started,
            shared_seconds=card.work["shared_seconds"],
            peak_bytes=int(card.work["peak_bytes"]),
            cache_bytes=int(card.work["cache_bytes"]),
            stored_bytes=sum(map(len, files.values())),
            accuracy=float(np.mean(card.predictions.y_true == card.predictions.y_pred)),
        )


@dataclass(slots=True)
class Probed:
    """What the probe found of a family.

    Attributes
    ----------
    samples : dict of int to list of Sample
        By the number of training rows, in the order of the same trials.
    failure : str
        Why an evaluation failed, if one did.
    """

    samples: dict[int, list[Sample]] = field(default_factory=lambda: defaultdict(list))
    failure: str = ""

    @property
    def accuracy(self) -> float:
        """The best accuracy at the smallest size, at which every family is probed."""
        return max(sample.accuracy for sample in self.samples[min(self.samples)])


@dataclass(slots=True)
class _Course:
    """A family's evaluations that are still to be begun, by size."""

    probed: Probed
    sizes: list[list[Specification]]

    @property
    def n_train(self) -> int:
        """The training rows of its next size."""
        n_train: int = self.sizes[0][0].split["n_train"]
        return n_train

    @property
    def first_seconds(self) -> float:
        """How long the first evaluation of its next size may take; 0 if nothing is known."""
        found = self.probed.samples
        if not found:
            return 0.0
        doublings = math.log2(self.n_train / max(found))
        return found[max(found)][0].seconds * math.pow(_MOST_GROWTH, doublings)


@dataclass(slots=True)
class _Run:
    """What a slot does: the evaluations of one size of a family, for some seconds."""

    course: _Course
    left: list[Specification]
    seconds: float


def create_probe(config: EngineConfig, *, warm_up: Sequence[str] = ()) -> Engine:
    """Return the engine of a probe: worker processes, since only these can be stopped.

    Parameters
    ----------
    config : EngineConfig
        That of the sweep.
    warm_up : sequence of str
        As for :func:`sweepmark.engine.create_engine`.
    """
    local = EngineConfig(
        name="local",
        workers=count_slots(config),
        threads=config.threads,
        memory=config.memory,
    )
    return create_engine(local, evaluate=probe_job, n_jobs=_MOST_WORKERS, warm_up=warm_up)


def measure(  # noqa: PLR0913 -- each has a meaning of its own
    engine: Engine,
    families: Sequence[Family],
    blueprint: Blueprint,
    *,
    load: Callable[[Config], Dataset],
    trusted: Sequence[str] = (),
    seconds: float = PROBE_SECONDS,
) -> dict[str, Probed]:
    """Time small evaluations of each family, and return what was found by its label.

    Parameters
    ----------
    engine : Engine
        As :func:`create_probe` returns it; it is closed.
    families : sequence of Family
        Which there are.
    blueprint : Blueprint
        The sweep.
    load : callable
        Returns a configuration's data set.
    trusted : sequence of str
        As for a sweep.
    seconds : float
        When the probe has to be over.
    """
    deadline = time.monotonic() + seconds - _ENDING
    found = {family.label: Probed() for family in families}
    with engine:
        courses = [
            _Course(found[family.label], miniatures(family, blueprint, load, trusted))
            for family in families
        ]
        _Probe(engine, courses, deadline).run()
    return found


class _Probe:
    """Runs the courses of all families on the slots of an engine, smallest first."""

    def __init__(self, engine: Engine, courses: list[_Course], deadline: float) -> None:
        self._engine = engine
        self._courses = courses
        self._deadline = deadline
        self._memory = shared_memory(engine.config, n_slots=engine.n_slots)
        self._runs: dict[int, _Run] = {}

    def run(self) -> None:
        """Run until all sizes are probed or the time is over."""
        while (left := self._deadline - time.monotonic()) > 0:
            for slot in self._engine.idle():
                self._start(slot)
            if not self._runs:
                break
            for outcome in self._engine.wait(left):
                self._absorb(outcome)

    def _start(self, slot: int) -> None:
        """Give a slot the next evaluation of its run, or the first of another one."""
        run = self._runs.get(slot) or self._next()
        if run is not None:
            self._runs[slot] = run
            job = Job(specification=run.left.pop(0), shared_memory=self._memory)
            self._engine.submit(job, slot=slot)

    def _next(self) -> _Run | None:
        """Return the run of the smallest size that can be begun.

        A family is begun at one size only, until it is known how long that takes.
        """
        left = self._deadline - time.monotonic()
        untimed = [run.course for run in self._runs.values() if not run.course.probed.samples]
        able = [
            course
            for course in self._courses
            if course.sizes and course not in untimed and course.first_seconds < left
        ]
        if not able:
            return None
        course = min(able, key=lambda course: course.n_train)
        share = left * self._engine.n_slots / (2 * max(len(able), self._engine.n_slots))
        return _Run(course, course.sizes.pop(0), share)

    def _absorb(self, outcome: Outcome) -> None:
        run = self._runs[outcome.slot]
        sample = Sample.of(outcome)
        if sample is None:
            assert outcome.failure is not None  # noqa: S101 -- either is there
            run.course.probed.failure = outcome.failure.message
            run.course.sizes = []
        else:
            n_train = outcome.job.specification.split["n_train"]
            run.course.probed.samples[n_train].append(sample)
            run.seconds -= sample.seconds
        if sample is None or not run.left or run.seconds < 0:
            del self._runs[outcome.slot]
