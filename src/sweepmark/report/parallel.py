"""Parallel coordinates: the trials of a sweep of many parameters, each as a line."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sweepmark.config.values import is_scale, show
from sweepmark.report.figure import (
    BLUE,
    GREY,
    VERMILION,
    Figure,
    content,
    is_wide,
    plain,
)
from sweepmark.search.space import Range

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sweepmark.report.results import SweepResult
    from sweepmark.search.trial import Trial

__all__ = ["parallel_figure"]

_TENTH = 0.1
_MOST_TRIALS = 1000
_MOST_OPTIONS = 40  # values of a category that are named on its axis


def parallel_figure(result: SweepResult, trials: Sequence[Trial]) -> Figure:
    """Return parallel coordinates: a line for each trial across its parameters and the metric."""
    metric, n_trials = result.blueprint.metric, len(trials)
    trials = trials[:_MOST_TRIALS]
    found = {name for trial in trials for name in trial.params}
    axes = [
        axis
        for axis in result.blueprint.space.all_axes()
        if axis.name in found and not axis.is_single
    ]
    rulers = [_Ruler.of(axis.name, axis, trials) for axis in axes]
    rulers.append(_Ruler.spanning(metric, [trial.metrics[metric] for trial in trials]))
    n_top = max(1, math.ceil(_TENTH * len(trials)))
    groups = (
        ("other trials", trials[n_top:], GREY, 1.0, 0.45),
        (f"best {n_top}", trials[1:n_top], BLUE, 1.8, 0.9),
        ("best trial", trials[:1], VERMILION, 3.5, 1.0),
    )
    lines = []
    for name, members, colour, width, opacity in groups:
        x, y, texts = _across(members, rulers)
        lines.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": name,
                "x": x,
                "y": y,
                "text": texts,
                "hoverinfo": "text",
                "opacity": opacity,
                "line": {"color": colour, "width": width},
                "marker": {"size": 4 + width, "color": colour},
                "connectgaps": False,
                "showlegend": bool(members),
            }
        )
    heads = _shorten([ruler.name for ruler in rulers])
    notes = [
        note for place, ruler in enumerate(rulers) for note in ruler.notes(place, heads[place])
    ]
    uprights = [
        {"type": "line", "x0": place, "x1": place, "y0": 0, "y1": 1, "layer": "below"}
        | {"line": {"color": GREY, "width": 1}}
        for place in range(len(rulers))
    ]
    layout = {
        "xaxis": {"visible": False, "range": [-0.35, len(rulers) - 0.4], "fixedrange": True},
        "yaxis": {"visible": False, "range": [-0.06, 1.18], "fixedrange": True},
        "annotations": notes,
        "shapes": uprights,
        "legend": {"orientation": "h", "y": -0.02, "x": 0},
        "showlegend": True,
        "height": 460,
        "margin": {"l": 16, "r": 16, "t": 16, "b": 40},
    }
    return Figure(
        name="sweep",
        title=f"{metric} over {len(axes)} parameters",
        caption="A line is a trial. It passes by the parameters that it does not have."
        + (f" Only the best {_MOST_TRIALS:,} are drawn." if n_trials > _MOST_TRIALS else ""),
        content=content(lines, layout),
        width=100 * len(rulers),
    )


@dataclass(frozen=True, slots=True)
class _Ruler:
    """An upright axis of parallel coordinates: heights in [0, 1], and what stands beside them."""

    name: str
    ticks: Mapping[str, float]
    low: float = 0.0
    high: float = 0.0
    is_log: bool = False
    heights: Mapping[str, float] | None = None

    @classmethod
    def of(cls, name: str, axis: object, trials: Sequence[Trial]) -> _Ruler:
        values = [trial.params[name] for trial in trials if name in trial.params]
        if is_scale(values):
            is_log = axis.log if isinstance(axis, Range) else is_wide(values)
            return cls.spanning(name, values, is_log=is_log)
        texts = sorted({show(value) for value in values})
        step = 1 / max(len(texts) - 1, 1)
        heights = {
            text: place * step if len(texts) > 1 else 0.5 for place, text in enumerate(texts)
        }
        return cls(name, dict(list(heights.items())[:_MOST_OPTIONS]), heights=heights)

    @classmethod
    def spanning(cls, name: str, values: Sequence[float], *, is_log: bool = False) -> _Ruler:
        low, high = min(values), max(values)
        ends = {show(low): 0.0, show(high): 1.0} if high > low else {show(low): 0.5}
        return cls(name, ends, low, high, is_log)

    def height(self, value: Any) -> float:
        if self.heights is not None:
            return self.heights[show(value)]
        if self.high == self.low:
            return 0.5
        low, high, at = (
            (math.log(each) if self.is_log else each) for each in (self.low, self.high, value)
        )
        return float((at - low) / (high - low))

    def notes(self, place: int, head: str) -> list[dict[str, Any]]:
        """Return its heading, above or below those of its neighbours, and its ticks."""
        beside = {"x": place, "showarrow": False, "xanchor": "left", "xshift": 6}
        above = {"x": place, "y": 1.12 if place % 2 else 1.05, "showarrow": False}
        return [
            above | {"text": f"<b>{plain(head)}</b>", "hovertext": plain(self.name)},
            *(beside | {"y": height, "text": plain(text)} for text, height in self.ticks.items()),
        ]


def _shorten(names: Sequence[str]) -> list[str]:
    """Return the last part of each dotted name; its last two where that stands for several."""
    lasts = [name.rpartition(".")[2] for name in names]
    return [
        last if lasts.count(last) == 1 else ".".join(name.split(".")[-2:])
        for name, last in zip(names, lasts, strict=True)
    ]


def _across(
    trials: Sequence[Trial], rulers: Sequence[_Ruler]
) -> tuple[list[float | None], list[float | None], list[str]]:
    """Return the points of trials across rulers, with a gap after each trial."""
    x: list[float | None] = []
    y: list[float | None] = []
    texts: list[str] = []
    for trial in trials:
        for place, ruler in enumerate(rulers):
            values = trial.metrics if place == len(rulers) - 1 else trial.params
            if ruler.name in values:
                x.append(place)
                y.append(ruler.height(values[ruler.name]))
                value = plain(show(values[ruler.name]))
                texts.append(f"trial {trial.number}<br>{plain(ruler.name)} = {value}")
        x.append(None)
        y.append(None)
        texts.append("")
    return x, y, texts
