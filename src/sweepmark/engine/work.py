"""The default work of engines; importing this module imports all that evaluations need.

A worker imports it at its start, so that the time is not counted in the first evaluation.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from sweepmark import cache
from sweepmark.evaluation.evaluate import evaluate

if TYPE_CHECKING:
    from sweepmark.engine.job import Job
    from sweepmark.scores.scorecard import Scorecard

__all__ = ["evaluate_job"]

for _module in (
    "sklearn.compose",
    "sklearn.gaussian_process.kernels",
    "sklearn.metrics",
    "sklearn.model_selection",
    "sklearn.pipeline",
    "sklearn.svm",
    "sweepmark.svm",
):
    importlib.import_module(_module)


def evaluate_job(job: Job) -> Scorecard:
    """Evaluate the specification of a job, with the job's limit on the size of the cache."""
    cache.configure(memory=job.shared_memory)
    return evaluate(job.specification, keep_model=job.keep_model)
