"""Debian packages as a source, for Debian and Ubuntu machines that can reach only their archive.

No root is needed and nothing is installed: apt-get uses package lists and a cache in the caller's
folder, so that it works without earlier package lists and does not change the machine.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from sweepmark.config.rules import Text, matching
from sweepmark.files import write_whole
from sweepmark.sources import external, tarball
from sweepmark.sources.interface import SourceOptions
from sweepmark.sources.transfer import SourceError, UnreachableError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Apt", "AptOptions"]

_TIMEOUT = 600.0
_LARGEST_PACKAGE = 1 << 30
_BLOCK = 1 << 20
_OPTIONS = """\
Acquire::Languages "none";
Acquire::Retries "1";
Acquire::http::Timeout "20";
Acquire::https::Timeout "20";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
"""
"""An apt configuration that is read after the machine's own, which defines archives and their keys.

The machine's hooks are disabled: they are for its own package lists.
"""


_NAME = re.compile(r"[a-z0-9][a-z0-9+.\-]+(?<!\.deb)")


@dataclass(frozen=True, slots=True, kw_only=True)
class AptOptions(SourceOptions):
    """A package of Debian's archive, and the folder of the files in it."""

    package: Annotated[str, matching(_NAME, "must name a package of Debian's archive")]
    folder: Text


class Apt(tarball.Package):
    """A package with the files, fetched by ``apt-get download`` and not installed.

    Parameters
    ----------
    package : str
        Its name.
    folder : str
        The folder of the files inside the package, such as ``usr/share/datasets/fashion-mnist``.
    timeout : float
        Maximum seconds of each program.
    largest : int
        Maximum size of the package in bytes.

    References
    ----------
    https://manpages.debian.org/bookworm/apt/apt-get.8.en.html,
    https://manpages.debian.org/bookworm/dpkg/dpkg-deb.1.en.html
    """

    options = AptOptions

    def __init__(
        self,
        package: str,
        folder: str,
        *,
        timeout: float = _TIMEOUT,
        largest: int = _LARGEST_PACKAGE,
    ) -> None:
        super().__init__(f"apt {package}", folder)
        self._package = package
        self._timeout = timeout
        self._largest = largest

    def _download(self, folder: Path) -> Path:
        apt_get = external.find_program("apt-get")
        external.find_program("dpkg-deb")  # before anything is downloaded
        place = (folder / "apt").absolute()
        for part in ("lists/partial", "cache/archives/partial", "package"):
            (place / part).mkdir(parents=True, exist_ok=True)
        (place / "apt.conf").write_text(_OPTIONS, encoding="utf-8")
        command = [
            apt_get,
            "--quiet",
            f"--config-file={place / 'apt.conf'}",
            f"--option=Dir::State::Lists={place / 'lists'}",
            f"--option=Dir::Cache={place / 'cache'}",
        ]
        for words in (["update"], ["download", self._package]):
            external.run_program(
                f"apt-get {' '.join(words)}",
                [*command, *words],
                folder=place / "package",
                timeout=self._timeout,
                environment={"LC_ALL": "C.UTF-8"},
            )
        packages = list((place / "package").iterdir())
        if len(packages) != 1:
            raise UnreachableError(
                f"apt-get download must write one file, but wrote {len(packages)}"
            )
        size = packages[0].stat().st_size
        if size > self._largest:
            raise UnreachableError(
                f"the package must be at most {self._largest} bytes, but has {size}"
            )
        return self._unpack(packages[0])

    def _unpack(self, package: Path) -> Path:
        """Write the tar archive of the package, without unpacking it."""
        archive = package.parent.with_name("files.tar")
        command = [external.find_program("dpkg-deb"), "--fsys-tarfile", str(package)]

        def write(partial: Path) -> None:
            with (
                partial.open("wb") as out,
                external.output(
                    "dpkg-deb", command, folder=package.parent, timeout=self._timeout
                ) as stream,
            ):
                while block := stream.read(_BLOCK):
                    if out.tell() + len(block) > tarball.LARGEST:
                        raise SourceError(
                            f"the package must unpack to at most {tarball.LARGEST} bytes"
                        )
                    out.write(block)

        write_whole(archive, write)
        return archive
