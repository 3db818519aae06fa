"""One file out of a tar archive that nobody trusts, read without unpacking anything."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

from sweepmark.sources.transfer import SourceError, write_verified

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sweepmark.config.schema import FileConfig

__all__ = ["LARGEST", "extract"]

LARGEST = 4 << 30
"""Bytes of an archive, unpacked, that are read at most."""

_BLOCK = 1 << 20
_LARGEST_HEADER = 1 << 20


def extract(
    stream: io.BufferedIOBase,
    wanted: list[str],
    file: FileConfig,
    target: Path,
    *,
    advance: Callable[[int], None],
) -> None:
    """Copy the first regular file of an archive that has one of the wanted names.

    Links are not followed, and no name of the archive becomes the name of a file.

    Parameters
    ----------
    stream : binary file
        The archive, not compressed.
    wanted : list of str
        The names that the file may have in the archive, folders included.
    file : FileConfig
        What it must be once decompressed.
    target : Path
        Where it goes.
    advance : callable
        Told the number of decompressed bytes after each block.

    Raises
    ------
    SourceError
        If there is no such file, or the archive cannot be read.
    """
    try:
        with tarfile.open(fileobj=_Bounded(stream), mode="r:") as archive:
            write_verified(_member(archive, wanted), file, target, advance=advance)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise SourceError(f"the package cannot be read: {error}") from error


class _Bounded(io.RawIOBase):
    """A stream that is never read past a bound, nor in pieces that fill the memory.

    tarfile reads an extended header in one piece, of whatever size the archive claims it has.
    """

    def __init__(self, stream: io.BufferedIOBase) -> None:
        super().__init__()
        self._stream = stream

    def read(self, size: int | None = -1) -> bytes:
        """Read up to ``size`` bytes; it must be a size."""
        if size is None or not 0 <= size <= _LARGEST_HEADER:
            raise tarfile.ReadError(f"a header of {size} bytes")
        if self._stream.tell() + size > LARGEST:
            raise tarfile.ReadError(f"more than {LARGEST} bytes")
        return self._stream.read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place."""
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        """Return the place."""
        return self._stream.tell()


def _member(archive: tarfile.TarFile, wanted: list[str]) -> Iterator[bytes]:
    """Yield the content of the first regular file that has one of the wanted names."""
    while (member := archive.next()) is not None:
        if member.offset_data + member.size > LARGEST:
            raise tarfile.ReadError(f"more than {LARGEST} bytes")
        if member.isreg() and member.name.removeprefix("./") in wanted:
            content = archive.extractfile(member)
            while content is not None and (block := content.read(_BLOCK)):
                yield block
            return
    raise SourceError(f"the package has none of {', '.join(wanted)}")
