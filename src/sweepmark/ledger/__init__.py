"""The Ledger: a sweep's trials as an Optuna study, for Optuna's own tools to read.

The study is derived from the journal. No decision depends on it, and a lost one is written again.
"""

from __future__ import annotations

from sweepmark.ledger.importances import importances
from sweepmark.ledger.interface import Ledger
from sweepmark.ledger.memory import MemoryLedger
from sweepmark.ledger.storage import (
    ledger_database,
    ledger_schema_problem,
    remove_study,
    study_sizes,
)
from sweepmark.ledger.study import OptunaLedger

__all__ = [
    "Ledger",
    "MemoryLedger",
    "OptunaLedger",
    "importances",
    "ledger_database",
    "ledger_schema_problem",
    "remove_study",
    "study_sizes",
]
