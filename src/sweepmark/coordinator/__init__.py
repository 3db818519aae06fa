"""The coordinator: one per sweep, and the only writer of its journal, study and runs."""

from __future__ import annotations

from sweepmark.coordinator.launch import launch, resume
from sweepmark.coordinator.options import LaunchOptions
from sweepmark.coordinator.progress import Progress, create_progress
from sweepmark.coordinator.rebuild import mend_moved, rebuild

__all__ = [
    "LaunchOptions",
    "Progress",
    "create_progress",
    "launch",
    "mend_moved",
    "rebuild",
    "resume",
]
