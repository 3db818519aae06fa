"""Results as pandas frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sweepmark.data import Labels
from sweepmark.scores.scorecard import confusion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sweepmark.scores.scorecard import Scorecard
    from sweepmark.search.trial import Trial

__all__ = ["confusion_frame", "predictions_frame", "trials_frame"]

_FIRST = ("status", "reason")
_ROWS = ("n_train", "n_test")
_LAST = ("fit_seconds", "predict_seconds", "attempts", "run_id", "reused_from")


def trials_frame(trials: Sequence[Trial]) -> pd.DataFrame:
    """Return a row for each trial, by its number: state, parameters, rows, metrics, the rest."""
    params = dict.fromkeys(name for trial in trials for name in trial.params)
    metrics = dict.fromkeys(name for trial in trials for name in trial.metrics)
    rows = [
        {name: getattr(trial, name) for name in (*_FIRST, *_ROWS, *_LAST)}
        | dict(trial.params)
        | dict(trial.metrics)
        for trial in trials
    ]
    index = pd.Index([trial.number for trial in trials], name="trial", dtype="int64")
    return pd.DataFrame(rows, index=index, columns=[*_FIRST, *params, *_ROWS, *metrics, *_LAST])


def predictions_frame(card: Scorecard) -> pd.DataFrame:
    """Return a row for each scored one, by its number in the data set: labels and scores."""
    found, values = card.predictions, _values(card)
    frame = pd.DataFrame(index=pd.Index(found.rows, name="row"))
    for name, codes in {"actual": found.y_true, "predicted": found.y_pred}.items():
        frame[name] = values[np.searchsorted(card.classes, codes)]
    if found.scores is not None and found.scores.ndim == 1:
        frame["score"] = found.scores
    elif found.scores is not None:
        for label, column in zip(card.names, found.scores.T, strict=True):
            frame[f"score_{label}"] = column
    return frame


def confusion_frame(card: Scorecard) -> pd.DataFrame:
    """Return the confusion matrix with its labels."""
    index, columns = (pd.Index(_values(card), name=name) for name in ("actual", "predicted"))
    return pd.DataFrame(confusion(card), index=index, columns=columns)


def _values(card: Scorecard) -> Any:
    """Return the labels as numbers, booleans or text."""
    numbers = np.array(card.classes)
    is_numbers = list(card.names) == list(map(str, numbers))
    labels = Labels.of_integers(numbers) if is_numbers else Labels.of_names(card.names)
    return labels.decode(labels.codes)
