"""Printed digits: pictures of them, and a data set in MNIST's form and files."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from sweepmark.data.picture_form import bring_into_form
from sweepmark.sources import idx

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FOLDER = Path(mpl.get_data_path()) / "fonts/ttf"
_FONTS = ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSansMono", "DejaVuSerif", "STIXGeneral")


@cache
def drawn(digit: int, *, size: int = 60, font: str = _FONTS[0]) -> NDArray[np.float32]:
    """Return a digit as it is printed, dark on light, with a margin of its own height."""
    face = ImageFont.truetype(str(_FOLDER / f"{font}.ttf"), size)
    picture = Image.new("L", (2 * size, 2 * size), 255)
    ImageDraw.Draw(picture).text((size, size), str(digit), fill=0, font=face, anchor="mm")
    return np.asarray(picture, dtype=np.float32)


def write_files(folder: Path) -> Path:
    """Write the four IDX files, 250 images to train and 50 to test, and return their folder."""
    folder.mkdir()
    labels = [digit for _ in _FONTS for digit in range(10)]
    for name, angles in (("train", (-10, -5, 0, 5, 10)), ("t10k", (3,))):
        images = [
            bring_into_form(_turned(drawn(digit, font=font), angle), name=font).image
            for angle in angles
            for font in _FONTS
            for digit in range(10)
        ]
        y = np.array(labels * len(angles), dtype=np.uint8)
        (folder / f"{name}-images-idx3-ubyte").write_bytes(idx.encode(np.stack(images)))
        (folder / f"{name}-labels-idx1-ubyte").write_bytes(idx.encode(y))
    return folder


def _turned(grey: NDArray[np.float32], angle: int) -> NDArray[np.float32]:
    turned = Image.fromarray(grey).rotate(angle, Image.Resampling.BILINEAR, fillcolor=255)
    return np.asarray(turned, dtype=np.float32)
