"""Integrity checks of cache entries, which are cheap enough for every opening.

Labels are hashed once per process. Features are hashed if the file system indicates that a file may
have changed: size, inode, time of modification, and time of change (ctime), which programs cannot
set. Verified states are recorded beside the entries, with the digest of ``meta.json``::

    <cache>/checked/<digest>.json

So a file that was edited, replaced or copied is hashed again. Bit rot, without a write, is detected
in labels at once and in features by ``sweepmark doctor --full``.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import stat
from typing import TYPE_CHECKING, Any

from sweepmark.data import cache
from sweepmark.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["Stamps", "check_entry", "stamps_of"]

Stamps = dict[str, list[int]]
"""Size, time of modification, time of change and inode of each file, by name."""

_LARGEST_RECORD = 1 << 20

_checked: dict[Path, Stamps] = {}
"""The states verified by this process, by the folder of the entry."""


def stamps_of(folder: Path) -> Stamps:
    """Return the file system's metadata of an entry's files.

    Raises
    ------
    DataError
        If the folder or a file in it is a link, a pipe or a device.
    OSError
        If it cannot be read.
    """
    if not stat.S_ISDIR(folder.lstat().st_mode):
        raise DataError("it is no folder of its own")
    stamps: Stamps = {}
    for path in sorted(folder.iterdir()):
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode):
            raise DataError(f"{path.name} is no file of its own")
        stamps[path.name] = [
            status.st_size,
            status.st_mtime_ns,
            status.st_ctime_ns,
            status.st_ino,
        ]
    return stamps


def check_entry(
    folder: Path,
    stamps: Stamps,
    meta: bytes,
    *,
    labels: Callable[[], None],
    whole: Callable[[], None],
) -> None:
    """Check an entry, as far as it may have changed since the last check.

    Parameters
    ----------
    folder : Path
        The entry's.
    stamps : Stamps
        The metadata before anything was read.
    meta : bytes
        Content of ``meta.json``.
    labels, whole : callable
        Functions that verify the labels, and everything; they raise DataError.

    Raises
    ------
    DataError
        If something was modified.
    """
    if _checked.get(folder) == stamps:
        return
    record = {"meta": hashlib.sha256(meta).hexdigest(), "stamps": stamps}
    known = _read(cache.record_file(folder.name))
    if known is not None and known.get("meta") != record["meta"]:
        raise DataError("meta.json is not what was written")
    if known == record:
        labels()
    else:
        whole()
        with contextlib.suppress(OSError):  # the cache is read-only: the next process hashes again
            cache.write_file(cache.record_file(folder.name), json.dumps(record).encode())
    _checked[folder] = stamps


def _read(path: Path) -> dict[str, Any] | None:
    """Return the last verified state; None if there is none, or it is unreadable."""
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST_RECORD:
            return None
        record = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None
