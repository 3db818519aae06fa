"""Cautions: what a reader of a sweep's figures has to know."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sweepmark.config.folders import EXPERIMENT
from sweepmark.metrics import ACCURACY_COMMON
from sweepmark.scorecard import accuracy_on, common_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sweepmark.blueprint import Blueprint
    from sweepmark.scorecard import Scorecard
    from sweepmark.trial import Trial

__all__ = ["Caution", "experiment_cautions", "trial_cautions", "with_common"]

_OF_DATA = {"dataset", EXPERIMENT}
_BESIDE = {EXPERIMENT, "engine", "grade", "sampler", "sweep", "tracking"}
"""What may be overridden without making it another experiment."""


@dataclass(frozen=True, slots=True)
class Caution:
    """Something a reader of the figures has to know.

    Attributes
    ----------
    kind : str
        "edge", "test_sets", "experiment", "not_reproducible", "fit" or "failed".
    message : str
        One sentence.
    """

    kind: str
    message: str


def experiment_cautions(blueprint: Blueprint) -> list[Caution]:
    """Return a caution where what is run is not the published experiment any more."""
    words = [word for word in blueprint.overrides if _key(word) not in _BESIDE]
    swept = [axis.name for axis in blueprint.space.axes if axis.name != EXPERIMENT]
    if not words and not swept:
        return []
    changes = ", ".join([*words, *(f"sweep.space.{name}" for name in swept)])
    message = f"not as published ({changes}): its figures do not compare with the published ones"
    return [Caution("experiment", message)]


def _key(override: str) -> str:
    return override.lstrip("+~").partition("=")[0].partition(".")[0]


def with_common(
    trials: list[Trial], cards: Mapping[int, Scorecard], blueprint: Blueprint
) -> tuple[list[Trial], list[Caution]]:
    """Add accuracy_common where trials were scored on different rows of one data set."""
    if _has_datasets(trials, blueprint):
        message = "the trials are of different data sets: their accuracies do not compare"
        return trials, [Caution("test_sets", message)]
    if len({card.predictions.rows.tobytes() for card in cards.values()}) <= 1:
        return trials, []
    rows = common_rows(list(cards.values()))
    if not rows.size:
        message = "the trials' test sets have no row in common: their accuracies do not compare"
        return trials, [Caution("test_sets", message)]
    with_common = [
        replace(
            trial,
            metrics={
                **trial.metrics,
                ACCURACY_COMMON: accuracy_on(cards[trial.number], rows),
            },
        )
        if trial.number in cards
        else trial
        for trial in trials
    ]
    message = (
        f"the trials have different test sets, so their accuracies do not compare; "
        f"{ACCURACY_COMMON} scores every model on the {len(rows):,} test rows they share"
    )
    return with_common, [Caution("test_sets", message)]


def _has_datasets(trials: Sequence[Trial], blueprint: Blueprint) -> bool:
    """Tell whether trials are of different data sets: equal row numbers mean nothing then."""
    if not any(axis.name.partition(".")[0] in _OF_DATA for axis in blueprint.space.axes):
        return False
    datasets = [blueprint.config_at(dict(trial.params)).dataset for trial in trials]
    return len({(dataset.name, dataset.path) for dataset in datasets}) > 1


def trial_cautions(trials: Sequence[Trial]) -> list[Caution]:
    """Return what went wrong in trials, and what libraries warned of."""
    cautions = [
        Caution("failed", f"trial {trial.number} failed ({trial.reason}): {trial.message}")
        for trial in trials
        if trial.status == "failed"
    ]
    counts = Counter(text for trial in trials for text in trial.warnings)
    cautions += [
        Caution("fit", f"{text} (in {count} of {len(trials)} trials)")
        for text, count in counts.items()
    ]
    return cautions
