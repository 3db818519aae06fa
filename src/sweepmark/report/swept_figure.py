"""The figure of a sweep: its metric over the swept parameters, in the form that fits them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.config.values import is_scale, show
from sweepmark.report.figure import (
    BLUE,
    GREY,
    VERMILION,
    Figure,
    content,
    is_wide,
    named,
    plain,
    told,
)
from sweepmark.report.grade import wilson_interval
from sweepmark.report.leaderboard import ranked
from sweepmark.report.parallel import parallel_figure
from sweepmark.scores import metric_names
from sweepmark.scores.bands import CONFIDENCE
from sweepmark.search.space import Choice, Range

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sweepmark.report.results import SweepResult
    from sweepmark.search.space import Axis
    from sweepmark.search.trial import Trial

__all__ = ["sweep_figure"]

_MOST_CELLS = 20  # columns or rows up to which cells have numbers
_PLANE = 2


def sweep_figure(result: SweepResult) -> Figure | None:
    """Return the metric over the swept parameters.

    One parameter gives a curve, two choices a heat map, two ranges points in a plane, and anything
    else parallel coordinates.

    Returns
    -------
    Figure or None
        None if nothing varies, or no trial has a finite value of the metric.
    """
    blueprint = result.blueprint
    axes = [axis for axis in blueprint.space.all_axes() if not axis.is_single]
    trials = ranked(result.trials, blueprint.metric, blueprint.direction)
    if not axes or not trials:
        return None
    if len(axes) == 1:
        return _curve(result, trials, axes[0])
    if len(axes) == _PLANE and all(isinstance(axis, Choice) for axis in axes):
        return _heat_map(result, trials, axes)
    if len(axes) == _PLANE and all(isinstance(axis, Range) for axis in axes):
        return _plane(result, trials, axes)
    return parallel_figure(result, trials)


def _curve(result: SweepResult, trials: Sequence[Trial], axis: Axis) -> Figure:
    """Return the metric over one parameter; over training rows if the parameter changes them."""
    metric = result.blueprint.metric
    by_rows = result.blueprint.sweeps_rows and len({trial.n_train for trial in trials}) > 1
    values = [trial.n_train if by_rows else trial.params[axis.name] for trial in trials]
    is_number = by_rows or is_scale(values)
    order = sorted(range(len(trials)), key=(lambda i: (values[i], i)) if is_number else None)
    trials = [trials[i] for i in order]
    values = [values[i] for i in order]
    heights = [trial.metrics[metric] for trial in trials]
    points: dict[str, Any] = {
        "type": "scatter",
        "mode": "lines+markers" if is_number else "markers",
        "x": values if is_number else list(range(len(values))),
        "y": heights,
        "text": [told(trial, metric) for trial in trials],
        "hoverinfo": "text",
        "marker": {"size": 8},
        "line": {"color": BLUE, "width": 2},
    }
    caption = ""
    if metric == metric_names.ACCURACY:
        pairs = [wilson_interval(trial.metrics[metric], trial.n_test) for trial in trials]
        points["error_y"] = {
            "array": [high - height for (_, high), height in zip(pairs, heights, strict=True)],
            "arrayminus": [height - low for (low, _), height in zip(pairs, heights, strict=True)],
            "color": BLUE,
            "thickness": 1.2,
        }
        caption = f"Bars are {100 * CONFIDENCE:g} % intervals."
    title = "training rows" if by_rows else plain(axis.name)
    x_axis = {"title": {"text": title}} | (
        _scale(values) if is_number else named(list(range(len(values))), map(show, values))
    )
    layout = {"xaxis": x_axis, "yaxis": {"title": {"text": plain(metric)}}, "height": 380}
    layout |= _target(result)
    return Figure(
        name="sweep",
        title="Learning curve" if by_rows else f"{metric} over {axis.name}",
        caption=caption,
        content=content([points], layout),
    )


def _heat_map(result: SweepResult, trials: Sequence[Trial], axes: Sequence[Axis]) -> Figure:
    """Return the metric over two choices; the second one's values are the columns."""
    metric = result.blueprint.metric
    rows, columns = axes
    y_values, x_values = ([repr(value) for value in _choices(axis)] for axis in (rows, columns))
    values: list[list[float | None]] = [[None] * len(x_values) for _ in y_values]
    hover = [["no figure"] * len(x_values) for _ in y_values]
    places = {
        trial.number: (
            y_values.index(repr(trial.params[rows.name])),
            x_values.index(repr(trial.params[columns.name])),
        )
        for trial in trials
    }
    for trial in reversed(trials):  # a sampler may draw a cell twice: the first trial has it
        row, column = places[trial.number]
        values[row][column] = trial.metrics[metric]
        hover[row][column] = told(trial, metric)
    cells = {
        "type": "heatmap",
        "z": values,
        "colorscale": "Cividis",
        "xgap": 1,
        "ygap": 1,
        "colorbar": {"title": {"text": plain(metric), "side": "right"}, "thickness": 14},
        "texttemplate": "%{z:.4f}" if max(len(x_values), len(y_values)) <= _MOST_CELLS else "",
        "hovertext": hover,
        "hoverinfo": "text",
    }
    row, column = places[trials[0].number]
    frame = {
        "type": "rect",
        "x0": column - 0.5,
        "x1": column + 0.5,
        "y0": row - 0.5,
        "y1": row + 0.5,
        "line": {"color": VERMILION, "width": 3},
    }
    layout = {
        "xaxis": named(range(len(x_values)), map(show, _choices(columns)))
        | {"title": {"text": plain(columns.name)}, "showgrid": False},
        "yaxis": named(range(len(y_values)), map(show, _choices(rows)))
        | {"title": {"text": plain(rows.name)}, "showgrid": False},
        "shapes": [frame],
        "height": int(np.clip(52 * len(y_values), 160, 640)) + 110,
    }
    n_empty = sum(value is None for those in values for value in those)
    return Figure(
        name="sweep",
        title=f"{metric} over {rows.name} and {columns.name}",
        caption="The best cell is framed." + (f" {n_empty} cells are empty." if n_empty else ""),
        content=content([cells], layout),
        width=110 + 56 * len(x_values) if len(x_values) <= _MOST_CELLS else 600,
    )


def _plane(result: SweepResult, trials: Sequence[Trial], axes: Sequence[Axis]) -> Figure:
    """Return trials as points over two ranges, coloured by the metric."""
    metric = result.blueprint.metric
    y_axis, x_axis = axes
    best = trials[0]
    points = {
        "type": "scatter",
        "mode": "markers",
        "x": [trial.params[x_axis.name] for trial in trials],
        "y": [trial.params[y_axis.name] for trial in trials],
        "text": [told(trial, metric) for trial in trials],
        "hoverinfo": "text",
        "marker": {
            "size": 12,
            "color": [trial.metrics[metric] for trial in trials],
            "colorscale": "Cividis",
            "line": {"color": GREY, "width": 1},
            "colorbar": {"title": {"text": plain(metric), "side": "right"}, "thickness": 14},
        },
    }
    ring = {
        "type": "scatter",
        "mode": "markers",
        "x": [best.params[x_axis.name]],
        "y": [best.params[y_axis.name]],
        "hoverinfo": "skip",
        "marker": {"size": 20, "color": VERMILION, "symbol": "circle-open", "line": {"width": 3}},
    }
    layout = {
        "xaxis": {"title": {"text": plain(x_axis.name)}} | _scale_of(x_axis),
        "yaxis": {"title": {"text": plain(y_axis.name)}} | _scale_of(y_axis),
        "height": 420,
    }
    return Figure(
        name="sweep",
        title=f"{metric} over {y_axis.name} and {x_axis.name}",
        caption="A point is a trial; the best one is circled.",
        content=content([points, ring], layout),
    )


def _target(result: SweepResult) -> dict[str, Any]:
    """Return a line at the grade's target, if the metric is the graded one."""
    rule = result.blueprint.config.grade
    if rule.target is None or rule.metric != result.blueprint.metric:
        return {}
    line = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": rule.target, "y1": rule.target}
    line["line"] = {"color": VERMILION, "width": 1.5, "dash": "dash"}
    line["label"] = {"text": f"target {rule.target:g}", "textposition": "start", "yanchor": "top"}
    return {"shapes": [line]}


def _choices(axis: object) -> Sequence[Any]:
    return axis.values if isinstance(axis, Choice) else ()


def _scale_of(axis: object) -> dict[str, Any]:
    return {"type": "log" if isinstance(axis, Range) and axis.log else "linear"}


def _scale(values: Sequence[float]) -> dict[str, Any]:
    return {"type": "log" if is_wide(values) else "linear"}
