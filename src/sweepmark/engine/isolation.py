"""Isolation of a worker process from its parent, the terminal and the rest of the machine."""

from __future__ import annotations

import os
import resource
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path

__all__ = [
    "die_before_parent",
    "die_with_parent",
    "forget_handlers",
    "keep_from_terminal",
    "keep_open",
    "limit_memory",
    "open_streams",
    "take_name",
]

_NAME = b"sweepmark-work"
_STDIN, _STDOUT, _STDERR = range(3)

_OOM_SCORE = Path(
    "/proc/self/oom_score_adj"
)  # https://man7.org/linux/man-pages/man5/proc_pid_oom_score_adj.5.html
_STATUS = Path("/proc/self/status")
_DESCRIPTORS = "/proc/self/fd"
_HEADROOM = 2
_MARGIN = 1 << 28
_PR_SET_PDEATHSIG = 1  # https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html
_PR_SET_NAME = 15  # https://man7.org/linux/man-pages/man2/PR_SET_NAME.2const.html


def forget_handlers() -> None:
    """Reset signal handlers to the defaults, as in a new program; ignored signals stay ignored."""
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals():
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)


def keep_open(*descriptors: int) -> None:
    """Close all descriptors of the parent except the standard streams and those given."""
    kept = {_STDIN, _STDOUT, _STDERR, *descriptors}
    for name in os.listdir(_DESCRIPTORS):  # noqa: PTH208 - names, including the descriptor of the listing
        if int(name) not in kept:
            with suppress(OSError):
                os.close(int(name))


def open_streams() -> None:
    """Replace ``sys.stdout`` and ``sys.stderr`` by streams on descriptors 1 and 2."""
    sys.stdout, sys.stderr = (
        open(stream, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
        for stream in (_STDOUT, _STDERR)
    )


def keep_from_terminal() -> None:
    """Redirect standard input from the null device and standard output to standard error."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, _STDIN)
    os.close(nothing)
    os.dup2(_STDERR, _STDOUT)


def take_name() -> None:
    """Set the process name shown by ps and top, on Linux."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_NAME, _NAME)


def die_with_parent(lifeline: int, parent: int) -> None:
    """End this process when its parent ends, even by SIGKILL.

    Only the parent holds the other end of the lifeline, so reading it returns when the parent is
    gone. That thread needs the GIL, which a call into C may hold for ever; on Linux,
    PR_SET_PDEATHSIG is set as well.
    """
    threading.Thread(target=_exit_at_end, args=(lifeline,), daemon=True).start()
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it ended before the call
            os._exit(1)


def _exit_at_end(lifeline: int) -> None:
    os.read(lifeline, 1)
    os._exit(1)


def die_before_parent() -> None:
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
