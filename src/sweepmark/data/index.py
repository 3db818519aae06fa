"""What was decoded before: from the key of a user's files to the entry that they became."""

from __future__ import annotations

import contextlib
import hashlib
import json
import stat
from typing import TYPE_CHECKING, Any

from sweepmark.data import cache, entry
from sweepmark.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from sweepmark.data.dataset import Dataset

__all__ = ["files_key", "load_indexed"]

_LARGEST = 4096
"""Bytes of a file that says what a key was decoded to; it takes 150."""


def files_key(files: Mapping[str, Path], *more: Any) -> str:
    """Return a key that changes when a file's path, size, inode or time of change does.

    Parameters
    ----------
    files : mapping of str to Path
        By role.
    *more : plain values
        What else decides the result.
    """
    stamps = list(more)
    for role in sorted(files):
        path = files[role].resolve()
        status = path.stat()
        times = [status.st_mtime_ns, status.st_ctime_ns]  # the first can be set, and is by rsync
        stamps.append([role, str(path), status.st_size, status.st_ino, *times])
    return hashlib.sha256(json.dumps(stamps).encode()).hexdigest()


def load_indexed(
    key: str,
    decode: Callable[[Path, Path], str],
    *,
    on_wait: Callable[[], None],
    say: Callable[[str], None],
) -> Dataset:
    """Return the data set that a key stands for, decoding it if that was not done before.

    Parameters
    ----------
    key : str
        Such as :func:`files_key` gives.
    decode : callable
        Given a work folder and, inside it, the empty folder of an entry, fills the latter and
        returns its digest.
    on_wait : callable
        Called once if another process is at it.
    say : callable
        Told in a line if what was decoded before is damaged.
    """
    with contextlib.suppress(NotFoundError):
        try:
            return _open(key)
        except entry.DamagedError as error:
            say(f"{error.what}; it is made anew")
    with cache.claim(key, on_wait=on_wait) as work:
        with contextlib.suppress(NotFoundError, entry.DamagedError):
            return _open(key)  # the other process did it
        finished = work / "entry"
        finished.mkdir()
        digest = decode(work, finished)
        try:
            entry.open_entry(digest)
        except NotFoundError:
            pass
        except entry.DamagedError:
            entry.discard(digest, work)
        cache.publish(finished, cache.entry_folder(digest))
        content = json.dumps({"digest": digest, "check": _check(key, digest)})
        cache.write_file(cache.index_file(key), content.encode())
    return _open(key)


def _open(key: str) -> Dataset:
    """Open what a key was decoded to.

    Raises
    ------
    NotFoundError
        If that is not known, or what says so was changed.
    """
    path = cache.index_file(key)
    try:
        if not stat.S_ISREG(path.lstat().st_mode) or path.stat().st_size > _LARGEST:
            raise NotFoundError(f"{path} is no file of its own")
        document = json.loads(path.read_bytes())
        digest, check = document["digest"], document["check"]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise NotFoundError(f"{path} says nothing") from error
    if check != _check(key, digest):
        raise NotFoundError(f"{path} was changed")
    return entry.open_entry(digest)


def _check(key: str, digest: str) -> str:
    """Return what shows that a digest was found for this key and for no other."""
    return hashlib.sha256(f"{key} {digest}".encode()).hexdigest()
