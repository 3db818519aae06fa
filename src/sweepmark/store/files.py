"""Files that are whole or not there: written aside, flushed to the disk, renamed."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sweepmark.errors import StoreError
from sweepmark.steps import step

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["environment_errors", "sync_folder", "write_file", "write_folder"]


@contextmanager
def environment_errors(path: Path) -> Iterator[None]:
    """Turn what the operating system refuses into a StoreError that names the path."""
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


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_file(target: Path, content: bytes) -> None:
    """Write a file whole."""
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    with environment_errors(target):
        try:
            with unfinished.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            step("file.written")
            unfinished.rename(target)
            sync_folder(target.parent)
        finally:
            unfinished.unlink(missing_ok=True)


def write_folder(target: Path, files: Mapping[str, bytes]) -> bool:
    """Write a folder whole; if one of that name is there already, it stays as it is.

    Returns
    -------
    bool
        Whether this call wrote it.
    """
    with environment_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=".tmp-", dir=target.parent))
        try:
            for name, content in files.items():
                with (temporary / name).open("wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
            sync_folder(temporary)
            step("evaluation.written")
            try:
                temporary.rename(target)
            except OSError:
                if not target.is_dir():
                    raise
                return False
            step("evaluation.renamed")
            sync_folder(target.parent)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return True
