"""Plots of a sweep, by matplotlib; what every trial gets is drawn in :mod:`sweepmark.pictures`."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

__all__ = ["curve_png", "heatmap_png"]

# Okabe and Ito's colours, chosen to be told apart by the colour-blind
# (https://jfly.uni-koeln.de/color/).
_BLUE, _VERMILION = "#0072B2", "#D55E00"
_DPI = 120
_MANY = 12
_LONGEST = 30


def curve_png(  # noqa: PLR0913 - options of a plot
    x: Sequence[float],
    y: Sequence[float],
    *,
    x_label: str,
    y_label: str,
    title: str,
    intervals: Sequence[tuple[float, float] | None] | None = None,
    target: float | None = None,
    log_x: bool = False,
) -> bytes:
    """Return a plot of a metric against a swept parameter.

    Parameters
    ----------
    x, y : sequence of n floats
        In any order; points whose ``y`` is not finite are left out.
    x_label, y_label, title : str
        With units where there are any.
    intervals : sequence of n pairs of float or None
        95 % interval of each point.
    target : float or None
        Drawn as a dashed line.
    log_x : bool
        Whether the x axis is logarithmic (all ``x`` above 0).

    Returns
    -------
    bytes
        A PNG file.
    """
    import math

    order = [i for i in sorted(range(len(x)), key=lambda i: x[i]) if math.isfinite(y[i])]
    figure, axes = _figure(7.0, 4.5)
    xs, ys = [x[i] for i in order], [y[i] for i in order]
    bars = [None if intervals is None else intervals[i] for i in order]
    axes.plot(xs, ys, color=_BLUE, linewidth=1.6, marker="o", markersize=5, label=y_label)
    for at, value, bar in zip(xs, ys, bars, strict=True):
        if bar is not None:
            spread = [[max(value - bar[0], 0.0)], [max(bar[1] - value, 0.0)]]
            axes.errorbar([at], [value], yerr=spread, color=_BLUE, capsize=4, linewidth=1)
    if target is not None:
        name = f"target {target:g}"
        axes.axhline(target, color=_VERMILION, linestyle="--", linewidth=1.4, label=name)
        axes.legend()
    if log_x:
        axes.set_xscale("log")
    _tick(axes, xs, log_x=log_x)
    has_bars = any(bar is not None for bar in bars)
    axes.set(
        xlabel=x_label,
        ylabel=f"{y_label} (bars: 95 % interval)" if has_bars else y_label,
        title=title,
    )
    axes.margins(x=0.06, y=0.12)
    axes.grid(visible=True, color="#dddddd", linewidth=0.6)
    return _encode(figure)


def heatmap_png(  # noqa: PLR0913 - options of a plot
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
    """Return a plot of a metric over two swept parameters, the best cell framed.

    Parameters
    ----------
    x_values, y_values : sequence of n_x and n_y values
        What the columns and rows stand for.
    grid : ndarray of shape (n_y, n_x), float
        NaN where a trial failed or is missing: hatched.
    x_label, y_label, value_label, title : str
        With units where there are any.
    maximize : bool
        Whether the best cell is the greatest.

    Returns
    -------
    bytes
        A PNG file.
    """
    import numpy as np

    n_y, n_x = grid.shape
    columns, rows = ([_name(value) for value in values] for values in (x_values, y_values))
    # Room for the names, in inches: those below are aslant where they are wider than a cell.
    across, down = (0.09 * max(map(len, names)) for names in (rows, columns))
    is_slanted = max(map(len, columns)) > 8  # noqa: PLR2004
    figure, axes = _figure(
        min(2.6 + 0.85 * n_x, 14.0) + across, min(1.9 + 0.55 * n_y, 12.0) + down * is_slanted
    )
    axes.set_facecolor("#f2f2f2")
    axes.patch.set(hatch="///", edgecolor="#999999")
    shown = np.ma.masked_invalid(grid.astype(np.float64))
    image = axes.imshow(shown, cmap="cividis", aspect="auto", origin="lower")
    figure.colorbar(image, ax=axes, label=value_label)
    if max(n_x, n_y) <= _MANY:
        _annotate(axes, shown)
    if shown.count():
        best = shown.argmax() if maximize else shown.argmin()
        row, column = divmod(int(best), n_x)
        _frame(axes, row, column)
        title = f"{title}\nbest {shown[row, column]:.4f} (framed)"
    if np.ma.getmaskarray(shown).any():
        title += ", no figure where hatched"
    axes.set(xlabel=x_label, ylabel=y_label, title=title)
    axes.set_xticks(range(n_x), columns)
    axes.set_yticks(range(n_y), rows)
    if is_slanted:
        for label in axes.get_xticklabels():
            label.set(rotation=45, horizontalalignment="right", rotation_mode="anchor")
    return _encode(figure)


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    # Without pyplot: it keeps figures alive and is not safe in threads.
    figure = Figure(figsize=(width, height), dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.add_subplot()


def _tick(axes: Axes, xs: Sequence[float], *, log_x: bool) -> None:
    """Put the ticks on the values that were tried, if they are few."""
    from matplotlib.ticker import NullLocator

    values = sorted(set(xs))
    if 0 < len(values) <= 8:  # noqa: PLR2004 - more would overlap
        axes.set_xticks(values, [_name(value) for value in values])
        if log_x:
            axes.xaxis.set_minor_locator(NullLocator())


def _annotate(axes: Axes, shown: NDArray[Any]) -> None:
    import numpy as np

    low, high = shown.min(), shown.max()
    for (row, column), value in np.ndenumerate(np.ma.filled(shown, np.nan)):
        if np.isfinite(value):
            is_light = value - low >= 0.45 * (high - low)  # there, black reads as well as white
            axes.text(
                column,
                row,
                f"{value:.4f}",
                horizontalalignment="center",
                verticalalignment="center",
                color="black" if is_light else "white",
                fontsize=8,
            )


def _frame(axes: Axes, row: int, column: int) -> None:
    from matplotlib.patches import Rectangle

    axes.add_patch(
        Rectangle(
            (column - 0.5, row - 0.5),
            1,
            1,
            fill=False,
            edgecolor=_VERMILION,
            linewidth=3,
            clip_on=False,
        )
    )


def _name(value: object) -> str:
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _encode(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    # No software or date in it: equal figures are equal files.
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
