"""The Tracker on a local MLflow store; the one place that turns records into MLflow calls.

Only the client interface with explicit arguments is used: the fluent one keeps global state and
obeys ``MLFLOW_RUN_ID`` and ``MLFLOW_TRACKING_URI`` in the environment.
"""

from __future__ import annotations

import contextlib
import getpass
import logging
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import url2pathname

from sweepmark.database import create_once, database_uri, translated
from sweepmark.errors import NotFoundError, StoreError
from sweepmark.records import Artifact, Model
from sweepmark.tracking.entities import batches, dataset_inputs, tag_texts
from sweepmark.tracking.interface import (
    DELIVERED_TAG,
    SWEEP_TAG,
    TRIAL_TAG,
    match_run,
)
from sweepmark.tracking.logged_model import log_model

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mlflow import MlflowClient
    from mlflow.entities import Run

    from sweepmark.records import Record
    from sweepmark.tracking.interface import EndStatus

__all__ = ["MlflowTracker", "artifacts_folder", "mlflow_database"]

_EXPERIMENT_TAGS = {
    # Without it the UI opens the experiment in its GenAI view; the value is the front end's
    # ExperimentKind.CUSTOM_MODEL_DEVELOPMENT (mlflow 3.17).
    "mlflow.experimentKind": "custom_model_development",
}
_RUN_ID = re.compile(r"[0-9a-f]{1,32}")


def mlflow_database(store: Path) -> Path:
    """Return where a store's MLflow database lies."""
    return store.absolute() / "mlflow.db"


def artifacts_folder(store: Path) -> Path:
    """Return where a store's artifacts lie."""
    return store.absolute() / "artifacts"


class MlflowTracker:
    """Delivers to ``mlflow.db`` and ``artifacts/`` of a store; both are made when first needed.

    A child is whole if it has the tag ``sweepmark.delivered`` and has ended: the tag is written
    with the metrics, in the last call but one.

    Parameters
    ----------
    store : Path
        The store's folder.
    experiment : str
        The MLflow experiment the runs belong to.
    """

    def __init__(self, store: Path, *, experiment: str) -> None:
        self._database = mlflow_database(store)
        self._artifacts = artifacts_folder(store)
        self._experiment = experiment
        self._connection: tuple[MlflowClient, str] | None = None
        self._sweeps: dict[str, _Sweep] = {}

    def open_parent(
        self, *, sweep_id: str, name: str, records: Sequence[Record], started: float
    ) -> str:
        """See :meth:`Tracker.open_parent`."""
        with self._client() as (client, experiment_id):
            sweep = self._sweep(client, sweep_id)
            if sweep.parent is None:
                tags = _standard_tags() | tag_texts(records) | {SWEEP_TAG: sweep_id}
                run = client.create_run(
                    experiment_id, start_time=_ms(started), tags=tags, run_name=name
                )
                sweep.parent = run.info.run_id
            else:
                run = client.get_run(sweep.parent)
                client.update_run(sweep.parent, status="RUNNING")
            _write(client, run, records, tags=tag_texts(records), timestamp=_ms(started))
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
            if number in sweep.whole:
                return sweep.whole[number]
            tags = tag_texts(records)
            if number in sweep.half:
                run = client.get_run(sweep.half[number])
            else:
                identity = {SWEEP_TAG: sweep_id, TRIAL_TAG: str(number)}
                if parent is not None:
                    identity["mlflow.parentRunId"] = parent
                run = client.create_run(
                    experiment_id,
                    start_time=_ms(started),
                    tags=_standard_tags() | tags | identity,
                    run_name=name,
                )
                tags = {}
            run_id: str = run.info.run_id
            sweep.half[number] = run_id
            tags[DELIVERED_TAG] = "true"
            _write(client, run, records, tags=tags, timestamp=_ms(ended))
            client.set_terminated(run_id, "FAILED" if failed else "FINISHED", _ms(ended))
            sweep.whole[number] = sweep.half.pop(number)
            return run_id

    def close_parent(
        self, *, run_id: str, records: Sequence[Record], ended: float, status: EndStatus
    ) -> None:
        """See :meth:`Tracker.close_parent`."""
        with self._client() as (client, _):
            run = client.get_run(run_id)
            _write(client, run, records, tags=tag_texts(records), timestamp=_ms(ended))
            client.set_terminated(run_id, status, _ms(ended))

    def delivered(self, sweep_id: str) -> Mapping[int, str]:
        """See :meth:`Tracker.delivered`."""
        if not self._database.exists():
            return {}
        with self._client() as (client, _):
            return dict(self._sweep(client, sweep_id).whole)

    def locate(self, run_id: str) -> tuple[str, int | None]:
        """See :meth:`Tracker.locate`."""
        if not self._database.exists() or not _RUN_ID.fullmatch(run_id):
            match_run(run_id, [])
        with self._client() as (client, _):
            experiments = [e.experiment_id for e in client.search_experiments()]
            runs = _search(client, experiments, f"attributes.run_id LIKE '{run_id}%'")
            found = {run.info.run_id: run.data.tags for run in runs}
        tags = found[match_run(run_id, found)]
        if SWEEP_TAG not in tags:
            raise NotFoundError(
                f"run {run_id!r} was not made by sweepmark: it has no tag {SWEEP_TAG}."
            )
        return tags[SWEEP_TAG], int(tags[TRIAL_TAG]) if TRIAL_TAG in tags else None

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
                self._connection = self._connect()
            yield self._connection

    def _connect(self) -> tuple[MlflowClient, str]:
        _silence()
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException

        create_once(self._database, self._create)
        uri = database_uri(self._database)
        try:
            client = MlflowClient(uri, registry_uri=uri)
            return client, self._experiment_id(client)
        except MlflowException as error:
            if "out-of-date database schema" in str(error):
                raise StoreError(f"{self._database}: {error}") from error
            raise

    def _create(self, path: Path) -> None:
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

        store = SqlAlchemyStore(  # type: ignore[no-untyped-call]
            database_uri(path), self._artifacts.as_uri()
        )
        store.engine.dispose()

    def _experiment_id(self, client: MlflowClient) -> str:
        from mlflow.exceptions import MlflowException

        experiment = client.get_experiment_by_name(self._experiment)
        if experiment is None:
            try:
                return client.create_experiment(
                    self._experiment, self._artifacts.as_uri(), _EXPERIMENT_TAGS
                )
            except MlflowException as error:
                if error.error_code != "RESOURCE_ALREADY_EXISTS":
                    raise
            return self._experiment_id(client)  # another process was faster
        if experiment.lifecycle_stage == "deleted":
            client.restore_experiment(experiment.experiment_id)
        for name, value in _EXPERIMENT_TAGS.items():
            if name not in experiment.tags:
                client.set_experiment_tag(experiment.experiment_id, name, value)
        return str(experiment.experiment_id)

    def _sweep(self, client: MlflowClient, sweep_id: str) -> _Sweep:
        if sweep_id not in self._sweeps:
            experiments = [e.experiment_id for e in client.search_experiments()]
            runs = _search(client, experiments, f"tags.`{SWEEP_TAG}` = '{sweep_id}'")
            self._sweeps[sweep_id] = _Sweep.of(runs)
        return self._sweeps[sweep_id]


@dataclass(slots=True)
class _Sweep:
    """What MLflow has of a sweep; true for as long as there is one writer."""

    parent: str | None = None
    whole: dict[int, str] = field(default_factory=dict)
    half: dict[int, str] = field(default_factory=dict)

    @classmethod
    def of(cls, runs: Iterator[Run]) -> _Sweep:
        sweep = cls()
        for run in runs:
            tags, run_id = run.data.tags, run.info.run_id
            if TRIAL_TAG not in tags:
                sweep.parent = run_id
            elif DELIVERED_TAG in tags and run.info.status != "RUNNING":
                sweep.whole[int(tags[TRIAL_TAG])] = run_id
            else:
                sweep.half[int(tags[TRIAL_TAG])] = run_id
        return sweep


def _write(
    client: MlflowClient,
    run: Run,
    records: Sequence[Record],
    *,
    tags: Mapping[str, str],
    timestamp: int,
) -> None:
    _write_artifacts(run.info.artifact_uri, records)
    if inputs := dataset_inputs(records):
        client.log_inputs(run.info.run_id, inputs)
    model_id = None
    for record in records:
        if isinstance(record, Model):
            model_id = log_model(client, run, record)
    without = frozenset(run.data.params)
    for batch in batches(
        records, tags=tags, timestamp=timestamp, without=without, model_id=model_id
    ):
        client.log_batch(run.info.run_id, **batch)


def _write_artifacts(artifact_uri: str, records: Sequence[Record]) -> None:
    """Write files where MLflow looks for them: the store is local, so no copy is needed."""
    artifacts = [record for record in records if isinstance(record, Artifact)]
    if not artifacts:
        return
    root = Path(url2pathname(urlsplit(artifact_uri).path))
    for artifact in artifacts:
        target = root / artifact.path
        if not target.resolve().is_relative_to(root.resolve()):
            raise ValueError(f"an artifact's path must stay within its run, got {artifact.path!r}")
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_name(f".{target.name}.new")
        try:
            unfinished.write_bytes(artifact.content)
            unfinished.replace(target)
        finally:
            unfinished.unlink(missing_ok=True)


def _search(client: MlflowClient, experiments: list[str], condition: str) -> Iterator[Run]:
    token = None
    while True:
        page = client.search_runs(experiments, condition, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _standard_tags() -> dict[str, str]:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container whose user has no name
        user = "unknown"
    return {
        "mlflow.source.name": "sweepmark",
        "mlflow.source.type": "LOCAL",
        "mlflow.user": user,
    }


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _silence() -> None:
    """Keep MLflow from calling home and from writing over our output."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("DO_NOT_TRACK", "true")
    import mlflow  # noqa: F401 -- it sets its loggers up while it is imported

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
