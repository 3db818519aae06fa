"""Where files come from: one small interface, one class for each kind of place.

A source delivers one decompressed, verified file at a time or says why it does not. A new kind
is a new subclass of :class:`Source` and one line in :func:`sources_of`;
``tests/contracts/test_source.py`` holds what every one of them must do.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING
from urllib.parse import unquote, urljoin, urlsplit

from sweepmark.sources.transfer import SourceError, UnreachableError, write_verified

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sweepmark.config.schema import DatasetConfig, FileConfig
    from sweepmark.sources.web import Patience

__all__ = ["Bundled", "IndexPage", "Mirror", "Source", "file_names", "sources_of"]

_PAGE_BYTES = 4 << 20


class Source(ABC):
    """A place that has the files of a data set.

    Attributes
    ----------
    label : str
        How progress lines and errors name it, such as ``mirror https://example.org/mnist/``.
    """

    label: str

    @abstractmethod
    def fetch(self, file: FileConfig, folder: Path, *, advance: Callable[[int], None]) -> Path:
        """Write ``folder / file.name``, decompressed and verified, and return that path.

        Parameters
        ----------
        file : FileConfig
            Name, size and SHA-256 of the decompressed content.
        folder : Path
            An existing folder of the caller, who removes it in the end: a source may keep what
            serves the next file there too.
        advance : callable
            Told the number of decompressed bytes after each block.

        Raises
        ------
        SourceError
            If the file cannot be had or is not the expected one; no part of it is left.
        UnreachableError
            If nothing can be had from this source at all.
        """


class Mirror(Source):
    """A base URL below which the files lie under their names, gzipped or not.

    Parameters
    ----------
    base_url : str
        With or without a slash at its end.
    suffix : str
        What the server adds to a file's name.
    patience : Patience or None
        How long to wait for the server; None is the default of :mod:`sweepmark.sources.web`.
    """

    def __init__(
        self, base_url: str, *, suffix: str = ".gz", patience: Patience | None = None
    ) -> None:
        self.label = f"mirror {base_url}"
        self._suffix = suffix
        self._base_url = base_url.rstrip("/") + "/"
        self._patience = patience

    def fetch(self, file: FileConfig, folder: Path, *, advance: Callable[[int], None]) -> Path:
        """Download ``<base_url>/<name><suffix>``."""
        from sweepmark.sources.web import download

        target = folder / file.name
        chunks = download(f"{self._base_url}{file.name}{self._suffix}", patience=self._patience)
        write_verified(chunks, file, target, advance=advance)
        return target


class IndexPage(Source):
    """An HTML page with links to the files, wherever they lead.

    Parameters
    ----------
    url : str
        The page's address.
    patience : Patience or None
        How long to wait for a server.
    """

    def __init__(self, url: str, *, patience: Patience | None = None) -> None:
        self.label = f"index page {url}"
        self._url = url
        self._patience = patience
        self._links: dict[str, str] | None = None

    def fetch(self, file: FileConfig, folder: Path, *, advance: Callable[[int], None]) -> Path:
        """Read the page's links (once) and download the one that leads to the file."""
        from sweepmark.sources.web import download

        if self._links is None:
            self._links = self._read_links()
        found = [self._links[name] for name in file_names(file.name) if name in self._links]
        if not found:
            raise SourceError(f"the page has no link to {file.name} among {len(self._links)}")
        target = folder / file.name
        try:
            write_verified(
                download(found[0], patience=self._patience), file, target, advance=advance
            )
        except UnreachableError as error:
            # The page itself answered, and its other links may lead to other hosts.
            raise SourceError(f"{found[0]}: {error}") from error
        return target

    def _read_links(self) -> dict[str, str]:
        """Return the address of each link by the file name it ends in."""
        from bs4 import BeautifulSoup

        from sweepmark.sources.web import download

        page = bytearray()
        try:
            for chunk in download(self._url, patience=self._patience):
                page += chunk
                if len(page) > _PAGE_BYTES:
                    break
        except SourceError as error:
            raise UnreachableError(str(error)) from error
        if len(page) > _PAGE_BYTES:
            raise UnreachableError(f"the page must be at most {_PAGE_BYTES} bytes")
        links: dict[str, str] = {}
        for anchor in BeautifulSoup(bytes(page), "html.parser").find_all("a", href=True):
            url = urljoin(self._url, str(anchor["href"]))
            parts = urlsplit(url)
            if parts.scheme in {"http", "https"}:
                links.setdefault(unquote(parts.path).rsplit("/", 1)[-1], url)
        return links


class Bundled(Source):
    """The digits that come with scikit-learn, written as IDX files.

    References
    ----------
    https://scikit-learn.org/stable/modules/generated/sklearn.datasets.load_digits.html
    """

    label = "scikit-learn"

    def fetch(self, file: FileConfig, folder: Path, *, advance: Callable[[int], None]) -> Path:
        """Encode pixels (0 to 16) or labels as unsigned bytes."""
        from sklearn.datasets import load_digits

        from sweepmark.sources import idx

        digits = load_digits()
        arrays = {
            "digits-images-idx3-ubyte": digits.images,
            "digits-labels-idx1-ubyte": digits.target,
        }
        if file.name not in arrays:
            raise SourceError(f"scikit-learn has {', '.join(arrays)}, but not {file.name}")
        target = folder / file.name
        content = idx.encode(arrays[file.name].astype("u1"))
        write_verified([content], file, target, advance=advance)
        return target


def file_names(name: str) -> list[str]:
    """Return the names that a file of the MNIST family goes by.

    Examples
    --------
    >>> file_names("t10k-labels-idx1-ubyte")[:2]
    ['t10k-labels-idx1-ubyte', 't10k-labels-idx1-ubyte.gz']
    >>> file_names("t10k-labels-idx1-ubyte")[2:]
    ['t10k-labels.idx1-ubyte', 't10k-labels.idx1-ubyte.gz']
    """
    dotted = ".idx".join(name.rsplit("-idx", 1))
    return [variant + suffix for variant in dict.fromkeys([name, dotted]) for suffix in ("", ".gz")]


def sources_of(config: DatasetConfig) -> list[Source]:
    """Return the sources of a data set in the order in which they are tried."""
    from sweepmark.data.openml import OpenML
    from sweepmark.sources.apt import Apt
    from sweepmark.sources.local import Folder, KerasArchive
    from sweepmark.sources.npm import Npm

    if config.format == "bundled":
        return [Bundled()]
    sources: list[Source] = [Folder(path) for path in config.folders]
    sources += [KerasArchive(path) for path in config.archives]
    suffix = "" if config.format == "csv" else ".gz"
    sources += [Mirror(url, suffix=suffix) for url in config.mirrors]
    sources += [IndexPage(url) for url in config.index_pages]
    if config.npm is not None:
        sources.append(Npm(config.npm.package, config.npm.version, config.npm.folder))
    if config.apt is not None:
        sources.append(Apt(config.apt.package, config.apt.folder))
    if config.openml is not None:
        sources.append(OpenML(config.openml.name, config.openml.version))
    return sources
