"""What was predicted for new rows, as CSV and as a plain mapping."""

from __future__ import annotations

import csv
import io
import math
from typing import TYPE_CHECKING, Any

from sweepmark.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from sweepmark.report.inference import Inference

__all__ = ["inference_csv", "inference_document"]


def inference_csv(inference: Inference) -> Iterator[str]:
    """Yield the predictions as lines of CSV.

    The columns are the row's number from 0, or its id if there are ids; the label; the actual label
    if it is known; scores; probabilities.

    Raises
    ------
    ConfigurationError
        If the column of the ids has the name of another.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    intake = inference.intake
    y_true = None if intake.y is None else inference.y_true.tolist()
    numbers = [("score", *column) for column in _score_columns(inference)]
    numbers += [("proba", *column) for column in _probability_columns(inference)]
    header = ["label", *([] if y_true is None else ["actual"])]
    header += [f"{kind}_{name}" for kind, name, _ in numbers]
    if intake.id_column in header:
        raise ConfigurationError(
            f"--id must have another name than the columns of the output, {', '.join(header)}, but "
            f"is {intake.id_column}. Rename it in the file."
        )
    writer.writerow([intake.id_column or "row", *header])
    columns = [column.tolist() for _, _, column in numbers]
    for row in inference.listed.tolist():
        label = inference.name(int(inference.y_pred[row]))
        actual = [] if y_true is None else [inference.name(y_true[row])]
        first = intake.ids[row] if intake.ids else row
        writer.writerow([first, label, *actual, *(column[row] for column in columns)])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def inference_document(inference: Inference) -> dict[str, Any]:
    """Return the predictions as a plain mapping for ``--json``."""
    numbers = {
        "scores": _finite(_score_columns(inference)),
        "probabilities": _finite(_probability_columns(inference)),
    }
    ids = inference.intake.ids
    y_true = None if inference.intake.y is None else inference.y_true.tolist()
    rows = [
        {"row": row}
        | ({"id": ids[row]} if ids else {})
        | {"label": inference.name(int(inference.y_pred[row]))}
        | ({} if y_true is None else {"actual": inference.name(y_true[row])})
        | {
            kind: {name: column[row] for name, column in columns.items()}
            for kind, columns in numbers.items()
            if columns
        }
        for row in inference.listed.tolist()
    ]
    return {
        "sweep_id": inference.run.result.sweep_id,
        "trial": inference.run.trial.number,
        "run_id": inference.run.trial.run_id or None,
        "classes": list(inference.names),
        "positive": None if inference.positive is None else inference.name(inference.positive),
        "n_rows": len(inference.y_pred),
        "accuracy": inference.accuracy,
        "notes": list(inference.intake.notes),
        "predictions": rows,
    }


def _score_columns(inference: Inference) -> Sequence[tuple[str, NDArray[np.float64]]]:
    """Return the scores by class name; for two classes, only those of the positive one."""
    scores = inference.scores
    if scores is None:
        return []
    if scores.ndim == 1 and inference.positive is not None:
        return [(inference.name(inference.positive), scores)]
    return list(zip(inference.names, scores.T, strict=True))


def _probability_columns(inference: Inference) -> Sequence[tuple[str, NDArray[Any]]]:
    """Return the probabilities by class name."""
    if inference.probabilities is None:
        return []
    return list(zip(inference.names, inference.probabilities.T, strict=True))


def _finite(columns: Sequence[tuple[str, NDArray[Any]]]) -> dict[str, list[float | None]]:
    return {
        name: [value if math.isfinite(value) else None for value in column.tolist()]
        for name, column in columns
    }
