"""MLflow's part of a store: its database and artifacts, and their creation."""

from __future__ import annotations

import logging
import os
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from sweepmark.errors import StoreError, command_line
from sweepmark.store.database import alone, create_once, database_uri, translated
from sweepmark.tracking.location import artifacts_folder, is_within, mlflow_database, note_location

if TYPE_CHECKING:
    from pathlib import Path

    from mlflow import MlflowClient

__all__ = ["check_artifacts", "configure", "connect", "create_database", "open_client"]

_EXPERIMENT_TAGS = {
    # Without it the UI opens the experiment in its GenAI view; the value is the front end's
    # ExperimentKind.CUSTOM_MODEL_DEVELOPMENT (mlflow 3.17).
    "mlflow.experimentKind": "custom_model_development",
}


def create_database(path: Path) -> None:
    """Create a database without experiments, unless it exists."""
    create_once(path, _migrate, library="mlflow")


def connect(store: Path, *, experiment: str) -> tuple[MlflowClient, str]:
    """Return an MlflowClient on a store, creating its database if needed, and the experiment id.

    Raises
    ------
    StoreError
        If the database is of another MLflow version, or wants artifacts written elsewhere.
    """
    database = mlflow_database(store)
    create_database(database)
    client = open_client(database)
    return client, _experiment_id(client, experiment, store)


def open_client(database: Path) -> MlflowClient:
    """Return an MlflowClient on an existing database.

    MLflow migrates some older databases when it opens them, and not safely if several processes do:
    so each opens it alone.

    Raises
    ------
    StoreError
        If it is of another MLflow version.
    """
    configure()
    from mlflow import MlflowClient

    uri = database_uri(database)
    with ExitStack() as stack:
        with suppress(OSError):  # a store that is only read
            stack.enter_context(alone(database))
        try:
            with translated(database):
                return MlflowClient(uri, registry_uri=uri)
        except StoreError:
            raise
        except Exception as error:
            command = command_line("doctor", "--rebuild", store=database.parent)
            raise StoreError(
                f"{database} is of another version of MLflow ({_sentence(error)}). If that was "
                f"older, `mlflow db upgrade {uri}` migrates it; if it was newer, install it, or "
                f"move the database away: `{command}` makes it anew."
            ) from error


def check_artifacts(uri: str | None, store: Path) -> None:
    """Raise if an artifact URI from a database leads out of the store's artifacts.

    Raises
    ------
    StoreError
        If it does.
    """
    if not is_within(uri, artifacts_folder(store)):
        command = command_line("doctor", "--rebuild", store=store)
        raise StoreError(
            f"{mlflow_database(store)} wants artifacts written to {uri}, but they lie in "
            f"{artifacts_folder(store)}. Move that database away: `{command}` makes it anew."
        )


def _migrate(path: Path) -> None:
    configure()
    from mlflow.db import commands

    commands(["upgrade", database_uri(path)], standalone_mode=False)


def _experiment_id(client: MlflowClient, name: str, store: Path) -> str:
    from mlflow.exceptions import MlflowException

    artifacts = artifacts_folder(store).as_uri()
    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        try:
            created = client.create_experiment(name, artifacts, _EXPERIMENT_TAGS)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
            return _experiment_id(client, name, store)  # another process created it
        note_location(store, artifacts)
        return created
    note_location(store, experiment.artifact_location)
    check_artifacts(experiment.artifact_location, store)
    if experiment.lifecycle_stage == "deleted":
        client.restore_experiment(experiment.experiment_id)
    for tag, value in _EXPERIMENT_TAGS.items():
        if tag not in experiment.tags:
            client.set_experiment_tag(experiment.experiment_id, tag, value)
    return str(experiment.experiment_id)


def _sentence(error: Exception) -> str:
    return str(error).partition(". ")[0].partition("\n")[0]


def configure() -> None:
    """Disable MLflow's telemetry, its output, and connections that outlive their use.

    A pooled connection would go on writing to a database that was moved away.
    """
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("DO_NOT_TRACK", "true")
    os.environ["MLFLOW_SQLALCHEMYSTORE_POOLCLASS"] = "NullPool"
    import mlflow  # noqa: F401 -- importing it configures its loggers

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
