"""The curves of a trial: its metrics at each threshold, and training by epochs."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sweepmark.plots.style import (
    BLUE,
    GREEN,
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

__all__ = [
    "SHARE",
    "SIZE",
    "Ranked",
    "complete_curve",
    "epochs",
    "ranked",
    "threshold",
    "training",
]

SIZE = 480, 360
"""Width and height of the axes of a curve, in pixels."""
SHARE = (-0.02, 1.02)
"""The limits of an axis of shares."""
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
    (axes,) = new_panels(1, *SIZE)
    for metric, values, colour, line in (
        (metric_names.PRECISION, each.precision, BLUE, "--"),
        (metric_names.RECALL, each.recall, GREEN, "-"),
    ):
        axes.plot(x, values[is_drawn], color=colour, linestyle=line, label=card.name_of(metric))
    axes.axvline(used, color=VERMILION, linewidth=1.6, label=f"threshold: {word}, {used:.4g}")
    axes.set(xlim=(low - room, high + room), ylim=SHARE, ylabel="share")
    axes.set_xlabel("threshold: positive where the score is at least that")
    complete_curve(axes, f"Precision and recall of {plain(name)} against the threshold")
    return png(axes)


def training(card: Scorecard, dataset: Dataset) -> bytes:
    """Draw loss and error over epochs, of the rows fitted on and those held out."""
    del dataset
    found = epochs(card)
    is_mean = any(name.startswith(metric_names.cv("")) for name in card.curves)
    panels = new_panels(len(found), *SIZE)
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
        complete_curve(axes, f"{title} after each epoch{', mean over folds' if is_mean else ''}")
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


def complete_curve(axes: Axes, title: str, *, n_columns: int = 1) -> None:
    """Add title, grid and, below the axes where it covers nothing, the legend."""
    complete(axes, title)
    axes.legend(loc="upper left", bbox_to_anchor=(-0.02, -0.14), borderaxespad=0, ncols=n_columns)
