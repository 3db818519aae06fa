"""IDX files read back as arrays."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.sources import idx

if TYPE_CHECKING:
    from numpy.typing import NDArray


def decode(content: bytes, *, name: str = "stream") -> NDArray[Any]:
    """Return the array of an uncompressed IDX file, in native byte order."""
    stream = io.BytesIO(content)
    header = idx.read_header(stream, name=name)
    blocks = [np.empty(0, header.dtype), *idx.read_blocks(stream, header, name=name)]
    native = header.dtype.newbyteorder("=")
    return np.concatenate(blocks).astype(native).reshape(header.shape)
