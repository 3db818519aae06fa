"""Streaming downloads over HTTP, with timeouts and one-line errors."""

from __future__ import annotations

import queue
import socket
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests
import urllib3.exceptions

from sweepmark.sources.transfer import SourceError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Patience", "download"]

_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Timeouts of a download.

    Attributes
    ----------
    connect : float
        Seconds for name resolution and connection together, for all addresses of a host.
    read : float
        Maximum seconds without data.
    grace : float
        Seconds before ``minimum_rate`` applies.
    minimum_rate : float
        Minimum bytes per second, averaged since the start of the download.
    """

    connect: float = 5.0
    read: float = 30.0
    grace: float = 60.0
    minimum_rate: float = 8192.0


def download(url: str, *, patience: Patience | None = None) -> Iterator[bytes]:
    """Yield the body of a URL in blocks.

    Raises
    ------
    UnreachableError
        If no connection can be made, or the server does not answer.
    SourceError
        If the server does not send the complete body.
    """
    patience = patience or Patience()
    if urlsplit(url).scheme not in {"http", "https"}:
        raise UnreachableError(f"must be an http or https address, but got {url}")
    _connect(url, patience)
    try:
        with requests.get(
            url,
            stream=True,
            timeout=(patience.connect, patience.read),
            headers={"Accept-Encoding": "identity"},
        ) as response:
            if not response.ok:
                raise SourceError(f"HTTP {response.status_code} {response.reason} for {url}")
            yield from _body(response, patience)
    except (requests.exceptions.ProxyError, requests.exceptions.SSLError) as error:
        raise UnreachableError(_reason(error)) from error
    except requests.exceptions.ConnectTimeout as error:
        raise UnreachableError(f"no connection within {patience.connect:g} s") from error
    except requests.exceptions.ReadTimeout as error:
        raise UnreachableError(f"no answer within {patience.read:g} s") from error
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        raise SourceError(_reason(error)) from error


def _body(response: requests.Response, patience: Patience) -> Iterator[bytes]:
    """Yield the raw body; gzip is detected and limited by the caller."""
    begun = time.monotonic()
    n_bytes = 0
    # read1 returns available data; read would wait for a whole chunk, even from a slow server.
    while chunk := response.raw.read1(_CHUNK, decode_content=False):
        yield chunk
        n_bytes += len(chunk)
        seconds = time.monotonic() - begun
        if seconds > patience.grace and n_bytes < patience.minimum_rate * seconds:
            raise SourceError(
                f"slower than {patience.minimum_rate:g} bytes a second "
                f"({n_bytes} bytes in {seconds:.0f} s)"
            )


def _connect(url: str, patience: Patience) -> None:
    """Check within ``patience.connect`` seconds that the server accepts connections.

    The connect timeout of requests applies to each address of a host separately, of which some
    mirrors have sixteen, and not to name resolution.
    """
    proxy = requests.utils.select_proxy(url, requests.utils.get_environ_proxies(url))
    parts = urlsplit(proxy if proxy and "//" in proxy else f"http://{proxy}" if proxy else url)
    address = (parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
    # Host and port only: the URL of a proxy may contain a password.
    through = f"proxy {address[0]}:{address[1]}: " if proxy else ""
    outcome: queue.SimpleQueue[OSError | None] = queue.SimpleQueue()

    def attempt() -> None:
        try:
            socket.create_connection(address, timeout=patience.connect).close()
        except OSError as error:
            outcome.put(error)
        else:
            outcome.put(None)

    threading.Thread(target=attempt, daemon=True).start()
    try:
        error = outcome.get(timeout=patience.connect)
    except queue.Empty:
        error = TimeoutError()
    if isinstance(error, TimeoutError):  # the thread's own timeout may expire first
        raise UnreachableError(f"{through}no connection within {patience.connect:g} s")
    if isinstance(error, socket.gaierror):
        text = f"no address for {address[0]} ({error.strerror})"
        raise UnreachableError(through + text) from error
    if error is not None:
        raise UnreachableError(through + (error.strerror or str(error)).lower()) from error


def _reason(error: Exception) -> str:
    """Return the innermost cause in one line: requests wraps urllib3, which wraps the system."""
    inner: BaseException = error
    while (cause := inner.__cause__ or inner.__context__) is not None:
        inner = cause
    text = str(error) if inner is error else f"{inner}"
    return f"{type(inner).__name__}: {text}" if text else type(inner).__name__
