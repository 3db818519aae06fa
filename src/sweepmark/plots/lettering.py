"""Text in pictures: the font, text widths, and drawing text into an ink array."""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.terminal import cut

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray
    from PIL.ImageFont import FreeTypeFont

__all__ = ["BLACK", "LONGEST", "fit_font", "load_font", "text_width", "write"]

BLACK = 255
"""Default ink of text."""
LONGEST = 200
"""Maximum characters of a text."""


@functools.lru_cache(maxsize=32)
def load_font(size: int) -> FreeTypeFont:
    """Return DejaVu Sans from matplotlib's folder: Pillow's own font has no arrow."""
    from PIL import ImageFont

    found = importlib.util.find_spec("matplotlib")  # without importing matplotlib
    origin = Path(str(found.origin if found else ""))
    return ImageFont.truetype(str(origin.parent / "mpl-data/fonts/ttf/DejaVuSans.ttf"), size)


def text_width(text: str, font: FreeTypeFont) -> int:
    """Return the width of a text in pixels."""
    return int(font.getlength(cut(text, LONGEST))) + 1


def fit_font(texts: Iterable[str], width: int, *, largest: int) -> FreeTypeFont:
    """Return the largest font, not below 8 pixels, in which every text fits the width."""
    longest = max(texts, key=len)
    for size in range(largest, 8, -1):
        if text_width(longest, load_font(size)) <= width:
            return load_font(size)
    return load_font(8)


def write(  # noqa: PLR0913 - a stroke needs them
    plane: NDArray[Any],
    text: str,
    at: tuple[int, int],
    *,
    font: FreeTypeFont,
    ink: int = BLACK,
    anchor: float = 0.5,
    turned: bool = False,
) -> None:
    """Draw text into an ink array, centred at a height, ``anchor`` of its width left of ``at``."""
    mask, middle = _stamp(cut(text, LONGEST), font)
    x, y = at
    if turned:
        mask = np.rot90(mask)
        top, left = y - mask.shape[0] // 2, x - middle
    else:
        top, left = y - middle, x - round(anchor * mask.shape[1])
    part = plane[top : top + mask.shape[0], left : left + mask.shape[1]]
    part += ((ink - part.astype(np.int32)) * mask // BLACK).astype(np.uint8)


@functools.lru_cache(maxsize=2048)
def _stamp(text: str, font: FreeTypeFont) -> tuple[NDArray[Any], int]:
    """Return text as coverage (0 to 255), and the vertical centre of its digits from the top."""
    cover, (_, top) = font.getmask2(text, mode="L")
    mask = np.array(cover, dtype=np.int32).reshape(cover.size[::-1])
    ascent = font.getbbox("0")
    return mask, int(ascent[1] + ascent[3]) // 2 - int(top)
