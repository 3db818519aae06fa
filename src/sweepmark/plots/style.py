"""The style of all pictures, and what every one of them needs: a figure, text, a PNG file.

Figures are made without pyplot, which keeps them alive and has a state of its own. matplotlib is
imported by the first picture: few verbs draw.
"""

from __future__ import annotations

import contextlib
import functools
import io
import logging
import math
import threading
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from sweepmark.terminal import cut

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "BLUE",
    "DPI",
    "GREEN",
    "GREY",
    "LARGEST",
    "LONGEST",
    "PALETTE",
    "VERMILION",
    "complete",
    "drawing",
    "encode",
    "fit",
    "new_panels",
    "plain",
    "png",
]

# Okabe and Ito's colours, chosen to be told apart by the colour-blind
# (https://jfly.uni-koeln.de/color/); lines differ in their dashes as well.
BLUE, VERMILION, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#BBBBBB"
PALETTE = (BLUE, VERMILION, GREEN, "#CC79A7", "#E69F00", "#56B4E9")
"""Colours of lines that are several."""
DPI = 100
LARGEST = 1e200
"""Larger numbers are not drawn: sums of them overflow."""
_STYLE = {
    "axes.axisbelow": True,
    "axes.edgecolor": "#555555",
    "axes.formatter.useoffset": False,
    "axes.titlepad": 12,
    "axes.titlesize": 11,
    "figure.dpi": DPI,
    "grid.color": "#E4E4E4",
    "legend.fontsize": 9,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "text.parse_math": False,  # a label may have dollar signs
}
LONGEST = 40
"""Maximum characters of a name in a picture."""
_MARGIN = 0.12  # inches
_NARROWEST = 1e-9  # ratio of a range to its values
_GAP = 90  # pixels between panels
_LOCK = threading.RLock()


@contextlib.contextmanager
def drawing() -> Iterator[None]:
    """Apply the style, in place of the user's, to all that is drawn within.

    matplotlib's settings and its text layout are global, so one thread draws at a time. What
    matplotlib logs of folders that it cannot write to, or of its fonts, is no concern of a trial.
    """
    logger = logging.getLogger("matplotlib")
    with _LOCK:
        level = logger.level
        logger.setLevel(logging.ERROR)
        try:
            from matplotlib import style

            with style.context(_STYLE, after_reset=True):
                yield
        finally:
            logger.setLevel(level)


def new_panels(n_panels: int, width: int, height: int) -> list[Axes]:
    """Return axes side by side on one figure, each of a size in pixels."""
    from matplotlib import figure as figures
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    stride = width + _GAP
    across = stride * n_panels - _GAP
    figure = figures.Figure(figsize=(across / DPI, height / DPI))
    FigureCanvasAgg(figure)
    return [
        figure.add_axes((place * stride / across, 0, width / across, 1))
        for place in range(n_panels)
    ]


def complete(axes: Axes, title: str) -> None:
    """Add title and grid, and widen the y axis where values differ by rounding only."""
    axes.set_title(title)
    axes.grid(visible=True)
    low, high = axes.get_ylim()
    largest = max(abs(low), abs(high))
    if high - low <= _NARROWEST * largest:
        axes.set_ylim(low - 0.05 * largest, high + 0.05 * largest)


def fit(axes: Axes) -> Figure:
    """Enlarge the figure of axes so that all of it is seen, and return it; axes keep their size."""
    figure = cast("Figure", axes.get_figure(root=True))
    box = figure.get_tightbbox().padded(_MARGIN)
    x0, y0 = math.floor(box.x0 * DPI) / DPI, math.floor(box.y0 * DPI) / DPI  # whole pixels
    across, down = math.ceil((box.x1 - x0) * DPI) / DPI, math.ceil((box.y1 - y0) * DPI) / DPI
    width, height = figure.get_size_inches()
    for each in figure.axes:
        left, bottom, wide, high = each.get_position(original=True).bounds
        x, y = (left * width - x0) / across, (bottom * height - y0) / down
        each.set_position((x, y, wide * width / across, high * height / down))
    figure.set_size_inches(across, down)
    return figure


def png(axes: Axes) -> bytes:
    """Return the figure of axes, made large enough for all of it, as a PNG file."""
    figure = fit(axes)
    figure.canvas.draw()
    return encode(figure)


def encode(figure: Figure) -> bytes:
    """Return what was drawn of a figure as a PNG file: equal pixels give equal files."""
    from PIL import Image

    canvas: Any = figure.canvas
    buffer = io.BytesIO()
    image = Image.fromarray(np.asarray(canvas.buffer_rgba()))
    image.convert("RGB").save(buffer, format="PNG", compress_level=2)
    return buffer.getvalue()


def plain(text: object, longest: int = LONGEST) -> str:
    """Return text of at most so many characters; those that the font lacks become escapes."""
    shown = cut(str(text), longest)
    if shown.isascii():
        return shown
    known = _characters()
    shown = "".join(
        letter if ord(letter) in known else letter.encode("ascii", "backslashreplace").decode()
        for letter in shown
    )
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"


@functools.cache
def _characters() -> frozenset[int]:
    from matplotlib.font_manager import findfont, get_font

    return frozenset(get_font(findfont("DejaVu Sans")).get_charmap())
