"""Galleries: grids of images, drawn with Pillow in a fraction of matplotlib's time."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from PIL import Image

__all__ = ["as_grey", "gallery_png", "limits_of", "picture_png"]

DPI = 300
_CELL = 112  # minimum pixels of an image: four times MNIST's 28, 0.37 inch
_GAP = 8
_FONT_SIZE = 20
_PAPER, _INK = 255, 0


def gallery_png(
    images: NDArray[Any],
    *,
    captions: Sequence[str] | None = None,
    columns: int | None = None,
) -> bytes:
    """Draw images in a grid, dark on light as on paper, row by row.

    Parameters
    ----------
    images : ndarray of shape (n_images, height, width)
        Any real dtype; the largest value becomes black, 0 (or the minimum, if negative) white.
    captions : sequence of str or None
        One line below each image.
    columns : int or None
        Images per row; None makes the grid as square as possible (100 images: 10 by 10).

    Returns
    -------
    bytes
        A PNG file with 300 dpi.

    Raises
    ------
    ConfigurationError
        If there are no images, or not one caption per image.
    """
    from PIL import Image

    n_images = len(images)
    if n_images == 0 or images.ndim != 3:  # noqa: PLR2004  # images, rows, columns
        raise ConfigurationError(
            f"images must be of shape (n, height, width) with n >= 1, but got {images.shape}"
        )
    if captions is not None and len(captions) != n_images:
        raise ConfigurationError(
            f"there must be one caption for each image, but got {len(captions)} for {n_images}"
        )
    columns = min(columns or math.ceil(math.sqrt(n_images)), n_images)
    scale = max(1, math.ceil(_CELL / max(images.shape[1:])))
    cells = _PAPER - as_grey(images, limits_of(images)).repeat(scale, axis=1).repeat(scale, axis=2)
    sheet, corners = _lay_out(cells, columns, caption=0 if captions is None else _FONT_SIZE + 4)
    picture = Image.fromarray(sheet)
    if captions is not None:
        _write_captions(picture, captions, corners, cells.shape[1:])
    return _png(picture)


def picture_png(image: NDArray[Any]) -> bytes:
    """Return one grey image of shape (height, width), uint8, as a PNG file, pixel for pixel."""
    from PIL import Image

    return _png(Image.fromarray(image))


def limits_of(images: NDArray[Any]) -> tuple[float, float]:
    """Return the values mapped to 0 and 255: 0 (or the minimum, if negative) and the maximum."""
    return min(0.0, float(images.min())), float(images.max())


def as_grey(images: NDArray[Any], limits: tuple[float, float]) -> NDArray[np.uint8]:
    """Return images as bytes, scaled so that the limits become 0 and 255."""
    low, high = limits
    if images.dtype == np.uint8 and high == np.iinfo(np.uint8).max:
        return images
    grey: NDArray[np.uint8] = np.rint((images - low) * (255.0 / ((high - low) or 1.0))).astype("u1")
    return grey


def _lay_out(
    cells: NDArray[np.uint8], columns: int, *, caption: int
) -> tuple[NDArray[np.uint8], list[tuple[int, int]]]:
    """Return the sheet and the (row, column) of each cell's upper left pixel."""
    n_cells, height, width = cells.shape
    rows = math.ceil(n_cells / columns)
    down, across = height + caption + _GAP, width + _GAP
    sheet = np.full((rows * down + _GAP, columns * across + _GAP), _PAPER, dtype=np.uint8)
    corners = []
    for number, cell in enumerate(cells):
        row, column = divmod(number, columns)
        top, left = _GAP + row * down, _GAP + column * across
        sheet[top : top + height, left : left + width] = cell
        corners.append((top, left))
    return sheet, corners


def _write_captions(
    picture: Image.Image,
    captions: Sequence[str],
    corners: list[tuple[int, int]],
    size: tuple[int, ...],
) -> None:
    from PIL import ImageDraw, ImageFont

    font = ImageFont.load_default(size=_FONT_SIZE)
    drawing = ImageDraw.Draw(picture)
    height, width = size
    for text, (top, left) in zip(captions, corners, strict=True):
        middle = (left + width / 2, top + height + 2)
        drawing.text(middle, text, fill=_INK, font=font, anchor="ma")


def _png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, format="PNG", dpi=(DPI, DPI))
    return file.getvalue()
