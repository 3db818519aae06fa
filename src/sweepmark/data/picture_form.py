"""Conversion of a picture of a digit to the format of MNIST.

The procedure is that of MNIST (https://yann.lecun.com/exdb/mnist/): the digit is scaled into a box
of 20 x 20 pixels with its aspect ratio preserved and with anti-aliasing, and placed in 28 x 28
pixels with its centre of mass in the middle: pixel 14, within half a pixel, in all MNIST images.
Background is 0, ink 255. MNIST's own images are not changed.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from PIL.Image import Image

__all__ = [
    "LARGEST_PICTURE",
    "SIDE",
    "PictureForm",
    "bring_into_form",
    "is_picture",
    "read_picture",
]

SIDE = 28
LARGEST_PICTURE = 25_000_000
"""Maximum number of pixels; larger pictures are refused before decoding."""

_BOX = 20
_MIDDLE = 14
# Differences from the background below this are background. JPEG has artifacts around strokes: up
# to 27 of 255 were measured at Pillow's default quality.
_FAINTEST, _FAINTEST_OF_JPEG = 8, 32
_DARKEST = 255
_FORMATS = ("PNG", "JPEG", "PPM")  # Pillow's PPM includes PBM, PGM and PPM, plain or not
_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
_SPREAD = 6  # standard deviations of the background that still count as background
_PLAIN = 64  # grey values closer than this are one colour, apart from anti-aliasing


@dataclass(frozen=True, slots=True, eq=False)
class PictureForm:
    """A digit in the format of MNIST.

    Attributes
    ----------
    image : ndarray of shape (28, 28), uint8
        0 is background, 255 ink.
    is_dark_on_light : bool
        Whether the picture was dark on light.
    box : (int, int, int, int)
        Bounding box of the ink in the picture: first row, first column, rows, columns.
    """

    image: NDArray[np.uint8]
    is_dark_on_light: bool
    box: tuple[int, int, int, int]


def is_picture(path: Path) -> bool:
    """Return whether a file begins like PNG, JPEG, PBM, PGM or PPM."""
    with path.open("rb") as file:
        head = file.read(8)
    is_netpbm = head[:1] == b"P" and head[1:2] in b"123456" and head[2:3] in b" \t\r\n#"
    return head.startswith((_PNG, _JPEG)) or (is_netpbm and path.suffix.lower() != ".csv")


def read_picture(path: Path) -> PictureForm:
    """Return the digit in a picture, in the format of MNIST.

    Transparent pixels are composed onto the background: the picture's own if it has some, otherwise
    white behind dark strokes and black behind light ones.

    Parameters
    ----------
    path : Path
        A PNG, JPEG, PBM, PGM or PPM file.

    Raises
    ------
    DataError
        If it is blank, cannot be decoded, or has more than LARGEST_PICTURE pixels according to its
        header.
    """
    from PIL import Image, ImageOps

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's warning about sizes: the limit here is lower
            with Image.open(path, formats=_FORMATS) as picture:
                _check_size(path, picture.size)
                faintest = _FAINTEST_OF_JPEG if picture.format == "JPEG" else _FAINTEST
                grey = _grey(ImageOps.exif_transpose(picture))
    except DataError:
        raise
    except Image.DecompressionBombError as error:
        raise _too_large(path, str(error)) from None
    except (OSError, ValueError, SyntaxError, EOFError, OverflowError, MemoryError) as error:
        raise DataError(
            f"{path}: must be a whole PNG, JPEG or PGM file, but cannot be decoded: {error}. "
            "Save the picture again."
        ) from error
    return bring_into_form(grey, name=str(path), faintest=faintest)


def bring_into_form(grey: NDArray[Any], *, name: str, faintest: float = _FAINTEST) -> PictureForm:
    """Return the digit in an array of grey values, in the format of MNIST.

    The background is determined from the border: it is the side, dark or light, of the middle
    between the darkest and the lightest pixel that the border is on; the rest is ink. The result
    does not depend on inversion, contrast or a margin of background.

    Parameters
    ----------
    grey : ndarray of shape (height, width)
        Values in [0, 255].
    name : str
        Its name in errors.
    faintest : float
        Differences from the background below this, if that of the darkest ink is 255, are
        background.

    Raises
    ------
    DataError
        If it is blank.
    """
    grey = np.asarray(grey, dtype=np.float32)
    border = np.concatenate([grey[0], grey[-1], grey[1:-1, 0], grey[1:-1, -1]])
    paper = float(np.median(border))
    low, high = float(grey.min()), float(grey.max())
    is_dark = paper - low > high - paper
    ink = paper - grey if is_dark else grey - paper
    noise = _SPREAD * float(np.median(np.abs(border - paper)))
    if float(ink.max()) < max(_FAINTEST, noise):
        raise DataError(
            f"{name}: must show a digit, but is blank: its grey values are {low:.0f} to {high:.0f}"
            f"{', as uneven as its border' if noise else ''}. Take one with more contrast."
        )
    ink[ink < max(noise, float(ink.max()) * faintest / _DARKEST)] = 0
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    top, left = int(rows[0]), int(columns[0])
    height, width = int(rows[-1]) + 1 - top, int(columns[-1]) + 1 - left
    fitted = _fit(ink[top : top + height, left : left + width])
    return PictureForm(_centre(fitted), is_dark, (top, left, height, width))


def _fit(ink: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """Scale to the box, with area-weighted pixels, and the darkest pixel to 255."""
    from PIL import Image

    height, width = ink.shape
    scale = _BOX / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    resized = Image.fromarray(ink).resize(size, Image.Resampling.BILINEAR)
    fitted = np.array(resized, dtype=np.float64)
    fitted *= _DARKEST / fitted.max()
    return fitted


def _centre(fitted: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    """Place a digit with its centre of mass in the middle, as far as there is room."""
    image = np.zeros((SIDE, SIDE), dtype=np.uint8)
    starts = []
    for axis, length in enumerate(fitted.shape):
        mass = fitted.sum(axis=1 - axis)
        centre = float(mass @ np.arange(length) / mass.sum())
        starts.append(int(np.clip(round(_MIDDLE - centre), 0, SIDE - length)))
    top, left = starts
    height, width = fitted.shape
    image[top : top + height, left : left + width] = np.rint(fitted)
    return image


def _check_size(path: Path, size: tuple[int, int]) -> None:
    width, height = size
    if width * height > LARGEST_PICTURE:
        raise _too_large(path, f"is {width} x {height}")
    if not width or not height:
        raise DataError(f"{path}: must have pixels, but is {width} x {height}")


def _too_large(path: Path, found: str) -> DataError:
    return DataError(
        f"{path}: must have {LARGEST_PICTURE:,} pixels at most, but {found}. Scale it down first."
    )


def _grey(picture: Image) -> NDArray[np.floating[Any]]:
    """Return grey values in [0, 255], with transparent pixels composed onto the background."""
    if picture.mode.startswith(("I", "F")):  # Pillow would clip values of more than eight bits
        return np.asarray(picture, dtype=np.float32) * np.float32(_DARKEST / 65535)
    if not picture.has_transparency_data:
        return np.asarray(picture.convert("L"), dtype=np.float32)
    both = np.asarray(picture.convert("RGBA").convert("LA"))
    grey, cover = both[..., 0].astype(np.float32), both[..., 1].astype(np.float32) / _DARKEST
    return grey * cover + _paper_behind(grey, cover) * (1 - cover)


def _paper_behind(grey: NDArray[np.floating[Any]], cover: NDArray[np.floating[Any]]) -> float:
    """Return the background of a transparent picture."""
    opaque = grey[cover > 1 / 2]
    if not opaque.size:
        return float(_DARKEST)
    low, middle, high = np.percentile(opaque, (0.5, 50, 99.5))
    if high - low >= _PLAIN:  # it has an opaque background
        return float(middle)
    return float(_DARKEST if middle < _DARKEST / 2 else 0)
