"""Engines: where evaluations run. All implement :class:`Engine`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweepmark.config.registry import ENGINES
from sweepmark.engine.interface import Engine
from sweepmark.engine.job import Clock, Evaluate, Failure, Job, Outcome
from sweepmark.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sweepmark.config.schema import EngineConfig

__all__ = [
    "Clock",
    "Engine",
    "Failure",
    "Job",
    "Outcome",
    "check_engine",
    "count_slots",
    "create_engine",
    "shared_memory",
]

_GIB = 2**30
_SHARED = 0.25  # share of the machine's memory, unless configured


def create_engine(
    config: EngineConfig,
    *,
    evaluate: Evaluate | None = None,
    n_jobs: int | None = None,
    clock: Clock | None = None,
    warm_up: Sequence[str] = (),
) -> Engine:
    """Return a new engine; the local one starts its workers without waiting for them.

    Parameters
    ----------
    config : EngineConfig
        The engine and its limits. ``workers`` None is the number of usable cores.
    evaluate : callable or None
        Evaluates a job; None is :func:`sweepmark.evaluation.evaluate.evaluate`.
    n_jobs : int or None
        Number of jobs, if known: no more workers than that are started.
    clock : Clock or None
        Timestamps the outcomes; None creates a new one.
    warm_up : sequence of str
        ``module:name`` of functions to call in each process before its first job.

    Raises
    ------
    ConfigurationError
        If the engine does not support the configuration.
    StoreError
        If a process cannot be started.
    """
    check_engine(config)
    engine: Engine = ENGINES.find(config.name)(
        config, evaluate=evaluate, n_jobs=n_jobs, clock=clock, warm_up=warm_up
    )
    return engine


def check_engine(config: EngineConfig) -> None:
    """Raise if options contradict each other, or the engine does not support one.

    Raises
    ------
    ConfigurationError
        If the engine does not support the configuration.
    """
    shared, held = config.shared_memory, config.memory
    if shared is not None and held is not None and shared >= held:
        raise ConfigurationError(
            f"engine.shared_memory={shared:g} must be below engine.memory={held:g}, or a worker "
            "would be killed for what it keeps. Set a smaller engine.shared_memory."
        )
    ENGINES.find(config.name).check(config)


def count_slots(config: EngineConfig) -> int:
    """Return how many evaluations a configured engine runs at a time, if there are enough."""
    n_slots: int = ENGINES.find(config.name).count_slots(config)
    return n_slots


def shared_memory(config: EngineConfig, *, n_slots: int) -> int:
    """Return the cache size in bytes of each of ``n_slots`` processes.

    Unless configured, it leaves at least half of ``engine.memory`` to the evaluation itself.
    """
    import psutil

    if config.shared_memory is not None:
        return int(config.shared_memory * _GIB)
    share = int(psutil.virtual_memory().total * _SHARED) // n_slots
    return share if config.memory is None else min(share, int(config.memory * _GIB) // 2)
