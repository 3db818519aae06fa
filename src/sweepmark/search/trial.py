"""A Trial: one point of a space and what became of it, as everything downstream reads it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Status", "Trial"]

Status = Literal["complete", "reused", "failed", "pruned"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A finished trial.

    Attributes
    ----------
    number : int
        Position in the sweep, from 0.
    status : {"complete", "reused", "failed", "pruned"}
        "reused": every evaluation was there before the sweep began.
    reason : str or None
        Why it failed: "error", "killed", "timeout", "memory", "nan" or "data".
    message : str
        One line on the failure; empty otherwise.
    params : mapping of str to value
        The swept parameters by full name, such as ``classifier.C``.
    metrics : mapping of str to float
        The merged Scorecard's.
    keys : tuple of str
        The evaluations the trial is made of, in order.
    n_train, n_test : int
        Rows; 0 if it failed.
    positive : str or None
        What the positive of two classes is called: precision, recall, F1, ROC AUC, average
        precision and a threshold are of that one. None of more classes.
    n_positive : int
        Training rows that are of it.
    fit_seconds, predict_seconds : float
        Summed over its evaluations; a reused trial's are the original's.
    attempts : int
        How often its most-tried evaluation was started.
    started, ended : float
        Seconds since the epoch.
    run_id : str
        The MLflow run; empty where nothing is tracked.
    reused_from : str or None
        ``sweep_id/number`` of the trial that computed it.
    warnings : tuple of str
        What the libraries warned of.
    """

    number: int
    status: Status
    reason: str | None = None
    message: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    keys: tuple[str, ...] = ()
    n_train: int = 0
    n_test: int = 0
    positive: str | None = None
    n_positive: int = 0
    fit_seconds: float = 0.0
    predict_seconds: float = 0.0
    attempts: int = 1
    started: float = 0.0
    ended: float = 0.0
    run_id: str = ""
    reused_from: str | None = None
    warnings: tuple[str, ...] = ()
