"""The removal of a sweep's runs from MLflow, with their files.

MLflow's public client can only mark a run as deleted. Its parameters and metrics stay in the
database until ``mlflow gc``, which would remove everything else that is marked as well; so it is
left to the user.
"""

from __future__ import annotations

import re
import shutil
from functools import partial
from typing import TYPE_CHECKING

from sweepmark.failpoints import failpoint
from sweepmark.files import check_folder
from sweepmark.store.database import translated
from sweepmark.tracking.existing_runs import over_pages, search
from sweepmark.tracking.interface import SWEEP_TAG
from sweepmark.tracking.location import artifacts_folder, mlflow_database
from sweepmark.tracking.storage import open_client

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mlflow import MlflowClient

__all__ = ["remove_runs", "run_folders"]

_RUN_ID = re.compile(r"[0-9a-f]{32}")
_MODEL_ID = re.compile(r"m-[0-9a-f]{32}")


def run_folders(store: Path, sweep_id: str) -> dict[str, list[Path]]:
    """Return the folders with the files of each run of a sweep, by the run's id.

    Raises
    ------
    StoreError
        If the database cannot be read, or is of another MLflow version.
    """
    database = mlflow_database(store)
    if not database.exists():
        return {}
    with translated(database):
        client = open_client(database)
        runs = _runs(client, sweep_id)
        models = _models(client, runs)
    folders = {run_id: [_folder(store, run_id)] for run_id in runs}
    for model_id, run_id in models.items():
        folders[run_id].append(_folder(store, "models", model_id))
    return folders


def remove_runs(store: Path, sweep_id: str) -> None:
    """Mark the runs of a sweep as deleted, and remove their files; a killed call is done again.

    Raises
    ------
    StoreError
        If the database or a file cannot be written.
    """
    database = mlflow_database(store)
    if not database.exists():
        return
    with translated(database):
        client = open_client(database)
        runs = _runs(client, sweep_id)
        for model_id in _models(client, runs):
            _remove(_folder(store, "models", model_id))
            client.delete_logged_model(model_id)
        for run_id, status in runs.items():
            _remove(_folder(store, run_id))
            if status == "RUNNING":
                client.set_terminated(run_id, "KILLED")
            failpoint("forget.run")
            client.delete_run(run_id)


def _runs(client: MlflowClient, sweep_id: str) -> dict[str, str]:
    """Return the status of each run of a sweep that is not deleted, by its id."""
    found = search(client, f"tags.`{SWEEP_TAG}` = '{sweep_id}'")
    return {run.info.run_id: run.info.status for run in found if _RUN_ID.fullmatch(run.info.run_id)}


def _models(client: MlflowClient, runs: dict[str, str]) -> dict[str, str]:
    """Return the logged models of runs: each one's run, by the model's id."""
    return {
        model_id: run_id
        for model_id, run_id in _logged(client)
        if run_id in runs and _MODEL_ID.fullmatch(model_id)
    }


def _logged(client: MlflowClient) -> Iterator[tuple[str, str]]:
    experiments = [each.experiment_id for each in over_pages(client.search_experiments)]
    if experiments:
        for model in over_pages(partial(client.search_logged_models, experiments)):
            yield model.model_id, model.source_run_id or ""


def _folder(store: Path, *names: str) -> Path:
    """Return a folder of artifacts; a database of somebody else cannot name another one."""
    return artifacts_folder(store).joinpath(*names)


def _remove(folder: Path) -> None:
    check_folder(folder.parent)
    check_folder(folder)
    if folder.exists():
        shutil.rmtree(folder)
