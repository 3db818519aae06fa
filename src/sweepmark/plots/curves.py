"""The curves of a trial: ROC, precision and recall, thresholds, and training by epochs."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sweepmark.plots.style import (
    BLUE,
    GREEN,
    GREY,
    LARGEST,
    VERMILION,
    complete,
    new_panels,
    plain,
    png,
)
from sweepmark.scores import metric_names
from sweepmark.scores.ranking import neutral_score

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from sweepmark.data import Dataset
    from sweepmark.scores.scorecard import Scorecard

__all__ = ["Ranked", "epochs", "precision_recall", "ranked", "roc", "threshold", "training"]

_SIZE = 480, 360  # pixels
_SHARE = (-0.02, 1.02)
_GRID = np.linspace(0, 1, 401)
_OUTER = 0.5  # percentage of the scores at either end that the threshold's picture may cut off


class Ranked(NamedTuple):
    """Metrics of one class against the rest at each threshold, the highest first.

    All are arrays of shape (n_thresholds,), float64. A row is positive where its score is at least
    the threshold.
    """

    threshold: NDArray[Any]
    precision: NDArray[Any]
    recall: NDArray[Any]
    false_positive_rate: NDArray[Any]


@functools.lru_cache(maxsize=1)  # for all pictures of a trial
def ranked(card: Scorecard) -> dict[str, Ranked]:
    """Return the metrics at each threshold by class name: of two classes, of the positive one.

    Classes without both positive and negative rows are left out; the result is empty if there are
    no scores or a score is NaN.
    """
    from sklearn.metrics import confusion_matrix_at_thresholds

    y, scores = card.predictions.y_true, card.predictions.scores
    if scores is None or np.isnan(scores).any():
        return {}
    columns = scores.reshape(len(y), -1)
    found = {}
    for place, (label, name) in enumerate(zip(card.classes, card.names, strict=True)):
        is_wanted = card.positive in {None, label}  # the other of two has no curve of its own
        if is_wanted and 0 < np.count_nonzero(y == label) < len(y):
            column = columns[:, place % columns.shape[1]]
            levels, ranks = np.unique(column, return_inverse=True)  # infinite ones have a rank too
            _, fps, _, tps, reached = confusion_matrix_at_thresholds(y == label, ranks)
            found[name] = Ranked(
                levels[reached.astype(np.int64)], tps / (tps + fps), tps / tps[-1], fps / fps[-1]
            )
    return found


def roc(card: Scorecard, dataset: Dataset) -> bytes:
    """Draw the ROC curve of two classes, or those of all classes with their mean and the worst."""
    from sklearn.metrics import auc

    del dataset
    curves = {
        name: (np.append(0, each.false_positive_rate), np.append(0, each.recall))
        for name, each in ranked(card).items()
    }
    (axes,) = new_panels(1, *_SIZE)
    axes.plot([0, 1], [0, 1], color="#777777", linestyle=":", linewidth=1.2, label="by chance")
    areas = {name: float(auc(*curve)) for name, curve in curves.items()}
    _draw_classes(axes, card, curves, areas, metric_names.ROC_AUC)
    axes.set(xlabel="false positive rate", ylabel="true positive rate (recall)")
    axes.set(xlim=_SHARE, ylim=_SHARE)
    _complete(axes, f"ROC curve{_whose(card)}")
    return png(axes)


def precision_recall(card: Scorecard, dataset: Dataset) -> bytes:
    """Draw precision over recall, of the classes as in :func:`roc`."""
    del dataset
    curves = {
        name: (np.append(0, each.recall), np.append(each.precision[0], each.precision))
        for name, each in ranked(card).items()
    }
    (axes,) = new_panels(1, *_SIZE)
    areas = {name: float((np.diff(x) * y[1:]).sum()) for name, (x, y) in curves.items()}
    _draw_classes(axes, card, curves, areas, metric_names.AVERAGE_PRECISION)
    axes.set(xlabel=card.name_of(metric_names.RECALL), ylabel=card.name_of(metric_names.PRECISION))
    axes.set(xlim=_SHARE, ylim=_SHARE)
    _complete(axes, f"Precision and recall{_whose(card)}")
    return png(axes)


def threshold(card: Scorecard, dataset: Dataset) -> bytes:
    """Draw precision and recall of two classes over the threshold, and the one that was used."""
    del dataset
    ((name, each),) = ranked(card).items()
    chosen = card.metrics.get(metric_names.THRESHOLD)
    used = neutral_score(np.asarray(card.predictions.scores)) if chosen is None else chosen
    word = "the classifier's own" if chosen is None else "chosen"
    is_drawn = np.abs(each.threshold) < LARGEST
    x = each.threshold[is_drawn]
    low, high = np.percentile(np.append(x, used), [_OUTER, 100 - _OUTER])
    low, high = min(low, used), max(high, used)
    room = 0.03 * (high - low) or 0.05 * max(abs(used), 1.0)
    (axes,) = new_panels(1, *_SIZE)
    for metric, values, colour, line in (
        (metric_names.PRECISION, each.precision, BLUE, "--"),
        (metric_names.RECALL, each.recall, GREEN, "-"),
    ):
        axes.plot(x, values[is_drawn], color=colour, linestyle=line, label=card.name_of(metric))
    axes.axvline(used, color=VERMILION, linewidth=1.6, label=f"threshold: {word}, {used:.4g}")
    axes.set(xlim=(low - room, high + room), ylim=_SHARE, ylabel="share")
    axes.set_xlabel("threshold: positive where the score is at least that")
    _complete(axes, f"Precision and recall of {plain(name)} against the threshold")
    return png(axes)


def training(card: Scorecard, dataset: Dataset) -> bytes:
    """Draw loss and error over epochs, of the rows fitted on and those held out."""
    del dataset
    found = epochs(card)
    is_mean = any(name.startswith(metric_names.cv("")) for name in card.curves)
    panels = new_panels(len(found), *_SIZE)
    for axes, (metric, curves) in zip(panels, found.items(), strict=True):
        for part, values in curves.items():
            axes.plot(
                np.arange(1, len(values) + 1),
                np.where(np.abs(values) < LARGEST, values, np.nan),
                color=BLUE if part == "training" else VERMILION,
                linestyle="-" if part == "training" else "--",
                marker="o" if len(values) == 1 else "",
                label=f"{part}, last {values[-1]:.4f}",
            )
        axes.set(xlabel="epoch", ylabel=metric)
        title = metric.partition(" ")[0].capitalize()
        _complete(axes, f"{title} after each epoch{', mean over folds' if is_mean else ''}")
    return png(panels[0])


def epochs(card: Scorecard) -> dict[str, dict[str, NDArray[Any]]]:
    """Return loss and error after each epoch, by their words and by rows: training, validation."""
    curves = {
        name.removeprefix(metric_names.cv("")): np.asarray(values, dtype=np.float64)
        for name, values in card.curves.items()
    }
    found: dict[str, dict[str, NDArray[Any]]] = {"loss (log loss)": {}, "error (share wrong)": {}}
    parts = {"training": metric_names.train, "validation": metric_names.validation}
    for part, name_of in parts.items():
        for word, metric in zip(found, (metric_names.LOSS, metric_names.ACCURACY), strict=True):
            if (values := curves.get(name_of(metric))) is not None:
                found[word][part] = values if metric == metric_names.LOSS else 1 - values
    return {word: each for word, each in found.items() if each}


def _draw_classes(
    axes: Axes,
    card: Scorecard,
    curves: dict[str, tuple[NDArray[Any], NDArray[Any]]],
    areas: dict[str, float],
    metric: str,
) -> None:
    """Draw the curve of two classes and their predictions, or all with their mean and the worst."""
    word = card.name_of(metric)
    if card.positive is None:
        worst = min(areas, key=lambda name: areas[name])
        for name, curve in curves.items():
            if name != worst:
                axes.plot(*curve, color=GREY, linewidth=1)
        label = f"worst class {plain(worst)}: {areas[worst]:.4f}"
        axes.plot(*curves[worst], color=VERMILION, linestyle="--", linewidth=1.6, label=label)
        mean = np.mean([np.interp(_GRID, *curve) for curve in curves.values()], axis=0)
        area = np.mean(list(areas.values()))
        axes.plot(_GRID, mean, color=BLUE, label=f"mean: {word} {area:.4f}")
        return
    ((name, curve),) = curves.items()
    axes.plot(*curve, color=BLUE, label=f"{word} {areas[name]:.4f}")
    y, found = (
        each == card.positive for each in (card.predictions.y_true, card.predictions.y_pred)
    )
    if found.any():
        recall = found[y].mean()
        is_roc = metric == metric_names.ROC_AUC
        point = (found[~y].mean(), recall) if is_roc else (recall, y[found].mean())
        axes.plot(*point, "o", color=VERMILION, markersize=8, label="the predictions")


def _whose(card: Scorecard) -> str:
    name = card.positive_name
    return ", each class against the rest" if name is None else f" of {plain(name)}"


def _complete(axes: Axes, title: str) -> None:
    """Add title, grid and, below the axes where it covers nothing, the legend."""
    complete(axes, title)
    axes.legend(loc="upper left", bbox_to_anchor=(-0.02, -0.14), borderaxespad=0)
