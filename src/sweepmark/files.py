"""Atomic writes of files and folders (temporary name, fsync, rename) and safe reads."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sweepmark.errors import DataError, StoreError
from sweepmark.failpoints import failpoint

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = [
    "check_folder",
    "environment_errors",
    "read_regular",
    "sync_folder",
    "write_file",
    "write_folder",
]

_PART = 1 << 16


@contextmanager
def environment_errors(path: Path) -> Iterator[None]:
    """Translate an OSError into a StoreError that names the path."""
    try:
        yield
    except StoreError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise StoreError(
            f"{error.filename or path}: {reason}. What is finished is kept; mend it, then "
            "`sweepmark resume`."
        ) from error


def check_folder(folder: Path) -> None:
    """Raise if a folder of a store is a symbolic link or not a folder; a missing one is accepted.

    The store itself may be a link chosen by the user. Folders inside it may not, because a store
    may have been made by somebody else.

    Raises
    ------
    StoreError
        If it is a link or not a folder.
    """
    try:
        mode = folder.lstat().st_mode
    except OSError:  # reported when it is used
        return
    if not stat.S_ISDIR(mode):
        raise StoreError(
            f"{folder} must be a folder of its own, but is "
            f"{'a link' if stat.S_ISLNK(mode) else 'none'}. Move what it should hold to its place; "
            "the store as a whole may lie elsewhere: --store PATH."
        )


def read_regular(path: Path, *, limit: int) -> bytes:
    """Return the content of a regular file; links are not followed, pipes and devices not opened.

    A store may have been made by somebody else, so its content is untrusted.

    Parameters
    ----------
    path : Path
        The file. Its folder is not checked.
    limit : int
        Maximum size in bytes.

    Raises
    ------
    DataError
        If it is not a regular file, or larger than ``limit``.
    OSError
        If it does not exist or cannot be read.
    """
    if not stat.S_ISREG(path.lstat().st_mode):  # opening a device may have side effects
        raise DataError(f"{path} is no file of its own")
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb", buffering=0) as file:  # noqa: PTH123 -- a descriptor, not a path
        opened = os.fstat(descriptor)
        if not stat.S_ISREG(opened.st_mode):  # replaced between the two calls
            raise DataError(f"{path} is no file of its own")
        if opened.st_size > limit:
            raise DataError(f"{path} has {opened.st_size:,} bytes, more than {limit:,}")
        content = file.read(opened.st_size + 1)
        while len(content) <= limit and (more := file.read(_PART)):  # truncated, or has grown
            content += more
    if len(content) > limit:
        raise DataError(f"{path} has more than {limit:,} bytes")
    return content


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries to disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _make_folders(folder: Path) -> None:
    """Create a folder and its parents, flushing each to disk."""
    if not folder.is_dir():
        _make_folders(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


def write_file(target: Path, content: bytes) -> None:
    """Write a file atomically."""
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    with environment_errors(target):
        try:
            with unfinished.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            failpoint("file.written")
            unfinished.rename(target)
            sync_folder(target.parent)
        finally:
            unfinished.unlink(missing_ok=True)


def write_folder(target: Path, files: Mapping[str, bytes]) -> bool:
    """Write a folder atomically; an existing folder of that name is left unchanged.

    Returns
    -------
    bool
        Whether this call wrote it.
    """
    with environment_errors(target):
        _make_folders(target.parent)
        temporary = Path(tempfile.mkdtemp(prefix=".tmp-", dir=target.parent))
        try:
            for name, content in files.items():
                with (temporary / name).open("wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
            sync_folder(temporary)
            failpoint("evaluation.written")
            try:
                temporary.rename(target)
            except OSError:
                if not os.path.lexists(target):
                    raise
                return False
            failpoint("evaluation.renamed")
            sync_folder(target.parent)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return True
