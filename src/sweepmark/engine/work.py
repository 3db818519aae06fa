"""The default work of engines; importing this module imports all that evaluations need.

A worker imports it at its start, so that the time is not counted in the first evaluation.
"""

from __future__ import annotations

import importlib
import resource
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from sweepmark import cache
from sweepmark.evaluation.evaluate import evaluate

if TYPE_CHECKING:
    from sweepmark.engine.job import Job
    from sweepmark.scores.scorecard import Scorecard

__all__ = ["evaluate_job", "probe_job"]

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


def probe_job(job: Job) -> Scorecard:
    """Evaluate as :func:`evaluate_job`, with the memory that it took in ``work``.

    ``peak_bytes`` is the maximum resident memory of this process so far, ``cache_bytes`` the size
    of the cache. The cache is emptied first unless the job's rows are those of the last one, so
    that no probe shares the work of a smaller one.
    """
    rows = job.specification.rows_key
    if _last_rows != [rows]:
        cache.configure(memory=0)
        _last_rows[:] = [rows]
    card = evaluate_job(job)
    used = {"peak_bytes": _peak_bytes(), "cache_bytes": cache.statistics().n_bytes}
    return replace(card, work={**card.work, **used})


_last_rows: list[str] = []


def _peak_bytes() -> int:
    """Return the maximum resident memory so far; Linux counts it in KiB, macOS in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
