"""Parallel loops with as many threads as BLAS may use, each calling BLAS single-threaded.

BLAS divides a product differently for different numbers of threads, which affects last digits. So
the division is made here, always in the same way, and threads only compute the pieces.
"""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["available", "run", "single_blas"]

Item = TypeVar("Item")
Result = TypeVar("Result")


@lru_cache(maxsize=1)
def _controller() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas")


class _Single:
    """Counts the callers that need BLAS single-threaded: the first sets it, the last resets it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.callers = 0
        self.before = 1
        self.limits: Any = None


_single = _Single()


def available() -> int:
    """Return the number of threads to use: the limit of BLAS, set by threadpoolctl for instance."""
    with _single.lock:
        if _single.callers:
            return _single.before
        return max((int(pool["num_threads"]) for pool in _controller().info()), default=1)


@contextmanager
def single_blas() -> Iterator[None]:
    """Make BLAS compute in the calling thread only."""
    with _single.lock:
        if not _single.callers:
            pools = _controller()
            _single.before = max((int(pool["num_threads"]) for pool in pools.info()), default=1)
            _single.limits = pools.limit(limits=1) if _single.before > 1 else None
        _single.callers += 1
    try:
        yield
    finally:
        with _single.lock:
            _single.callers -= 1
            if not _single.callers and _single.limits is not None:
                _single.limits.restore_original_limits()
                _single.limits = None


def run(function: Callable[[Item], Result], items: Sequence[Item], *, threads: int) -> list[Result]:
    """Map a function over items, in order.

    Raises
    ------
    BaseException
        The first exception of a call; items not yet started are skipped.
    """
    n_threads = min(threads, len(items))
    if n_threads <= 1:
        return [function(item) for item in items]
    with ThreadPoolExecutor(n_threads) as executor:
        return list(executor.map(function, items))


def _reset() -> None:
    """Reset in a forked child, which does not have the parent's threads."""
    global _single  # noqa: PLW0603
    _single = _Single()


os.register_at_fork(after_in_child=_reset)
