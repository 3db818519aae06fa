"""The lock of a sweep's only coordinator, which the operating system releases when that ends."""

from __future__ import annotations

import json
import os
import platform
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sweepmark.errors import OwnedError
from sweepmark.failpoints import failpoint
from sweepmark.files import check_folder, environment_errors, lock, open_itself

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["is_owned", "owned"]

_LARGEST = 4096
"""Maximum bytes read of a lock file; the owner's note takes about a hundred."""


@contextmanager
def owned(path: Path) -> Iterator[None]:
    """Hold the lock of a sweep within a ``with`` block.

    Parameters
    ----------
    path : Path
        ``mlruns/sweeps/<sweep_id>.lock``; the file remains, since only the lock on it counts.

    Raises
    ------
    OwnedError
        If a living process holds it; the message has its host, process id and start time.
    """
    with environment_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        check_folder(path.parent)
        file = open(path, "ab+", buffering=0, opener=open_itself)  # noqa: SIM115
    with file:
        try:
            lock(file)
        except BlockingIOError:
            file.seek(0)
            raise OwnedError(_refusal(path, file.read(_LARGEST))) from None
        owner = {
            "host": platform.node(),
            "process": os.getpid(),
            "since": time.strftime("%Y-%m-%d %H:%M:%S %z"),
        }
        with environment_errors(path):
            file.truncate(0)
            file.write(json.dumps(owner).encode())
        failpoint("lock.taken")
        yield


def is_owned(path: Path) -> bool:
    """Return whether a living process holds the lock of a sweep; nothing is written."""
    try:
        with open(path, "rb", buffering=0, opener=open_itself) as file:
            lock(file, is_shared=True)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _refusal(path: Path, content: bytes) -> str:
    try:
        owner = json.loads(content)
        name = f"process {owner['process']} on {owner['host']} since {owner['since']}"
    except (ValueError, KeyError, TypeError):
        name = "another process"
    return (
        f"a sweep has one coordinator, but {path.stem} is owned by {name}. "
        "Wait for it, or stop that process."
    )
