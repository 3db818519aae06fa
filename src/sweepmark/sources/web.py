"""Downloads over HTTP: bounded waiting, streamed, every failure told in one line."""

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
    """How long a server is waited for.

    Attributes
    ----------
    connect : float
        Seconds for name resolution and connection together, whatever the number of addresses.
    read : float
        Seconds without any byte.
    grace : float
        Seconds before ``minimum_rate`` is asked for.
    minimum_rate : float
        Bytes per second, on average since the beginning: a server that drips is given up.
    """

    connect: float = 5.0
    read: float = 30.0
    grace: float = 60.0
    minimum_rate: float = 8192.0


def download(url: str, *, patience: Patience | None = None) -> Iterator[bytes]:
    """Yield the body of a URL as the server sends it.

    Raises
    ------
    UnreachableError
        If no connection can be made, or nobody answers on it.
    SourceError
        If the server does not deliver the whole body.
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
    """Yield what comes, undecoded: what is gzipped is recognised, and bounded, further on."""
    begun = time.monotonic()
    n_bytes = 0
    # read1 returns what is there; read would wait for a whole chunk, however slowly it drips.
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
    """Find out within ``patience.connect`` seconds whether there is anybody at all.

    The connect timeout of requests holds for each address of a host anew, of which some mirrors
    have sixteen, and not for name resolution at all.
    """
    proxy = requests.utils.select_proxy(url, requests.utils.get_environ_proxies(url))
    parts = urlsplit(proxy if proxy and "//" in proxy else f"http://{proxy}" if proxy else url)
    address = (parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
    # Its host and port only: the address of a proxy may hold a password.
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
    if isinstance(error, TimeoutError):  # the thread's own timer may go off before ours
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
