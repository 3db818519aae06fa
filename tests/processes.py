"""What tests see of processes that others started."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["family", "is_alive", "until"]


def is_alive(process: psutil.Process) -> bool:
    """Say whether a process has not ended."""
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def family(parent: int | None = None) -> list[psutil.Process]:
    """Return the living descendants of a process, or of this one."""
    return list(filter(is_alive, psutil.Process(parent).children(recursive=True)))


def until(condition: Callable[[], bool], seconds: float = 60.0) -> bool:
    """Wait for a condition; return whether it came true in time."""
    end = time.monotonic() + seconds
    while not (held := condition()) and time.monotonic() < end:
        time.sleep(0.01)
    return held
