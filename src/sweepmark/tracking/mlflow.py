"""The Tracker on a local MLflow store; the only module that turns records into MLflow calls.

Only MlflowClient with explicit arguments is used: the fluent API has global state and reads
``MLFLOW_RUN_ID`` and ``MLFLOW_TRACKING_URI`` from the environment.
"""

from __future__ import annotations

import contextlib
import re
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Self

from pydantic import AfterValidator

from sweepmark.config.schema import TrackingConfig
from sweepmark.errors import NotFoundError
from sweepmark.failpoints import failpoint
from sweepmark.store.database import await_write_lock, translated
from sweepmark.terminal import escape
from sweepmark.tracking.artifact_folder import write_artifacts
from sweepmark.tracking.entities import (
    batches,
    dataset_inputs,
    milliseconds,
    standard_tags,
    tag_texts,
)
from sweepmark.tracking.existing_runs import ExistingRuns, search, trial_number
from sweepmark.tracking.interface import (
    DELIVERED_TAG,
    SWEEP_TAG,
    TRIAL_TAG,
    is_of_outcome,
    match_run,
)
from sweepmark.tracking.logged_model import log_model
from sweepmark.tracking.records import Model
from sweepmark.tracking.sql_rows import FinishedRun, insert_run, is_known_schema
from sweepmark.tracking.storage import artifacts_folder, connect, folder_of, mlflow_database

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput, Run

    from sweepmark.tracking.interface import EndStatus
    from sweepmark.tracking.records import Record

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

    A child run is complete if it has the tag ``sweepmark.delivered`` and has ended: the tag is
    written with the metrics, in the second to last call.

    Parameters
    ----------
    store : Path
        The store's folder.
    experiment : str
        The MLflow experiment the runs belong to.

    Attributes
    ----------
    writes_rows : bool
        Whether new runs are inserted by SQL, because the schema is known; otherwise by
        MlflowClient.
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
        self._artifacts = artifacts_folder(store)
        self._experiment = experiment
        self._connection: tuple[MlflowClient, str] | None = None
        self.writes_rows = True
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
            _write(client, run, records, self._artifacts, tag_texts(records), milliseconds(started))
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
            sweep = self._sweep(client, sweep_id)
            if sweep.is_current(number, milliseconds(ended)):
                return sweep.complete[number]
            identity = {SWEEP_TAG: sweep_id, TRIAL_TAG: str(number)}
            if parent is not None:
                identity["mlflow.parentRunId"] = parent
            run = FinishedRun(
                run_id=uuid.uuid4().hex,
                experiment_id=experiment_id,
                name=name,
                status="FAILED" if failed else "FINISHED",
                started=milliseconds(started),
                ended=milliseconds(ended),
                tags=standard_tags() | tag_texts(records) | identity | {DELIVERED_TAG: "true"},
                records=records,
            )
            failpoint("tracker.trial")
            has_model = any(isinstance(record, Model) for record in records)
            known = sweep.incomplete.get(number) or sweep.complete.get(number)
            if known is not None or has_model or not self.writes_rows:
                run_id = _deliver(client, run, self._artifacts, known=known)
            else:
                run_id = self._insert(run)
            failpoint("tracker.trial.rows")
            sweep.incomplete.pop(number, None)
            sweep.complete[number], sweep.ended[number] = run_id, run.ended
            (sweep.failed.add if failed else sweep.failed.discard)(number)
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
            _write(client, run, records, self._artifacts, tag_texts(records), milliseconds(ended))
            failpoint("tracker.closing.written")
            client.set_terminated(run_id, status, milliseconds(ended))
            failpoint("tracker.closed")

    def delivered(self, sweep_id: str) -> Mapping[int, str]:
        """See :meth:`Tracker.delivered`."""
        if not self._database.exists():
            return {}
        with self._client() as (client, _):
            return dict(self._sweep(client, sweep_id).complete)

    def locate(self, run_id: str) -> tuple[str, int | None]:
        """See :meth:`Tracker.locate`."""
        if not self._database.exists() or not _RUN_ID.fullmatch(run_id):
            match_run(run_id, [])
        with self._client() as (client, _):
            experiments = [e.experiment_id for e in client.search_experiments()]
            runs = search(client, experiments, f"attributes.run_id LIKE '{run_id}%'")
            found = {run.info.run_id: run.data.tags for run in runs}
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
        if self._connection is not None:
            # MLflow keeps a pool of connections per database for the life of the process.
            self._connection[0]._tracking_client.store.engine.dispose()  # noqa: SLF001
            self._connection = None
        self._sweeps.clear()

    @contextlib.contextmanager
    def _client(self) -> Iterator[tuple[MlflowClient, str]]:
        with translated(self._database):
            if self._connection is None:
                self._connection = connect(self._store, experiment=self._experiment)
                self.writes_rows &= is_known_schema(self._database)
            try:
                yield self._connection
            except BaseException:
                self._sweeps.clear()  # query again what exists before writing more
                raise

    def _insert(self, run: FinishedRun) -> str:
        """Write a new run in one transaction, atomically."""
        artifact_uri = f"{self._artifacts.as_uri()}/{run.run_id}/artifacts"
        write_artifacts(folder_of(artifact_uri, within=self._artifacts), run.records)
        failpoint("tracker.trial.artifacts")
        insert_run(self._database, run, artifact_uri=artifact_uri)
        return run.run_id

    def _sweep(self, client: MlflowClient, sweep_id: str) -> ExistingRuns:
        if sweep_id not in self._sweeps:
            experiments = [e.experiment_id for e in client.search_experiments()]
            runs = search(client, experiments, f"tags.`{SWEEP_TAG}` = '{sweep_id}'")
            self._sweeps[sweep_id] = ExistingRuns.of(runs)
        return self._sweeps[sweep_id]


def _deliver(client: MlflowClient, run: FinishedRun, artifacts: Path, *, known: str | None) -> str:
    """Write a run by MlflowClient, which assigns the id of a new one; it is RUNNING meanwhile."""
    tags = dict(run.tags)
    if known is not None:
        target = client.get_run(known)
        for name in target.data.tags.keys() - tags.keys():
            if is_of_outcome(name):  # of an earlier outcome
                client.delete_tag(known, name)
    else:
        # Identity first, so that a run left by a kill is found again.
        first = {name: text for name, text in tags.items() if name != DELIVERED_TAG}
        target = client.create_run(run.experiment_id, run.started, first, run.name)
        tags = {DELIVERED_TAG: tags[DELIVERED_TAG]}
        failpoint("tracker.trial.created")
    _write(client, target, run.records, artifacts, tags, run.ended)
    failpoint("tracker.trial.written")
    client.set_terminated(target.info.run_id, run.status, run.ended)
    return str(target.info.run_id)


def _write(  # noqa: PLR0913, PLR0917 -- all of it is the run's
    client: MlflowClient,
    run: Run,
    records: Sequence[Record],
    artifacts: Path,
    tags: Mapping[str, str],
    timestamp: int,
) -> None:
    write_artifacts(folder_of(run.info.artifact_uri, within=artifacts), records)
    if inputs := dataset_inputs(records):
        _log_inputs(client, run.info.run_id, inputs)
    model_id = None
    for record in records:
        if isinstance(record, Model):
            model_id = log_model(client, run, record, within=artifacts)
    without = frozenset(run.data.params)
    for batch in batches(
        records, tags=tags, timestamp=timestamp, without=without, model_id=model_id
    ):
        client.log_batch(run.info.run_id, **batch)


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
