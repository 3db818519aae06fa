"""The Scorecard of an evaluation, as mappings, frames and a page of a notebook."""

from __future__ import annotations

from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from sweepmark.errors import NotFoundError
from sweepmark.report import page
from sweepmark.report.frames import confusion_frame, predictions_frame
from sweepmark.scores.scorecard import report
from sweepmark.specification import models

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pandas import DataFrame

    from sweepmark.report.runs import Run
    from sweepmark.scores import scorecard as scores

__all__ = ["Scorecard"]


class Scorecard:
    """What an evaluation came to; of a trial that cross-validates, all its folds together.

    Attributes
    ----------
    metrics : mapping of str to float
        The metrics by name, such as ``accuracy``, ``recall_7`` or ``cv_accuracy``.
    keys : tuple of str
        The keys of its evaluations: equal keys, equal numbers.
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
        """``RUN`` or ``SWEEP/TRIAL``, as commands take it; a key if it was looked up by that."""
        return self.keys[0] if self._run is None else self._run.title

    @cached_property
    def predictions(self) -> DataFrame:
        """The scored rows, by their number in the data set: ``actual``, ``predicted`` and scores.

        Scores are decisions or probabilities: ``score`` is that of the positive one of two labels,
        ``score_LABEL`` those of more. There are none where the classifier has neither.
        """
        return predictions_frame(self._card)

    @cached_property
    def confusion(self) -> DataFrame:
        """The confusion matrix: counts, a row for each actual label."""
        return confusion_frame(self._card)

    @property
    def report(self) -> str:
        """scikit-learn's classification report."""
        return report(self._card)

    def model(self, *, trust: Sequence[str] = ()) -> Any:
        """Return the fitted Pipeline, which predicts labels as the data have them.

        Single runs keep theirs, and sweeps that of the trial that stands for them.

        Parameters
        ----------
        trust : sequence of str, optional
            Packages whose classes may be loaded besides scikit-learn's.

        Raises
        ------
        sweepmark.errors.NotFoundError
            If none was kept; the message has the command that gets it.
        """
        content = None if self._run is None else self._run.model
        if content is None:
            remedy = "" if self._run is None else f" {self._run.remedy}"
            raise NotFoundError(f"no model was kept of {self.id}.{remedy}")
        return models.load(content, packages=trust)

    def __repr__(self) -> str:
        return "\n".join(page.metrics_lines(f"Scorecard {self._title}", self.metrics))

    def _repr_html_(self) -> str:
        if self._run is not None and self._run.result.blueprint.is_run:
            return page.result_page(self._run.result)
        return page.metrics_page(self._title, self.metrics)

    @property
    def _title(self) -> str:
        return f"{self.id}: {self.n_train:,} training rows, {self.n_test:,} scored"
