"""Tracking: the records of sweeps and trials, written to MLflow or kept in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweepmark.config.registry import TRACKERS
from sweepmark.tracking.environment import own_environment, unused_variables
from sweepmark.tracking.existing_runs import RunState, count_others, run_states
from sweepmark.tracking.interface import Tracker
from sweepmark.tracking.location import (
    is_moved,
    kept_databases,
    mlflow_database,
    noted_location,
    set_aside,
)
from sweepmark.tracking.memory import MemoryTracker
from sweepmark.tracking.mlflow import MlflowTracker
from sweepmark.tracking.registry import (
    Candidate,
    Version,
    check_alias,
    check_name,
    register,
    registered,
)
from sweepmark.tracking.removal import remove_runs, run_folders
from sweepmark.tracking.server import (
    free_port,
    runs_page,
    start_server,
    stop_server,
    wait_until_up,
)

if TYPE_CHECKING:
    from pathlib import Path

    from sweepmark.config.schema import TrackingConfig

__all__ = [
    "Candidate",
    "MemoryTracker",
    "MlflowTracker",
    "RunState",
    "Tracker",
    "Version",
    "check_alias",
    "check_name",
    "count_others",
    "create_tracker",
    "free_port",
    "is_moved",
    "is_tracked",
    "kept_databases",
    "mlflow_database",
    "noted_location",
    "own_environment",
    "register",
    "registered",
    "remove_runs",
    "run_folders",
    "run_states",
    "runs_page",
    "set_aside",
    "start_server",
    "stop_server",
    "unused_variables",
    "wait_until_up",
]


def create_tracker(config: TrackingConfig, *, store: Path) -> Tracker:
    """Return the tracker of a configuration, which writes into a store's folder."""
    tracker: Tracker = TRACKERS.find(config.name).create(config, store=store)
    return tracker


def is_tracked(config: TrackingConfig) -> bool:
    """Return whether a configuration's tracker keeps the runs that it is given."""
    return bool(TRACKERS.find(config.name).is_kept)
