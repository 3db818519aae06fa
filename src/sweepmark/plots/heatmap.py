"""A heat map of a metric over two swept parameters, by Pillow (matplotlib takes half a second)."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.config.values import show
from sweepmark.plots.chart import VERMILION
from sweepmark.plots.lettering import load_font, text_width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

__all__ = ["heatmap_png"]

# Nine of the colours of cividis, evenly spaced: the same to the colour-blind, and as light as the
# value is high (Nuñez, Anderton and Renslow, PLoS ONE 13(7), 2018).
_RAMP = np.array(
    [
        *([0, 34, 78], [26, 56, 111], [67, 78, 108], [97, 101, 111], [125, 124, 120]),
        *([155, 148, 118], [188, 174, 108], [222, 201, 88], [254, 232, 56]),
    ]
)
_LIGHT = 0.45  # share of the scale from which black text has more contrast than white
_MANY = 12  # maximum columns or rows of a heat map with numbers in its cells
_LONGEST = 30  # maximum characters of a name
_MARGIN, _GAP, _LINE, _BAR = 14, 8, 20, 18  # pixels
_SMALL, _TEXT = 12, 14  # sizes of letters
_WIDEST = "-0.0000e-00"


def heatmap_png(  # noqa: PLR0913 - options of a picture
    x_values: Sequence[object],
    y_values: Sequence[object],
    grid: NDArray[Any],
    *,
    x_label: str,
    y_label: str,
    value_label: str,
    title: str,
    maximize: bool = True,
) -> bytes:
    """Return a picture of a metric over two swept parameters, the best cell framed.

    Parameters
    ----------
    x_values, y_values : sequence of n_x and n_y values
        Parameter values of the columns and rows; the first row is at the bottom.
    grid : ndarray of shape (n_y, n_x), float
        Metric values; NaN where a trial failed or is missing, which is hatched.
    x_label, y_label, value_label, title : str
        Texts, with units if there are any.
    maximize : bool
        Whether the best cell is that of the largest value.

    Returns
    -------
    bytes
        A PNG file.
    """
    columns, rows = ([_name(value) for value in values] for values in (x_values, y_values))
    shown = np.ma.masked_invalid(grid.astype(np.float64))
    lines = [title]
    if shown.count():
        place = int(shown.argmax() if maximize else shown.argmin())
        lines.append(f"best {shown.flat[place]:.4f} (framed)")
    if np.ma.getmaskarray(shown).any():
        lines.append("no figure where hatched")
    picture = _Picture.of(columns, rows, lines, (x_label, y_label, value_label))
    picture.fill(shown)
    if max(grid.shape) <= _MANY:
        picture.write_values(shown)
    if shown.count():
        picture.frame(*divmod(place, len(columns)))
    picture.name(columns, rows, x_label, y_label)
    picture.scale(shown, value_label)
    buffer = io.BytesIO()
    picture.image.save(buffer, format="PNG", compress_level=2)
    return buffer.getvalue()


@dataclass(frozen=True, slots=True, eq=False)
class _Picture:
    """The picture being drawn: cells of ``width`` by ``height`` within left, right, top, bottom."""

    image: Image
    pen: ImageDraw
    left: int
    top: int
    right: int
    bottom: int
    width: int
    height: int
    is_turned: bool

    @classmethod
    def of(
        cls,
        columns: Sequence[str],
        rows: Sequence[str],
        lines: Sequence[str],
        labels: tuple[str, str, str],
    ) -> _Picture:
        """Create the picture with margins for all texts, and write the title."""
        from PIL import Image, ImageDraw

        small, font = load_font(_SMALL), load_font(_TEXT)
        wide, high = (max(text_width(name, small) for name in names) for names in (columns, rows))
        width = int(np.clip(1300 / len(columns), 6, 96))
        height = int(np.clip(1000 / len(rows), 6, 60))
        is_turned = wide > width - 6
        left, top = _MARGIN + _LINE + high + _GAP, _MARGIN + _LINE * len(lines) + _GAP
        right, bottom = left + width * len(columns), top + height * len(rows)
        foot = bottom + 3 * _GAP + (wide if is_turned else _SMALL) + _TEXT
        beside = right + 3 * _GAP + _BAR + text_width(_WIDEST, small) + _LINE
        x_size, y_size, value_size = (text_width(label, font) for label in labels)
        titles = [text_width(line, font) for line in lines]
        across = max(beside, *(_MARGIN + size for size in (x_size, *titles))) + _MARGIN
        down = max(foot, top + max(value_size, y_size) + _LINE) + _MARGIN
        image = Image.new("RGB", (across, down), "white")
        pen = ImageDraw.Draw(image)
        for place, line in enumerate(lines):
            pen.text((_MARGIN, _MARGIN + _LINE * place), line, font=font, fill="black")
        return cls(image, pen, left, top, right, bottom, width, height, is_turned)

    def _corner(self, row: int, column: int) -> tuple[int, int]:
        return self.left + column * self.width, self.bottom - (row + 1) * self.height

    def fill(self, shown: np.ma.MaskedArray[Any, Any]) -> None:
        """Colour the cells; hatch those without a value."""
        from PIL import Image

        colours = _colours(_shares(shown))[::-1]  # the first row is the lowest
        cells = colours.repeat(self.height, axis=0).repeat(self.width, axis=1)
        diagonal = np.add.outer(np.arange(cells.shape[0]), np.arange(cells.shape[1])) % 10
        hatched = np.where(diagonal < 2, 153, 242).astype(np.uint8)[..., None]  # noqa: PLR2004
        values: NDArray[Any] = shown.filled(np.nan)
        hollow = np.isnan(values[::-1]).repeat(self.height, axis=0).repeat(self.width, axis=1)
        cells = np.where(hollow[..., None], hatched, cells)
        self.image.paste(Image.fromarray(cells), (self.left, self.top))

    def write_values(self, shown: np.ma.MaskedArray[Any, Any]) -> None:
        """Write each cell's value into it."""
        shares, font = _shares(shown), load_font(_SMALL)
        for row, column in np.argwhere(~np.ma.getmaskarray(shown)).tolist():
            x, y = self._corner(row, column)
            value = shown[row, column]
            middle = (x + self.width / 2, y + self.height / 2)
            colour = "black" if shares[row, column] >= _LIGHT else "white"
            self.pen.text(middle, f"{value:.4f}", font=font, fill=colour, anchor="mm")

    def frame(self, row: int, column: int) -> None:
        """Draw a frame around a cell."""
        x, y = self._corner(row, column)
        box = (x - 1, y - 1, x + self.width, y + self.height)
        self.pen.rectangle(box, outline=VERMILION, width=3)

    def name(self, columns: Sequence[str], rows: Sequence[str], x_label: str, y_label: str) -> None:
        """Write the parameter values of columns and rows; only some if there are many."""
        small, font = load_font(_SMALL), load_font(_TEXT)
        for column in range(0, len(columns), -(-_LINE // self.width)):
            x = self.left + column * self.width + self.width // 2
            if self.is_turned:
                size = text_width(columns[column], small)
                self._write_upwards(columns[column], (x, self.bottom + _GAP + size // 2), _SMALL)
            else:
                below = (x, self.bottom + _GAP)
                self.pen.text(below, columns[column], font=small, fill="black", anchor="mt")
        for row in range(0, len(rows), -(-_LINE // self.height)):
            y = self.bottom - row * self.height - self.height // 2
            self.pen.text((self.left - _GAP, y), rows[row], font=small, fill="black", anchor="rm")
        middle = max((self.left + self.right) // 2, _MARGIN + text_width(x_label, font) // 2)
        under = (middle, self.image.height - _MARGIN)
        self.pen.text(under, x_label, font=font, fill="black", anchor="mb")
        middle = max((self.top + self.bottom) // 2, self.top + text_width(y_label, font) // 2)
        self._write_upwards(y_label, (_MARGIN + _GAP, middle), _TEXT)

    def scale(self, shown: np.ma.MaskedArray[Any, Any], label: str) -> None:
        """Draw the colour scale on the right."""
        from PIL import Image

        if not shown.count():
            return
        x, length = self.right + 2 * _GAP, self.bottom - self.top
        ramp = _colours(np.linspace(1, 0, length))[:, None].repeat(_BAR, axis=1)
        self.image.paste(Image.fromarray(ramp), (x, self.top))
        small = load_font(_SMALL)
        n_ticks = min(5, length // _LINE + 1) if shown.min() < shown.max() else 1
        values = np.linspace(shown.max(), shown.min(), n_ticks)
        for place, value in enumerate(values):
            y = self.top + round((length - 1) * (place / (n_ticks - 1) if n_ticks > 1 else 0.5))
            text = f"{value:.4f}" if abs(value) < 1000 else f"{value:.4g}"  # noqa: PLR2004
            self.pen.line([(x + _BAR, y), (x + _BAR + 3, y)], fill="black")
            self.pen.text((x + _BAR + 6, y), text, font=small, fill="black", anchor="lm")
        middle = self.top + max(length, text_width(label, load_font(_TEXT))) // 2
        self._write_upwards(label, (self.image.width - _MARGIN - _GAP, middle), _TEXT)

    def _write_upwards(self, text: str, middle: tuple[int, int], size: int) -> None:
        """Write a text rotated by 90 degrees, centred on a point."""
        from PIL import Image, ImageDraw

        font = load_font(size)
        width, height = text_width(text, font), size + 6
        strip = Image.new("L", (width, height), 0)
        ImageDraw.Draw(strip).text((0, height / 2), text, font=font, fill=255, anchor="lm")
        strip = strip.transpose(Image.Transpose.ROTATE_90)
        self.image.paste("black", (middle[0] - height // 2, middle[1] - width // 2), strip)


def _shares(shown: np.ma.MaskedArray[Any, Any]) -> NDArray[Any]:
    """Return values scaled linearly to [0, 1]."""
    if not shown.count():
        return np.zeros(shown.shape)
    low, high = float(shown.min()), float(shown.max())
    return np.asarray((shown.filled(low) - low) / ((high - low) or 1.0))


def _colours(shares: NDArray[Any]) -> NDArray[np.uint8]:
    """Return the RGB colours of values in [0, 1], along a new last axis."""
    stops = np.linspace(0, 1, len(_RAMP))
    channels = [np.interp(shares, stops, _RAMP[:, channel]) for channel in range(3)]
    return np.stack(channels, axis=-1).round().astype(np.uint8)


def _name(value: object) -> str:
    text = show(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
