"""Inference: predictions for new rows by the model of a run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.errors import ConfigurationError, DataError, NotFoundError
from sweepmark.specification.task import positive_class, targets, task_labels

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from numpy.typing import NDArray

    from sweepmark.data import Dataset
    from sweepmark.data.intake import Intake
    from sweepmark.report.runs import Run

__all__ = [
    "Inference",
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
    probabilities : ndarray of shape (n_rows, n_classes) or None
        Those of the classes; None if the classifier has none.
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
    probabilities: NDArray[np.floating[Any]] | None
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
    run: Run,
    path: Path,
    *,
    header: bool | None = None,
    id_column: str | None = None,
    packages: Collection[str] = (),
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
    id_column : str or None
        The column of a CSV file that identifies the rows.
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
    intake = read_intake(path, dataset, config.dataset, header=header, id_column=id_column)
    model = load_model(run, packages=packages)
    labels, positive = task_labels(run.task, dataset), positive_class(run.task)
    pos_label = None if positive is None else labels.value(positive)
    with threadpool_limits(config.engine.threads):
        answer, scores, probabilities = _answer(
            lambda: predict_rows(model, intake.X, positive=pos_label)[0], path
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
        probabilities=probabilities,
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

    model = load(run.kept_model, packages=packages)
    if not hasattr(model, "steps") or not hasattr(model, "classes_"):
        raise DataError(
            f"the model of {run.title} must be a fitted Pipeline with classes, but is "
            f"{type(model).__name__}."
        )
    return model


def _dataset(run: Run) -> Dataset:
    if run.dataset is None:
        name = run.config.dataset.name
        raise NotFoundError(
            f"the columns of {name}, which {run.title} was trained on, are not known: it is not in "
            f"the cache any more. {run.fetching}"
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
