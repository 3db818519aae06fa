"""Tracking: the records of sweeps and trials, written to MLflow or kept in memory."""

from __future__ import annotations

from sweepmark.tracking.inspection import RunState, mlflow_schema_problem, run_states
from sweepmark.tracking.interface import Tracker
from sweepmark.tracking.memory import MemoryTracker
from sweepmark.tracking.mlflow import MlflowTracker
from sweepmark.tracking.server import (
    free_port,
    runs_page,
    start_server,
    stop_server,
    wait_until_up,
)
from sweepmark.tracking.storage import mlflow_database

__all__ = [
    "MemoryTracker",
    "MlflowTracker",
    "RunState",
    "Tracker",
    "free_port",
    "mlflow_database",
    "mlflow_schema_problem",
    "run_states",
    "runs_page",
    "start_server",
    "stop_server",
    "wait_until_up",
]
