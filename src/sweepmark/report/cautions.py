"""Cautions: caveats about the metrics of a sweep."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sweepmark.config.dataset import dataset_identity
from sweepmark.config.folders import EXPERIMENT
from sweepmark.config.tree import TARGET
from sweepmark.data import published_digest
from sweepmark.scores.metric_names import ACCURACY_COMMON
from sweepmark.scores.scorecard import accuracy_on, common_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sweepmark.config.schema import TaskConfig
    from sweepmark.scores.scorecard import Scorecard
    from sweepmark.search.blueprint import Blueprint
    from sweepmark.search.trial import Trial

__all__ = [
    "Caution",
    "experiment_cautions",
    "one_class_cautions",
    "positive_cautions",
    "search_cautions",
    "trial_cautions",
    "with_common",
]

_OF_DATA = {"dataset", EXPERIMENT}
_OF_ROWS = {"dataset", "split", "task", EXPERIMENT}
_BASELINE = "sklearn.dummy.DummyClassifier"
_MOST_NUMBERS = 8
_SEEDS = {"seed", "random_state"}
_OF_TASK = {"task", EXPERIMENT}
_BESIDE = {EXPERIMENT, "engine", "grade", "plan", "sampler", "sweep", "tracking"}
"""Keys that may be overridden without changing the experiment."""
_PLACE = re.compile(r"[+~]*dataset\.(path|test_path|sources)\b")
"""Overrides that say where the files of a data set are."""


@dataclass(frozen=True, slots=True)
class Caution:
    """A caveat about the metrics of a sweep.

    Attributes
    ----------
    kind : str
        "edge", "test_sets", "seed_searched", "experiment", "positive_class", "one_class",
        "not_reproducible", "damaged", "identifier", "lost", "fit" or "failed".
    message : str
        One sentence.
    """

    kind: str
    message: str


def search_cautions(blueprint: Blueprint) -> list[Caution]:
    """Return cautions if a sweep varies something across which its objective is not comparable."""
    if blueprint.sweep.objective is None:
        return []
    names = [axis.name for axis in blueprint.space.all_axes() if not axis.is_single]
    seeds = [name for name in names if _is_seed(name.rpartition(".")[2])]
    rows = [name for name in names if name.partition(".")[0] in _OF_ROWS and name not in seeds]
    cautions = []
    if seeds:
        cautions.append(
            Caution(
                "seed_searched",
                f"{', '.join(seeds)}: a seed is no hyperparameter; the luckiest one is chosen, and "
                f"{blueprint.sweep.objective} looks better than it is. Take one seed, or "
                "sweep.objective=null to see how much the seeds differ",
            )
        )
    if rows:
        cautions.append(
            Caution(
                "test_sets",
                f"{', '.join(rows)}: the trials are not scored on the same rows, so that "
                f"{blueprint.sweep.objective} does not compare them like with like",
            )
        )
    return cautions


def _is_seed(parameter: str) -> bool:
    return parameter in _SEEDS or parameter.endswith("_seed")


def experiment_cautions(blueprint: Blueprint, digests: Mapping[str, str]) -> list[Caution]:
    """Return a caution if overrides changed a published experiment.

    Parameters
    ----------
    blueprint : Blueprint
        What was asked for.
    digests : mapping of str to str
        Those of the data that were used, by the identity of their configuration. The published data
        are no change, wherever they lie.
    """
    dataset = blueprint.config.dataset
    used = digests.get(dataset_identity(dataset))
    is_published = used is not None and used == published_digest(dataset)
    words = [
        word
        for word in blueprint.overrides
        if _key(word) not in _BESIDE and not (is_published and _PLACE.match(word))
    ]
    swept = [axis.name for axis in blueprint.space.axes if axis.name != EXPERIMENT]
    if not words and not swept:
        return []
    changes = ", ".join([*words, *(f"sweep.space.{name}" for name in swept)])
    message = f"not as published ({changes}): its figures do not compare with the published ones"
    return [Caution("experiment", message)]


def positive_cautions(trials: Sequence[Trial], blueprint: Blueprint) -> list[Caution]:
    """Return a caution if the positive class is a default and has most of the training rows."""
    found: dict[str, Trial] = {}
    for trial in trials:
        most = 2 * trial.n_positive > trial.n_train
        if trial.positive is not None and most and _task(trial, blueprint).positive is None:
            found.setdefault(trial.positive, trial)
    return [
        Caution(
            "positive_class",
            f"{name} counts as positive because it sorts second, and {trial.n_positive:,} of "
            f"{trial.n_train:,} training rows are of it: precision, recall, f1, roc_auc, "
            "average_precision and thresholds are those of the majority. Set task.positive=… to "
            "the label that is looked for (or to this one)",
        )
        for name, trial in found.items()
    ]


def one_class_cautions(trials: Sequence[Trial], blueprint: Blueprint) -> list[Caution]:
    """Return a caution if classifiers, other than baselines, took every row for one class."""
    numbers = [
        str(trial.number)
        for trial in trials
        if trial.is_constant
        and blueprint.config_at(dict(trial.params)).classifier.get(TARGET) != _BASELINE
    ]
    if not numbers:
        return []
    shown = ", ".join(numbers[:_MOST_NUMBERS]) + (", …" if len(numbers) > _MOST_NUMBERS else "")
    who = f"{len(numbers)} trials ({shown})" if len(numbers) > 1 else f"trial {shown}"
    message = (
        f"{'the classifier' if blueprint.is_run else who} took every row for one class: accuracy "
        "is then the share of that class, and nothing was learnt"
    )
    return [Caution("one_class", message)]


def _task(trial: Trial, blueprint: Blueprint) -> TaskConfig:
    """Return the group ``task`` of a trial."""
    if any(axis.name.partition(".")[0] in _OF_TASK for axis in blueprint.space.all_axes()):
        return blueprint.config_at(dict(trial.params)).task
    return blueprint.config.task


def _key(override: str) -> str:
    return override.lstrip("+~").partition("=")[0].partition(".")[0]


def with_common(
    trials: list[Trial], cards: Mapping[int, Scorecard], blueprint: Blueprint
) -> tuple[list[Trial], list[Caution]]:
    """Add accuracy_common to trials that were scored on different rows of one data set."""
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
    """Return whether trials are of different data sets, so that row numbers are not comparable."""
    if not any(axis.name.partition(".")[0] in _OF_DATA for axis in blueprint.space.axes):
        return False
    datasets = [blueprint.config_at(dict(trial.params)).dataset for trial in trials]
    return len({(dataset.name, dataset.path) for dataset in datasets}) > 1


def trial_cautions(trials: Sequence[Trial]) -> list[Caution]:
    """Return cautions on failed trials, and on warnings of libraries."""
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
