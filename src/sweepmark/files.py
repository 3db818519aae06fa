"""Atomic writes of files and folders (temporary name, fsync, rename) and safe reads."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeVar

from sweepmark.errors import DataError, StoreError, SweepmarkError, command_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = [
    "check_folder",
    "environment_errors",
    "explained",
    "give_name",
    "lock",
    "open_itself",
    "read_regular",
    "write_file",
    "write_folder",
    "write_whole",
]

_PART = 1 << 16

Fault = TypeVar("Fault", bound=Exception)


@contextmanager
def explained(
    kind: type[Fault], explain: Callable[[Fault], SweepmarkError | None]
) -> Iterator[None]:
    """Raise one of our errors in the place of an exception from below.

    Parameters
    ----------
    kind : type
        The exceptions that are replaced; our own never are.
    explain : callable
        Returns the error to raise; None leaves the exception as it is.
    """
    try:
        yield
    except SweepmarkError:
        raise
    except kind as error:
        ours = explain(error)
        if ours is None:
            raise
        raise ours from error


def environment_errors(path: Path) -> AbstractContextManager[None]:
    """Turn what the operating system refuses into a StoreError that names the path."""

    def explain(error: OSError) -> StoreError:
        reason = error.strerror or str(error)
        return StoreError(
            f"{error.filename or path}: {reason}. What is finished is kept; mend it, then "
            f"`{command_line('resume')}`."
        )

    return explained(OSError, explain)


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
    with open(path, "rb", buffering=0, opener=open_itself) as file:
        opened = os.fstat(file.fileno())
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


def open_itself(path: str, flags: int) -> int:
    """Open a file, not what a link of that name leads to: an ``opener`` of :func:`open`.

    A store may come from elsewhere. A pipe is not waited for.
    """
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)


def lock(
    file: IO[bytes], *, is_shared: bool = False, on_wait: Callable[[], object] | None = None
) -> None:
    """Lock an open file by ``flock``: until it is closed, or its process is gone.

    Parameters
    ----------
    file : file
        Its content is the caller's matter.
    is_shared : bool
        Whether others may hold shared locks too.
    on_wait : callable or None
        Called once if another holds the lock, which is then waited for; None does not wait.

    Raises
    ------
    BlockingIOError
        If another holds it, and it is not waited for.
    """
    kind = fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        if on_wait is None:
            raise
        on_wait()
        fcntl.flock(file, kind)


def _nothing() -> None:
    pass


def _flush(path: Path) -> None:
    """Make the content of a file durable, or the names in a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _make_folders(folder: Path) -> None:
    """Create a folder and its parents, flushing each to disk."""
    if not folder.is_dir():
        _make_folders(folder.parent)
        folder.mkdir(exist_ok=True)
        _flush(folder.parent)


def write_whole(
    target: Path,
    write: Callable[[Path], object],
    *,
    unfinished: Path | None = None,
    is_durable: bool = False,
    written: Callable[[], object] = _nothing,
) -> bool:
    """Write a file or a folder beside its place and move it there: it is whole or not there.

    Parameters
    ----------
    target : Path
        Where it shall be, in a folder that exists.
    write : callable
        Makes it at the path that it is given.
    unfinished : Path or None
        That path, in the same file system; removed at the end. By default a hidden name beside the
        target, this process's own.
    is_durable : bool
        See :func:`give_name`.
    written : callable
        See :func:`give_name`.

    Returns
    -------
    bool
        See :func:`give_name`.

    Raises
    ------
    OSError
        If the system refuses something.
    """
    aside = unfinished or target.with_name(f".{target.name}.{os.getpid()}.new")
    try:
        write(aside)
        return give_name(aside, target, is_durable=is_durable, written=written)
    finally:
        if aside.is_dir():
            shutil.rmtree(aside, ignore_errors=True)
        else:
            with suppress(OSError):  # where it could not be made, it is not
                aside.unlink()


def give_name(
    unfinished: Path,
    target: Path,
    *,
    is_durable: bool = False,
    written: Callable[[], object] = _nothing,
) -> bool:
    """Move what is finished to its place. A file replaces one; a folder replaces nothing.

    Parameters
    ----------
    unfinished : Path
        A file, or a folder of files.
    target : Path
        Its place, in the same file system.
    is_durable : bool
        Whether its content is flushed to the disk before it has its name, and its name before this
        returns.
    written : callable
        Called in between, where it is flushed and has no name yet.

    Returns
    -------
    bool
        False if it is a folder and something was at its place, which stays.

    Raises
    ------
    OSError
        If the system refuses something.
    """
    is_folder = unfinished.is_dir()
    if is_durable:
        for path in sorted(unfinished.iterdir()) if is_folder else ():
            _flush(path)
        _flush(unfinished)
    written()
    try:
        unfinished.rename(target)
    except OSError:
        if not (is_folder and os.path.lexists(target)):
            raise
        return False
    if is_durable:
        _flush(target.parent)
    return True


def write_file(target: Path, content: bytes, *, written: Callable[[], object] = _nothing) -> None:
    """Write a small file durably; see :func:`write_whole`."""
    write_whole(target, lambda path: path.write_bytes(content), is_durable=True, written=written)


def write_folder(
    target: Path, files: Mapping[str, bytes], *, written: Callable[[], object] = _nothing
) -> bool:
    """Write a folder of files durably, and what it lies in; see :func:`write_whole`."""

    def fill(folder: Path) -> None:
        for name, content in files.items():
            (folder / name).write_bytes(content)

    _make_folders(target.parent)
    unfinished = Path(tempfile.mkdtemp(prefix=".tmp-", dir=target.parent))
    return write_whole(target, fill, unfinished=unfinished, is_durable=True, written=written)
