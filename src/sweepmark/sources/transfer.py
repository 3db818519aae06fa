"""Writing a verified file from untrusted bytes.

Independently of the source, a file is accepted only by the SHA-256 of its decompressed content.
(pooch is not suitable: it hashes the downloaded file, and compressed files differ between mirrors.)
"""

from __future__ import annotations

import hashlib
import zlib
from typing import TYPE_CHECKING, BinaryIO

from sweepmark.errors import FetchError
from sweepmark.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from sweepmark.config.schema import FileConfig

__all__ = ["AbsentError", "SourceError", "UnreachableError", "write_verified"]

_BLOCK = 1 << 20
_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_WINDOW = 31  # zlib's code for "gzip header and trailer, largest window"


class SourceError(FetchError):
    """A source did not provide a file; others may."""


class UnreachableError(SourceError):
    """A source is not reachable, so it is not tried for further files."""


class AbsentError(UnreachableError):
    """A local path that does not exist, which is the usual case."""


def write_verified(
    chunks: Iterable[bytes],
    file: FileConfig,
    target: Path,
    *,
    advance: Callable[[int], None] = lambda _: None,
) -> None:
    """Write a file from content, gzipped or not, if and only if it is the expected one.

    Never more than ``file.size`` bytes are decompressed, never more than 1 MiB at a time.

    Parameters
    ----------
    chunks : iterable of bytes
        The content from the source.
    file : FileConfig
        The expected decompressed content.
    target : Path
        The path to write to; it is created only when the content is complete and verified.
    advance : callable
        Called with the number of decompressed bytes after each block.

    Raises
    ------
    SourceError
        With expected and actual SHA-256; nothing is written then.
    """

    def write(partial: Path) -> None:
        with partial.open("wb") as out:
            trouble = _copy(chunks, out, file, advance)
        if trouble:
            raise SourceError(
                f"expected {file.size} bytes with SHA-256 {file.sha256}, found {trouble}"
            )

    write_whole(target, write, unfinished=target.with_name(target.name + ".part"))


def _copy(
    chunks: Iterable[bytes], out: BinaryIO, file: FileConfig, advance: Callable[[int], None]
) -> str:
    """Copy the decompressed content and return what is wrong with it; empty if it is valid."""
    hasher = hashlib.sha256()
    n_bytes, page, end = 0, "", ""
    try:
        for block in _decompressed(chunks):
            if n_bytes == 0 and _is_page(block):
                page = " (a web page)"
            n_bytes += len(block)
            if n_bytes > file.size:
                return f"more than that{page}; the rest was not read"
            hasher.update(block)
            out.write(block)
            advance(len(block))
    except (SourceError, zlib.error, EOFError) as error:
        if n_bytes == 0 and isinstance(error, SourceError):
            raise  # nothing was received, so there is no digest to compare
        end = f", then: {error}"
    if not end and hasher.hexdigest() == file.sha256.lower():
        return ""
    return f"{n_bytes} bytes with SHA-256 {hasher.hexdigest()}{page}{end}"


def _decompressed(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the content in blocks of at most 1 MiB, decompressing it if it is gzipped."""
    pieces = iter(chunks)
    head = b""
    for piece in pieces:
        head += piece
        if len(head) >= len(_GZIP_MAGIC):
            break
    if not head.startswith(_GZIP_MAGIC):
        yield head
        yield from pieces
        return
    inflater = zlib.decompressobj(_GZIP_WINDOW)
    yield from _inflated(inflater, head)
    for piece in pieces:
        yield from _inflated(inflater, piece)
    if not inflater.eof:
        raise EOFError("the gzip stream ends too early")


def _inflated(inflater: zlib._Decompress, data: bytes) -> Iterator[bytes]:
    if inflater.eof and data:
        raise zlib.error("bytes after the end of the gzip stream")
    while data and not inflater.eof:
        yield inflater.decompress(data, _BLOCK)
        data = inflater.unconsumed_tail
    if inflater.unused_data:
        raise zlib.error("bytes after the end of the gzip stream")


def _is_page(head: bytes) -> bool:
    return head.lstrip()[:9].lower().startswith((b"<!doctype", b"<html", b"<?xml"))
