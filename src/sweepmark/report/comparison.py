"""Inspection of one run, and comparison of two runs, as plain mappings."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.errors import ConfigurationError, DataError, unknown_name
from sweepmark.scores.mistakes import accuracy_per_label, errors, most_confused, ranking, taken_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sweepmark.report.runs import Run
    from sweepmark.scores.mistakes import Mistake, RankedRow

__all__ = ["errors_document", "look_document", "pair_document", "ranking_document"]

_N_SHOWN = 10


def look_document(run: Run) -> dict[str, Any]:
    """Return a run's accuracy, the accuracy per label, and the most frequent confusions."""
    names = _names(run)
    confusions = [
        {"label": names[one.actual], "prediction": names[one.predicted], "n_rows": one.n_rows}
        for one in most_confused(run.card, limit=_N_SHOWN)
    ]
    return _head(run) | {"labels": _labels(run), "confusions": confusions}


def errors_document(run: Run, label: str) -> dict[str, Any]:
    """Return the predictions of a label's misclassified rows, and those with the largest margins.

    Raises
    ------
    ConfigurationError
        If the run has no such label.
    """
    names = _names(run)
    wanted = _label(run, label)
    counts = taken_for(run.card, wanted)
    return _head(run) | {
        "labels": _labels(run),
        "errors": {
            "label": names[wanted],
            "n_rows": sum(counts.values()),
            "taken_for": [
                {"prediction": names[other], "n_rows": count} for other, count in counts.items()
            ],
            "largest_margins": [
                _row(one, names) | {"margin": _finite(one.margin)}
                for one in errors(run.card, wanted)[:_N_SHOWN]
            ],
        },
    }


def ranking_document(run: Run, count: int) -> dict[str, Any]:
    """Return the rows with the highest and the lowest scores of the positive class.

    Rows of a table include their cells, if the table is in the cache.

    Raises
    ------
    ConfigurationError
        If the run has no scores of two classes.
    """
    names = _names(run)
    try:
        top, bottom = ranking(run.card, count)
    except DataError as error:
        raise ConfigurationError(
            f"{run.title}: {error}. Rank a run of two classes whose classifier has a "
            "decision function or probabilities, such as one of dataset=titanic."
        ) from error
    return _head(run) | {
        "ranked_by": run.card.positive_name,
        "top": _ranked(run, top, names),
        "bottom": _ranked(run, bottom, names),
    }


def pair_document(one: Run, other: Run) -> dict[str, Any]:
    """Return the accuracies of two runs, and the number of rows on which they differ.

    Raises
    ------
    ConfigurationError
        If they were not scored on the same rows of the same data.
    """
    _check_rows(one, other)
    first, second = one.card.predictions, other.card.predictions
    mine, theirs = first.y_pred == first.y_true, second.y_pred == second.y_true
    differs = first.y_pred != second.y_pred
    heads = [_head(one), _head(other)]
    labels = [
        {
            "label": left["label"],
            "n_rows": left["n_rows"],
            "accuracies": [left["accuracy"], right["accuracy"]],
            "difference": _difference(left["accuracy"], right["accuracy"]),
        }
        for left, right in zip(_labels(one), _labels(other), strict=True)
    ]
    return {
        "runs": heads,
        "n_rows": len(first.rows),
        "difference": _difference(heads[0]["accuracy"], heads[1]["accuracy"]),
        "n_differing": int(differs.sum()),
        "n_only_first_right": int((mine & ~theirs).sum()),
        "n_only_second_right": int((theirs & ~mine).sum()),
        "labels": labels,
    }


def _check_rows(one: Run, other: Run) -> None:
    first, second = one.card.predictions, other.card.predictions
    if (
        one.specification["data"] == other.specification["data"]
        and np.array_equal(first.rows, second.rows)
        and np.array_equal(first.y_true, second.y_true)
        and _names(one) == _names(other)
    ):
        return
    raise ConfigurationError(
        "two runs must have been scored on the same rows of the same data, but "
        f"{_scored_on(one)} and {_scored_on(other)}. Run one of them with the other's dataset, "
        "split, task and evaluation."
    )


def _scored_on(run: Run) -> str:
    rows = run.card.predictions.rows
    dataset = run.config.dataset.name
    ends = f", {rows.min()} to {rows.max()}" if rows.size else ""
    folds = " out of fold" if run.is_folds else ""
    return f"{run.title} was on {len(rows):,} rows of {dataset}{ends}{folds}"


def _head(run: Run) -> dict[str, Any]:
    predictions = run.card.predictions
    n_right = int((predictions.y_true == predictions.y_pred).sum())
    n_rows = len(predictions.rows)
    return {
        "sweep_id": run.result.sweep_id,
        "trial": run.trial.number,
        "params": dict(run.trial.params),
        "overrides": list(run.result.blueprint.overrides),
        "out_of_fold": run.is_folds,
        "n_rows": n_rows,
        "n_right": n_right,
        "metric": run.card.accuracy_name,
        "accuracy": n_right / n_rows if n_rows else None,
        "majority": asdict(run.card.majority),
        "positive": run.card.positive_name,
        "metrics": dict(run.card.metrics),
    }


def _labels(run: Run) -> list[dict[str, Any]]:
    names = _names(run)
    return [
        {
            "label": names[each.label],
            "n_right": each.n_correct,
            "n_rows": each.n_rows,
            "accuracy": each.accuracy,
        }
        for each in accuracy_per_label(run.card)
    ]


def _names(run: Run) -> dict[int, str]:
    return dict(zip(run.card.classes, run.card.names, strict=True))


def _label(run: Run, text: str) -> int:
    """Return the label with a name."""
    names = _names(run)
    for label, name in names.items():
        if text == name:
            return label
    raise ConfigurationError(unknown_name("label", text, names.values()))


def _row(row: Mistake | RankedRow, names: Mapping[int, str]) -> dict[str, Any]:
    return {"row": row.row, "label": names[row.actual], "prediction": names[row.predicted]}


def _ranked(run: Run, rows: Sequence[RankedRow], names: Mapping[int, str]) -> list[dict[str, Any]]:
    return _with_cells(run, [_row(row, names) | {"score": _finite(row.score)} for row in rows])


def _with_cells(run: Run, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Add the cells of a table's rows; images and plain numeric data have none."""
    dataset = run.dataset
    numbers = np.array([row["row"] for row in rows], dtype=np.int64)
    if dataset is None or not dataset.is_frame or (numbers >= dataset.n_rows).any():
        return list(rows)
    frame: Any = dataset.take(numbers).X
    cells = frame.astype(object).where(frame.notna(), None).to_dict(orient="records")
    return [row | {"cells": those} for row, those in zip(rows, cells, strict=True)]


def _difference(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else second - first


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
