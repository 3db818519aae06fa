"""The SweepResult: the state of a sweep, read from its journal and evaluations.

Tables, grades, JSON and MLflow's parent run are all derived from it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from sweepmark.config.folders import EXPERIMENT
from sweepmark.errors import StoreError
from sweepmark.report import grade as grading
from sweepmark.report.cautions import (
    Caution,
    experiment_cautions,
    one_class_cautions,
    positive_cautions,
    search_cautions,
    trial_cautions,
    with_common,
)
from sweepmark.report.leaderboard import best, edge_warnings, headline
from sweepmark.report.replay import read_sweep
from sweepmark.report.trials import build_trial, read_trials
from sweepmark.scores import published
from sweepmark.search.space import Choice

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sweepmark.scores.scorecard import Scorecard
    from sweepmark.search.blueprint import Blueprint
    from sweepmark.search.trial import Trial
    from sweepmark.store import Entry, History, Holdings, Store

__all__ = ["SweepResult", "read_result"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepResult:
    """The result of a sweep or a single run, complete or not.

    Attributes
    ----------
    sweep_id : str
        Its id.
    blueprint : Blueprint
        The configuration of the sweep.
    holdings : Holdings
        Its evaluations.
    state : {"complete", "interrupted"}
        Whether it was completed.
    trials : tuple of Trial
        In order; for sweeps without objective, with accuracy_common if test sets differ.
    chosen : Trial or None
        The best by the objective; None without objective.
    headline : Trial or None
        The representative trial: the chosen one or, without objective, the one with most training
        rows.
    test : Trial or None
        The headline's recipe as scored on the test part, once.
    test_set : str
        SHA-256 of the test rows of ``test``; empty if there is none.
    grade : Grade or None
        By the configuration's bands.
    cautions : tuple of Caution
        Caveats about the result.
    stopped_by : {"timeout", "target"} or None
        The budget that ended it early; None if it was completed or is not over.
    published_metrics : mapping of int to tuple of PublishedMetric
        Published metrics beside ours, by trial number, for trials that are published experiments.
    """

    sweep_id: str
    blueprint: Blueprint
    holdings: Holdings
    state: Literal["complete", "interrupted"]
    trials: tuple[Trial, ...]
    chosen: Trial | None
    headline: Trial | None
    test: Trial | None
    test_set: str
    grade: grading.Grade | None
    cautions: tuple[Caution, ...]
    stopped_by: str | None = None
    published_metrics: Mapping[int, tuple[published.PublishedMetric, ...]] = field(
        default_factory=dict
    )

    @property
    def n_failed(self) -> int:
        """Number of failed trials."""
        return sum(trial.status == "failed" for trial in self.trials)

    @property
    def is_short(self) -> bool:
        """Whether a trial or the final test failed."""
        return any(caution.kind == "failed" for caution in self.cautions)

    @property
    def n_reused(self) -> int:
        """Number of trials whose evaluations existed before."""
        return sum(trial.status == "reused" for trial in self.trials)


def read_result(
    store: Store,
    sweep_id: str,
    *,
    run_ids: Mapping[int, str] | None = None,
    with_losses: bool = False,
) -> SweepResult:
    """Read a sweep's result, without computing or writing anything.

    Parameters
    ----------
    store : Store
        The store that contains it.
    sweep_id : str
        Its full id.
    run_ids : mapping of int to str, optional
        MLflow's runs by trial number.
    with_losses : bool
        Whether to read it although evaluations are missing or damaged; cautions name each one.

    Raises
    ------
    NotFoundError
        If there is no such sweep.
    StoreError
        If one of its evaluations is missing or damaged, unless ``with_losses``.
    """
    history, blueprint = read_sweep(store, sweep_id)
    holdings = store.holdings(sweep_id, history, blueprint.requests)
    losses: list[Caution] | None = [] if with_losses else None
    trials, cards = read_trials(history, holdings, run_ids=run_ids or {}, losses=losses)
    cautions = [Caution(entry["kind"], entry["message"]) for entry in history.warnings]
    cautions += search_cautions(blueprint)
    objective = blueprint.sweep.objective
    if objective is None:
        trials, common = with_common(trials, cards, blueprint)
        cautions += common
        chosen, lead = None, headline(trials)
        card = None if lead is None else cards.get(lead.number)
        test = None if card is None else lead
    else:
        chosen = best(trials, objective, blueprint.direction)
        if losses and history.final is not None:  # the choice was made when all were there
            number = history.final["number"]
            chosen = next((trial for trial in trials if trial.number == number), chosen)
        lead = chosen
        test, card = _final(history, chosen, holdings, losses)
        axes = {
            axis.name: axis.values
            for axis in blueprint.space.all_axes()
            if isinstance(axis, Choice)
        }
        edges = edge_warnings(chosen, axes) if chosen is not None else []
        cautions += [Caution("edge", message) for message in edges]
        cautions += _final_cautions(history, chosen)
    published_metrics = _published_metrics(trials, blueprint)
    if published_metrics:
        cautions += experiment_cautions(blueprint, history.opened["data"])
    cautions += positive_cautions(trials, blueprint)
    cautions += losses or []
    cautions += one_class_cautions(trials, blueprint)
    return SweepResult(
        sweep_id=sweep_id,
        blueprint=blueprint,
        holdings=holdings,
        state="complete" if history.is_complete else "interrupted",
        trials=tuple(trials),
        chosen=chosen,
        headline=lead,
        test=test,
        test_set="" if card is None else _test_set(card),
        grade=_grade(test, blueprint),
        cautions=(*cautions, *trial_cautions(trials)),
        stopped_by=_stopped_by(history),
        published_metrics=published_metrics,
    )


def _published_metrics(
    trials: Sequence[Trial], blueprint: Blueprint
) -> dict[int, tuple[published.PublishedMetric, ...]]:
    """Return the published metrics of the trials that are published experiments."""
    is_swept = any(axis.name == EXPERIMENT for axis in blueprint.space.axes)
    if not is_swept and blueprint.config.experiment is None:
        return {}
    found = {}
    for trial in trials:
        experiment = blueprint.config_at(dict(trial.params)).experiment
        if experiment is not None and trial.status != "failed":
            found[trial.number] = tuple(published.compare(experiment, trial.metrics))
    return found


def _stopped_by(history: History) -> str | None:
    why = history.stop["why"] if history.stop is not None and history.is_complete else None
    return why if why in {"timeout", "target"} else None


def _final(
    history: History, chosen: Trial | None, holdings: Holdings, losses: list[Caution] | None
) -> tuple[Trial | None, Scorecard | None]:
    """Return the chosen recipe's final test."""
    entry = _final_entry(history, chosen)
    if entry is None or chosen is None or entry["key"] is None:
        return None, None
    try:
        card = holdings.scorecard(entry["key"])
    except StoreError as error:
        if losses is None:
            raise
        losses.append(Caution("lost", f"the final test has no figures: {error}"))
        return None, None
    outcome = {
        "status": "complete",
        "reason": None,
        "message": "",
        "keys": [entry["key"]],
        "attempts": 1,
        "started": entry["started"],
        "ended": entry["ended"],
        "reused_from": None,
    }
    trial = build_trial(chosen.number, chosen.params, outcome, card)
    return replace(trial, run_id=chosen.run_id), card


def _final_entry(history: History, chosen: Trial | None) -> Entry | None:
    """Return the journal's entry on the final test; None if it is of another recipe."""
    entry = history.final
    return entry if entry and chosen and entry["number"] == chosen.number else None


def _final_cautions(history: History, chosen: Trial | None) -> list[Caution]:
    entry = _final_entry(history, chosen)
    if entry is None or entry["key"] is not None:
        return []
    message = "the chosen recipe could not be fitted and scored on the test part: "
    return [Caution("failed", message + entry["message"])]


def _test_set(card: Scorecard) -> str:
    scored = card.predictions
    return hashlib.sha256(scored.rows.tobytes() + scored.y_true.tobytes()).hexdigest()


def _grade(test: Trial | None, blueprint: Blueprint) -> grading.Grade | None:
    if test is None:
        return None
    rule = blueprint.grade_at(dict(test.params))
    if not rule.bands or rule.metric not in test.metrics:
        return None
    return grading.grade(test.metrics[rule.metric], test.n_test, rule, positive=test.positive)
