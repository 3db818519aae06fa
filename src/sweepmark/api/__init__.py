"""What ``import sweepmark`` gives: what the command does, as functions and objects of Python.

``evaluate`` and ``sweep`` compose a configuration as the command line does, run it by the same
coordinator into the same store and MLflow, and raise the command's errors
(:mod:`sweepmark.errors`). ``open`` reads a store.
"""

from __future__ import annotations

from sweepmark.api.datasets import load_dataset
from sweepmark.api.launching import evaluate, resume, sweep
from sweepmark.api.scorecards import Scorecard
from sweepmark.api.sweeps import Store, Sweep, open  # noqa: A004 -- sweepmark.open

__all__ = ["Scorecard", "Store", "Sweep", "evaluate", "load_dataset", "open", "resume", "sweep"]
