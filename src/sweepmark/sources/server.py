"""Files on a web server: below a base URL, or linked from a page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated
from urllib.parse import unquote, urljoin, urlsplit

from sweepmark.config.rules import matching
from sweepmark.sources.interface import Source, SourceOptions, file_names
from sweepmark.sources.transfer import SourceError, UnreachableError, write_verified
from sweepmark.sources.web import download

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sweepmark.config.schema import FileConfig
    from sweepmark.sources.web import Patience

__all__ = ["IndexPage", "IndexPageOptions", "Mirror", "MirrorOptions"]

_PAGE_BYTES = 4 << 20
_Url = Annotated[str, matching(re.compile("https?://.+"), "must be an http or https address")]


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexPageOptions(SourceOptions):
    """Addresses of HTML pages with links to the files, tried in order."""

    urls: tuple[_Url, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorOptions(SourceOptions):
    """Base URLs that serve the files under their names and a suffix, tried in order."""

    urls: tuple[_Url, ...]
    suffix: str = ".gz"


class Mirror(Source):
    """A base URL with the files under their names, gzipped or not.

    Parameters
    ----------
    base_url : str
        The URL, with or without a trailing slash.
    suffix : str
        The suffix of file names on the server.
    patience : Patience or None
        How long to wait for the server; None is the default of :mod:`sweepmark.sources.web`.
    """

    options = MirrorOptions

    def __init__(
        self, base_url: str, *, suffix: str = ".gz", patience: Patience | None = None
    ) -> None:
        self.label = f"mirror {base_url}"
        self._suffix = suffix
        self._base_url = base_url.rstrip("/") + "/"
        self._patience = patience

    @classmethod
    def create(cls, options: MirrorOptions) -> list[Source]:
        """Return a source for each base URL."""
        return [cls(url, suffix=options.suffix) for url in options.urls]

    def fetch(self, file: FileConfig, folder: Path, *, advance: Callable[[int], None]) -> Path:
        """Download ``<base_url>/<name><suffix>``."""
        target = folder / file.name
        chunks = download(f"{self._base_url}{file.name}{self._suffix}", patience=self._patience)
        write_verified(chunks, file, target, advance=advance)
        return target


class IndexPage(Source):
    """An HTML page with links to the files, possibly on other hosts.

    Parameters
    ----------
    url : str
        The page's address.
    patience : Patience or None
        How long to wait for a server.
    """

    options = IndexPageOptions

    def __init__(self, url: str, *, patience: Patience | None = None) -> None:
        self.label = f"index page {url}"
        self._url = url
        self._patience = patience
        self._links: dict[str, str] | None = None

    @classmethod
    def create(cls, options: IndexPageOptions) -> list[Source]:
        """Return a source for each page."""
        return [cls(url) for url in options.urls]

    def fetch(self, file: FileConfig, folder: Path, *, advance: Callable[[int], None]) -> Path:
        """Read the page's links (once) and download the file from its link."""
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
            # The page itself is reachable, and other links may be on other hosts.
            raise SourceError(f"{found[0]}: {error}") from error
        return target

    def _read_links(self) -> dict[str, str]:
        """Return the URL of each link by the file name at its end."""
        from bs4 import BeautifulSoup

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
