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
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from sweepmark import files
from sweepmark.config.places import given_path
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

_NOT_OURS = {
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.ENOENT, errno.EEXIST),
    *(errno.ELOOP, errno.ENAMETOOLONG),
}


def root() -> Path:
    """Return the cache folder: ``SWEEPMARK_CACHE``, or the platform's default.

    Raises
    ------
    ConfigurationError
        If that is in a home folder that is not known.
    """
    chosen = os.environ.get(VARIABLE)
    if chosen:
        return given_path(chosen, what=VARIABLE).absolute()
    import platformdirs

    try:
        return Path(platformdirs.user_cache_dir("sweepmark", appauthor=False))
    except RuntimeError:
        raise ConfigurationError(
            "the cache folder must be in a home folder, but HOME is not set and this user has "
            f"none. Set {VARIABLE} to a folder that you can write to."
        ) from None


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
    with files.explained(OSError, _explain):
        locks = root() / "locks"
        locks.mkdir(parents=True, exist_ok=True)
        file = open(locks / f"{key}.lock", "ab", opener=files.open_itself)  # noqa: SIM115
    with file:
        files.lock(file, on_wait=on_wait)
        work = root() / "unfinished" / key
        with files.explained(OSError, _explain):
            # Existing files were left by a killed owner: its lock is held here now.
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir(parents=True)
            try:
                yield work
            finally:
                shutil.rmtree(work, ignore_errors=True)


def publish(folder: Path, target: Path) -> None:
    """Publish a finished folder under its final name, atomically.

    ``folder`` must lie in a work folder of the same cache. If another process published the same
    entry meanwhile, the first one is kept: equal names mean equal content.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    if not os.path.lexists(target):  # a record of a removed entry does not apply to this one
        record_file(target.name).unlink(missing_ok=True)
    files.give_name(folder, target, is_durable=True)


def write_file(path: Path, content: bytes) -> None:
    """Write a small file atomically, and create its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_file(path, content)


def _is_on_the_way(name: str | None) -> bool:
    """Return whether a path is in the cache, or a parent of it that may have to be created."""
    if not name:
        return True
    path = Path(name).absolute()
    return path.is_relative_to(root()) or root().is_relative_to(path)


def _explain(error: OSError) -> ConfigurationError | StoreError | None:
    """Return an error of the file system with a remedy; None if it does not concern the cache."""
    if error.errno is None or not _is_on_the_way(error.filename):
        return None
    reason = f"the cache folder {root()} cannot be written: {error.strerror}"
    if error.filename:
        reason += f" ({error.filename})"
    if error.errno in _NOT_OURS:
        return ConfigurationError(f"{reason}. Set {VARIABLE} to a folder that you can write to.")
    advice = f"Free some space, or set {VARIABLE} to another folder, and run it again."
    return StoreError(f"{reason}. {advice}")
