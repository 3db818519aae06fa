"""The artifacts of one trial: tables and pictures derived from its Scorecard."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.plots import gallery
from sweepmark.plots.curves import ranked
from sweepmark.scores import mistakes
from sweepmark.scores.scorecard import confusion, predictions_npz, report, report_dict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sweepmark.data import Dataset
    from sweepmark.scores.scorecard import Scorecard

__all__ = ["predictions_csv", "trial_artifacts"]


def trial_artifacts(card: Scorecard, dataset: Dataset, *, everything: bool) -> dict[str, bytes]:
    """Return the artifacts on a trial's predictions.

    Parameters
    ----------
    card : Scorecard
        Of one evaluation, or the merge of folds.
    dataset : Dataset
        The data set whose rows were predicted.
    everything : bool
        Whether to return all that there are, or only those that every trial has: report, confusion
        matrix, predictions and the pictures that are standard.

    Returns
    -------
    dict of str to bytes
        Content by file name.
    """
    names = card.names
    files = {
        "classification_report.txt": report(card, names).encode(),
        "classification_report.json": json.dumps(report_dict(card, names), indent=1).encode(),
        "confusion_matrix.csv": _csv(["actual \\ predicted", *names], [names, *confusion(card).T]),
        "predictions.csv": predictions_csv(card),
        "predictions.npz": predictions_npz(card.predictions, classes=card.classes, names=names),
    }
    if everything:
        files |= {"accuracy_per_label.csv": _accuracy_csv(card), "taken_for.csv": _taken_csv(card)}
        if card.positive_name is not None and (found := ranked(card)):
            (columns,) = found.values()  # with more classes, each would need its own
            files["thresholds.csv"] = _csv(columns._fields, columns)
    pictures = [each for each in gallery.TRIAL if everything or each.is_standard]
    return files | gallery.draw(pictures, card, dataset)


def predictions_csv(card: Scorecard) -> bytes:
    """Return the table of actual and predicted labels as CSV: one line per row, in order.

    Columns are ``row``, ``actual``, ``predicted`` and the scores: ``score`` of the positive of two
    classes, else ``score_<class>`` of each.
    """
    scored, names = card.predictions, np.array(card.names, dtype=object)
    header, columns = ["row", "actual", "predicted"], []
    if scored.scores is not None:
        columns = [scored.scores] if scored.scores.ndim == 1 else list(scored.scores.T)
        header += ["score"] if len(columns) == 1 else [f"score_{name}" for name in names]
    labels = [names[np.searchsorted(card.classes, y)] for y in (scored.y_true, scored.y_pred)]
    return _csv(header, [scored.rows, *labels, *columns])


def _accuracy_csv(card: Scorecard) -> bytes:
    rows = [
        (name, each.n_correct, each.n_rows, each.accuracy)
        for name, each in zip(card.names, mistakes.accuracy_per_label(card), strict=True)
    ]
    return _csv(["label", "n_correct", "n_rows", card.accuracy_name], zip(*rows, strict=True))


def _taken_csv(card: Scorecard) -> bytes:
    called = dict(zip(card.classes, card.names, strict=True))
    rows = [
        (name, called[other], count)
        for label, name in called.items()
        for other, count in mistakes.taken_for(card, label).items()
    ]
    return _csv(["label", "taken_for", "count"], zip(*rows, strict=True) if rows else [[]] * 3)


def _csv(header: Sequence[str], columns: Iterable[Any]) -> bytes:
    """Return a table, given by columns, as CSV; numbers have all their digits."""
    import pyarrow as pa
    from pyarrow.csv import write_csv

    file = io.BytesIO()
    arrays = [pa.array(column) for column in columns]
    write_csv(pa.Table.from_arrays(arrays, names=list(header)), file)
    return file.getvalue()
