"""The bytes of a user's file, unpacked as they are read: gzip, bzip2, xz, or a zip of one file.

The packing is recognised by a file's first bytes. What comes out of it is bounded, so that a small
file cannot fill the memory.
"""

from __future__ import annotations

import bz2
import contextlib
import gzip
import hashlib
import io
import lzma
import zipfile
import zlib
from typing import TYPE_CHECKING, BinaryIO

from sweepmark.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = [
    "UNPACKING_FAULTS",
    "first_bytes",
    "largest",
    "open_unpacked",
    "packing",
    "unpacked_digest",
]

_PACKINGS = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"PK\x03\x04": "zip",
}
_LEAST = 1 << 31  # bytes that every file may have when unpacked
_RATIO = 20  # a larger file may have as many times its size

UNPACKING_FAULTS = (
    EOFError,
    OSError,
    ValueError,
    NotImplementedError,  # a zip's method of compression
    RuntimeError,  # an encrypted zip, or content that is nested too deeply
    lzma.LZMAError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What the standard library raises for compressed files and archives that are damaged."""


def packing(path: Path) -> str | None:
    """Return how a file is compressed: ``gzip``, ``bzip2``, ``xz``, ``zip``; None if it is not."""
    with path.open("rb") as file:
        head = file.read(max(map(len, _PACKINGS)))
    return next((name for magic, name in _PACKINGS.items() if head.startswith(magic)), None)


def largest(path: Path) -> int:
    """Return how many bytes the content of a compressed file may have."""
    return max(_LEAST, _RATIO * path.stat().st_size)


@contextlib.contextmanager
def open_unpacked(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading its content, unpacked.

    Raises
    ------
    DataError
        If the file is not a whole one of its format, a zip does not have exactly one file, or
        (while it is read) its content exceeds :func:`largest`.
    """
    kind = packing(path)
    if kind is None:
        with path.open("rb") as file:
            yield file
        return
    with contextlib.ExitStack() as stack:
        try:
            stream = stack.enter_context(_opened(path, kind, stack))
        except UNPACKING_FAULTS as error:
            raise _damaged(path, kind, error) from error
        yield io.BufferedReader(_Bounded(stream, path, kind), 1 << 16)


def first_bytes(path: Path, size: int) -> bytes:
    """Return the first bytes of a file's unpacked content."""
    with open_unpacked(path) as stream:
        return stream.read(size)


def unpacked_digest(path: Path) -> str:
    """Return the SHA-256 of a file's unpacked content in hexadecimal."""
    with open_unpacked(path) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]


def _opened(path: Path, kind: str, stack: contextlib.ExitStack) -> BinaryIO:
    if kind == "gzip":
        return gzip.open(path)  # type: ignore[return-value]  # GzipFile implements BinaryIO
    if kind == "bzip2":
        return bz2.open(path)  # type: ignore[return-value]
    if kind == "xz":
        return lzma.open(path)  # type: ignore[return-value]
    archive = stack.enter_context(zipfile.ZipFile(path))
    names = [
        member.filename
        for member in archive.infolist()
        if not member.is_dir() and not member.filename.startswith("__MACOSX/")
    ]
    if len(names) != 1:
        shown = ", ".join(names[:3]) + (", …" if len(names) > 3 else "")  # noqa: PLR2004
        raise DataError(
            f"{path}: must be a zip of one file, but holds {shown or 'none'}. Unpack it, and give "
            "the file itself."
        )
    return archive.open(names[0])  # type: ignore[return-value]


def _damaged(path: Path, kind: str, error: Exception) -> DataError:
    if isinstance(error, DataError):
        return error
    return DataError(f"{path}: must be a whole {kind} file, but: {error}")


class _Bounded(io.RawIOBase):
    """Reads a decompressing stream up to a bound, with errors that name the file."""

    def __init__(self, stream: BinaryIO, path: Path, kind: str) -> None:
        self._stream = stream
        self._path = path
        self._kind = kind
        self._left = largest(path)

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Read into a buffer; return the number of bytes."""
        try:
            block = self._stream.read(len(buffer))
        except UNPACKING_FAULTS as error:
            raise _damaged(self._path, self._kind, error) from error
        self._left -= len(block)
        if self._left < 0:
            raise DataError(
                f"{self._path}: its content must have {largest(self._path):,} bytes at most, but "
                "has more. Unpack it, and give the file itself."
            )
        buffer[: len(block)] = block
        return len(block)
