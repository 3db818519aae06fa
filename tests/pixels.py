"""Pictures read back as pixels, and whether they show something whole."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image

_FAINT = 200  # darker than the palest cell of a matrix, paler than any letter


def read_png(content: bytes) -> Any:
    """Return a PNG's pixels, shape (height, width, 3), int64."""
    with Image.open(io.BytesIO(content)) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB")).astype(int)


def is_whole(pixels: Any) -> bool:
    """Tell whether there is ink, and none of it is cut off: the outermost pixels are all paper."""
    edges = [pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]]
    n_ink = int((pixels < _FAINT).any(axis=2).sum())
    return n_ink > 20 and all((edge == 255).all() for edge in edges)
