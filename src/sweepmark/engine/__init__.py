"""Engines: where evaluations run. All implement :class:`Engine`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from sweepmark.engine.interface import Clock, Engine, Evaluate, Failure, Job, Outcome
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
    "create_engine",
    "shared_memory",
]

_GIB = 2**30
_SHARED = 0.25  # share of the machine's memory, unless configured


def create_engine(  # noqa: PLR0913 -- each has a default of its own
    config: EngineConfig,
    *,
    evaluate: Evaluate | None = None,
    n_jobs: int | None = None,
    clock: Clock | None = None,
    warm_up: Sequence[str] = (),
    fork: bool = False,
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
    fork : bool
        Whether workers may be forked from this process, because no other thread holds a lock. Used
        on Linux only; elsewhere system libraries are not fork-safe.

    Raises
    ------
    ConfigurationError
        If the engine does not support the configuration.
    StoreError
        If a process cannot be started.
    """
    if config.name == "local":
        from sweepmark.engine.local import LocalEngine

        workers = config.workers or _usable_cores()
        return LocalEngine(
            workers=min(workers, n_jobs or workers),
            threads=config.threads,
            timeout=config.timeout,
            memory=None if config.memory is None else int(config.memory * _GIB),
            evaluate=evaluate,
            clock=clock,
            warm_up=warm_up,
            fork=fork and sys.platform == "linux",
        )
    from sweepmark.engine.serial import SerialEngine

    check_engine(config)
    return SerialEngine(evaluate=evaluate, clock=clock, warm_up=warm_up)


def check_engine(config: EngineConfig) -> None:
    """Raise if an option needs worker processes that the engine does not have.

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
    if config.name == "local":
        return
    for name, value in (("timeout", config.timeout), ("memory", config.memory)):
        if value is not None:
            raise ConfigurationError(
                f"engine=serial runs evaluations in its own process and cannot limit them, "
                f"but got engine.{name}={value:g}. Take engine=local, or leave engine.{name} out."
            )
    if config.workers not in {None, 1}:
        raise ConfigurationError(
            f"engine=serial has one worker, but got engine.workers={config.workers}. "
            "Take engine=local, or leave engine.workers out."
        )


def shared_memory(config: EngineConfig, *, n_slots: int) -> int:
    """Return the cache size in bytes of each of ``n_slots`` processes.

    Unless configured, it leaves at least half of ``engine.memory`` to the evaluation itself.
    """
    import psutil

    if config.shared_memory is not None:
        return int(config.shared_memory * _GIB)
    share = int(psutil.virtual_memory().total * _SHARED) // n_slots
    return share if config.memory is None else min(share, int(config.memory * _GIB) // 2)


def _usable_cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
