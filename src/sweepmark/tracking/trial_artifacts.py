"""The artifacts of one trial: tables and pictures derived from its Scorecard."""

from __future__ import annotations

import csv
import io
import json
import traceback
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.plots import diagrams
from sweepmark.plots.pictures import confusion_matrix_png, misclassified_png
from sweepmark.scores import mistakes
from sweepmark.scores.scorecard import confusion, predictions_npz, report, report_dict
from sweepmark.terminal import cut, escape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from sweepmark.data import Dataset
    from sweepmark.scores.ranking import Ranking
    from sweepmark.scores.scorecard import Scorecard

__all__ = ["drawn", "predictions_csv", "trial_artifacts"]

_N_SHOWN = 25
_LONGEST_NAME = 40  # maximum characters of a class name in a picture


def trial_artifacts(card: Scorecard, dataset: Dataset) -> dict[str, bytes]:
    """Return the artifacts on a trial's predictions.

    Parameters
    ----------
    card : Scorecard
        Of one evaluation, or the merge of folds.
    dataset : Dataset
        The data set whose rows were predicted.

    Returns
    -------
    dict of str to bytes
        Content by file name. There are diagrams of scores if there are scores, the gallery for
        images only, and training curves if training went by epochs.
    """
    matrix, names = confusion(card), card.names
    shown = [cut(name, _LONGEST_NAME) for name in names]
    files = {
        "classification_report.txt": report(card, names).encode(),
        "classification_report.json": json.dumps(report_dict(card, names), indent=1).encode(),
        "confusion_matrix.csv": _matrix_csv(matrix, names),
        "accuracy_per_label.csv": _accuracy_csv(card, names),
        "taken_for.csv": _taken_for_csv(card, names),
        "predictions.csv": predictions_csv(card),
        "predictions.npz": predictions_npz(card.predictions, classes=card.classes, names=names),
    }
    files |= drawn(
        "confusion_matrix.png",
        lambda: confusion_matrix_png(matrix, shown, accuracy_name=card.accuracy_name),
    )
    if dataset.image_shape is not None:
        files |= drawn("misclassified.png", lambda: _gallery(card, dataset, shown))
    if ranked := diagrams.rankings(card):
        files |= drawn("roc_curve.png", lambda: diagrams.roc_png(ranked, shown, card))
        files |= drawn(
            "precision_recall_curve.png",
            lambda: diagrams.precision_recall_png(ranked, shown, card),
        )
        if card.positive_name is not None:  # with more classes, each would need its own
            (ranking,) = ranked.values()
            files["thresholds.csv"] = _thresholds_csv(ranking)
            positive = cut(card.positive_name, _LONGEST_NAME)
            files |= drawn("threshold.png", lambda: diagrams.threshold_png(ranking, positive, card))
    return files | drawn("training_curves.png", lambda: diagrams.training_png(card))


def drawn(name: str, draw: Callable[[], bytes | None]) -> dict[str, bytes]:
    """Return a picture by its file name; empty if there is none.

    A failure does not fail the trial: it is warned of, and the traceback replaces the picture.

    Parameters
    ----------
    name : str
        The picture's file name.
    draw : callable
        Returns a PNG file, or None.
    """
    try:
        content = draw()
    except Exception as error:  # noqa: BLE001 -- drawing of arbitrary labels may raise anything
        trace = f"{name}.txt"
        warnings.warn(
            f"{name} could not be drawn ({type(error).__name__}: {escape(str(error))}); the "
            f"artifact {trace} says why",
            RuntimeWarning,
            stacklevel=2,
        )
        return {trace: traceback.format_exc().encode()}
    return {} if content is None else {name: content}


def predictions_csv(card: Scorecard) -> bytes:
    """Return the table of actual and predicted labels as CSV: one line per row, in order.

    Columns are ``row``, ``actual``, ``predicted`` and the scores: ``score`` of the positive of two
    classes, else ``score_<class>`` of each, to nine digits (``predictions.npz`` has full
    precision).
    """
    scored, names = card.predictions, card.names
    header, columns = ["row", "actual", "predicted"], []
    if scored.scores is not None:
        columns = [scored.scores] if scored.scores.ndim == 1 else list(scored.scores.T)
        header += ["score"] if len(columns) == 1 else [f"score_{name}" for name in names]
    quoted = np.array([_line([name]).rstrip("\n") for name in names], dtype=object)
    places = [np.searchsorted(card.classes, y) for y in (scored.y_true, scored.y_pred)]
    # One format string per line takes a tenth of csv.writer's time.
    pattern = ",".join(["%d,%s,%s", *["%.9g"] * len(columns)])
    values = [
        scored.rows.tolist(),
        *(quoted[place].tolist() for place in places),
        *(column.tolist() for column in columns),
    ]
    lines = [pattern % line for line in zip(*values, strict=True)]
    return (_line(header) + "".join(f"{line}\n" for line in lines)).encode()


def _gallery(card: Scorecard, dataset: Dataset, names: Sequence[str]) -> bytes:
    """Return a gallery of the images misclassified with the most confidence."""
    wrong = mistakes.errors(card)
    shown = wrong[:_N_SHOWN]
    called = dict(zip(card.classes, names, strict=True))
    rows = np.array([item.row for item in shown], dtype=np.int64)
    is_ranked = bool(shown) and shown[0].certainty is not None
    return misclassified_png(
        np.asarray(dataset.take(rows).X).reshape(-1, *(dataset.image_shape or ())),
        np.array([called[item.actual] for item in shown]),
        np.array([called[item.predicted] for item in shown]),
        rows,
        n_wrong=len(wrong),
        n_scored=len(card.predictions.rows),
        which="most confident" if is_ranked else "first",
        accuracy_name=card.accuracy_name,
    )


def _matrix_csv(matrix: NDArray[Any], names: Sequence[str]) -> bytes:
    rows = [[name, *row] for name, row in zip(names, matrix.tolist(), strict=True)]
    return _table(["actual \\ predicted", *names], rows)


def _accuracy_csv(card: Scorecard, names: Sequence[str]) -> bytes:
    found = zip(names, mistakes.accuracy_per_label(card), strict=True)
    return _table(
        ["label", "n_correct", "n_rows", card.accuracy_name],
        ([name, item.n_correct, item.n_rows, item.accuracy] for name, item in found),
    )


def _taken_for_csv(card: Scorecard, names: Sequence[str]) -> bytes:
    called = dict(zip(card.classes, names, strict=True))
    return _table(
        ["label", "taken_for", "count"],
        (
            [name, called[other], count]
            for label, name in called.items()
            for other, count in mistakes.taken_for(card, label).items()
        ),
    )


def _thresholds_csv(ranking: Ranking) -> bytes:
    """Return the metrics at each threshold, the highest first: the points of all curves."""
    columns = (ranking.thresholds, ranking.precision, ranking.recall, ranking.fall_out)
    lines = [
        f"{threshold:.9g},{precision:.9g},{recall:.9g},{fall_out:.9g}\n"
        for threshold, precision, recall, fall_out in zip(
            *(column.tolist() for column in columns), strict=True
        )
    ]
    header = _line(["threshold", "precision", "recall", "false_positive_rate"])
    return (header + "".join(lines)).encode()


def _table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    return (_line(header) + "".join(map(_line, rows))).encode()


def _line(cells: Sequence[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()
