"""Packages as sources: a file is read from an untrusted tar archive, without unpacking it."""

from __future__ import annotations

import io
import tarfile
from abc import abstractmethod
from typing import TYPE_CHECKING, BinaryIO

from sweepmark.sources import idx
from sweepmark.sources.interface import Source, file_names
from sweepmark.sources.transfer import SourceError, write_verified

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sweepmark.config.schema import FileConfig

__all__ = ["LARGEST", "Package"]

LARGEST = 4 << 30
"""Maximum bytes read of an uncompressed archive."""

_BLOCK = 1 << 20
_LARGEST_HEADER = 1 << 20


class Package(Source):
    """A package with the files, downloaded once as a tar archive.

    Parameters
    ----------
    name : str
        Its name with that of the registry, as label.
    folder : str
        The folder of the files inside the archive.
    """

    def __init__(self, name: str, folder: str) -> None:
        self.label = name
        self._folder = folder.strip("/")
        self._archive: Path | None = None

    def fetch(self, file: FileConfig, folder: Path, *, advance: Callable[[int], None]) -> Path:
        """Download the package (once) and copy the requested file."""
        if self._archive is None or not self._archive.exists():
            self._archive = self._download(folder)
        target = folder / file.name
        wanted = [f"{self._folder}/{name}" for name in file_names(file.name)]
        with idx.open_file(self._archive) as stream:
            _extract(stream, wanted, file, target, advance=advance)
        return target

    @abstractmethod
    def _download(self, folder: Path) -> Path:
        """Return the tar archive, gzipped or not, in a new sub-folder of ``folder``.

        Raises
        ------
        UnreachableError
            If there is none.
        """


def _extract(
    stream: BinaryIO,
    wanted: list[str],
    file: FileConfig,
    target: Path,
    *,
    advance: Callable[[int], None],
) -> None:
    """Copy the first regular file of an archive with one of the wanted names.

    Links are not followed, and names in the archive are never used as file names.
    """
    try:
        with tarfile.open(fileobj=_Bounded(stream), mode="r:") as archive:
            write_verified(_member(archive, wanted), file, target, advance=advance)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise SourceError(f"the package cannot be read: {error}") from error


class _Bounded(io.RawIOBase):
    """A stream with a limit on the total size and on the size of each read.

    tarfile reads an extended header at once, with the size given in the archive.
    """

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__()
        self._stream = stream

    def read(self, size: int | None = -1) -> bytes:
        """Read up to ``size`` bytes; ``size`` must not be negative."""
        if size is None or not 0 <= size <= _LARGEST_HEADER:
            raise tarfile.ReadError(f"a header of {size} bytes")
        if self._stream.tell() + size > LARGEST:
            raise tarfile.ReadError(f"more than {LARGEST} bytes")
        return self._stream.read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Change the position."""
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        """Return the position."""
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
