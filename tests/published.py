"""Data sets published by a test, and a web server that misbehaves."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import socket
import threading
import time
import zlib
from dataclasses import fields
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

from sweepmark.config.registry import SOURCES
from sweepmark.config.schema import DatasetConfig, FileConfig
from sweepmark.data.folder import STANDARD_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    Page = Callable[[BaseHTTPRequestHandler], None]


def file_config(path: Path) -> FileConfig:
    """Say what a file must be, as the YAML of a data set does."""
    content = path.read_bytes()
    return FileConfig(name=path.name, size=len(content), sha256=hashlib.sha256(content).hexdigest())


def dataset_config(folder: Path, /, **places: Sequence[str]) -> DatasetConfig:
    """Describe the data set whose four files lie in ``folder``, and at places of sources."""
    files = {role: file_config(folder / name) for role, name in STANDARD_NAMES.items()}
    return DatasetConfig(name="tiny", format="idx", files=files, sources=sources(**places))


def sources(**places: Sequence[str]) -> dict[str, Any]:
    """Return the options of sources that have a list of paths or addresses."""
    chosen = {name: SOURCES.find(name).options for name in places}
    return {
        name: options(**{fields(options)[0].name: tuple(places[name])})
        for name, options in chosen.items()
    }


class WebServer:
    """A real HTTP server on 127.0.0.1; ``pages`` says what each path does."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.requested: list[str] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # http.server's name
                server.requested.append(self.path)
                page = server.pages.get(self.path)
                if page is None:
                    self.send_error(404)
                else:
                    with contextlib.suppress(ConnectionError):
                        page(self)

            def log_message(self, *_: object) -> None:
                """Keep quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join(60)
        assert not self._thread.is_alive()
        self._server.server_close()

    def publish(self, folder: Path, prefix: str = "/", *, page: Callable[[bytes], Page]) -> None:
        """Serve every file of a folder, gzipped, below ``prefix``."""
        for path in folder.iterdir():
            self.pages[f"{prefix}{path.name}.gz"] = page(gzip.compress(path.read_bytes(), 1))


def whole(body: bytes, *, seconds: float = 0.0) -> Page:
    """Answer with the body, after some time."""
    return _reply(lambda handler: handler.wfile.write(body), len(body), seconds)


def cut(body: bytes) -> Page:
    """Announce the whole body and hang up half way."""
    return _reply(lambda handler: handler.wfile.write(body[: len(body) // 2]), len(body))


def cut_unannounced(body: bytes) -> Page:
    """Send half of the body as if it were all."""
    return whole(body[: len(body) // 2])


def flipped(body: bytes) -> Page:
    """Flip one bit of the content; the gzip checksum is right."""
    content = bytearray(gzip.decompress(body))
    content[len(content) // 2] ^= 1
    return whole(gzip.compress(bytes(content), 1))


def flipped_in_transit(body: bytes) -> Page:
    """Flip one bit of the gzip stream."""
    damaged = bytearray(body)
    damaged[len(damaged) // 2] ^= 1
    return whole(bytes(damaged))


def web_page(_: bytes) -> Page:
    """Answer 200 with a page that says "please log in", as captive portals do."""
    return whole(b"<!DOCTYPE html><html><body>Please log in</body></html>")


def bomb(_: bytes) -> Page:
    """Answer with 10 GB of zeros, gzipped into 10 MB."""

    def send(handler: BaseHTTPRequestHandler) -> None:
        for piece in gzip_bomb(10 * 1024):
            handler.wfile.write(piece)

    return _reply(send, None)


def gzip_bomb(n_mebibytes: int, head: bytes = b"") -> Iterator[bytes]:
    """Yield a gzip stream of ``head`` and zeros: one compressed MiB, again and again."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, 31)
    yield deflate.compress(head) + deflate.flush(zlib.Z_FULL_FLUSH)
    piece = deflate.compress(bytes(1 << 20)) + deflate.flush(zlib.Z_FULL_FLUSH)
    for _ in range(n_mebibytes):
        yield piece


def dripping(body: bytes) -> Page:
    """Send a byte now and then."""

    def send(handler: BaseHTTPRequestHandler) -> None:
        for value in body:
            handler.wfile.write(bytes([value]))
            time.sleep(0.02)

    return _reply(send, len(body))


def mute(_: bytes) -> Page:
    """Accept the request and say nothing for two seconds."""
    return lambda _: time.sleep(2)


def unused_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _reply(
    send: Callable[[BaseHTTPRequestHandler], object], length: int | None, seconds: float = 0.0
) -> Page:
    def page(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(seconds)
        handler.send_response(200)
        if length is not None:
            handler.send_header("Content-Length", str(length))
        handler.end_headers()
        send(handler)

    return page
