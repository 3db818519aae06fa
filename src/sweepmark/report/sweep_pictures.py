"""The picture of a sweep: its metric over one swept parameter, or over two."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweepmark.config.values import is_scale
from sweepmark.plots.gallery import SWEEP, draw
from sweepmark.plots.swept import Swept
from sweepmark.report.grade import wilson_interval
from sweepmark.scores import metric_names
from sweepmark.search.space import Choice
from sweepmark.tracking.records import Artifact

if TYPE_CHECKING:
    from sweepmark.report.results import SweepResult

__all__ = ["sweep_pictures"]


def sweep_pictures(result: SweepResult) -> list[Artifact]:
    """Return the pictures of a sweep whose parameters are all numbers to choose from."""
    blueprint = result.blueprint
    metric, rule = blueprint.metric, blueprint.config.grade
    axes = {
        axis.name: axis.values
        for axis in blueprint.space.axes
        if isinstance(axis, Choice) and is_scale(axis.values)
    }
    trials = [trial for trial in result.trials if metric in trial.metrics]
    if len(axes) != len(blueprint.space.axes) or not trials:
        return []
    values = [trial.metrics[metric] for trial in trials]
    swept = Swept(
        title=result.sweep_id,
        metric=metric,
        axes=axes,
        points=[tuple(trial.params[name] for name in axes) for trial in trials],
        figures=values,
        intervals=[
            wilson_interval(value, trial.n_test)
            for value, trial in zip(values, trials, strict=True)
        ]
        if metric == metric_names.ACCURACY
        else None,
        target=rule.target if metric == rule.metric else None,
        maximize=blueprint.direction == "maximize",
    )
    return [Artifact(name, content) for name, content in draw(SWEEP, swept).items()]
