"""MLflow's environment variables: those of the user's other programs have no effect on a store."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sweepmark.tracking.location import mlflow_database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["OWN_VARIABLES", "is_of_mlflow", "own_environment", "unused_variables"]

OWN_VARIABLES = {
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    # A pooled connection would go on writing to a database that was moved away.
    "MLFLOW_SQLALCHEMYSTORE_POOLCLASS": "NullPool",
}
"""What MLflow is told by us."""

_PLACES = (
    "MLFLOW_TRACKING_URI",
    "MLFLOW_REGISTRY_URI",
    "MLFLOW_EXPERIMENT_NAME",
    "MLFLOW_EXPERIMENT_ID",
    "MLFLOW_RUN_ID",
)
"""Variables that say where a program's runs go."""


def is_of_mlflow(name: str) -> bool:
    """Return whether an environment variable is one of MLflow's that are not ours."""
    return name.startswith(("MLFLOW_", "_MLFLOW_")) and name not in OWN_VARIABLES


def unused_variables(store: Path) -> str | None:
    """Return a line on the variables that say where runs go, and are not used; None without any."""
    found = [name for name in _PLACES if os.environ.get(name)]
    if not found:
        return None
    return f"{', '.join(found)}: not used; runs go to {mlflow_database(store)}"


@contextmanager
def own_environment() -> Iterator[None]:
    """Hide the variables of MLflow within a ``with`` block.

    They change what is written (``MLFLOW_ENABLE_ASYNC_LOGGING``, ``MLFLOW_TRUNCATE_LONG_VALUES``,
    ``MLFLOW_ENABLE_WORKSPACES``) as well as where to. To be entered where no other thread starts
    programs.
    """
    theirs = {name: value for name, value in os.environ.items() if is_of_mlflow(name)}
    for name in theirs:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(theirs)
