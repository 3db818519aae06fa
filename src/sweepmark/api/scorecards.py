"""The Scorecard of an evaluation, as mappings, frames and a page of a notebook."""

from __future__ import annotations

from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from sweepmark.data import Labels
from sweepmark.errors import NotFoundError
from sweepmark.report import page
from sweepmark.scores import scorecard as scores

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pandas import DataFrame

    from sweepmark.report.runs import Run

__all__ = ["Scorecard"]


class Scorecard:
    """What an evaluation came to: metrics, predictions and what follows from them.

    Of a trial that cross-validates, predictions are those out of fold.

    Parameters
    ----------
    card : sweepmark.scores.scorecard.Scorecard
        Predictions and timings, as the store has them.
    keys : tuple of str
        The keys of its evaluations: equal keys, equal numbers.
    run : Run or None
        The run that it belongs to; None if it was looked up by its key.

    Attributes
    ----------
    metrics : mapping of str to float
        The metrics by name, such as ``accuracy``, ``recall_7`` or ``cv_accuracy``.
    labels : tuple of str
        The labels, in the order of the confusion matrix.
    n_train, n_test : int
        Rows fitted on and scored on.
    fit_seconds, predict_seconds : float
        Wall time.
    warnings : tuple of str
        Warnings of libraries while fitting.
    """

    def __init__(
        self, card: scores.Scorecard, *, keys: tuple[str, ...], run: Run | None = None
    ) -> None:
        found = card.metrics if run is None else run.trial.metrics
        self.metrics: Mapping[str, float] = MappingProxyType(dict(found))
        self.keys = keys
        self.labels = card.names
        self.n_train, self.n_test = card.n_train, card.n_test
        self.fit_seconds, self.predict_seconds = card.fit_seconds, card.predict_seconds
        self.warnings = card.warnings
        self._card, self._run = card, run

    @property
    def id(self) -> str:
        """The id of its run or, with the number of its trial, of its sweep; a key if looked up."""
        return self.keys[0] if self._run is None else self._run.title

    @cached_property
    def predictions(self) -> DataFrame:
        """The scored rows, by their number in the data set: ``actual``, ``predicted``, scores.

        ``score`` is that of the positive one of two labels, ``score_LABEL`` that of each of more:
        the decision function or probabilities. There is none where the classifier has neither.
        """
        import numpy as np
        import pandas as pd

        found = self._card.predictions
        frame = pd.DataFrame(index=pd.Index(found.rows, name="row"))
        for name, codes in {"actual": found.y_true, "predicted": found.y_pred}.items():
            frame[name] = self._values[np.searchsorted(self._card.classes, codes)]
        if found.scores is not None and found.scores.ndim == 1:
            frame["score"] = found.scores
        elif found.scores is not None:
            for label, column in zip(self.labels, found.scores.T, strict=True):
                frame[f"score_{label}"] = column
        return frame

    @cached_property
    def confusion(self) -> DataFrame:
        """The confusion matrix: counts, with a row for each actual label."""
        import pandas as pd

        index, columns = (pd.Index(self._values, name=name) for name in ("actual", "predicted"))
        return pd.DataFrame(scores.confusion(self._card), index=index, columns=columns)

    @property
    def report(self) -> str:
        """scikit-learn's classification report."""
        return scores.report(self._card)

    def model(self, *, trust: Sequence[str] = ()) -> Any:
        """Return the fitted Pipeline, which predicts the labels of the data.

        Single runs keep their models, and sweeps that of the trial that stands for them.

        Parameters
        ----------
        trust : sequence of str, optional
            Packages whose classes may be loaded besides scikit-learn's.

        Raises
        ------
        sweepmark.errors.NotFoundError
            If none was kept; the message has the command that gets it.
        """
        from sweepmark.specification import models

        content = None if self._run is None else self._run.model
        if content is None:
            remedy = "" if self._run is None else f" {self._run.remedy}"
            raise NotFoundError(f"no model was kept of {self.id}.{remedy}")
        return models.load(content, packages=trust)

    @property
    def _values(self) -> Any:
        """The labels as numbers, booleans or text."""
        import numpy as np

        numbers = np.array(self._card.classes)
        is_numbers = list(self.labels) == list(map(str, numbers))
        found = Labels.of_integers(numbers) if is_numbers else Labels.of_names(self.labels)
        return found.decode(found.codes)

    def __repr__(self) -> str:
        """Return its id, the rows it is of, and its metrics."""
        return "\n".join(page.metrics_lines(f"Scorecard {self._title}", self.metrics))

    def _repr_html_(self) -> str:
        if self._run is not None and self._run.result.blueprint.is_run:
            return page.result_page(self._run.result)
        return page.metrics_page(self._title, self.metrics)

    @property
    def _title(self) -> str:
        return f"{self.id}: {self.n_train:,} training rows, {self.n_test:,} scored"
