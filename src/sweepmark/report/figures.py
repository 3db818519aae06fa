"""The figures of a report on a trial's predictions and on the importances of parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sweepmark.report.figure import BLUE, Figure, content, named, plain
from sweepmark.scores.scorecard import confusion

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sweepmark.scores.scorecard import Scorecard

__all__ = ["confusion_figure", "importance_figure"]

_MOST_CELLS = 20  # classes up to which cells have numbers


def importance_figure(shares: Mapping[str, float]) -> Figure:
    """Return the importances of parameters as bars, the largest on top."""
    names = list(shares)[::-1]
    places = list(range(len(names)))
    bars = {
        "type": "bar",
        "orientation": "h",
        "x": [shares[name] for name in names],
        "y": places,
        "text": [f"{shares[name]:.0%}" for name in names],
        "textposition": "outside",
        "cliponaxis": False,
        "marker": {"color": BLUE},
        "hoverinfo": "x",
    }
    layout = {
        "xaxis": {"range": [0, 1.12], "tickformat": ".0%", "title": {"text": "share"}},
        "yaxis": named(places, names) | {"automargin": True},
        "height": 110 + 34 * len(names),
    }
    return Figure(
        name="importances",
        title="Parameter importances",
        caption="Share of the metric's variance over the finished trials that each parameter "
        "explains (fANOVA, by Optuna).",
        content=content([bars], layout),
    )


def confusion_figure(card: Scorecard) -> Figure:
    """Return the confusion matrix: counts, shaded by the square root of their share of the row."""
    matrix = confusion(card)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    has_numbers = len(matrix) <= _MOST_CELLS
    texts = [[str(count) if count else "" for count in row] for row in matrix.tolist()]
    names = [plain(name) for name in card.names]
    hover = [
        [
            f"{count:,} of {actual} as {predicted} ({share:.1%})"
            for count, share, predicted in zip(counts, row, names, strict=True)
        ]
        for counts, row, actual in zip(matrix.tolist(), shares.tolist(), names, strict=True)
    ]
    places = list(range(len(names)))
    cells = {
        "type": "heatmap",
        "z": np.sqrt(shares).tolist(),
        "zmin": 0,
        "zmax": 1,
        "colorscale": "Blues",
        "reversescale": False,
        "showscale": False,
        "xgap": 1,
        "ygap": 1,
        "text": texts,
        "texttemplate": "%{text}" if has_numbers else "",
        "hovertext": hover,
        "hoverinfo": "text",
    }
    side = int(np.clip(44 * len(names), 260, 640))
    layout = {
        "xaxis": named(places, card.names) | {"title": {"text": "predicted"}, "showgrid": False},
        "yaxis": named(places, card.names)
        | {"title": {"text": "actual"}, "autorange": "reversed", "showgrid": False},
        "height": side + 90,
    }
    return Figure(
        name="confusion",
        title="Confusion matrix",
        caption="Rows are the actual classes. The shade grows with the square root of the share of "
        "the row, so that rare errors are visible; empty cells are 0.",
        content=content([cells], layout),
        widest=side + 130,
    )
