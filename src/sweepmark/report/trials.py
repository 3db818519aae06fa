"""Trials of a sweep, from its journal's outcomes and the Scorecards of their evaluations."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sweepmark.errors import StoreError
from sweepmark.report.cautions import Caution
from sweepmark.scores.merging import merge_trial
from sweepmark.scores.metric_names import ACCURACY
from sweepmark.search.trial import Trial

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sweepmark.scores.scorecard import Scorecard
    from sweepmark.store import Entry, History, Holdings

__all__ = ["build_trial", "merged", "read_trials"]


def merged(keys: Sequence[str], holdings: Holdings) -> Scorecard:
    """Return the Scorecard of a trial from those of its evaluations."""
    return merge_trial([holdings.scorecard(key) for key in keys])


def build_trial(
    number: int, params: Mapping[str, object], outcome: Entry, card: Scorecard | None
) -> Trial:
    """Return a finished trial from its journal entry and its Scorecard.

    The Scorecard is None if the trial failed or its result is lost.
    """
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
        majority=card.majority,
        is_constant=bool(card.is_constant),
        fit_seconds=card.fit_seconds,
        predict_seconds=card.predict_seconds,
        warnings=card.warnings,
    )


def read_trials(
    history: History,
    holdings: Holdings,
    *,
    run_ids: Mapping[int, str],
    losses: list[Caution] | None = None,
) -> tuple[list[Trial], dict[int, Scorecard]]:
    """Return the trials, and by number the Scorecards of those scored on the test part.

    Parameters
    ----------
    history : History
        The content of the sweep's journal.
    holdings : Holdings
        Its evaluations.
    run_ids : mapping of int to str
        MLflow's runs by trial number.
    losses : list of Caution or None
        Receives a caution for each trial with a lost evaluation, which is returned without metrics.

    Raises
    ------
    StoreError
        If an evaluation is lost and ``losses`` is None.
    """
    trials: list[Trial] = []
    cards: dict[int, Scorecard] = {}
    for number, outcome in sorted(history.outcomes.items()):
        card = None
        if outcome["status"] != "failed":
            try:
                card = merged(outcome["keys"], holdings)
            except StoreError as error:
                if losses is None:
                    raise
                losses.append(Caution("lost", f"trial {number} has no figures: {error}"))
        if card is not None and ACCURACY in card.metrics:
            cards[number] = card
        trial = build_trial(number, history.params[number], outcome, card)
        trials.append(replace(trial, run_id=run_ids.get(number, "")))
    return trials, cards
