"""Tracking: the records of sweeps and trials, written to MLflow or kept in memory."""

from __future__ import annotations

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
from sweepmark.tracking.server import (
    free_port,
    runs_page,
    start_server,
    stop_server,
    wait_until_up,
)

__all__ = [
    "MemoryTracker",
    "MlflowTracker",
    "RunState",
    "Tracker",
    "count_others",
    "free_port",
    "is_moved",
    "kept_databases",
    "mlflow_database",
    "noted_location",
    "run_states",
    "runs_page",
    "set_aside",
    "start_server",
    "stop_server",
    "wait_until_up",
]
