"""The data cache on disk: its layout, locking, and the atomic publication of entries.

::

    <cache>/datasets/<digest>/   one decoded data set, see :mod:`sweepmark.data.entry`
    <cache>/checked/<digest>.json  the state when last verified, see :mod:`sweepmark.data.integrity`
    <cache>/folders/<key>.json   the digest that a user's own folder was decoded to
    <cache>/databases/<name>.db  new databases of MLflow and Optuna (`sweepmark.store.database`)
    <cache>/unfinished/<key>/    work folder of the process that holds the lock; removed at its end
    <cache>/locks/<key>.lock     flock, which the system releases when its owner ends
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from sweepmark.errors import ConfigurationError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "VARIABLE",
    "claim",
    "entry_folder",
    "index_file",
    "publish",
    "record_file",
    "root",
    "write_file",
]

VARIABLE = "SWEEPMARK_CACHE"

_NOT_OURS = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.ENOENT, errno.EEXIST}


def root() -> Path:
    """Return the cache folder: ``SWEEPMARK_CACHE``, or the platform's default."""
    chosen = os.environ.get(VARIABLE)
    if chosen:
        return Path(chosen).expanduser().absolute()
    import platformdirs

    return Path(platformdirs.user_cache_dir("sweepmark", appauthor=False))


def entry_folder(digest: str) -> Path:
    """Return the folder of the data set with this digest, which need not exist."""
    return root() / "datasets" / digest


def index_file(key: str) -> Path:
    """Return the file with the digest that a user's own files were decoded to."""
    return root() / "folders" / f"{key}.json"


def record_file(digest: str) -> Path:
    """Return the file with the state of an entry when it was last verified."""
    return root() / "checked" / f"{digest}.json"


@contextlib.contextmanager
def claim(key: str, *, on_wait: Callable[[], None]) -> Iterator[Path]:
    """Hold the lock on ``key`` and yield an empty work folder, removed at the end.

    Parameters
    ----------
    key : str
        What to lock: a digest, or the key of a user's files.
    on_wait : callable
        Called once if another process holds the lock; the call then waits for it.

    Raises
    ------
    ConfigurationError
        If the cache folder cannot be written.
    StoreError
        On other errors of the file system, such as a full disk.
    """
    with _explained():
        locks = root() / "locks"
        locks.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(locks / f"{key}.lock", flags, 0o644)
    try:
        _lock(descriptor, on_wait)
        work = root() / "unfinished" / key
        with _explained():
            # Existing files were left by a killed owner: its lock is held here now.
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir(parents=True)
            try:
                yield work
            finally:
                shutil.rmtree(work, ignore_errors=True)
    finally:
        os.close(descriptor)


def publish(folder: Path, target: Path) -> None:
    """Publish a finished folder under its final name, atomically.

    ``folder`` must lie in a work folder of the same cache. If another process published the same
    entry meanwhile, the first one is kept: equal names mean equal content.
    """
    for path in folder.iterdir():
        _sync(path)
    _sync(folder)
    target.parent.mkdir(parents=True, exist_ok=True)
    if not os.path.lexists(target):  # a record of a removed entry does not apply to this one
        record_file(target.name).unlink(missing_ok=True)
    try:
        folder.rename(target)
    except OSError as error:
        if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
            raise
    _sync(target.parent)


def write_file(path: Path, content: bytes) -> None:
    """Write a small file atomically: temporary name, fsync, rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        partial.write_bytes(content)
        _sync(partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _lock(descriptor: int, on_wait: Callable[[], None]) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        on_wait()
        fcntl.flock(descriptor, fcntl.LOCK_EX)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_on_the_way(name: str | None) -> bool:
    """Return whether a path is in the cache, or a parent of it that may have to be created."""
    if not name:
        return True
    path = Path(name).absolute()
    return path.is_relative_to(root()) or root().is_relative_to(path)


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    """Convert an error of the file system into one with a remedy."""
    try:
        yield
    except OSError as error:
        if error.errno is None or not _is_on_the_way(error.filename):
            raise
        reason = f"the cache folder {root()} cannot be written: {error.strerror}"
        if error.filename:
            reason += f" ({error.filename})"
        if error.errno in _NOT_OURS:
            advice = f"Set {VARIABLE} to a folder that you can write to."
            raise ConfigurationError(f"{reason}. {advice}") from error
        advice = f"Free some space, or set {VARIABLE} to another folder, and run it again."
        raise StoreError(f"{reason}. {advice}") from error
