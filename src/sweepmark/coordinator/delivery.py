"""Delivery of settled trials to tracker and ledger: each once and, for the ledger, in order."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sweepmark.errors import StoreError
from sweepmark.scores.merging import merge_trial
from sweepmark.scores.published import compare
from sweepmark.tracking.records import Tag
from sweepmark.tracking.run_records import (
    artifact_records,
    configuration_records,
    data_record,
    model_record,
    published_records,
    short_name,
    trial_records,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sweepmark.config.schema import Config
    from sweepmark.data import Dataset
    from sweepmark.ledger import Ledger
    from sweepmark.scores.scorecard import Scorecard
    from sweepmark.search.blueprint import Blueprint
    from sweepmark.search.trial import Trial
    from sweepmark.store import History, Holdings
    from sweepmark.tracking import Tracker
    from sweepmark.tracking.records import Record

__all__ = ["Delivery", "git_records", "git_state"]


@dataclass(slots=True, kw_only=True)
class Delivery:
    """Delivers settled trials to the tracker, the ledger and the progress display.

    Attributes
    ----------
    sweep_id : str
        The sweep's id.
    blueprint : Blueprint
        The configuration of the sweep.
    history : History
        The content of its journal.
    tracker, ledger
        The destinations; runs that are complete there are not changed.
    parent : str or None
        The sweep's parent run; None for a single run, which has none.
    load : callable
        Returns a configuration's data set.
    holdings : Holdings
        The sweep's evaluations, for the models.
    progress : callable
        Called with each trial once it is delivered.
    """

    sweep_id: str
    blueprint: Blueprint
    history: History
    tracker: Tracker
    ledger: Ledger
    parent: str | None
    load: Callable[[Config], Dataset]
    holdings: Holdings
    progress: Callable[[Trial], None]
    _delivered: dict[int, str] = field(default_factory=dict)
    _settled: dict[int, Trial] = field(default_factory=dict)
    _next: int = 0
    _is_renewed: bool = False

    def __post_init__(self) -> None:
        """Query what is delivered already."""
        self._delivered = dict(self.tracker.delivered(self.sweep_id))

    @property
    def run_ids(self) -> dict[int, str]:
        """The run ids by trial number."""
        return self._delivered

    def settled(self, trial: Trial, cards: Sequence[Scorecard]) -> None:
        """Deliver a trial, unless its current outcome is delivered already."""
        if trial.number not in self._delivered or trial.number in self.history.retried:
            self._delivered[trial.number] = self.tracker.log_trial(
                sweep_id=self.sweep_id,
                number=trial.number,
                name=short_name(
                    trial.params, self.blueprint.config.run.name or self.blueprint.name
                ),
                parent=self.parent,
                records=self._records(trial, cards),
                started=trial.started,
                ended=trial.ended,
                failed=trial.status == "failed",
            )
            self._renew_ledger(trial.number)
        self._settled[trial.number] = trial
        while self._next in self._settled:
            ready = self._settled[self._next]
            self.ledger.record(ready, value=ready.metrics.get(self.blueprint.metric))
            self._next += 1
        self.progress(trial)

    def _renew_ledger(self, number: int) -> None:
        """Clear the ledger if it has an outdated outcome of a retried trial."""
        if number in self.history.retried and number < self.ledger.count and not self._is_renewed:
            self.ledger.clear()
            self._is_renewed, self._next = True, 0

    def _records(self, trial: Trial, cards: Sequence[Scorecard]) -> list[Record]:
        tree = self.blueprint.tree_at(dict(trial.params))
        records = [*configuration_records(tree, trial.params), *trial_records(trial, cards)]
        if self.parent is None:
            records += git_records(self.history)
        if not cards:
            return records
        config = self.blueprint.config_at(dict(trial.params))
        if config.experiment is not None:
            records += published_records(compare(config.experiment, trial.metrics))
        dataset = self.load(config)
        card = merge_trial(cards)
        if int(card.predictions.rows.max(initial=-1)) >= dataset.n_rows:
            raise StoreError(
                f"the evaluations of trial {trial.number} are of other data than {dataset.name}: "
                "they have rows that it lacks. The store was changed."
            )
        records.append(data_record(dataset, context="training", n_rows=card.n_train))
        wanted = self.blueprint.config.tracking.artifacts
        has_all = wanted == "all" or (wanted != "none" and self.parent is None)
        if has_all or wanted == "standard":
            overrides = self.blueprint.overrides
            records += artifact_records(card, dataset, tree, overrides, everything=has_all)
        if self.parent is None and len(trial.keys) == 1:
            content = self.holdings.model(trial.keys[0])
            records += [model_record(content, dataset, config)] if content else []
        return records


def git_records(history: History) -> list[Record]:
    """Return commit and state of the git repository that a sweep was started in, if any."""
    git = history.opened["git"] or {}
    names = {"commit": "mlflow.source.git.commit", "dirty": "sweepmark.git_dirty"}
    return [Tag(names[name], text) for name, text in git.items()]


def git_state() -> dict[str, str] | None:
    """Return commit and state of the git repository of the current folder, if any."""
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}

    def ask(*arguments: str) -> str | None:
        try:
            done = subprocess.run(  # noqa: S603 -- fixed arguments
                ["git", "-c", "core.fsmonitor=false", *arguments],  # noqa: S607 -- the user's git
                capture_output=True,
                text=True,
                timeout=5,
                check=False,
                env=environment,
                cwd=Path.cwd(),
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    commit = ask("rev-parse", "HEAD")
    if not commit:
        return None
    is_dirty = bool(ask("status", "--porcelain", "--untracked-files=no"))
    return {"commit": commit, "dirty": str(is_dirty).lower()}
