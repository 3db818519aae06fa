"""Failpoints: named places between two writes where a test can kill the program (SIGKILL).

``SWEEPMARK_KILL_AT=journal.outcome:3`` kills the process when it passes that failpoint for the
third time; without a number, for the first time. ``tests/faults`` kills at each of them and
resumes. Nothing else depends on them; if the variable is not set, a failpoint costs a microsecond.
"""

from __future__ import annotations

import os
import signal
from collections import Counter

__all__ = ["FAILPOINTS", "failpoint"]

_EVENTS = ("opened", "trial", "evaluation", "outcome", "final", "stop", "resumed")

FAILPOINTS = (
    "lock.taken",
    "file.written",
    *(f"journal.{event}{done}" for event in _EVENTS for done in ("", ".done")),
    "evaluation.written",
    "evaluation.renamed",
    "database.migrated",
    "database.named",
    "tracker.parent",
    "tracker.parent.created",
    "tracker.parent.opened",
    "tracker.trial",
    "tracker.trial.created",
    "tracker.artifacts",
    "tracker.trial.written",
    "tracker.trial.ended",
    "tracker.model.created",
    "tracker.model.written",
    "tracker.closing",
    "tracker.closing.written",
    "tracker.closed",
    "ledger.study",
    "ledger.trial",
    "ledger.trial.done",
    "forget.run",
    "forget.study",
    "forget.evaluation",
    "forget.evaluations",
    "forget.journal",
    "restore.unpacked",
    "restore.evaluation",
    "restore.journal",
)
"""All failpoints by package."""

_VARIABLE = "SWEEPMARK_KILL_AT"
_passed: Counter[str] = Counter()


def failpoint(name: str) -> None:
    """Pass a failpoint; kill the process if ``SWEEPMARK_KILL_AT`` says so."""
    wanted, _, passing = os.environ.get(_VARIABLE, "").partition(":")
    if name == wanted:
        _passed[name] += 1
        if _passed[name] == int(passing or 1):
            os.kill(os.getpid(), signal.SIGKILL)
