"""MLflow's part of a store: its database and artifacts, and their creation."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import url2pathname

from sweepmark.errors import StoreError
from sweepmark.store.database import create_once, database_uri
from sweepmark.tracking.sql_rows import is_known_schema, relocate

if TYPE_CHECKING:
    from mlflow import MlflowClient

__all__ = [
    "artifacts_folder",
    "connect",
    "folder_of",
    "mlflow_database",
    "relocate_artifacts",
    "silence",
]

_EXPERIMENT_TAGS = {
    # Without it the UI opens the experiment in its GenAI view; the value is the front end's
    # ExperimentKind.CUSTOM_MODEL_DEVELOPMENT (mlflow 3.17).
    "mlflow.experimentKind": "custom_model_development",
}


def mlflow_database(store: Path) -> Path:
    """Return the path of a store's MLflow database."""
    return store.absolute() / "mlflow.db"


def artifacts_folder(store: Path) -> Path:
    """Return the path of a store's artifacts."""
    return store.absolute() / "artifacts"


def connect(store: Path, *, experiment: str) -> tuple[MlflowClient, str]:
    """Return an MlflowClient on a store, creating its database if needed, and the experiment id."""
    silence()
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    database, artifacts = mlflow_database(store), artifacts_folder(store)
    create_once(database, lambda path: _create(path, artifacts), library="mlflow")
    relocate_artifacts(store)
    uri = database_uri(database)
    try:
        client = MlflowClient(uri, registry_uri=uri)
        return client, _experiment_id(client, experiment, artifacts)
    except MlflowException as error:
        if "out-of-date database schema" in str(error):
            raise StoreError(f"{database} is of another MLflow version. {error}") from error
        raise


def folder_of(uri: str | None, *, within: Path) -> Path:
    """Return the folder of an artifact URI.

    Parameters
    ----------
    uri : str or None
        The URI from a database.
    within : Path
        The store's artifacts folder: a URI outside it is not accepted.

    Raises
    ------
    StoreError
        If it is outside that folder.
    """
    parts = urlsplit(uri or "")
    folder = Path(url2pathname(parts.path))
    inside = parts.scheme == "file" and folder.resolve().is_relative_to(within.resolve())
    if not inside:
        raise StoreError(
            f"{within.parent / 'mlflow.db'} wants artifacts written to {uri}, but they lie in "
            f"{within}. Move that database away: `sweepmark doctor --rebuild` makes it anew."
        )
    return folder


def relocate_artifacts(store: Path) -> None:
    """Update MLflow's absolute artifact paths in a store that was moved or copied."""
    if is_known_schema(mlflow_database(store)):
        relocate(mlflow_database(store), artifacts_folder(store).as_uri())


def _create(path: Path, artifacts: Path) -> None:
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    store = SqlAlchemyStore(  # type: ignore[no-untyped-call]
        database_uri(path), artifacts.as_uri()
    )
    store.engine.dispose()


def _experiment_id(client: MlflowClient, name: str, artifacts: Path) -> str:
    from mlflow.exceptions import MlflowException

    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        try:
            return client.create_experiment(name, artifacts.as_uri(), _EXPERIMENT_TAGS)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        return _experiment_id(client, name, artifacts)  # another process created it
    folder_of(experiment.artifact_location, within=artifacts)
    if experiment.lifecycle_stage == "deleted":
        client.restore_experiment(experiment.experiment_id)
    for tag, value in _EXPERIMENT_TAGS.items():
        if tag not in experiment.tags:
            client.set_experiment_tag(experiment.experiment_id, tag, value)
    return str(experiment.experiment_id)


def silence() -> None:
    """Disable MLflow's telemetry and its output."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("DO_NOT_TRACK", "true")
    import mlflow  # noqa: F401 -- importing it configures its loggers

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
