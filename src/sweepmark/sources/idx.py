"""The IDX format of the MNIST family: any rank, every element type, checked before it is read.

A file is two zero bytes, one byte for the element type, one for the rank, one big-endian unsigned
32-bit integer per dimension, then the elements, big-endian, last index fastest. The definition is
at the end of https://yann.lecun.com/exdb/mnist/. Files may be gzipped, which is detected by their
first bytes, not by their names.
"""

from __future__ import annotations

import contextlib
import gzip
import math
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

import numpy as np

from sweepmark.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["IdxHeader", "Readable", "encode", "open_file", "read_blocks", "read_header"]

ELEMENT_TYPES: dict[int, np.dtype[Any]] = {
    0x08: np.dtype(">u1"),
    0x09: np.dtype(">i1"),
    0x0B: np.dtype(">i2"),
    0x0C: np.dtype(">i4"),
    0x0D: np.dtype(">f4"),
    0x0E: np.dtype(">f8"),
}
_CODES = {(dtype.kind, dtype.itemsize): code for code, dtype in ELEMENT_TYPES.items()}
_OPTIONS = ", ".join(f"0x{code:02X} {dtype.name}" for code, dtype in ELEMENT_TYPES.items())
_MAX_RANK = 64  # NumPy's limit; the format's own is 255
_MAX_DIMENSION = 2**32 - 1
_BLOCK = 1 << 20
_GZIP_MAGIC = b"\x1f\x8b"


class Readable(Protocol):
    """The interface needed of a binary stream."""

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes; empty at the end."""
        ...


@dataclass(frozen=True, slots=True)
class IdxHeader:
    """The header of an IDX file.

    Attributes
    ----------
    dtype : numpy.dtype
        Element type, big-endian.
    shape : tuple of int
        Dimensions; a dimension may be 0.
    """

    dtype: np.dtype[Any]
    shape: tuple[int, ...]

    @property
    def n_elements(self) -> int:
        """The product of the dimensions, as an exact integer."""
        return math.prod(self.shape)

    @property
    def n_bytes(self) -> int:
        """Size of all elements in bytes."""
        return self.n_elements * self.dtype.itemsize

    @property
    def file_size(self) -> int:
        """Size of the decompressed file in bytes."""
        return 4 + 4 * len(self.shape) + self.n_bytes

    def encode(self) -> bytes:
        """Return the header's bytes."""
        code = _CODES[self.dtype.kind, self.dtype.itemsize]
        return struct.pack(f">HBB{len(self.shape)}I", 0, code, len(self.shape), *self.shape)


def encode(array: NDArray[Any]) -> bytes:
    """Return an array as the bytes of an IDX file.

    Parameters
    ----------
    array : ndarray of rank 1 to 64
        Of type uint8, int8, int16, int32, float32 or float64, in any byte order.

    Raises
    ------
    DataError
        If the format does not support the element type, rank or a dimension.

    Examples
    --------
    >>> encode(np.array([[7, 2]], dtype=np.uint8)).hex(" ")
    '00 00 08 02 00 00 00 01 00 00 00 02 07 02'
    """
    dtype = array.dtype.newbyteorder(">")
    if (dtype.kind, dtype.itemsize) not in _CODES:
        raise DataError(f"element type must be one of {_OPTIONS}, but got {array.dtype.name}")
    if not 1 <= array.ndim <= _MAX_RANK:
        raise DataError(f"rank must be in [1, {_MAX_RANK}], but got {array.ndim}")
    if max(array.shape) > _MAX_DIMENSION:
        raise DataError(f"dimensions must be at most {_MAX_DIMENSION}, but got {array.shape}")
    header = IdxHeader(dtype, array.shape)
    return header.encode() + array.astype(dtype, order="C", copy=False).tobytes()


def read_header(stream: Readable, *, name: str) -> IdxHeader:
    """Read and check the header, leaving the stream at the first element.

    Raises
    ------
    DataError
        With the field, the expected and the actual value.
    """
    zeros, code, rank = struct.unpack(">HBB", _read_exactly(stream, 4, name, "magic number"))
    if zeros != 0:
        raise DataError(f"{name}: magic number must begin with bytes 00 00, found {zeros:04x}")
    if code not in ELEMENT_TYPES:
        raise DataError(f"{name}: element type must be one of {_OPTIONS}, found 0x{code:02X}")
    if not 1 <= rank <= _MAX_RANK:
        raise DataError(f"{name}: rank must be in [1, {_MAX_RANK}], found {rank}")
    shape = struct.unpack(f">{rank}I", _read_exactly(stream, 4 * rank, name, "dimensions"))
    header = IdxHeader(ELEMENT_TYPES[code], shape)
    # NumPy's size limit applies to the product of the non-zero dimensions.
    extent = math.prod(size or 1 for size in shape) * header.dtype.itemsize
    if extent > np.iinfo(np.intp).max:
        raise DataError(f"{name}: dimensions must fit into memory, found {shape}")
    return header


def read_blocks(stream: Readable, header: IdxHeader, *, name: str) -> Iterator[NDArray[Any]]:
    """Yield the elements in flat blocks of at most 1 MiB, and check that the stream ends there.

    Memory depends on the data received, not on the size in the header.

    Raises
    ------
    DataError
        If the stream holds fewer or more bytes than the header says.
    """
    left = header.n_bytes
    while left:
        wanted = min(_BLOCK, left)
        block = _read_up_to(stream, wanted, name)
        left -= len(block)
        if len(block) < wanted:
            raise _length_error(name, header, f"{header.file_size - left}")
        yield np.frombuffer(block, dtype=header.dtype)
    if _read_up_to(stream, 1, name):
        raise _length_error(name, header, f"more than {header.file_size}")


@contextlib.contextmanager
def open_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file, gzipped or not, for reading its decompressed content.

    Raises
    ------
    DataError
        If it cannot be opened.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from error
    with file as raw:
        magic = raw.read(2)
        raw.seek(0)
        if magic == _GZIP_MAGIC:
            with gzip.GzipFile(fileobj=raw, mode="rb") as stream:
                yield stream  # type: ignore[misc]  # GzipFile implements BinaryIO
        else:
            yield raw


def _read_exactly(stream: Readable, size: int, name: str, what: str) -> bytes:
    data = _read_up_to(stream, size, name)
    if len(data) < size:
        raise DataError(f"{name}: {what} must be {size} bytes, found {len(data)} (truncated)")
    return data


def _read_up_to(stream: Readable, size: int, name: str) -> bytes:
    """Read ``size`` bytes or to the end; single reads of a stream may return less."""
    pieces = []
    try:
        while size and (piece := stream.read(size)):
            pieces.append(piece)
            size -= len(piece)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(
            f"{name}: must be a whole gzip file, found a damaged one: {error}"
        ) from error
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _length_error(name: str, header: IdxHeader, found: str) -> DataError:
    return DataError(
        f"{name}: length must be {header.file_size} bytes for {header.dtype.name} of shape "
        f"{header.shape}, found {found}"
    )
