"""Runs by name: a sweep's id, ``latest``, a trial of a sweep, or an MLflow run id."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sweepmark.commands import command_line
from sweepmark.errors import ConfigurationError, NotFoundError, unknown_name
from sweepmark.report.remedy import failure_advice, lone_command, repeat_command, resume_command
from sweepmark.report.results import read_result
from sweepmark.report.trials import merged
from sweepmark.store import LATEST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sweepmark.config.schema import Config
    from sweepmark.data import Dataset
    from sweepmark.report.results import SweepResult
    from sweepmark.scores.scorecard import Scorecard
    from sweepmark.search.trial import Trial
    from sweepmark.store import Store

__all__ = ["Run", "find_result", "find_run", "lack"]

_TRIAL = re.compile(r"(?P<sweep>.+)/(?P<number>\d{1,9})")


@dataclass(frozen=True)  # cached_property needs a __dict__
class Run:
    """A run: one trial with predictions, for a sweep its representative trial.

    Attributes
    ----------
    name : str
        The name by which it was found.
    store : Store
        The store that contains it.
    result : SweepResult
        The sweep or single run that it belongs to.
    trial : Trial
        Its metrics and the keys of its evaluations.
    is_final : bool
        Whether it is the final test of the sweep's chosen recipe.
    """

    name: str
    store: Store
    result: SweepResult
    trial: Trial
    is_final: bool

    @property
    def title(self) -> str:
        """The sweep's id and, unless it is a single run, the trial number."""
        if self.result.blueprint.is_run:
            return self.result.sweep_id
        return f"{self.result.sweep_id}/{self.trial.number}"

    @cached_property
    def config(self) -> Config:
        """Its configuration."""
        return self.result.blueprint.config_at(dict(self.trial.params))

    @property
    def is_folds(self) -> bool:
        """Whether its predictions are out-of-fold."""
        return len(self.trial.keys) > 1

    @cached_property
    def card(self) -> Scorecard:
        """The merged Scorecard of its evaluations."""
        return merged(self.trial.keys, self.result.holdings)

    @cached_property
    def specification(self) -> Mapping[str, Any]:
        """The specification of its (first) evaluation."""
        return self.result.holdings.specification(self.trial.keys[0])

    @property
    def task(self) -> Mapping[str, Any]:
        """Its task, as returned by :func:`sweepmark.specification.task.resolve_task`."""
        task: Mapping[str, Any] = self.specification["task"]
        return task

    @cached_property
    def dataset(self) -> Dataset | None:
        """Its data set; None if the cache does not contain it any more."""
        from sweepmark.data import open_dataset

        try:
            return open_dataset(self.specification["data"])
        except NotFoundError:
            return None

    @property
    def model(self) -> bytes | None:
        """The fitted pipeline in skops format; None if it was not kept.

        For a cross-validated trial it is the model of its final test, fitted on all training rows.
        """
        trial, test = self.trial, self.result.test
        if test is not None and test.number == trial.number:
            trial = test
        elif self.is_folds:
            return None
        return self.result.holdings.model(trial.keys[0])

    @property
    def kept_model(self) -> bytes:
        """The same, of a run that has to have kept it.

        Raises
        ------
        ConfigurationError
            If it was not kept; the message has a command that recomputes it.
        """
        if (content := self.model) is None:
            raise ConfigurationError(
                f"the model of {self.title} was not kept: a single run keeps its own, a sweep that "
                f"of its chosen trial or, where it selects nothing, of the largest. {self.remedy}"
            )
        return content

    @property
    def remedy(self) -> str:
        """The command that recomputes it with its model."""
        blueprint, place = self.result.blueprint, self.store.root
        if self.result.state == "interrupted":
            return f"Finish it: `{resume_command(blueprint, self.result.sweep_id, store=place)}`."
        command = lone_command(blueprint, self.trial.params, store=place)
        return f"Have it fitted by itself: `{command}`."

    @property
    def fetching(self) -> str:
        """A sentence on how its data set comes into the cache again."""
        if self.config.dataset.format == "cache":
            return "Give the same rows to sweepmark.load_dataset in Python."
        blueprint = self.result.blueprint
        if self.config.split.column is not None:  # the same again divides it again
            return f"Have it read again: `{repeat_command(blueprint)}`."
        chosen = [word.partition("=") for word in blueprint.overrides]
        options = {key: option for key, _, option in chosen}
        option = self.trial.params.get("dataset", options.get("dataset", self.config.dataset.name))
        own = [word for word in blueprint.overrides if word.lstrip("+~").startswith("dataset.")]
        words = ("fetch", str(option), *own)
        command = command_line("data", *words, config_dirs=blueprint.config_dirs)
        return f"Have it read again: `{command}`."


def find_run(name: str, store: Store) -> Run:
    """Return the run with a name.

    Raises
    ------
    NotFoundError
        If there is none, or several.
    ConfigurationError
        If it has no predictions: it failed, or the sweep has no representative trial yet.
    """
    result, number = find_result(name, store)
    if number is None:
        if result.test is not None:
            return Run(name, store, result, result.test, is_final=True)
        trial = result.headline
        if trial is None:
            raise ConfigurationError(
                f"{result.sweep_id} has no finished trial: {lack(result, store)}"
            )
        return Run(name, store, result, trial, is_final=False)
    trial = next(trial for trial in result.trials if trial.number == number)
    if trial.status == "failed":
        raise ConfigurationError(
            f"trial {number} of {result.sweep_id} failed ({trial.reason}) and predicted nothing. "
            + failure_advice(result.blueprint, result.sweep_id, result.trials, store=store.root)
        )
    return Run(name, store, result, trial, is_final=False)


def find_result(
    name: str, store: Store, *, with_losses: bool = False
) -> tuple[SweepResult, int | None]:
    """Return the sweep or run with a name, and the trial number if the name includes one.

    Parameters
    ----------
    name : str
        ``latest``; the id of a sweep, or its beginning; either with ``/NUMBER`` for a trial; the id
        of an MLflow run, or its beginning.
    store : Store
        The store that contains it.
    with_losses : bool
        See :func:`sweepmark.report.results.read_result`.

    Raises
    ------
    NotFoundError
        If there is none, or several.
    """
    named = _TRIAL.fullmatch(name)
    sweep, number = (named["sweep"], int(named["number"])) if named else (name, None)
    try:
        sweep_id = store.match(sweep)
    except NotFoundError as unknown:
        if named or name == LATEST or not store.root.is_dir():
            raise
        sweep_id, number = _locate(name, store, unknown)
    result = read_result(store, sweep_id, with_losses=with_losses)
    numbers = [trial.number for trial in result.trials]
    if number is not None and number not in numbers:
        options = [f"{sweep_id}/{known}" for known in numbers]
        raise NotFoundError(unknown_name("finished trial", f"{sweep_id}/{number}", options))
    return result, number


def _locate(name: str, store: Store, unknown: NotFoundError) -> tuple[str, int | None]:
    """Look up the sweep and trial of an MLflow run."""
    from sweepmark.tracking import MlflowTracker, mlflow_database

    if not mlflow_database(store.root).exists():
        raise unknown
    tracker = MlflowTracker(store.root, experiment="sweepmark")
    try:
        return tracker.locate(name)
    except NotFoundError:
        raise unknown from None
    finally:
        tracker.close()


def lack(result: SweepResult, store: Store) -> str:
    """Return why a sweep has no trial that was finished, and what to do about it."""
    blueprint, sweep_id = result.blueprint, result.sweep_id
    if result.state == "interrupted":
        command = resume_command(blueprint, sweep_id, store=store.root)
        return f"it is not finished. Do `{command}` first."
    advice = failure_advice(blueprint, sweep_id, result.trials, store=store.root)
    return f"every trial failed. {advice}"
