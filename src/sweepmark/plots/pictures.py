"""Confusion matrices and galleries drawn by NumPy and Pillow in a tenth of matplotlib's time.

A picture is an array of ink, 0 (paper) to 255 (black), until it is encoded. For the confusion
matrix a palette maps ink to a single hue, which is legible to the colour-blind and in print.
"""

from __future__ import annotations

import functools
import io
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.plots.lettering import BLACK, fit_font, load_font, text_width, write
from sweepmark.scores.metric_names import ACCURACY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["confusion_matrix_png", "misclassified_png"]

_DEEPEST = 205
# The ink of a cell with all rows of its class; darker ink is used for text.
_RAMP = ((0, (255, 255, 255)), (70, (158, 202, 225)), (140, (49, 120, 185)), (205, (8, 48, 107)))
# From ColorBrewer's sequential "Blues" (https://colorbrewer2.org), which it marks as safe for the
# colour-blind.
_MARGIN = 14
_TICKS = (0.0, 0.01, 0.05, 0.2, 0.5, 1.0)


def confusion_matrix_png(
    matrix: NDArray[Any], labels: Sequence[object], *, accuracy_name: str = ACCURACY
) -> bytes:
    """Return a picture of a confusion matrix: counts, shaded by their share of the actual class.

    The shade is proportional to the square root of the share, so that the few errors of a good
    classifier are visible; the scale beside the matrix shows this. Cells with count 0 are empty.

    Parameters
    ----------
    matrix : ndarray of shape (n_classes, n_classes), int
        Rows are the actual classes.
    labels : sequence of n_classes
        Names of the classes.
    accuracy_name : str
        Name of the accuracy metric, for the title.

    Returns
    -------
    bytes
        A PNG file.
    """
    n_classes = len(labels)
    side = int(np.clip(620 / n_classes, 38, 110))
    texts = [[f"{count}" if count else "" for count in row] for row in matrix.tolist()]
    font = fit_font([text for row in texts for text in row], side - 6, largest=17)
    names = [str(label) for label in labels]
    name_size = 15 if n_classes <= 12 else 13  # noqa: PLR2004 - more, smaller
    name_font = load_font(name_size)
    widest = max(text_width(name, name_font) for name in names)
    left = _MARGIN + 26 + widest + 8
    # Long names are rotated below the matrix.
    turned = widest > side - 4
    foot = (widest if turned else name_size) + 44
    top = _MARGIN + 34
    span = side * n_classes
    n, n_hits = int(matrix.sum()), int(np.trace(matrix))
    title = f"{n_hits} of {n} rows correct ({_share(accuracy_name, n_hits, n)})"
    width = max(left + span + 92, text_width(title, load_font(15)) + 2 * _MARGIN)
    plane = np.zeros((max(top + span + foot, 300), width), dtype=np.uint8)

    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    inks = _shade(shares)
    cells = np.repeat(np.repeat(inks, side, axis=0), side, axis=1)
    plane[top : top + span, left : left + span] = cells
    edges = np.arange(n_classes + 1) * side
    plane[top + edges, left : left + span + 1] = 40
    plane[top : top + span + 1, left + edges] = 40
    middles = [i * side + side // 2 for i in range(n_classes)]
    for i, row in enumerate(texts):
        for j, text in enumerate(row):
            if text:
                ink = 0 if inks[i, j] > 130 else BLACK  # noqa: PLR2004 - equal contrast
                write(plane, text, (left + middles[j], top + middles[i]), font=font, ink=ink)
    for name, middle in zip(names, middles, strict=True):
        write(plane, name, (left - 8, top + middle), font=name_font, anchor=1.0)
        down = top + span + 8 + (text_width(name, name_font) if turned else name_size) // 2
        write(plane, name, (left + middle, down), font=name_font, turned=turned)
    _frame(plane, title, (left, top, span))
    return _encode(plane, palette=_palette())


def misclassified_png(  # noqa: PLR0913 - options of a picture
    images: NDArray[Any],
    y_true: NDArray[Any],
    y_pred: NDArray[Any],
    rows: NDArray[Any],
    *,
    limit: int = 25,
    n_wrong: int | None = None,
    n_scored: int | None = None,
    which: str = "first",
    accuracy_name: str = ACCURACY,
) -> bytes:
    """Return a gallery of rows that were classified wrongly, in the order given.

    Parameters
    ----------
    images : ndarray of shape (n, height, width)
        Grey values of any numeric dtype, memory-mapped or not; only images shown are read. The
        largest value shown becomes black.
    y_true, y_pred, rows : ndarray of shape (n,)
        Labels, and row numbers in the data set, in the order of the images.
    limit : int
        Maximum number of images shown.
    n_wrong, n_scored : int or None
        Number of misclassified rows and of all rows, if only some images are given.
    which : str
        The order of the images, for the title.
    accuracy_name : str
        Name of the accuracy metric, for the title.

    Returns
    -------
    bytes
        A PNG file. Captions read ``#row actual→predicted``.
    """
    wrong = np.flatnonzero(np.asarray(y_true) != np.asarray(y_pred))
    shown = wrong[:limit]
    captions = [f"#{rows[i]} {y_true[i]}→{y_pred[i]}" for i in shown]
    n_wrong = len(wrong) if n_wrong is None else n_wrong
    n_scored = len(y_true) if n_scored is None else n_scored
    share = _share(accuracy_name, n_scored - n_wrong, n_scored)
    title = f"{n_wrong} of {n_scored} rows misclassified ({share})"
    if n_wrong > len(shown):
        title += f", the {which} {len(shown)} shown"
    font, title_font = load_font(13), load_font(15)
    tiles = _tiles(np.asarray(images[shown]), 96)
    height, width = tiles.shape[1:]
    n_columns = min(5, max(1, len(shown)))
    n_rows = -(-len(shown) // n_columns)
    stride_x = max([width, *(text_width(caption, font) for caption in captions)]) + 14
    stride_y = height + 32
    top = _MARGIN + 34
    hint = "#row actual→predicted" if len(shown) else "nothing to show"
    across = max(n_columns * stride_x, text_width(title, title_font), text_width(hint, font))
    plane = np.zeros((top + 14 + n_rows * stride_y + _MARGIN, across + 2 * _MARGIN), np.uint8)
    write(plane, title, (_MARGIN, _MARGIN + 8), font=title_font, anchor=0.0)
    write(plane, hint, (_MARGIN, _MARGIN + 30), font=font, anchor=0.0, ink=150)
    for i, (tile, caption) in enumerate(zip(tiles, captions, strict=True)):
        x = _MARGIN + (i % n_columns) * stride_x + (stride_x - width) // 2
        y = top + 14 + (i // n_columns) * stride_y
        plane[y : y + height, x : x + width] = tile
        write(plane, caption, (x + width // 2, y + height + 12), font=font)
    return _encode(plane, palette=np.repeat(np.arange(255, -1, -1, dtype=np.uint8), 3))


def _share(name: str, n_hits: int, n: int) -> str:
    return f"{name} {100 * n_hits / max(n, 1):.2f} %"


def _frame(plane: NDArray[Any], title: str, box: tuple[int, int, int]) -> None:
    """Write title, axis titles and the scale of shades around the matrix at (left, top, span)."""
    left, top, span = box
    font, small = load_font(15), load_font(12)
    across = text_width(title, font)
    # Centred over the matrix, unless the title would not fit.
    latest = plane.shape[1] - _MARGIN // 2 - across // 2
    middle = max(min(left + span // 2, latest), _MARGIN + across // 2)
    write(plane, title, (middle, _MARGIN + 12), font=font)
    write(plane, "predicted", (left + span // 2, plane.shape[0] - _MARGIN - 4), font=font)
    write(plane, "actual", (_MARGIN + 8, top + span // 2), font=font, turned=True)
    scale_x, length = left + span + 18, min(span, 220)
    shares = np.linspace(1, 0, length) ** 2
    plane[top : top + length, scale_x : scale_x + 14] = _shade(shares)[:, None]
    for share in _TICKS:
        y = top + round((length - 1) * (1 - share**0.5))
        plane[y, scale_x : scale_x + 18] = 130
        write(plane, f"{100 * share:g} %", (scale_x + 22, y), font=small, anchor=0.0)
    write(plane, "of the row", (scale_x - 2, top + length + 16), font=small, anchor=0.0)


def _shade(shares: NDArray[Any]) -> NDArray[Any]:
    inks: NDArray[Any] = np.rint(np.sqrt(shares) * _DEEPEST).astype(np.uint8)
    return inks


def _tiles(images: NDArray[Any], side: int) -> NDArray[Any]:
    """Return the images as ink, dark on light, about ``side`` pixels wide."""
    from sweepmark.data.gallery import as_grey, limits_of

    if images.size == 0:
        return np.zeros((0, 0, 0), dtype=np.uint8)
    ink = as_grey(images, limits_of(images))
    longest = max(images.shape[1:])
    if longest > side:
        step = -(-longest // side)
        return ink[:, ::step, ::step]
    factor = side // longest
    return ink.repeat(factor, axis=1).repeat(factor, axis=2)


@functools.lru_cache(maxsize=1)
def _palette() -> NDArray[Any]:
    stops = [*_RAMP, (BLACK, (4, 12, 28))]
    inks = [ink for ink, _ in stops]
    channels = [
        np.interp(np.arange(256), inks, [colour[channel] for _, colour in stops])
        for channel in range(3)
    ]
    return np.stack(channels, axis=1).round().astype(np.uint8).ravel()


def _encode(plane: NDArray[Any], *, palette: NDArray[Any]) -> bytes:
    from PIL import Image

    image = Image.fromarray(plane)
    image.putpalette(palette.tobytes())
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", compress_level=2)
    return buffer.getvalue()
