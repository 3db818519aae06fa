"""The images that a trial classified wrongly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.plots.style import new_panels, plain, png
from sweepmark.scores import mistakes

if TYPE_CHECKING:
    from sweepmark.data import Dataset
    from sweepmark.scores.scorecard import Scorecard

__all__ = ["misclassified"]

_MOST, _COLUMNS = 25, 5
_LONGEST, _SHORT = 17, 7  # maximum characters of a class name, and for two on a line
_SIDE, _CAPTION, _GAP = 112, 54, 14  # pixels of an image, below it and beside it


def misclassified(card: Scorecard, dataset: Dataset) -> bytes:
    """Return a gallery of at most 25 wrong images, the largest margins first.

    Images are dark on light, the largest value shown is black. Below each stand its row in the
    data set, and the actual and the predicted class.
    """
    from skimage.util import montage

    wrong = mistakes.errors(card)
    shown = wrong[:_MOST]
    n_rows = len(card.predictions.rows)
    share = f"{card.accuracy_name} {100 * (n_rows - len(wrong)) / max(n_rows, 1):.2f} %"
    title = f"{len(wrong)} of {n_rows} rows misclassified ({share})"
    if len(wrong) > len(shown):
        n = len(shown)
        which = f"first {n}" if shown[0].margin is None else f"{n} with the largest margins"
        title += f",\nthe {which} shown"
    columns = min(_COLUMNS, max(len(shown), 3))
    rows = np.array([item.row for item in shown], dtype=np.int64)
    images: Any = np.asarray(dataset.take(rows).X, dtype=np.float64)
    images = images.reshape(-1, *(dataset.image_shape or ()))
    height, width = images.shape[1:]
    side, paper = max(height, width), min(0.0, images.min(initial=0.0))
    below, beside = (max(round(side * room / _SIDE), 1) for room in (_CAPTION, _GAP))
    margins = ((0, 0), (0, side - height + below), (0, side - width + beside))
    images = np.pad(images, margins, constant_values=paper)
    lines = max(-(-len(shown) // columns), 1)
    down, across = (_SIDE * pixels // side for pixels in images.shape[1:])
    (axes,) = new_panels(1, columns * across, lines * down)
    axes.set_axis_off()
    axes.set_title(title, loc="left")
    if len(images):
        sheet = montage(images, grid_shape=(lines, columns), fill=paper)
        extent = (0, columns * across, lines * down, 0)
        axes.imshow(sheet, cmap="Greys", vmin=paper, aspect="auto", extent=extent)
    called = dict(zip(card.classes, (plain(name, _LONGEST) for name in card.names), strict=True))
    arrow = " → " if max(map(len, called.values())) <= _SHORT else "\n→ "
    for place, item in enumerate(shown):
        line, column = divmod(place, columns)
        text = f"row {item.row}\n{called[item.actual]}{arrow}{called[item.predicted]}"
        at = (column * across + _SIDE / 2, line * down + _SIDE + 3)
        axes.text(*at, text, ha="center", va="top", fontsize=8)
    return png(axes)
