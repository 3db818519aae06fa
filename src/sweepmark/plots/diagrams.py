"""Diagrams of one Scorecard: training curves, ROC, precision-recall and threshold curves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.plots.chart import BLUE, GREEN, GREY, VERMILION, Line, Panel, Point, chart_png
from sweepmark.scores import metric_names
from sweepmark.scores.ranking import Ranking, neutral_score

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sweepmark.scores.scorecard import Scorecard

__all__ = ["precision_recall_png", "rankings", "roc_png", "threshold_png", "training_png"]

_SHARE = (-0.02, 1.02)
_GRID = np.linspace(0, 1, 401)
_LARGEST = 1e200
_OUTER = 0.5
"""Percentage of the scores at either end that a threshold diagram may cut off."""


def training_png(card: Scorecard) -> bytes | None:
    """Return loss and error over epochs, of the rows fitted on and those held out.

    None if training did not go by epochs.
    """
    curves = {
        name.removeprefix(metric_names.cv("")): values for name, values in card.curves.items()
    }
    panels = []
    for metric, word in (
        (metric_names.LOSS, "log loss"),
        (metric_names.ACCURACY, "error (share wrong)"),
    ):
        lines = []
        for name, label, colour in (
            (metric_names.train(metric), "training", BLUE),
            (metric_names.validation(metric), "validation", VERMILION),
        ):
            if name in curves:
                values = np.asarray(curves[name])
                lines.append(
                    Line(
                        x=np.arange(1, len(values) + 1),
                        y=values if metric == metric_names.LOSS else 1 - values,
                        label=f"{label}, last {_last(values, metric):.4f}",
                        colour=colour,
                        dashed=colour == VERMILION,
                    )
                )
        if lines:
            title = f"{'Loss' if metric == metric_names.LOSS else 'Error'} after each epoch"
            mean = (
                ", mean over folds"
                if metric_names.cv(metric_names.train(metric)) in card.curves
                else ""
            )
            panels.append(
                Panel(
                    title=title + mean,
                    x_label="epoch",
                    y_label=word,
                    lines=lines,
                    legend="upper right",
                )
            )
    return chart_png(panels) if panels else None


def _last(values: NDArray[Any], metric: str) -> float:
    return float(values[-1] if metric == metric_names.LOSS else 1 - values[-1])


def rankings(card: Scorecard) -> dict[int, Ranking]:
    """Return, by class, the rows ranked by their scores of that class against the rest.

    For two classes only the positive one is ranked. Classes without both positive and negative rows
    are left out; the result is empty if there are no scores or a score is NaN.
    """
    scored = card.predictions
    scores = scored.scores
    if scores is None or not scores.size or np.isnan(scores).any():
        return {}
    columns = [scores] if scores.ndim == 1 else list(scores.T)
    if card.positive is not None:  # the other class has no curve of its own
        place = card.classes.index(card.positive)
        named = {card.positive: columns[0] if len(columns) == 1 else columns[place]}
    else:
        named = dict(zip(card.classes, columns, strict=True))
    found = {label: Ranking.of(scored.y_true == label, column) for label, column in named.items()}
    return {label: ranking for label, ranking in found.items() if ranking.has_both}


def roc_png(ranked: dict[int, Ranking], names: Sequence[str], card: Scorecard) -> bytes:
    """Return the ROC curve of two classes, or of more classes all curves, their mean and the worst.

    Parameters
    ----------
    ranked : dict of int to Ranking
        From :func:`rankings`; at least one.
    names : sequence of str
        Names of the classes.
    card : Scorecard
        The Scorecard that was ranked.
    """
    curves = {
        label: (np.append(0, ranking.fall_out), np.append(0, ranking.recall))
        for label, ranking in ranked.items()
    }
    areas = {label: ranking.roc_auc for label, ranking in ranked.items()}
    called = dict(zip(card.classes, names, strict=True))
    lines = [Line(x=[0, 1], y=[0, 1], label="by chance", colour="#777777", dashed=True, width=1.2)]
    lines += _one_or_many(curves, areas, called, card.name_of(metric_names.ROC_AUC))
    panel = Panel(
        title=f"ROC curve{_whose(ranked, called)}",
        x_label="false positive rate",
        y_label="true positive rate (recall)",
        lines=lines,
        points=_operating_point(ranked, card, "roc"),
        x_limits=_SHARE,
        y_limits=_SHARE,
    )
    return chart_png([panel])


def precision_recall_png(
    ranked: dict[int, Ranking], names: Sequence[str], card: Scorecard
) -> bytes:
    """Return precision over recall; parameters as in :func:`roc_png`."""
    curves = {
        label: (np.append(0, ranking.recall), np.append(ranking.precision[0], ranking.precision))
        for label, ranking in ranked.items()
    }
    areas = {label: ranking.average_precision for label, ranking in ranked.items()}
    called = dict(zip(card.classes, names, strict=True))
    panel = Panel(
        title=f"Precision and recall{_whose(ranked, called)}",
        x_label=card.name_of(metric_names.RECALL),
        y_label=card.name_of(metric_names.PRECISION),
        lines=_one_or_many(curves, areas, called, card.name_of(metric_names.AVERAGE_PRECISION)),
        points=_operating_point(ranked, card, "precision"),
        x_limits=_SHARE,
        y_limits=_SHARE,
        legend="lower left",
    )
    return chart_png([panel])


def threshold_png(ranking: Ranking, name: str, card: Scorecard) -> bytes:
    """Return precision and recall of two classes over the threshold, with the current threshold.

    Parameters
    ----------
    ranking : Ranking
        The ranking by the positive class.
    name : str
        Name of the positive class.
    card : Scorecard
        The Scorecard that was ranked.
    """
    cut, word = _threshold(card)
    precision, recall = map(card.name_of, (metric_names.PRECISION, metric_names.RECALL))
    shown = np.append(ranking.thresholds[np.abs(ranking.thresholds) < _LARGEST], cut)
    low, high = np.percentile(shown, [_OUTER, 100 - _OUTER])
    low, high = min(low, cut), max(high, cut)
    room = 0.03 * (high - low)
    panel = Panel(
        title=f"Precision and recall of {name} against the threshold",
        x_label="threshold: positive where the score is at least that",
        y_label="share",
        lines=[
            Line(x=ranking.thresholds, y=ranking.precision, label=precision, dashed=True),
            Line(x=ranking.thresholds, y=ranking.recall, label=recall, colour=GREEN),
            Line(x=[cut, cut], y=_SHARE, label=f"{word} {cut:.4g}", colour=VERMILION, width=1.6),
        ],
        x_limits=(float(low - room), float(high + room)),
        y_limits=_SHARE,
        legend="center left",
    )
    return chart_png([panel])


def _threshold(card: Scorecard) -> tuple[float, str]:
    chosen = card.metrics.get(metric_names.THRESHOLD)
    if chosen is not None:
        return chosen, "chosen"
    scores = card.predictions.scores
    return neutral_score(np.zeros(0) if scores is None else scores), "the classifier's own"


def _operating_point(ranked: dict[int, Ranking], card: Scorecard, kind: str) -> list[Point]:
    """Return the operating point of the predictions of two classes, if it is unique."""
    if len(card.classes) > 2:  # noqa: PLR2004 -- every class would have one
        return []
    (ranking,) = ranked.values()
    cut, word = _threshold(card)
    above = int(np.count_nonzero(ranking.thresholds >= cut))
    if above == 0:
        return []
    recall, label = float(ranking.recall[above - 1]), f"{word}: threshold {cut:.4g}"
    if kind == "roc":
        return [Point(x=float(ranking.fall_out[above - 1]), y=recall, label=label)]
    return [Point(x=recall, y=float(ranking.precision[above - 1]), label=label)]


def _whose(ranked: dict[int, Ranking], called: dict[int, str]) -> str:
    if len(called) > 2:  # noqa: PLR2004 -- none is the positive one
        return ", each class against the rest"
    return f" of {called[next(iter(ranked))]}"


def _one_or_many(
    curves: dict[int, tuple[NDArray[Any], NDArray[Any]]],
    areas: dict[int, float],
    called: dict[int, str],
    word: str,
) -> list[Line]:
    if len(called) <= 2:  # noqa: PLR2004 -- one curve says it all
        label, (x, y) = next(iter(curves.items()))
        return [Line(x=x, y=y, label=f"{word} {areas[label]:.4f}")]
    worst = min(areas, key=lambda label: areas[label])
    lines = [
        Line(x=x, y=y, colour=GREY, width=1.2) for label, (x, y) in curves.items() if label != worst
    ]
    mean = np.mean([np.interp(_GRID, x, y) for x, y in curves.values()], axis=0)
    x, y = curves[worst]
    called_worst = f"worst class {called[worst]}: {areas[worst]:.4f}"
    return [
        *lines,
        Line(x=x, y=y, label=called_worst, colour=VERMILION, dashed=True, width=1.6),
        Line(x=_GRID, y=mean, label=f"mean: {word} {np.mean(list(areas.values())):.4f}"),
    ]
