"""ROC and precision-recall curves: of the positive one of two classes, or of each class.

The curves of a good classifier lie in a corner, which a second panel enlarges.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.plots.curves import SHARE, SIZE, complete_curve, ranked
from sweepmark.plots.style import BLUE, GREY, PALETTE, VERMILION, new_panels, plain, png
from sweepmark.scores import metric_names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from sweepmark.data import Dataset
    from sweepmark.scores.scorecard import Scorecard

__all__ = ["precision_recall", "roc"]

_GRID = np.linspace(0, 1, 401)
_MOST = 12  # classes up to which each line has its name and style
_DASHES = ("-", "--")
_SIDES = (0.01, 0.02, 0.05, 0.1, 0.2)  # of the corner that is enlarged
_ROOM = 2.0  # ratio of that side to the distance of the curves from the corner
_LONGEST = 24  # characters of a class in the legend


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _Curves:
    """The curves of a picture.

    Attributes
    ----------
    metric : str
        The bare name of the metric that is the area below a curve.
    lines : mapping of str to pair of ndarray
        x and y by class name.
    areas, chance : mapping of str to float
        The area by class name, and the share of the rows that are of it.
    corner : {0, 1}
        Where on the x axis a perfect curve has its corner; on the y axis it is 1.
    """

    metric: str
    lines: Mapping[str, tuple[NDArray[Any], NDArray[Any]]]
    areas: Mapping[str, float]
    chance: Mapping[str, float]
    corner: int


def roc(card: Scorecard, dataset: Dataset) -> bytes:
    """Draw the ROC curve of two classes, or those of all classes with their mean."""
    from sklearn.metrics import auc

    del dataset
    lines = {
        name: (np.append(0, each.false_positive_rate), np.append(0, each.recall))
        for name, each in ranked(card).items()
    }
    areas = {name: float(auc(*line)) for name, line in lines.items()}
    found = _Curves(
        metric=metric_names.ROC_AUC, lines=lines, areas=areas, chance=_prevalence(card), corner=0
    )
    panels = _panels(found)
    panels[0].plot([0, 1], [0, 1], color="#777777", linestyle=":", linewidth=1.2, label="by chance")
    _draw(panels, card, found)
    for axes in panels:
        axes.set(xlabel="false positive rate", ylabel="true positive rate (recall)")
    return _finish(panels, f"ROC curve{_whose(card)}", found)


def precision_recall(card: Scorecard, dataset: Dataset) -> bytes:
    """Draw precision over recall, of the classes as in :func:`roc`, and their prevalence."""
    del dataset
    lines = {
        name: (np.append(0, each.recall), np.append(each.precision[0], each.precision))
        for name, each in ranked(card).items()
    }
    areas = {name: float((np.diff(x) * y[1:]).sum()) for name, (x, y) in lines.items()}
    found = _Curves(
        metric=metric_names.AVERAGE_PRECISION,
        lines=lines,
        areas=areas,
        chance=_prevalence(card),
        corner=1,
    )
    panels = _panels(found)
    level = float(np.mean([found.chance[name] for name in lines]))
    which = "mean prevalence" if len(lines) > 1 else "prevalence"
    chance: dict[str, Any] = {"color": "#777777", "linestyle": ":", "linewidth": 1.2}
    panels[0].axhline(level, label=f"by chance: {which} {level:.1%}", **chance)
    _draw(panels, card, found)
    for axes in panels:
        axes.set_xlabel(card.name_of(metric_names.RECALL))
        axes.set_ylabel(card.name_of(metric_names.PRECISION))
    return _finish(panels, f"Precision and recall{_whose(card)}", found)


def _prevalence(card: Scorecard) -> dict[str, float]:
    """Return the share of the scored rows that are of each class, by name."""
    y = card.predictions.y_true
    pairs = zip(card.classes, card.names, strict=True)
    return {name: float(np.mean(y == label)) for label, name in pairs}


def _panels(found: _Curves) -> list[Axes]:
    return new_panels(1 if _side(found) is None else 2, *SIZE)


def _side(found: _Curves) -> float | None:
    """Return the side of the corner that has all curves' bends; None if it were most of all."""
    distances = [
        float(np.maximum(np.abs(x - found.corner), 1 - y).min()) for x, y in found.lines.values()
    ]
    wanted = _ROOM * max(distances)
    return next((side for side in _SIDES if side >= wanted), None)


def _draw(panels: list[Axes], card: Scorecard, found: _Curves) -> None:
    """Draw the curve of two classes and their predictions, or all classes with their mean."""
    if card.positive is None:
        for axes in panels:
            _draw_classes(axes, card, found)
        return
    ((name, line),) = found.lines.items()
    point = _point(card, found)
    for axes in panels:
        label = f"{card.name_of(found.metric)} {found.areas[name]:.4f}"
        axes.plot(*line, color=BLUE, label=label)
        if point is not None:
            axes.plot(*point, "o", color=VERMILION, markersize=8, label="the predictions")


def _draw_classes(axes: Axes, card: Scorecard, found: _Curves) -> None:
    """Draw each class in a style of its own; of very many, those with the smallest areas."""
    word, areas = card.name_of(found.metric), found.areas
    named = sorted(areas, key=lambda name: areas[name])[:_MOST]
    others = [name for name in areas if name not in named]
    for place, name in enumerate(others):
        label = f"{len(others)} classes with larger areas" if place == 0 else None
        axes.plot(*found.lines[name], color=GREY, linewidth=1, label=label)
    for place, name in enumerate(name for name in areas if name in named):
        dash, colour = divmod(place, len(PALETTE))
        label = f"{plain(name, _LONGEST)}: {areas[name]:.4f}"
        if found.metric == metric_names.AVERAGE_PRECISION:
            label += f" ({found.chance[name]:.1%} of rows)"
        style: dict[str, Any] = {"color": PALETTE[colour], "linestyle": _DASHES[dash]}
        axes.plot(*found.lines[name], linewidth=1.3, label=label, **style)
    mean = np.mean([np.interp(_GRID, *line) for line in found.lines.values()], axis=0)
    label = f"mean: {word} {np.mean(list(areas.values())):.4f}"
    axes.plot(_GRID, mean, color="#222222", linewidth=2.2, label=label)


def _point(card: Scorecard, found: _Curves) -> tuple[float, float] | None:
    """Return where the predictions of two classes lie; None if none is positive."""
    y, hits = (each == card.positive for each in (card.predictions.y_true, card.predictions.y_pred))
    if not hits.any():
        return None
    recall = float(hits[y].mean())
    if found.metric == metric_names.ROC_AUC:
        return float(hits[~y].mean()), recall
    return recall, float(y[hits].mean())


def _whose(card: Scorecard) -> str:
    name = card.positive_name
    return ", each class against the rest" if name is None else f" of {plain(name)}"


def _finish(panels: list[Axes], title: str, found: _Curves) -> bytes:
    """Add limits, titles and the legend, and return the picture as a PNG file."""
    whole, *enlarged = panels
    whole.set(xlim=SHARE, ylim=SHARE)
    n_entries = len(whole.get_legend_handles_labels()[1])
    complete_curve(whole, title, n_columns=1 + math.isqrt(max(n_entries - 3, 0) // 2))
    side = _side(found)
    for axes in enlarged:
        room = 0.02 * (side or 0)
        limits = (1 - (side or 0) - room, 1 + room)
        axes.set(xlim=limits if found.corner else (-room, (side or 0) + room), ylim=limits)
        axes.set_title("the corner, enlarged")
        axes.grid(visible=True)
    return png(whole)
