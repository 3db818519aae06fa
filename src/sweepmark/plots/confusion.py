"""The confusion matrix of a trial."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.plots.cells import add_cells, add_numbers, add_scale, name_cells
from sweepmark.plots.style import encode, fit, new_panels, plain
from sweepmark.scores.scorecard import confusion

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import QuadMesh
    from matplotlib.figure import Figure
    from matplotlib.text import Text

    from sweepmark.data import Dataset
    from sweepmark.scores.scorecard import Scorecard

__all__ = ["confusion_matrix"]

_MOST = 60  # maximum classes of a matrix with numbers
_SHARES = (0.0, 0.01, 0.05, 0.2, 0.5, 1.0)


def confusion_matrix(card: Scorecard, dataset: Dataset) -> bytes:
    """Return a picture of the confusion matrix: counts, shaded by their share of the actual class.

    The shade is proportional to the square root of the share, so that the few errors of a good
    classifier are visible; the scale beside the matrix shows this. Cells with count 0 are empty.
    Every trial has this picture, so all that is the same for many is drawn once.
    """
    del dataset
    matrix = confusion(card)
    n, n_hits = int(matrix.sum()), int(np.trace(matrix))
    share = f"{card.accuracy_name} {100 * n_hits / max(n, 1):.2f} %"
    title = f"{n_hits} of {n} rows correct ({share})"
    # All digits are equally wide.
    frame = _frame(card.names, re.sub(r"\d", "0", title))
    frame.figure.canvas.restore_region(frame.background)  # type: ignore[attr-defined]
    frame.cells.set_array(matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1))
    frame.title.set_text(title)
    for artist in (frame.cells, *frame.axes.spines.values(), frame.title):
        frame.axes.draw_artist(artist)
    if len(matrix) <= _MOST:
        texts = np.where(matrix > 0, matrix.astype(str), "")
        numbers = add_numbers(frame.axes, frame.cells, texts, _side(len(matrix)))
        frame.axes.draw_artist(numbers)
        numbers.remove()
    return encode(frame.figure)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _Frame:
    """A figure without cells and title, and what was drawn of it."""

    figure: Figure
    axes: Axes
    cells: QuadMesh
    title: Text
    background: Any


@functools.lru_cache(maxsize=4)
def _frame(names: tuple[str, ...], title: str) -> _Frame:
    from matplotlib.colors import PowerNorm

    n_classes, shown = len(names), [plain(name) for name in names]
    span = _side(n_classes) * n_classes
    (axes,) = new_panels(1, span, span)
    cells = add_cells(axes, np.zeros((n_classes, n_classes)), PowerNorm(0.5, 0, 1), "Blues")
    axes.invert_yaxis()
    name_cells(axes, shown, shown)
    axes.set(xlabel="predicted class", ylabel="actual class")
    label = "share of the row"
    add_scale(axes, cells, label=label, ticks=_SHARES, format=lambda x, _: f"{100 * x:g} %")
    written = axes.set_title(title)
    figure: Any = fit(axes)
    cells.set_animated(True)
    written.set_animated(True)
    figure.canvas.draw()
    background = figure.canvas.copy_from_bbox(figure.bbox)
    return _Frame(figure=figure, axes=axes, cells=cells, title=written, background=background)


def _side(n_classes: int) -> int:
    """Return the width of a cell in pixels."""
    return int(np.clip(620 / n_classes, *((26, 120) if n_classes <= _MOST else (4, 12))))
