"""One coordinator a sweep: a lock of the operating system that dies with its owner."""

from __future__ import annotations

import json
import os
import platform
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sweepmark.errors import OwnedError
from sweepmark.failpoints import step
from sweepmark.files import check_folder, environment_errors, lock, open_itself

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["owned"]

_LARGEST = 4096
"""Bytes of a lock that are read; its owner takes a hundred."""


@contextmanager
def owned(path: Path) -> Iterator[None]:
    """Own a sweep for the time of a ``with`` block.

    Parameters
    ----------
    path : Path
        ``mlruns/sweeps/<sweep_id>.lock``; it stays behind, which means nothing: the lock counts.

    Raises
    ------
    OwnedError
        If a living process owns it; the message names host, process and since when.
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
        step("lock.taken")
        yield


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
