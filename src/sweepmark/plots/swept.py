"""Pictures of a sweep: its metric over one swept parameter, or over two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.config.values import show
from sweepmark.plots.cells import add_cells, add_numbers, add_scale, name_cells
from sweepmark.plots.style import BLUE, LARGEST, VERMILION, complete, new_panels, plain, png
from sweepmark.scores.bands import CONFIDENCE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Swept", "heatmap", "sweep_curve"]

_LONGEST = 30  # maximum characters of a value
_MOST = 12  # maximum columns or rows of a heat map with numbers in its cells, and ticks at values
_WIDE = 100  # ratio of values from which an axis is logarithmic


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Swept:
    """A sweep's metric at the values of its swept parameters.

    Attributes
    ----------
    title : str
        The title of its picture.
    metric : str
        The metric's name.
    axes : mapping of str to sequence of n_values values
        The values of each swept parameter, by its name.
    points : sequence of n_trials tuples
        Each trial's values, one of each axis.
    figures : sequence of n_trials floats
        Each trial's metric; NaN where there is none.
    intervals : sequence of n_trials pairs of float, or None
        The interval of each figure, at level CONFIDENCE.
    target : float or None
        The figure to be reached.
    maximize : bool
        Whether the largest figure is the best.
    """

    title: str
    metric: str
    axes: Mapping[str, Sequence[Any]]
    points: Sequence[tuple[Any, ...]]
    figures: Sequence[float]
    intervals: Sequence[tuple[float, float]] | None = None
    target: float | None = None
    maximize: bool = True


def sweep_curve(swept: Swept) -> bytes:
    """Return a plot of the metric against the swept parameter, with its intervals and target."""
    from matplotlib.ticker import NullLocator, StrMethodFormatter

    ((name, values),) = swept.axes.items()
    x = np.array([point[0] for point in swept.points], dtype=np.float64)
    y = np.array(swept.figures, dtype=np.float64)
    order = np.argsort(x, kind="stable")
    order = order[np.abs(y[order]) < LARGEST]
    (axes,) = new_panels(1, 600, 380)
    axes.plot(x[order], y[order], color=BLUE, marker="o", markersize=5, label=plain(swept.metric))
    y_label = swept.metric
    if swept.intervals is not None:
        low, high = np.array(swept.intervals).reshape(-1, 2)[order].T
        spread = np.maximum([y[order] - low, high - y[order]], 0)
        axes.errorbar(x[order], y[order], yerr=spread, fmt="none", ecolor=BLUE, capsize=4)
        y_label += f" (bars: {100 * CONFIDENCE:g} % interval)"
    if swept.target is not None:
        line: dict[str, Any] = {"color": VERMILION, "linestyle": "--", "linewidth": 1.4}
        axes.axhline(swept.target, label=f"target {swept.target:g}", **line)
        axes.legend(loc="best")
    least, most = min(values, default=0), max(values, default=0)
    if least > 0 and most / least >= _WIDE:
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.xaxis.set_minor_locator(NullLocator())
    if 0 < len(values) <= _MOST:
        ticks = sorted(set(values))
        axes.set_xticks(ticks, [f"{value:g}" for value in ticks])
        axes.tick_params(axis="x", labelrotation=0 if len(ticks) <= _MOST // 2 else 45)
    axes.set(xlabel=plain(name), ylabel=plain(y_label))
    axes.margins(x=0.06, y=0.12)
    complete(axes, plain(swept.title, 200))
    return png(axes)


def heatmap(swept: Swept) -> bytes:
    """Return the metric over two swept parameters; the second one's values are the columns.

    The best cell is framed; cells whose trial failed or is missing are hatched.
    """
    from matplotlib.colors import Normalize
    from matplotlib.patches import Rectangle

    (y_name, rows), (x_name, columns) = swept.axes.items()
    grid = np.full((len(rows), len(columns)), np.nan)
    for (row, column), figure in zip(swept.points, swept.figures, strict=True):
        grid[list(rows).index(row), list(columns).index(column)] = figure
    shown = np.ma.masked_invalid(np.where(np.abs(grid) < LARGEST, grid, np.nan))
    side = int(np.clip(900 / max(grid.shape), 6, 72))
    (axes,) = new_panels(1, side * len(columns), side * len(rows))
    axes.set_facecolor("#F2F2F2")
    axes.patch.set(hatch="////", edgecolor="#999999", linewidth=0)
    lines = [plain(swept.title, 200)]
    if shown.count():
        low, high = float(shown.min()), float(shown.max())
        norm = Normalize(low, high if high > low else low + (abs(low) or 1.0) * 1e-6)
        cells = add_cells(axes, shown, norm, "cividis")
        if max(grid.shape) <= _MOST:
            texts = np.array([[_figure(value) for value in row] for row in shown.filled(np.nan)])
            add_numbers(axes, cells, texts, side)
        add_scale(axes, cells, label=plain(swept.metric))
        place = int(shown.argmax() if swept.maximize else shown.argmin())
        row, column = divmod(place, len(columns))
        frame: dict[str, Any] = {"fill": False, "edgecolor": VERMILION, "linewidth": 2.5}
        axes.add_patch(Rectangle((column, row), 1, 1, **frame, clip_on=False, zorder=4))
        lines.append(f"best {_figure(shown.flat[place])} (framed)")
    if np.ma.getmaskarray(shown).any():
        lines.append("no figure where hatched")
    axes.set(xlim=(0, len(columns)), ylim=(0, len(rows)))
    name_cells(
        axes, *([plain(show(value), _LONGEST) for value in each] for each in (columns, rows))
    )
    axes.set(xlabel=plain(x_name), ylabel=plain(y_name))
    axes.set_title("\n".join(lines), loc="left")
    return png(axes)


def _figure(value: float) -> str:
    """Return a figure in four digits; empty for NaN."""
    if np.isnan(value):
        return ""
    return f"{value:.4f}" if abs(value) < 1000 else f"{value:.4g}"  # noqa: PLR2004 -- widths
