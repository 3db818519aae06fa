"""Line charts drawn with Pillow in a tenth of matplotlib's time, since every trial gets them."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from sweepmark.plots.lettering import load_font, text_width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

__all__ = ["BLUE", "GREEN", "GREY", "VERMILION", "Line", "Panel", "Point", "chart_png"]

# Okabe and Ito's colours, chosen to be told apart by the colour-blind
# (https://jfly.uni-koeln.de/color/); lines differ in their dashes as well.
BLUE, VERMILION, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#BBBBBB"

_FINE = 3  # factor of supersampling, which smooths lines
_WIDTH, _HEIGHT = 460, 340
_LEFT, _RIGHT, _TOP, _FOOT = 62, 22, 58, 50
_DASH = 7  # pixels
_TICKS = 6
_LARGEST, _NARROWEST = 1e200, 1e-9


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Line:
    """A line through points in the given order.

    Attributes
    ----------
    x, y : array-like of shape (n,)
        Values that are not finite, or above 1e200, are left out.
    label : str
        Label in the legend; empty for none.
    colour : str
        A colour, such as BLUE.
    dashed : bool
        Whether the line is dashed.
    width : float
        Width in pixels.
    """

    x: Any
    y: Any
    label: str = ""
    colour: str = BLUE
    dashed: bool = False
    width: float = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A marked point."""

    x: float
    y: float
    label: str = ""
    colour: str = VERMILION


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Panel:
    """One pair of axes.

    Attributes
    ----------
    title, x_label, y_label : str
        Texts, with units if there are any.
    lines : sequence of Line
        Later ones lie over earlier ones.
    points : sequence of Point
        Drawn over the lines.
    x_limits, y_limits : pair of float, or None
        The range shown; None shows all values.
    legend : {"upper right", "center left", "lower left", "lower right"}
        Position of the legend.
    """

    title: str
    x_label: str
    y_label: str
    lines: Sequence[Line]
    points: Sequence[Point] = ()
    x_limits: tuple[float, float] | None = None
    y_limits: tuple[float, float] | None = None
    legend: Literal["upper right", "center left", "lower left", "lower right"] = "lower right"


def chart_png(panels: Sequence[Panel]) -> bytes:
    """Return a picture of panels side by side.

    Returns
    -------
    bytes
        A PNG file.
    """
    from PIL import Image

    size = _LEFT + _WIDTH + _RIGHT, _TOP + _HEIGHT + _FOOT
    whole = Image.new("RGB", (size[0] * len(panels), size[1]), "white")
    for place, panel in enumerate(panels):
        whole.paste(_draw(panel, size), (place * size[0], 0))
    buffer = io.BytesIO()
    whole.save(buffer, format="PNG", compress_level=2)
    return buffer.getvalue()


def _draw(panel: Panel, size: tuple[int, int]) -> Image:
    from PIL import Image, ImageDraw

    x_limits = _limits(panel.x_limits, [line.x for line in panel.lines])
    y_limits = _limits(panel.y_limits, [line.y for line in panel.lines])
    plane = Image.new("RGB", (_WIDTH * _FINE, _HEIGHT * _FINE), "white")
    pen = ImageDraw.Draw(plane)
    ticks = _ticks(*x_limits), _ticks(*y_limits)
    for tick in ticks[0]:
        x = _scale(tick, x_limits, _WIDTH)
        pen.line([(x, 0), (x, _HEIGHT * _FINE)], fill="#E4E4E4", width=_FINE)
    for tick in ticks[1]:
        y = _HEIGHT * _FINE - _scale(tick, y_limits, _HEIGHT)
        pen.line([(0, y), (_WIDTH * _FINE, y)], fill="#E4E4E4", width=_FINE)
    for line in panel.lines:
        _stroke(pen, line, x_limits, y_limits)
    for point in panel.points:
        x = _scale(point.x, x_limits, _WIDTH)
        y = _HEIGHT * _FINE - _scale(point.y, y_limits, _HEIGHT)
        radius = 5 * _FINE
        pen.ellipse([x - radius, y - radius, x + radius, y + radius], fill=point.colour)
    image = Image.new("RGB", size, "white")
    image.paste(plane.reduce(_FINE), (_LEFT, _TOP))
    pen = ImageDraw.Draw(image)
    pen.rectangle([_LEFT - 1, _TOP - 1, _LEFT + _WIDTH, _TOP + _HEIGHT], outline="#555555")
    _label_axes(pen, panel, ticks, (x_limits, y_limits))
    _write_legend(pen, panel)
    return image


def _stroke(
    pen: ImageDraw, line: Line, x_limits: tuple[float, float], y_limits: tuple[float, float]
) -> None:
    """Draw a line, skipping points within one pixel of the previous point."""
    x, y = (np.asarray(values, dtype=np.float64) for values in (line.x, line.y))
    is_real = (np.abs(x) < _LARGEST) & (np.abs(y) < _LARGEST)  # so neither is NaN
    if not is_real.any():
        return
    across = _scale(x[is_real], x_limits, _WIDTH)
    down = _HEIGHT * _FINE - _scale(y[is_real], y_limits, _HEIGHT)
    # Points far outside the frame are invisible, and Pillow's coordinates have 32 bits.
    points = np.clip(np.stack([across, down], axis=1), -30_000, 30_000)
    pixels = np.rint(points / _FINE)
    moves = np.ones(len(points), dtype=bool)
    moves[1:] = (pixels[1:] != pixels[:-1]).any(axis=1)
    moves[-1:] = True
    points = points[moves]
    width = round(line.width * _FINE)
    if not line.dashed:
        pen.line([(x, y) for x, y in points.tolist()], fill=line.colour, width=width, joint="curve")
        return
    for dash in _dashes(points, _DASH * _FINE):
        pen.line(dash, fill=line.colour, width=width)


def _dashes(points: NDArray[Any], length: float) -> list[list[tuple[float, float]]]:
    """Split a line into dashes of equal length and return every other one."""
    if len(points) < 2:  # noqa: PLR2004 -- a line has two ends
        return []
    gone = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    dashes = []
    for start in np.arange(0.0, gone[-1], 2 * length)[:2000]:
        inner = (gone > start) & (gone < start + length)
        at = np.concatenate([[start], gone[inner], [min(start + length, gone[-1])]])
        dashes.append(
            list(
                zip(
                    np.interp(at, gone, points[:, 0]).tolist(),
                    np.interp(at, gone, points[:, 1]).tolist(),
                    strict=True,
                )
            )
        )
    return dashes


def _scale(value: Any, limits: tuple[float, float], pixels: int) -> Any:
    low, high = limits
    return (value - low) / (high - low) * pixels * _FINE


def _limits(asked: tuple[float, float] | None, values: Sequence[Any]) -> tuple[float, float]:
    """Return the limits of an axis: as given, or those of the values with a margin."""
    if asked is not None:
        low, high = asked
    else:
        every = np.concatenate([np.asarray(some, dtype=np.float64).ravel() for some in values])
        every = every[np.abs(every) < _LARGEST]  # neither is NaN
        if not every.size:
            return 0.0, 1.0
        low, high = float(every.min()), float(every.max())
        low, high = low - 0.05 * (high - low), high + 0.05 * (high - low)
    largest = max(abs(low), abs(high))
    if high - low <= _NARROWEST * largest or high == low:  # a single value, up to rounding
        room = 0.05 * max(largest, 1.0)
        return low - room, high + room
    return low, high


def _ticks(low: float, high: float) -> list[float]:
    """Return round numbers within the limits, as ticks."""
    step = 10.0 ** math.floor(math.log10((high - low) / _TICKS))
    step = next(step * by for by in (1, 2, 5, 10) if (high - low) / (step * by) <= _TICKS + 1)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [step * place for place in range(first, last + 1)]


def _label_axes(
    pen: ImageDraw,
    panel: Panel,
    ticks: tuple[list[float], list[float]],
    limits: tuple[tuple[float, float], tuple[float, float]],
) -> None:
    small, font, title = load_font(12), load_font(13), load_font(15)
    for tick in ticks[0]:
        x = _LEFT + _scale(tick, limits[0], _WIDTH) / _FINE
        pen.text((x, _TOP + _HEIGHT + 6), _number(tick), font=small, fill="black", anchor="mt")
    for tick in ticks[1]:
        y = _TOP + _HEIGHT - _scale(tick, limits[1], _HEIGHT) / _FINE
        pen.text((_LEFT - 7, y), _number(tick), font=small, fill="black", anchor="rm")
    middle = _LEFT + _WIDTH / 2
    pen.text((middle, _TOP + _HEIGHT + 38), panel.x_label, font=font, fill="black", anchor="mb")
    pen.text((_LEFT, _TOP - 8), panel.y_label, font=font, fill="black", anchor="lb")
    pen.text((middle, 10), panel.title, font=title, fill="black", anchor="mt")


def _number(value: float) -> str:
    if abs(value) <= 1e-12:  # noqa: PLR2004 -- rounding
        return "0"
    return f"{value:.6g}".replace("e+", "e")


def _write_legend(pen: ImageDraw, panel: Panel) -> None:
    every: list[Line | Point] = [*panel.lines, *panel.points]
    named = [item for item in every if item.label]
    if not named:
        return
    font = load_font(13)
    width = 48 + max(text_width(item.label, font) for item in named)
    height = 8 + 19 * len(named)
    left = _LEFT + 8 if "left" in panel.legend else _LEFT + _WIDTH - 8 - width
    heights = {"upper": 8, "center": (_HEIGHT - height) // 2, "lower": _HEIGHT - 8 - height}
    top = _TOP + heights[panel.legend.split()[0]]
    pen.rectangle([left, top, left + width, top + height], fill="white", outline="#CCCCCC")
    for place, item in enumerate(named):
        y = top + 14 + 19 * place
        if isinstance(item, Point):
            pen.ellipse([left + 17, y - 5, left + 27, y + 5], fill=item.colour)
        else:
            pieces = ((8, 15), (20, 27), (32, 36)) if item.dashed else ((8, 36),)
            for start, end in pieces:
                ends = [(left + start, y), (left + end, y)]
                pen.line(ends, fill=item.colour, width=max(2, round(item.width)))
        pen.text((left + 43, y), item.label, font=font, fill="black", anchor="lm")
