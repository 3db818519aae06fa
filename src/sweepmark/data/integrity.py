"""Whether an entry of the cache is what was written: asked each time it is opened, and cheaply.

Labels are hashed whole, once in a process. Features are hashed whole where the file system says
that a file may have changed: size, inode, time of modification, and time of change (ctime), which
no program can set. What was found whole is remembered beside the entries, with the digest of
``meta.json``::

    <cache>/checked/<digest>.json

So a file that was edited, replaced or copied is read once more; what rots on the disk without a
write is found in labels at once and in features by ``sweepmark doctor --full``.
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
"""What this process has found whole, by the folder of the entry."""


def stamps_of(folder: Path) -> Stamps:
    """Return what the file system says of the files of an entry.

    Raises
    ------
    DataError
        If the folder or what lies in it is a link, a pipe or a device: nothing in a cache is.
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
    """Check an entry as far as needed since it was checked last.

    Parameters
    ----------
    folder : Path
        The entry's.
    stamps : Stamps
        As they were before anything was read.
    meta : bytes
        Content of ``meta.json``.
    labels, whole : callable
        Hash the labels, and everything, raising DataError where they are not as written.

    Raises
    ------
    DataError
        If something was changed.
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
        with contextlib.suppress(OSError):  # of a cache that may only be read: the next one hashes
            cache.write_file(cache.record_file(folder.name), json.dumps(record).encode())
    _checked[folder] = stamps


def _read(path: Path) -> dict[str, Any] | None:
    """Return what was found last; None if nothing was, or it cannot be read."""
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST_RECORD:
            return None
        record = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None
