"""The Tracker on a local MLflow store; the only module that turns records into MLflow calls.

Only MlflowClient with explicit arguments is used: the fluent API has global state and reads
``MLFLOW_RUN_ID`` and ``MLFLOW_TRACKING_URI`` from the environment.
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Self

from pydantic import AfterValidator

from sweepmark.config.schema import TrackingConfig
from sweepmark.errors import NotFoundError
from sweepmark.failpoints import failpoint
from sweepmark.store.database import await_write_lock, translated
from sweepmark.terminal import escape
from sweepmark.tracking.artifact_files import write_artifacts
from sweepmark.tracking.entities import (
    batches,
    dataset_inputs,
    milliseconds,
    standard_tags,
    tag_texts,
)
from sweepmark.tracking.environment import own_environment
from sweepmark.tracking.existing_runs import ExistingRuns, RunState, search, trial_number
from sweepmark.tracking.interface import (
    SWEEP_TAG,
    TRIAL_TAG,
    is_of_outcome,
    lacks_run,
    match_run,
)
from sweepmark.tracking.location import folder_of, kept_databases, mlflow_database
from sweepmark.tracking.logged_model import log_model
from sweepmark.tracking.records import Model
from sweepmark.tracking.storage import check_artifacts, connect, open_client

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput, Run

    from sweepmark.tracking.interface import EndStatus
    from sweepmark.tracking.records import Artifact, Record

__all__ = ["MlflowOptions", "MlflowTracker"]

_LONGEST_EXPERIMENT = 500  # mlflow/utils/validation.py
_RUN_ID = re.compile(r"[0-9a-f]{1,32}")


def _check_experiment(name: str) -> str:
    if not 0 < len(name) <= _LONGEST_EXPERIMENT or escape(name) != name:
        raise ValueError(
            "should be a name of 1 to 500 characters without control characters, as MLflow takes it"
        )
    return name


@dataclass(frozen=True, slots=True, kw_only=True)
class MlflowOptions(TrackingConfig):
    """Options of ``tracking=mlflow``.

    Attributes
    ----------
    experiment : str
        The MLflow experiment the runs belong to.
    """

    experiment: Annotated[str, AfterValidator(_check_experiment)] = "sweepmark"


class MlflowTracker:
    """Writes to ``mlflow.db`` and ``artifacts/`` of a store, which are created when first needed.

    A child run is complete if it has ended, which is written last.

    Parameters
    ----------
    store : Path
        The store's folder.
    experiment : str
        The MLflow experiment the runs belong to.
    """

    options: ClassVar[type[TrackingConfig]] = MlflowOptions
    is_kept: ClassVar[bool] = True

    @classmethod
    def create(cls, config: MlflowOptions, *, store: Path) -> Self:
        """See :meth:`Tracker.create`."""
        return cls(store, experiment=config.experiment)

    def __init__(self, store: Path, *, experiment: str) -> None:
        self._store = store
        self._database = mlflow_database(store)
        self._experiment = experiment
        self._connection: tuple[MlflowClient, str] | None = None
        self._sweeps: dict[str, ExistingRuns] = {}

    def open(self) -> None:
        """See :meth:`Tracker.open`."""
        with self._client():
            pass

    def open_parent(
        self, *, sweep_id: str, name: str, records: Sequence[Record], started: float
    ) -> str:
        """See :meth:`Tracker.open_parent`."""
        with self._client() as (client, experiment_id):
            sweep = self._sweep(client, sweep_id)
            if sweep.parent is None:
                failpoint("tracker.parent")
                tags = standard_tags() | tag_texts(records) | {SWEEP_TAG: sweep_id}
                run = client.create_run(
                    experiment_id, start_time=milliseconds(started), tags=tags, run_name=name
                )
                failpoint("tracker.parent.created")
                sweep.parent = run.info.run_id
            else:
                run = client.get_run(sweep.parent)
                client.update_run(sweep.parent, status="RUNNING")
            self._write(client, run, records, tag_texts(records), milliseconds(started))
            failpoint("tracker.parent.opened")
            return sweep.parent

    def log_trial(  # noqa: PLR0913 -- the interface's
        self,
        *,
        sweep_id: str,
        number: int,
        name: str,
        parent: str | None,
        records: Sequence[Record],
        started: float,
        ended: float,
        failed: bool,
    ) -> str:
        """See :meth:`Tracker.log_trial`."""
        with self._client() as (client, experiment_id):
            trials = self._sweep(client, sweep_id).trials
            known = trials.get(number)
            end = milliseconds(ended)
            if known is not None and (known.status, known.ended) == ("FINISHED", end):
                return known.run_id
            tags = standard_tags() | tag_texts(records) | {SWEEP_TAG: sweep_id}
            tags |= {TRIAL_TAG: str(number)}
            if parent is not None:
                tags["mlflow.parentRunId"] = parent
            failpoint("tracker.trial")
            if known is None:
                # Identity first, so that a run left by a kill is found again.
                run = client.create_run(experiment_id, milliseconds(started), tags, name)
                tags = {}
                failpoint("tracker.trial.created")
            else:
                run = client.get_run(known.run_id)
                for left in run.data.tags.keys() - tags.keys():
                    if is_of_outcome(left):  # of an earlier outcome
                        client.delete_tag(known.run_id, left)
            self._write(client, run, records, tags, end)
            failpoint("tracker.trial.written")
            run_id, status = str(run.info.run_id), "FAILED" if failed else "FINISHED"
            client.set_terminated(run_id, status, end)
            failpoint("tracker.trial.ended")
            trials[number] = RunState(run_id, sweep_id, number, status, end)
            return run_id

    def await_writable(self, *, seconds: float) -> None:
        """See :meth:`Tracker.await_writable`."""
        if self._database.exists():
            with translated(self._database):
                await_write_lock(self._database, seconds=seconds)

    def close_parent(
        self, *, run_id: str, records: Sequence[Record], ended: float, status: EndStatus
    ) -> None:
        """See :meth:`Tracker.close_parent`."""
        with self._client() as (client, _):
            failpoint("tracker.closing")
            run = client.get_run(run_id)
            self._write(client, run, records, tag_texts(records), milliseconds(ended))
            failpoint("tracker.closing.written")
            client.set_terminated(run_id, status, milliseconds(ended))
            failpoint("tracker.closed")

    def attach(self, *, sweep_id: str, artifacts: Sequence[Artifact]) -> str:
        """See :meth:`Tracker.attach`."""
        if not self._database.exists():
            raise lacks_run(sweep_id)
        with self._client() as (client, _):
            sweep = self._sweep(client, sweep_id)
            only = sweep.trials.get(0)
            run_id = sweep.parent or (only.run_id if only is not None else None)
            if run_id is None:
                raise lacks_run(sweep_id)
            run = client.get_run(run_id)
            check_artifacts(run.info.artifact_uri, self._store)
            write_artifacts(folder_of(run.info.artifact_uri), artifacts)
            return run_id

    def delivered(self, sweep_id: str) -> Mapping[int, str]:
        """See :meth:`Tracker.delivered`."""
        if not self._database.exists():
            return {}
        with self._client() as (client, _):
            trials = self._sweep(client, sweep_id).trials
            return {number: run.run_id for number, run in trials.items() if run.is_whole}

    def locate(self, run_id: str) -> tuple[str, int | None]:
        """See :meth:`Tracker.locate`."""
        found: dict[str, Mapping[str, str]] = {}
        if _RUN_ID.fullmatch(run_id):
            for database in (self._database, *kept_databases(self._store)):
                found = found or _with_id(database, run_id)
        tags = found[match_run(run_id, found)]
        number = trial_number(tags)
        if SWEEP_TAG not in tags or (number is None and TRIAL_TAG in tags):
            raise NotFoundError(
                f"run {run_id!r} was not made by sweepmark: it lacks the tag {SWEEP_TAG}, or a "
                f"number in {TRIAL_TAG}."
            )
        return tags[SWEEP_TAG], number

    def close(self) -> None:
        """See :meth:`Tracker.close`."""
        self._connection = None
        self._sweeps.clear()

    @contextlib.contextmanager
    def _client(self) -> Iterator[tuple[MlflowClient, str]]:
        with translated(self._database):
            if self._connection is None:
                self._connection = connect(self._store, experiment=self._experiment)
            try:
                yield self._connection
            except BaseException:
                self._sweeps.clear()  # query again what exists before writing more
                raise

    def _sweep(self, client: MlflowClient, sweep_id: str) -> ExistingRuns:
        if sweep_id not in self._sweeps:
            self._sweeps[sweep_id] = ExistingRuns.find(client, sweep_id)
        return self._sweeps[sweep_id]

    def _write(
        self,
        client: MlflowClient,
        run: Run,
        records: Sequence[Record],
        tags: Mapping[str, str],
        timestamp: int,
    ) -> None:
        check_artifacts(run.info.artifact_uri, self._store)
        write_artifacts(folder_of(run.info.artifact_uri), records)
        failpoint("tracker.artifacts")
        if inputs := dataset_inputs(records):
            _log_inputs(client, run.info.run_id, inputs)
        model_id = None
        for record in records:
            if isinstance(record, Model):
                model_id = log_model(client, run, record, store=self._store)
        without = frozenset(run.data.params)
        for batch in batches(
            records, tags=tags, timestamp=timestamp, without=without, model_id=model_id
        ):
            client.log_batch(run.info.run_id, **batch)


@own_environment()
def _with_id(database: Path, start: str) -> dict[str, Mapping[str, str]]:
    """Return the tags of the runs of a database whose id begins so."""
    if not database.exists():
        return {}
    with translated(database):
        runs = search(open_client(database), f"attributes.run_id LIKE '{start}%'")
        return {run.info.run_id: run.data.tags for run in runs}


def _log_inputs(client: MlflowClient, run_id: str, inputs: list[DatasetInput]) -> None:
    """Log the dataset inputs of a run; retry if another program logged the same data concurrently.

    MLflow checks whether a data set exists and inserts it otherwise, in two steps.
    """
    from mlflow.exceptions import MlflowException

    try:
        client.log_inputs(run_id, inputs)
    except MlflowException as error:
        if "UNIQUE constraint failed: datasets." not in str(error):
            raise
        client.log_inputs(run_id, inputs)
