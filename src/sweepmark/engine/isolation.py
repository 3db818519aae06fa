"""Isolation of worker processes from the terminal and the rest of the machine."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path

__all__ = ["die_first", "end_with_helper", "end_with_parent", "limit_memory", "take_name"]

_NAME = b"sweepmark-work"
_OOM_SCORE = Path(
    "/proc/self/oom_score_adj"
)  # https://man7.org/linux/man-pages/man5/proc_pid_oom_score_adj.5.html
_STATUS = Path("/proc/self/status")
_HEADROOM = 2
_MARGIN = 1 << 28
_PR_SET_PDEATHSIG = 1  # https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html
_PR_SET_NAME = 15  # https://man7.org/linux/man-pages/man2/PR_SET_NAME.2const.html


def take_name() -> None:
    """Set the process name shown by ps and top, on Linux."""
    _control(_PR_SET_NAME, _NAME)


def end_with_parent() -> None:
    """Have the kernel kill this process when its parent ends, on Linux."""
    _control(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _control(operation: int, value: int | bytes) -> None:
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(operation, value)


def end_with_helper() -> None:
    """End this worker when the helper process ends, even by SIGKILL.

    The thread that waits for it needs the GIL, which a call into C may hold for ever; on Linux the
    kernel kills it.
    """
    threading.Thread(target=_wait_for_helper, daemon=True).start()
    end_with_parent()


def _wait_for_helper() -> None:
    helper = multiprocessing.parent_process()
    assert helper is not None  # noqa: S101 - multiprocessing started this process
    helper.join()
    os._exit(1)


def die_first() -> None:
    """Make the kernel's out-of-memory killer choose a worker rather than the coordinator."""
    with suppress(OSError):  # not Linux, or not permitted
        _OOM_SCORE.write_text("500")


def limit_memory(memory: int) -> None:
    """Limit private memory (RLIMIT_DATA), for allocations too fast for the parent's check.

    The parent checks a few times a second; a single allocation can fill the memory in between. The
    limit is far above the parent's, because a failed allocation crashes libsvm by SIGSEGV, while
    the parent can report the reason. It does not count mapped files, such as the data set. If the
    system does not report current usage, no limit is set.
    """
    with suppress(OSError, ValueError, StopIteration):
        lines = _STATUS.read_text().splitlines()
        held = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData:"))
        limit = held + _HEADROOM * memory + _MARGIN
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
