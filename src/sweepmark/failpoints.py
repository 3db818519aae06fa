"""Named places between two writes, at which a test can have the program die as by ``kill -9``.

``SWEEPMARK_KILL_AT=journal.outcome:3`` kills the process when it passes that step for the third
time; without a number, the first. ``tests/faults`` dies at each of them and resumes. Nothing else
depends on them, and unset they cost a microsecond.
"""

from __future__ import annotations

import os
import signal
from collections import Counter

__all__ = ["STEPS", "step"]

_EVENTS = ("opened", "trial", "evaluation", "outcome", "final", "stop", "resumed")

STEPS = (
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
    "tracker.trial.artifacts",
    "tracker.trial.rows",
    "tracker.trial.created",
    "tracker.trial.written",
    "tracker.model.created",
    "tracker.model.written",
    "tracker.closing",
    "tracker.closing.written",
    "tracker.closed",
    "ledger.study",
    "ledger.trial",
    "ledger.trial.done",
)
"""Every step, by the room that passes it. ``tracker.trial.created`` and ``.written`` lie on the way
through MLflow's client, which a single run takes because of its model; ``tracker.trial.artifacts``
on the way past it.
"""

_VARIABLE = "SWEEPMARK_KILL_AT"
_passed: Counter[str] = Counter()


def step(name: str) -> None:
    """Pass a step; dies there if a test wants it."""
    wanted, _, passing = os.environ.get(_VARIABLE, "").partition(":")
    if name == wanted:
        _passed[name] += 1
        if _passed[name] == int(passing or 1):
            os.kill(os.getpid(), signal.SIGKILL)
