"""Inference: predictions for new rows by the model of a run."""

from __future__ import annotations

import csv
import io
import math
import shlex
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.errors import ConfigurationError, DataError, NotFoundError
from sweepmark.specification.task import positive_class, targets, task_labels

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from sweepmark.data import Dataset
    from sweepmark.data.intake import Intake
    from sweepmark.report.runs import Run

__all__ = [
    "Inference",
    "inference_csv",
    "inference_document",
    "load_model",
    "predict_file",
    "select_extremes",
]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Inference:
    """The predictions of a run's model for new rows.

    Attributes
    ----------
    run : Run
        The run whose model predicts.
    classes : tuple of int
        The classes, in the order of the columns of ``scores``.
    names : tuple of str
        Names of the classes.
    positive : int or None
        Of two classes the one that scores refer to.
    intake : Intake
        The rows.
    y_pred : ndarray of shape (n_rows,), int64
        Labels.
    scores : ndarray of shape (n_rows, n_classes) or (n_rows,), float64, or None
        As in :class:`sweepmark.scores.predictions.Predictions`.
    listed : ndarray of shape (n_listed,), int
        The rows shown, in order.
    """

    run: Run
    classes: tuple[int, ...]
    names: tuple[str, ...]
    positive: int | None
    intake: Intake
    y_pred: NDArray[np.int64]
    scores: NDArray[np.float64] | None
    listed: NDArray[np.intp]

    @property
    def accuracy(self) -> float | None:
        """The accuracy; None if the file has no labels."""
        n_right = self.n_right
        return None if n_right is None else n_right / len(self.y_pred)

    @property
    def n_right(self) -> int | None:
        """The number of correct rows, if the file has labels."""
        return None if self.intake.y is None else int((self.y_true == self.y_pred).sum())

    @property
    def y_true(self) -> NDArray[np.int64]:
        """The file's labels, converted to targets of the run's task."""
        if self.intake.y is None:
            raise LookupError("the file has no labels")
        return targets(self.run.task, self.intake.y)

    def name(self, label: int) -> str:
        """Return the name of a label, or its number if the model does not know it."""
        return self.names[self.classes.index(label)] if label in self.classes else str(label)


def predict_file(
    run: Run, path: Path, *, header: bool | None = None, packages: Collection[str] = ()
) -> Inference:
    """Predict the rows of a file in the same way as the run's test rows.

    Parameters
    ----------
    run : Run
        The run whose model predicts.
    path : Path
        A file that :func:`sweepmark.data.intake.read_intake` can read.
    header : bool or None
        Whether a CSV file has a header; None detects it.
    packages : collection of str
        Packages whose types the user trusts in a model.

    Raises
    ------
    SweepmarkError
        If the file, the model or its training data set is invalid.
    """
    from threadpoolctl import threadpool_limits

    from sweepmark.data.intake import read_intake
    from sweepmark.evaluation.fitting import predict_rows

    config, dataset = run.config, _dataset(run)
    intake = read_intake(path, dataset, header=header, missing=config.dataset.missing)
    model = load_model(run, packages=packages)
    labels, positive = task_labels(run.task, dataset), positive_class(run.task)
    pos_label = None if positive is None else labels.value(positive)
    with threadpool_limits(config.engine.threads):
        answer, scores = _answer(
            lambda: predict_rows(model, intake.X, positive=pos_label)[0][:2], path
        )
    classes = tuple(labels.encode(model.classes_).tolist())
    return Inference(
        run=run,
        classes=classes,
        names=labels.called(classes),
        positive=positive,
        intake=intake,
        y_pred=labels.encode(answer),
        scores=scores,
        listed=np.arange(len(answer)),
    )


def select_extremes(inference: Inference, count: int) -> Inference:
    """Return a copy that shows only the rows with the highest and with the lowest scores.

    Parameters
    ----------
    inference : Inference
        Predictions of a model of two classes.
    count : int
        Number of rows at either end; no row is shown twice.

    Raises
    ------
    ConfigurationError
        If there is not exactly one score per row.
    """
    scores = inference.scores
    if scores is None or scores.ndim != 1:
        raise ConfigurationError(
            f"--ranking needs one score a row, but the model of {inference.run.title} tells "
            f"{len(inference.classes)} classes apart{'' if scores is not None else ' without one'}"
            ". Take a model of two classes: task=is_digit task.positive=…"
        )
    order = np.argsort(-scores, kind="stable")
    shown = order if 2 * count >= len(order) else np.concatenate([order[:count], order[-count:]])
    return replace(inference, listed=shown)


def load_model(run: Run, *, packages: Collection[str] = ()) -> Any:
    """Return the fitted Pipeline of a run.

    Raises
    ------
    ConfigurationError
        If it was not kept; the message has a command that recomputes it.
    DataError
        If it contains types that are not trusted.
    """
    from sweepmark.specification.models import load

    content = run.model
    if content is None:
        raise ConfigurationError(
            f"the model of {run.title} was not kept: a single run keeps its own, a sweep that of "
            f"its chosen trial or, where it selects nothing, of the largest. {run.remedy}"
        )
    model = load(content, packages=packages)
    if not hasattr(model, "steps") or not hasattr(model, "classes_"):
        raise DataError(
            f"the model of {run.title} must be a fitted Pipeline with classes, but is "
            f"{type(model).__name__}."
        )
    return model


def inference_csv(inference: Inference) -> Iterator[str]:
    """Yield the predictions as lines of CSV: row (from 0), label, actual label if known, scores."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    y_true = None if inference.intake.y is None else inference.y_true.tolist()
    columns = _score_columns(inference)
    own = [] if y_true is None else ["actual"]
    writer.writerow(["row", "label", *own, *(f"score_{name}" for name, _ in columns)])
    scores = [column.tolist() for _, column in columns]
    for row in inference.listed.tolist():
        label = inference.name(int(inference.y_pred[row]))
        actual = [] if y_true is None else [inference.name(y_true[row])]
        writer.writerow([row, label, *actual, *(column[row] for column in scores)])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def inference_document(inference: Inference) -> dict[str, Any]:
    """Return the predictions as a plain mapping for ``--json``."""
    columns = [
        (name, [value if math.isfinite(value) else None for value in column.tolist()])
        for name, column in _score_columns(inference)
    ]
    y_true = None if inference.intake.y is None else inference.y_true.tolist()
    rows = [
        {"row": row, "label": inference.name(int(inference.y_pred[row]))}
        | ({} if y_true is None else {"actual": inference.name(y_true[row])})
        | ({"scores": {name: column[row] for name, column in columns}} if columns else {})
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


def _dataset(run: Run) -> Dataset:
    if run.dataset is None:
        name = run.config.dataset.name
        asked = run.result.blueprint
        words = ["data", "fetch", name]
        words += [word for word in asked.overrides if word.startswith("dataset.")]
        if run.config.split.column is not None:  # the same again divides it again
            words = [*(["run"] if asked.is_run else ["sweep", asked.name]), *asked.overrides]
        command = shlex.join(["sweepmark", *words])
        raise NotFoundError(
            f"the columns of {name}, which {run.title} was trained on, are not known: it is not in "
            f"the cache any more. Have it read again: `{command}`."
        )
    return run.dataset


def _answer(ask: Callable[[], Any], path: Path) -> Any:
    """Call a model; errors that it raises on the rows are reported as errors of the file."""
    try:
        return ask()
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise DataError(
            f"{path}: must have rows that the model can take, but it says: "
            f"{str(error).partition(chr(10))[0]}"
        ) from error
