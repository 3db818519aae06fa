"""The SweepResult: the state of a sweep, read from its journal and evaluations.

Tables, grades, JSON and MLflow's parent run are all derived from it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from sweepmark.config.folders import EXPERIMENT
from sweepmark.report import grade as grading
from sweepmark.report.cautions import (
    Caution,
    experiment_cautions,
    positive_cautions,
    search_cautions,
    trial_cautions,
    with_common,
)
from sweepmark.report.leaderboard import best, edge_warnings, headline
from sweepmark.report.replay import read_sweep
from sweepmark.scores import published
from sweepmark.scores.merging import merge_trial
from sweepmark.scores.metric_names import ACCURACY
from sweepmark.search.space import Choice
from sweepmark.search.trial import Trial

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sweepmark.scores.scorecard import Scorecard
    from sweepmark.search.blueprint import Blueprint
    from sweepmark.store import Entry, History, Holdings, Store

__all__ = ["SweepResult", "build_trial", "merged", "read_result"]


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


def merged(keys: Sequence[str], holdings: Holdings) -> Scorecard:
    """Return the Scorecard of a trial from those of its evaluations."""
    return merge_trial([holdings.scorecard(key) for key in keys])


def build_trial(
    number: int, params: Mapping[str, object], outcome: Entry, card: Scorecard | None
) -> Trial:
    """Return a finished trial from its journal entry and its Scorecard (None if it failed)."""
    trial = Trial(
        number=number,
        status=outcome["status"],
        reason=outcome["reason"],
        message=outcome["message"],
        params=dict(params),
        keys=tuple(outcome["keys"]),
        attempts=outcome["attempts"],
        started=outcome["started"],
        ended=outcome["ended"],
        reused_from=outcome["reused_from"],
    )
    if card is None:
        return trial
    return replace(
        trial,
        metrics=dict(card.metrics),
        n_train=card.n_train,
        n_test=card.n_test,
        positive=card.positive_name,
        n_positive=card.n_positive,
        fit_seconds=card.fit_seconds,
        predict_seconds=card.predict_seconds,
        warnings=card.warnings,
    )


def read_result(
    store: Store, sweep_id: str, *, run_ids: Mapping[int, str] | None = None
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

    Raises
    ------
    NotFoundError
        If there is no such sweep.
    StoreError
        If one of its evaluations is missing or damaged.
    """
    history, blueprint = read_sweep(store, sweep_id)
    holdings = store.holdings(sweep_id, history, blueprint.requests)
    trials, cards = _read_trials(history, holdings, run_ids=run_ids or {})
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
        chosen = lead = best(trials, objective, blueprint.direction)
        test, card = _final(history, chosen, holdings)
        axes = {
            axis.name: axis.values
            for axis in blueprint.space.all_axes()
            if isinstance(axis, Choice)
        }
        edges = edge_warnings(chosen, axes) if chosen is not None else []
        cautions += [Caution("edge", message) for message in edges]
        cautions += _final_cautions(history, chosen)
    published_metrics = _published_metrics(trials, blueprint)
    cautions += experiment_cautions(blueprint) if published_metrics else []
    cautions += positive_cautions(trials, blueprint)
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


def _read_trials(
    history: History,
    holdings: Holdings,
    *,
    run_ids: Mapping[int, str],
) -> tuple[list[Trial], dict[int, Scorecard]]:
    """Return the trials, and by number the Scorecards of those scored on the test part."""
    trials: list[Trial] = []
    cards: dict[int, Scorecard] = {}
    for number, outcome in sorted(history.outcomes.items()):
        card = None
        if outcome["status"] != "failed":
            card = merged(outcome["keys"], holdings)
            if ACCURACY in card.metrics:
                cards[number] = card
        trial = build_trial(number, history.params[number], outcome, card)
        trials.append(replace(trial, run_id=run_ids.get(number, "")))
    return trials, cards


def _final(
    history: History, chosen: Trial | None, holdings: Holdings
) -> tuple[Trial | None, Scorecard | None]:
    """Return the chosen recipe's final test."""
    entry = _final_entry(history, chosen)
    if entry is None or chosen is None or entry["key"] is None:
        return None, None
    card = holdings.scorecard(entry["key"])
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
    rule = blueprint.config.grade
    if test is None or not rule.bands or rule.metric not in test.metrics:
        return None
    return grading.grade(test.metrics[rule.metric], test.n_test, rule, positive=test.positive)
