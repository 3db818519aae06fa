"""The coordinator: one per sweep, and the only writer of its journal, study and runs."""

from __future__ import annotations

from sweepmark.coordinator.archiving import DataNote, archive, restore
from sweepmark.coordinator.forgetting import Loss, find_forgettable, forget, survey
from sweepmark.coordinator.launch import launch, resume
from sweepmark.coordinator.options import LaunchOptions
from sweepmark.coordinator.progress import Progress, create_progress
from sweepmark.coordinator.rebuild import mend_moved, rebuild

__all__ = [
    "DataNote",
    "LaunchOptions",
    "Loss",
    "Progress",
    "archive",
    "create_progress",
    "find_forgettable",
    "forget",
    "launch",
    "mend_moved",
    "rebuild",
    "restore",
    "resume",
    "survey",
]
