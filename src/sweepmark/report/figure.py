"""What every interactive figure of a page has: names that are harmless, axes, colours, JSON.

Figures are Plotly's, which reads some HTML in its texts, so that markup characters are escaped.
Texts and lines of axes have the colours of the page's style sheet, which knows the theme.
"""

from __future__ import annotations

import html
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sweepmark.config.values import show
from sweepmark.plots.style import BLUE, VERMILION
from sweepmark.terminal import cut

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sweepmark.search.trial import Trial

__all__ = ["BLUE", "GREY", "VERMILION", "Figure", "content", "is_wide", "named", "plain", "told"]

GREY = "#8C8C8C"
"""Between light and dark, as a page has either theme."""
_LONGEST = 28  # characters of a name
_WIDE = 100  # ratio of values from which an axis is logarithmic


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """An interactive figure.

    Attributes
    ----------
    name : str
        Its identifier in the page.
    title : str
        What it shows.
    caption : str
        How to read it; may be empty.
    content : mapping
        ``data`` and ``layout`` for Plotly.
    width : int
        Its least width in pixels; narrower screens scroll.
    widest : int or None
        Its largest width in pixels; None takes all there is.
    """

    name: str
    title: str
    caption: str
    content: Mapping[str, Any]
    width: int = 300
    widest: int | None = None


def told(trial: Trial, metric: str) -> str:
    """Return what is shown of a trial at its point: its number, metric and parameters."""
    params = (f"{plain(name)} = {plain(show(value))}" for name, value in trial.params.items())
    head = f"trial {trial.number}: {plain(metric)} {trial.metrics[metric]:.4f}"
    return "<br>".join([head, *params])


def named(places: Iterable[int], names: Iterable[str]) -> dict[str, Any]:
    """Return an axis whose ticks at places have names: equal names stay apart."""
    texts = [plain(name) for name in names]
    return {"tickmode": "array", "tickvals": list(places), "ticktext": texts, "type": "linear"}


def is_wide(values: Sequence[float]) -> bool:
    """Tell whether values are better shown on a logarithmic axis: positive ones over decades."""
    return min(values) > 0 and max(values) / min(values) >= _WIDE


def plain(text: str) -> str:
    """Return a name that Plotly shows as it is, without markup."""
    return html.escape(cut(text, _LONGEST), quote=False)


def content(data: list[dict[str, Any]], layout: dict[str, Any]) -> dict[str, Any]:
    """Return a figure that Plotly has checked; its colours are the page's where it has no own."""
    import plotly.graph_objects as go

    base = {
        "template": "none",
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 64, "r": 24, "t": 16, "b": 56},
        "font": {"family": "system-ui, sans-serif", "size": 13},
        "showlegend": False,
        "hoverlabel": {"align": "left"},
    }
    figure = go.Figure(data=data, layout=base | layout)
    drawn: dict[str, Any] = json.loads(str(figure.to_json()))
    return drawn
