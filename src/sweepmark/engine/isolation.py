"""What keeps a worker process apart from its parent, its terminal and the rest of the machine."""

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
    """Let signals do what they do to a new program; what is ignored stays so."""
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals():
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)


def keep_open(*descriptors: int) -> None:
    """Close whatever the parent has open, its pipes and locks, but the streams and these."""
    kept = {_STDIN, _STDOUT, _STDERR, *descriptors}
    for name in os.listdir(_DESCRIPTORS):  # noqa: PTH208 - names, the listing's own among them
        if int(name) not in kept:
            with suppress(OSError):
                os.close(int(name))


def open_streams() -> None:
    """Print where new interpreters do, wherever the parent's objects lead to."""
    sys.stdout, sys.stderr = (
        open(stream, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
        for stream in (_STDOUT, _STDERR)
    )


def keep_from_terminal() -> None:
    """Read nothing, and print to standard error."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, _STDIN)
    os.close(nothing)
    os.dup2(_STDERR, _STDOUT)


def take_name() -> None:
    """Be told apart from the parent in ps and top, on Linux."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_NAME, _NAME)


def die_with_parent(lifeline: int, parent: int) -> None:
    """See to it that this process ends when its parent does, even by SIGKILL.

    The lifeline's other end is the parent's alone: reading it returns when the parent is gone.
    That needs the GIL, which a call into C may hold for ever, so that Linux is asked as well.
    """
    threading.Thread(target=_exit_at_end, args=(lifeline,), daemon=True).start()
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it ended before we asked
            os._exit(1)


def _exit_at_end(lifeline: int) -> None:
    os.read(lifeline, 1)
    os._exit(1)


def die_before_parent() -> None:
    """Let the kernel, where memory runs out, choose a worker and not the coordinator."""
    with suppress(OSError):  # not Linux, or not allowed
        _OOM_SCORE.write_text("500")


def limit_memory(memory: int) -> None:
    """Have the kernel refuse what no look of the parent would come in time for.

    The parent looks a few times a second; a single allocation can fill the machine in between.
    The limit is far above the parent's, because a refused allocation ends libsvm by SIGSEGV, where
    the parent could have told the reason. It counts private memory, not mapped files: the data set
    is one. Where the system does not say how much that is by now, there is no such limit.
    """
    with suppress(OSError, ValueError, StopIteration):
        lines = _STATUS.read_text().splitlines()
        held = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData:"))
        limit = held + _HEADROOM * memory + _MARGIN
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
