"""The plot of a metric over a swept parameter, by matplotlib, drawn once per sweep."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from sweepmark.plots.lettering import LONGEST
from sweepmark.scores.bands import CONFIDENCE
from sweepmark.terminal import cut

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["curve_png"]

# Okabe and Ito's colours, chosen to be told apart by the colour-blind
# (https://jfly.uni-koeln.de/color/).
_BLUE, _VERMILION = "#0072B2", "#D55E00"
_DPI = 120


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
        Texts, with units if there are any.
    intervals : sequence of n pairs of float or None
        Interval of each point, at level CONFIDENCE.
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
        xlabel=_plain(x_label),
        ylabel=_plain(
            f"{y_label} (bars: {100 * CONFIDENCE:g} % interval)" if has_bars else y_label
        ),
        title=_plain(title),
    )
    axes.margins(x=0.06, y=0.12)
    axes.grid(visible=True, color="#dddddd", linewidth=0.6)
    return _encode(figure)


def _plain(text: str) -> str:
    """Escape dollar signs, between which matplotlib would parse mathematics."""
    return cut(text, LONGEST).replace("$", r"\$")


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    # Without pyplot: it keeps figures alive and is not safe in threads.
    figure = Figure(figsize=(width, height), dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.add_subplot()


def _tick(axes: Axes, xs: Sequence[float], *, log_x: bool) -> None:
    """Place the ticks at the tried values, if there are few."""
    from matplotlib.ticker import NullLocator

    values = sorted(set(xs))
    if 0 < len(values) <= 8:  # noqa: PLR2004 - more would overlap
        axes.set_xticks(values, [f"{value:g}" for value in values])
        if log_x:
            axes.xaxis.set_minor_locator(NullLocator())


def _encode(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    # Without software version and date, equal figures give equal files.
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
