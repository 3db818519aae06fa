"""The index of decoded user files: from a key of the files to their cache entry."""

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
"""Maximum size in bytes of an index file, which takes 150."""


def files_key(files: Mapping[str, Path], *more: Any) -> str:
    """Return a key that changes when a file's path, size, inode or time of change does.

    Parameters
    ----------
    files : mapping of str to Path
        By role.
    *more : plain values
        Further values that affect the result.
    """
    stamps = list(more)
    for role in sorted(files):
        path = files[role].resolve()
        status = path.stat()
        times = [status.st_mtime_ns, status.st_ctime_ns]  # mtime can be set, as rsync does
        stamps.append([role, str(path), status.st_size, status.st_ino, *times])
    return hashlib.sha256(json.dumps(stamps).encode()).hexdigest()


def load_indexed(
    key: str,
    decode: Callable[[Path, Path], str],
    *,
    on_wait: Callable[[], None],
    say: Callable[[str], None],
) -> Dataset:
    """Return the data set of a key, decoding it if necessary.

    Parameters
    ----------
    key : str
        A key from :func:`files_key`.
    decode : callable
        Given a work folder and, inside it, the empty folder of an entry, fills the latter and
        returns its digest.
    on_wait : callable
        Called once if another process is decoding it.
    say : callable
        Called with a line if the existing entry is damaged.
    """
    with contextlib.suppress(NotFoundError):
        try:
            return _open(key)
        except entry.DamagedError as error:
            say(f"{error.what}; it is made anew")
    with cache.claim(key, on_wait=on_wait) as work:
        with contextlib.suppress(NotFoundError, entry.DamagedError):
            return _open(key)  # another process has decoded it
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
    """Open the entry of a key.

    Raises
    ------
    NotFoundError
        If the index has no valid entry for the key.
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
    """Return a checksum that binds a digest to this key."""
    return hashlib.sha256(f"{key} {digest}".encode()).hexdigest()
