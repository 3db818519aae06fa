"""MLflow's model registry in a store: named versions of the models that runs have logged."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from sweepmark.commands import command_line
from sweepmark.errors import ConfigurationError, NotFoundError
from sweepmark.store.database import translated
from sweepmark.terminal import escape
from sweepmark.tracking.existing_runs import ExistingRuns, over_pages
from sweepmark.tracking.interface import SWEEP_TAG
from sweepmark.tracking.location import mlflow_database
from sweepmark.tracking.logged_model import DIGEST_TAG
from sweepmark.tracking.storage import check_artifacts, open_client

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel
    from mlflow.entities.model_registry import ModelVersion

__all__ = ["Candidate", "Version", "check_alias", "check_name", "register", "registered"]

_LONGEST = 255  # characters; MLflow's tables hold 256
_ALIAS = re.compile(r"[\w-]+")
_RESERVED = re.compile(r"latest|v\d+", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A model that a run has logged.

    Attributes
    ----------
    sweep_id : str
        The sweep or single run that it belongs to.
    trial : int or None
        The trial whose run has logged it; None for a sweep's own run.
    content : bytes
        The model, in skops format.
    """

    sweep_id: str
    trial: int | None
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a registered model.

    Attributes
    ----------
    name : str
        The name of the model.
    number : int
        Which version.
    sweep_id : str
        The sweep or single run whose model it is.
    digest : str
        The SHA-256 of the model's skops file.
    aliases : tuple of str
        The aliases that point to this version.
    is_new : bool
        Whether it was made just now.
    """

    name: str
    number: int
    sweep_id: str
    digest: str
    aliases: tuple[str, ...]
    is_new: bool


def check_name(name: str) -> None:
    """Raise if MLflow's registry would not take a name, or could not search for it.

    Raises
    ------
    ConfigurationError
        If so.
    """
    is_plain = escape(name) == name == name.strip() and not set(name) & set("/:'\"%")
    if not is_plain or not 0 < len(name) <= _LONGEST or set(name) <= {"."}:
        raise ConfigurationError(
            f"MODEL must be a name of 1 to {_LONGEST} characters without / : ' \" % and "
            f"spaces around it, but got {name!r}."
        )


def check_alias(alias: str) -> None:
    """Raise if MLflow's registry would not take an alias.

    Raises
    ------
    ConfigurationError
        If so.
    """
    if not _ALIAS.fullmatch(alias) or _RESERVED.fullmatch(alias) or len(alias) > _LONGEST:
        raise ConfigurationError(
            f"--alias must be 1 to {_LONGEST} letters, digits, _ or -, and neither `latest` nor a "
            f"version such as `v1`, but got {alias!r}."
        )


def register(store: Path, candidate: Candidate, *, name: str, aliases: Sequence[str]) -> Version:
    """Register the model of a run under a name, and have aliases point to it.

    A version of the same name that is the same model is not made twice.

    Parameters
    ----------
    store : Path
        The store's folder.
    candidate : Candidate
        The model.
    name : str
        The name of the registered model.
    aliases : sequence of str
        Its aliases.

    Raises
    ------
    ConfigurationError
        If MLflow would not take the name or an alias.
    NotFoundError
        If MLflow lacks the run or its model.
    StoreError
        If the database cannot be used.
    """
    check_name(name)
    for alias in aliases:
        check_alias(alias)
    database = mlflow_database(store)
    sweep_id, digest = candidate.sweep_id, hashlib.sha256(candidate.content).hexdigest()
    if not database.exists():
        raise _lacking(sweep_id)
    with translated(database):
        client = open_client(database)
        logged = _logged(client, candidate, digest)
        check_artifacts(logged.artifact_location, store)
        found = next(_same(client, name, digest, logged.artifact_location), None)
        version = found or _create(client, logged, name, digest=digest, sweep_id=sweep_id)
        for alias in aliases:
            client.set_registered_model_alias(name, alias, str(version.version))
    number = int(version.version)
    return Version(name, number, sweep_id, digest, tuple(aliases), is_new=found is None)


def registered(database: Path) -> list[Version]:
    """Return the versions in a database that are of sweepmark's runs, oldest first.

    Raises
    ------
    StoreError
        If it cannot be read, or is of another MLflow version.
    """
    client = open_client(database)
    with translated(database):
        versions = sorted(_versions(client, None), key=lambda each: each.creation_timestamp)
        return [
            Version(
                name=each.name,
                number=int(each.version),
                sweep_id=each.tags[SWEEP_TAG],
                digest=each.tags.get(DIGEST_TAG, ""),
                aliases=tuple(client.get_model_version(each.name, each.version).aliases),
                is_new=False,
            )
            for each in versions
            if SWEEP_TAG in each.tags
        ]


def _logged(client: MlflowClient, candidate: Candidate, digest: str) -> LoggedModel:
    """Return the logged model of a run, which has to be the one that the store keeps."""
    sweep_id, trial = candidate.sweep_id, candidate.trial
    runs = ExistingRuns.find(client, sweep_id)
    own = {number: state.run_id for number, state in runs.trials.items()}
    run_id = runs.parent if trial is None else own.get(trial)
    if run_id is None:
        raise _lacking(sweep_id)
    experiment = client.get_run(run_id).info.experiment_id
    for logged in client.search_logged_models([experiment], f"source_run_id = '{run_id}'"):
        if logged.tags.get(DIGEST_TAG) == digest and logged.status == "READY":
            return logged
    raise _lacking(sweep_id)


def _lacking(sweep_id: str) -> NotFoundError:
    return NotFoundError(
        f"MLflow must have the model of {sweep_id}, but lacks it: it was run with tracking=none, "
        "or its run was deleted. Run it again with tracking=mlflow, or make MLflow's runs anew: "
        f"`{command_line('doctor', '--rebuild')}`."
    )


def _same(client: MlflowClient, name: str, digest: str, location: str) -> Iterator[ModelVersion]:
    """Yield the versions that are the same model at the same place, the newest first."""
    versions = sorted(_versions(client, f"name = '{name}'"), key=lambda each: -int(each.version))
    for each in versions:
        if each.tags.get(DIGEST_TAG) == digest and each.source == location:
            yield each


def _versions(client: MlflowClient, condition: str | None) -> Iterator[ModelVersion]:
    """Return the versions found by MLflow, over all pages."""
    return over_pages(partial(client.search_model_versions, condition))


def _create(
    client: MlflowClient, logged: LoggedModel, name: str, *, digest: str, sweep_id: str
) -> ModelVersion:
    """Make a version of a logged model.

    Its source is where the files are: a source ``models:/…`` would be looked up in the database
    that MLFLOW_TRACKING_URI names.
    """
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    return client.create_model_version(
        name,
        logged.artifact_location,
        run_id=logged.source_run_id,
        model_id=logged.model_id,
        tags={DIGEST_TAG: digest, SWEEP_TAG: sweep_id},
    )
