"""A Trial: one point of a search space, with its outcome."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sweepmark.scores.scorecard import Majority

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
        "reused": every evaluation existed before the sweep began.
    reason : str or None
        Why it failed: "error", "killed", "timeout", "memory", "nan" or "data".
    message : str
        One line on the failure; empty otherwise.
    params : mapping of str to value
        The swept parameters by full name, such as ``classifier.C``.
    metrics : mapping of str to float
        The merged Scorecard's.
    keys : tuple of str
        The keys of its evaluations, in order.
    n_train, n_test : int
        Training and scored rows; 0 if it failed.
    positive : str or None
        Name of the positive one of two classes, to which precision, recall, F1, ROC AUC, average
        precision and a threshold refer. None for more classes.
    n_positive : int
        Training rows of the positive class.
    majority : Majority or None
        The most frequent class of the scored rows; None if it failed.
    is_constant : bool
        Whether it took all rows, of several classes, for one.
    fit_seconds, predict_seconds : float
        Sums over its evaluations; those of the original for a reused trial.
    attempts : int
        Maximum number of attempts of any of its evaluations.
    started, ended : float
        Seconds since the epoch.
    run_id : str
        The MLflow run; empty without tracking.
    reused_from : str or None
        ``sweep_id/number`` of the trial that computed it.
    warnings : tuple of str
        Warnings of the libraries.
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
    majority: Majority | None = None
    is_constant: bool = False
    fit_seconds: float = 0.0
    predict_seconds: float = 0.0
    attempts: int = 1
    started: float = 0.0
    ended: float = 0.0
    run_id: str = ""
    reused_from: str | None = None
    warnings: tuple[str, ...] = ()
