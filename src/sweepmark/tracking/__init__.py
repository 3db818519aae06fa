"""Tracking: the records of sweeps and trials, delivered to MLflow or kept in memory."""

from __future__ import annotations

from sweepmark.tracking.interface import Tracker
from sweepmark.tracking.memory import MemoryTracker
from sweepmark.tracking.mlflow import MlflowTracker
from sweepmark.tracking.server import free_port, server_command

__all__ = ["MemoryTracker", "MlflowTracker", "Tracker", "free_port", "server_command"]
