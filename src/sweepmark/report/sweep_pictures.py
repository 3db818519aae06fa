"""The picture of a sweep: its metric over one swept parameter, or over two."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweepmark.config.values import is_scale
from sweepmark.report import grade as grading
from sweepmark.scores import metric_names
from sweepmark.search.space import Choice
from sweepmark.tracking.records import Artifact
from sweepmark.tracking.trial_artifacts import drawn

if TYPE_CHECKING:
    from sweepmark.report.results import SweepResult
    from sweepmark.search.trial import Trial

__all__ = ["sweep_pictures"]


def sweep_pictures(result: SweepResult) -> list[Artifact]:
    """Return a picture of the sweep where one or two numeric parameters were swept."""
    axes = [
        axis
        for axis in result.blueprint.space.axes
        if isinstance(axis, Choice) and is_scale(axis.values)
    ]
    metric = result.blueprint.metric
    trials = [trial for trial in result.trials if metric in trial.metrics]
    if len(axes) != len(result.blueprint.space.axes) or not trials:
        return []
    if len(axes) == 1:
        files = drawn(f"{metric}.png", lambda: _curve(result, axes[0], metric, trials))
    elif len(axes) == 2:  # noqa: PLR2004 -- a plane
        files = drawn(f"{metric}.png", lambda: _heatmap(result, axes, metric, trials))
    else:
        return []
    return [Artifact(name, content) for name, content in files.items()]


def _curve(result: SweepResult, axis: Choice, metric: str, trials: list[Trial]) -> bytes:
    from sweepmark.plots.sweep_curve import curve_png

    values = [trial.metrics[metric] for trial in trials]
    is_share = metric == metric_names.ACCURACY
    rule = result.blueprint.config.grade
    return curve_png(
        [float(trial.params[axis.name]) for trial in trials],
        values,
        x_label=axis.name,
        y_label=metric,
        title=result.sweep_id,
        intervals=[grading.wilson_interval(trial.metrics[metric], trial.n_test) for trial in trials]
        if is_share
        else None,
        target=rule.target if metric == rule.metric else None,
        log_x=_is_log(axis),
    )


def _heatmap(result: SweepResult, axes: list[Choice], metric: str, trials: list[Trial]) -> bytes:
    import numpy as np

    from sweepmark.plots.heatmap import heatmap_png

    y_axis, x_axis = axes
    grid = np.full((len(y_axis.values), len(x_axis.values)), np.nan)
    for trial in trials:
        row = y_axis.values.index(trial.params[y_axis.name])
        column = x_axis.values.index(trial.params[x_axis.name])
        grid[row, column] = trial.metrics[metric]
    return heatmap_png(
        x_axis.values,
        y_axis.values,
        grid,
        x_label=x_axis.name,
        y_label=y_axis.name,
        value_label=metric,
        title=result.sweep_id,
        maximize=result.blueprint.direction == "maximize",
    )


def _is_log(axis: Choice) -> bool:
    """Tell whether the values are spread over orders of magnitude."""
    low, high = min(axis.values), max(axis.values)
    return bool(low > 0 and high / low >= 100)  # noqa: PLR2004 -- two orders of magnitude
