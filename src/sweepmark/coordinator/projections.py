"""The Projections of a sweep: its runs in MLflow and its study in Optuna.

Both are derived from the journal and the evaluations, on a first run as on a resume. No decision
depends on them, so a lost one can be rebuilt.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from sweepmark.coordinator.delivery import Delivery, git_records
from sweepmark.errors import SweepmarkError
from sweepmark.ledger import MemoryLedger, OptunaLedger
from sweepmark.report.summary import parent_records
from sweepmark.store.database import PATIENCE
from sweepmark.tracking import create_tracker, is_tracked
from sweepmark.tracking.records import Tag
from sweepmark.tracking.run_records import configuration_records

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sweepmark.config.schema import Config
    from sweepmark.data import Dataset
    from sweepmark.ledger import Ledger
    from sweepmark.report.results import SweepResult
    from sweepmark.scores.scorecard import Scorecard
    from sweepmark.search.blueprint import Blueprint
    from sweepmark.search.trial import Trial
    from sweepmark.store import History, Store
    from sweepmark.tracking import Tracker

__all__ = ["Projections"]


@dataclass(slots=True, kw_only=True)
class Projections:
    """Delivers a sweep to MLflow and Optuna; a context manager that closes the databases.

    Attributes
    ----------
    sweep_id : str
        The sweep's id.
    blueprint : Blueprint
        The configuration of the sweep.
    history : History
        The content of its journal.
    store : Store
        The store with the databases.
    load : callable
        Returns a configuration's data set.
    tracker : Tracker
        Writes to MLflow; with tracking off, keeps runs in memory.
    ledger : Ledger
        Writes to Optuna; with tracking off, keeps trials in memory.
    progress : callable
        Called with each trial once it is delivered.
    """

    sweep_id: str
    blueprint: Blueprint
    history: History
    store: Store
    load: Callable[[Config], Dataset]
    tracker: Tracker = field(init=False)
    ledger: Ledger = field(init=False)
    progress: Callable[[Trial], None] = lambda _: None
    _parent: str | None = None
    _delivery: Delivery | None = None

    def __post_init__(self) -> None:
        """Create tracker and ledger; neither opens its database before it is needed."""
        config = self.blueprint.config.tracking
        self.tracker = create_tracker(config, store=self.store.root)
        self.ledger = MemoryLedger()
        if is_tracked(config) and not self.blueprint.is_run:
            self.ledger = OptunaLedger(
                self.store.root,
                sweep_id=self.sweep_id,
                space=self.blueprint.space,
                direction=self.blueprint.direction,
            )

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close both databases."""
        self.ledger.close()
        self.tracker.close()

    @property
    def run_ids(self) -> dict[int, str]:
        """The run ids of delivered trials, by number."""
        return self._open().run_ids

    def prepare(self) -> None:
        """Open the sweep's parent run, or find it again; later calls do nothing."""
        self._open()

    def settled(self, trial: Trial, cards: Sequence[Scorecard]) -> None:
        """Deliver a trial."""
        self._open().settled(trial, cards)

    def finish(self, result: SweepResult, *, ended: float) -> None:
        """End the sweep's parent run with its result."""
        self.prepare()
        if self._parent is not None:
            dataset = self.load(self._shown_config(result))
            records = parent_records(result, dataset)
            self.tracker.close_parent(
                run_id=self._parent, records=records, ended=ended, status="FINISHED"
            )

    def _shown_config(self, result: SweepResult) -> Config:
        """Return the configuration of the headline, or of another trial with available data."""
        shown = [
            result.test,
            *(trial for trial in result.trials if trial.status != "failed"),
            *(trial for trial in result.trials if trial.reason != "data"),
        ]
        trial = next((trial for trial in shown if trial is not None), None)
        return self.blueprint.config_at(dict(trial.params)) if trial else self.blueprint.config

    def interrupt(self, *, ended: float) -> None:
        """End the sweep's parent run if possible, so that it is not shown as running.

        A resumed sweep has a parent run from before, even if it is stopped before opening it. If a
        locked database stopped the sweep, the wait for its lock is shorter this time.
        """
        with suppress(SweepmarkError):
            self.tracker.await_writable(seconds=PATIENCE)
            if self.history.is_resumed and not self.history.is_complete:
                self.prepare()
            if self._parent is not None:
                self.tracker.close_parent(
                    run_id=self._parent,
                    records=[],
                    ended=ended,
                    status="FINISHED" if self.history.is_complete else "KILLED",
                )

    def _open(self) -> Delivery:
        if self._delivery is None:
            if self.blueprint.is_run:
                self.tracker.open()
            else:
                self._parent = self._open_parent()
            self._delivery = Delivery(
                sweep_id=self.sweep_id,
                blueprint=self.blueprint,
                history=self.history,
                tracker=self.tracker,
                ledger=self.ledger,
                parent=self._parent,
                load=self.load,
                holdings=self.store.holdings(self.sweep_id, self.history, self.blueprint.requests),
                progress=self.progress,
            )
        return self._delivery

    def _open_parent(self) -> str:
        parameters = configuration_records(self.blueprint.base_tree)
        records = [
            *(record for record in parameters if not self._is_swept(record)),
            *git_records(self.history),
            Tag("sweepmark.sweep", self.blueprint.name),
            Tag("sweepmark.sweep_key", self.history.opened["sweep_key"]),
        ]
        return self.tracker.open_parent(
            sweep_id=self.sweep_id,
            name=" ".join(filter(None, [self.blueprint.config.run.name, self.sweep_id])),
            records=records,
            started=self.history.opened["at"],
        )

    def _is_swept(self, record: object) -> bool:
        name = getattr(record, "name", "")
        return any(
            name == getattr(axis, "path", axis.name) or name.startswith(f"{axis.name}.")
            for axis in self.blueprint.space.all_axes()
        )
