"""Matrices drawn as coloured cells with numbers in them."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection, QuadMesh
    from matplotlib.colors import Normalize
    from matplotlib.path import Path
    from numpy.typing import NDArray

__all__ = ["add_cells", "add_numbers", "add_scale", "name_cells"]

_DIGIT = 0.64  # width of a digit in the font, in sizes
_LETTER = 8  # usual width of a letter of the axes' names, in pixels
_LINE = 14  # height of a line of names, in pixels
_SMALLEST, _LARGEST = 6.0, 15.0  # of numbers, in pixels
_DARK = 0.5  # luminance below which white text has more contrast than black


def add_cells(axes: Axes, values: NDArray[Any], norm: Normalize, colours: str) -> QuadMesh:
    """Draw a cell for each value, shape (n_rows, n_columns), the first row at the bottom."""
    return axes.pcolormesh(values, norm=norm, cmap=colours, edgecolors="#DDDDDD", linewidth=0.5)


def add_numbers(axes: Axes, cells: QuadMesh, texts: NDArray[Any], side: int) -> PathCollection:
    """Write a text into each cell, black or white, as large as its width in pixels allows.

    All of them are one collection of outlines: as texts they would take ten times as long.

    Parameters
    ----------
    axes : Axes
        The axes with the cells.
    cells : QuadMesh
        From :func:`add_cells`.
    texts : ndarray of str, in the shape of the cells
        Nothing is written for empty ones.
    side : int
        Width of a cell.
    """
    from matplotlib.collections import PathCollection
    from matplotlib.transforms import IdentityTransform

    longest = max((len(text) for text in texts.flat), default=0)
    size = float(np.clip((side - 6) / (_DIGIT * max(longest, 1)), _SMALLEST, _LARGEST))
    places = np.argwhere(texts != "")
    values: Any = cells.get_array()
    red, green, blue = cells.to_rgba(values).reshape(-1, 4)[:, :3].T
    is_dark = (0.299 * red + 0.587 * green + 0.114 * blue < _DARK).reshape(texts.shape)
    numbers = PathCollection(
        [_outline(texts[row, column], size) for row, column in places.tolist()],
        offsets=places[:, ::-1] + 0.5,
        offset_transform=axes.transData,
        transform=IdentityTransform(),  # the outlines are in pixels
        facecolors=np.where(is_dark[tuple(places.T)], "white", "black"),
        linewidths=0,
    )
    axes.add_collection(numbers, autolim=False)
    return numbers


@functools.lru_cache(maxsize=4096)
def _outline(text: str, size: float) -> Path:
    """Return the outline of a text in pixels, centred on the origin."""
    from matplotlib.textpath import TextPath
    from matplotlib.transforms import Affine2D

    path, digit = (TextPath((0, 0), each, size=size) for each in (text, "0"))
    across, down = np.ptp(path.vertices[:, 0]), np.ptp(digit.vertices[:, 1])
    return path.transformed(Affine2D().translate(-across / 2, -down / 2))


def name_cells(axes: Axes, columns: Sequence[str], rows: Sequence[str]) -> None:
    """Name columns and rows, upwards where they are long and only some where there are many."""
    across, down = axes.get_window_extent().size
    wide, high = across / len(columns), down / len(rows)
    is_turned = max(map(len, columns)) * _LETTER > wide - 4
    for axis, names, side in ((axes.xaxis, columns, wide), (axes.yaxis, rows, high)):
        step = int(np.ceil(_LINE / side))
        axis.set_ticks([place + 0.5 for place in range(0, len(names), step)], names[::step])
    axes.tick_params(length=0, labelsize=9 if min(wide, high) > 2 * _LINE else 7)
    axes.tick_params(axis="x", labelrotation=90 if is_turned else 0)


def add_scale(axes: Axes, cells: QuadMesh, **options: Any) -> Axes:
    """Draw the scale of the colours to the right of the cells, and return its axes."""
    width, height = axes.get_window_extent().size
    side = 220 / height if height > 220 else 1.0  # noqa: PLR2004 -- a scale needs no more pixels
    beside = axes.inset_axes((1 + 18 / width, 1 - side, 14 / width, side))
    figure: Any = axes.get_figure(root=True)
    figure.colorbar(cells, cax=beside, **options)
    beside.tick_params(labelsize=8)
    return beside
