"""The runs of sweeps that exist in MLflow, found by their tags."""

from __future__ import annotations

import re
import sqlite3
import tempfile
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from sweepmark.store.database import read_only
from sweepmark.tracking.environment import own_environment
from sweepmark.tracking.interface import SWEEP_TAG, TRIAL_TAG
from sweepmark.tracking.location import mlflow_database
from sweepmark.tracking.storage import open_client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mlflow import MlflowClient
    from mlflow.entities import Run
    from mlflow.store.entities import PagedList

__all__ = [
    "ExistingRuns",
    "RunState",
    "count_others",
    "over_pages",
    "run_states",
    "search",
    "trial_number",
]

_Found = TypeVar("_Found")

_NUMBER = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class RunState:
    """A sweepmark run in MLflow's database.

    Attributes
    ----------
    run_id : str
        The run's id.
    sweep_id : str
        The sweep that it belongs to.
    trial : int or None
        The trial's number; None for a parent run.
    status : str
        ``RUNNING``, ``FINISHED``, ``FAILED`` or ``KILLED``.
    ended : int or None
        Its end in milliseconds since the epoch.
    """

    run_id: str
    sweep_id: str
    trial: int | None
    status: str
    ended: int | None

    @property
    def is_whole(self) -> bool:
        """Whether it was written completely; its status is written last."""
        return self.status in {"FINISHED", "FAILED"}

    @classmethod
    def of(cls, run: Run) -> RunState | None:
        """Return the state of a run; None if somebody edited the number of its trial."""
        tags, info = run.data.tags, run.info
        number = trial_number(tags)
        if number is None and TRIAL_TAG in tags:
            return None
        return cls(info.run_id, tags[SWEEP_TAG], number, info.status, info.end_time)


@dataclass(slots=True)
class ExistingRuns:
    """The runs of a sweep in MLflow; valid as long as there is a single writer."""

    parent: str | None = None
    trials: dict[int, RunState] = field(default_factory=dict)

    @classmethod
    def find(cls, client: MlflowClient, sweep_id: str) -> ExistingRuns:
        """Search for the runs of a sweep."""
        sweep = cls()
        for state in map(RunState.of, search(client, f"tags.`{SWEEP_TAG}` = '{sweep_id}'")):
            if state is not None and state.trial is None:
                sweep.parent = state.run_id
            elif state is not None and state.trial is not None:
                sweep.trials[state.trial] = state
        return sweep


def trial_number(tags: Mapping[str, str]) -> int | None:
    """Return the trial number of a run; None if it has none or it is invalid."""
    text = tags.get(TRIAL_TAG, "")
    return int(text) if _NUMBER.fullmatch(text) else None


@own_environment()
def run_states(store: Path) -> list[RunState]:
    """Return every sweepmark run in a store, including runs deleted by the user.

    A copy is searched, because MLflow migrates some older databases when it opens them.

    Raises
    ------
    StoreError
        If the database cannot be read, or is of another MLflow version.
    """
    with tempfile.TemporaryDirectory(prefix="sweepmark-") as folder:
        copy = Path(folder) / mlflow_database(store).name
        with (
            read_only(mlflow_database(store)) as database,
            closing(sqlite3.connect(copy)) as target,
        ):
            database.backup(target)
        runs = search(open_client(copy), f"tags.`{SWEEP_TAG}` != ''", with_deleted=True)
        return [state for state in map(RunState.of, runs) if state is not None]


@own_environment()
def count_others(database: Path, sweep_ids: list[str]) -> int:
    """Return how many runs of a database belong to none of some sweeps.

    Raises
    ------
    StoreError
        If it cannot be read, or is of another MLflow version.
    """
    runs = search(open_client(database), "", with_deleted=True)
    return sum(run.data.tags.get(SWEEP_TAG) not in sweep_ids for run in runs)


def search(client: MlflowClient, condition: str, *, with_deleted: bool = False) -> Iterator[Run]:
    """Yield the runs found by MLflow in all experiments, over all pages."""
    from mlflow.entities import ViewType

    view = ViewType.ALL if with_deleted else ViewType.ACTIVE_ONLY
    experiments = [e.experiment_id for e in over_pages(partial(client.search_experiments, view))]
    yield from over_pages(partial(client.search_runs, experiments, condition, view))


def over_pages(search: Callable[..., PagedList[_Found]]) -> Iterator[_Found]:
    """Yield what a search of MLflow finds that takes a ``page_token``, over all pages."""
    token = None
    while True:
        page = search(page_token=token)
        yield from page
        token = page.token
        if not token:
            return
