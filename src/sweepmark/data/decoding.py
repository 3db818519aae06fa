"""Conversion of an IDX file to a .npy file, in bounded memory."""

from __future__ import annotations

import gzip
import hashlib
import math
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.data import cache
from sweepmark.errors import DataError, StoreError
from sweepmark.sources import idx

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["check_idx", "convert_idx", "stored_as"]


def check_idx(path: Path, kind: str) -> idx.IdxHeader:
    """Return the header of an IDX file, after checking that it is consistent with the file.

    Parameters
    ----------
    path : Path
        The IDX file, gzipped or not.
    kind : {"images", "labels"}
        The expected content.

    Raises
    ------
    DataError
        If it is not an IDX file of that kind, or is too short for its header.
    """
    with idx.open_file(path) as raw:
        header = idx.read_header(raw, name=str(path))
        _check_role(header, kind, str(path))
        _check_length(header, path, zipped=isinstance(raw, gzip.GzipFile))
        return header


def convert_idx(path: Path, target: Path, kind: str) -> str:
    """Convert one IDX file to one .npy file.

    Parameters
    ----------
    path : Path
        The IDX file, gzipped or not.
    target : Path
        The .npy file; it must not exist yet.
    kind : {"images", "labels"}
        The expected content.

    Returns
    -------
    str
        SHA-256 of its decompressed content.

    Raises
    ------
    DataError
        As :func:`check_idx` does, or if the file is damaged or holds NaN or infinity.
    StoreError
        If the disk is full.
    """
    name = str(path)
    dtype, shape = stored_as(check_idx(path, kind), kind)
    _check_room(math.prod(shape) * dtype.itemsize, path, target.parent)
    with idx.open_file(path) as raw, target.open("xb") as file:
        stream = _Hashing(raw)
        header = idx.read_header(stream, name=name)
        np.lib.format.write_array_header_1_0(
            file, {"descr": dtype.str, "fortran_order": False, "shape": shape}
        )
        for block in idx.read_blocks(stream, header, name=name):
            if block.dtype.kind == "f" and not np.isfinite(block).all():
                raise DataError(f"{name}: elements must be finite, found NaN or infinity")
            file.write(block.astype(dtype, copy=False).data)
    return stream.hexdigest()


def stored_as(header: idx.IdxHeader, kind: str) -> tuple[np.dtype[Any], tuple[int, ...]]:
    """Return dtype and shape in the cache: unsigned bytes are kept, all others become float64."""
    n_rows = header.shape[0]
    if kind == "labels":
        return np.dtype("<i8"), (n_rows,)
    pixels = np.dtype("|u1") if header.dtype == np.uint8 else np.dtype("<f8")
    return pixels, (n_rows, header.n_elements // n_rows)


class _Hashing:
    """A stream that hashes the data read."""

    def __init__(self, stream: idx.Readable) -> None:
        self._stream = stream
        self._hasher = hashlib.sha256()

    def read(self, size: int, /) -> bytes:
        data = self._stream.read(size)
        self._hasher.update(data)
        return data

    def hexdigest(self) -> str:
        return self._hasher.hexdigest()


def _check_role(header: idx.IdxHeader, kind: str, name: str) -> None:
    rank = len(header.shape)
    if kind == "labels" and (rank != 1 or header.dtype.kind not in "iu"):
        raise DataError(
            f"{name}: labels must be integers of rank 1, found {header.dtype.name} of rank {rank}"
        )
    if kind == "images" and rank < 2:  # noqa: PLR2004  # rows and at least one axis of features
        raise DataError(f"{name}: images must be of rank 2 or more, found rank {rank}")
    if header.n_elements == 0:
        raise DataError(f"{name}: dimensions must be at least 1, found {header.shape}")


def _check_length(header: idx.IdxHeader, path: Path, *, zipped: bool) -> None:
    """Raise if the file is too small for the size in its header, before anything is written."""
    size = path.stat().st_size
    if zipped:
        # deflate expands at most by a factor of 1032: https://zlib.net/zlib_tech.html
        possible, found = header.file_size <= size * 1032, f"{size} bytes, gzipped"
    else:
        possible, found = header.file_size == size, str(size)
    if not possible:
        raise DataError(
            f"{path}: length must be {header.file_size} bytes for {header.dtype.name} of shape "
            f"{header.shape}, found {found}"
        )


def _check_room(needed: int, path: Path, folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise StoreError(
            f"{path} needs {needed} bytes in {folder}, but only {free} are free. "
            f"Free some space, or set {cache.VARIABLE} to another folder."
        )
