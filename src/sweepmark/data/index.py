"""What was decoded before: from the key of a user's files to the entry that they became."""

from __future__ import annotations

import contextlib
import hashlib
import json
from typing import TYPE_CHECKING, Any

from sweepmark.data import cache, entry
from sweepmark.errors import DataError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from sweepmark.data.dataset import Dataset

__all__ = ["files_key", "load_indexed"]


def files_key(files: Mapping[str, Path], *more: Any) -> str:
    """Return a key that changes when a file's path, size or time of change does.

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
        stamps.append([role, str(path), status.st_size, status.st_mtime_ns])
    return hashlib.sha256(json.dumps(stamps).encode()).hexdigest()


def load_indexed(
    key: str, decode: Callable[[Path, Path], str], *, on_wait: Callable[[], None]
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
    """
    with contextlib.suppress(NotFoundError, DataError, OSError, ValueError, LookupError):
        return _open(key)
    with cache.claim(key, on_wait=on_wait) as work:
        with contextlib.suppress(NotFoundError, DataError, OSError, ValueError, LookupError):
            return _open(key)  # the other process did it
        finished = work / "entry"
        finished.mkdir()
        digest = decode(work, finished)
        try:
            entry.open_entry(digest)
        except NotFoundError:
            pass
        except DataError:
            entry.discard(digest, work)
        cache.publish(finished, cache.entry_folder(digest))
        cache.write_file(cache.index_file(key), json.dumps({"digest": digest}).encode())
    return _open(key)


def _open(key: str) -> Dataset:
    return entry.open_entry(json.loads(cache.index_file(key).read_bytes())["digest"])
