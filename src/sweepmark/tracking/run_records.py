"""The records of runs in MLflow: pure functions of trials and results."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from sweepmark.config.dataset import PLACES
from sweepmark.config.tree import leaves
from sweepmark.config.values import show
from sweepmark.scores import metric_names
from sweepmark.scores.merging import mean_curves
from sweepmark.specification.models import code_files, requirements
from sweepmark.specification.task import answer_type
from sweepmark.terminal import redact
from sweepmark.tracking.records import MODEL_NAME, Artifact, DataInput, Metric, Model, Param, Tag
from sweepmark.tracking.trial_artifacts import trial_artifacts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sweepmark.config.schema import Config
    from sweepmark.data import Dataset
    from sweepmark.scores.published import PublishedMetric
    from sweepmark.scores.scorecard import Scorecard
    from sweepmark.search.trial import Trial
    from sweepmark.tracking.records import Record

__all__ = [
    "artifact_records",
    "configuration_records",
    "data_record",
    "model_record",
    "positive_records",
    "published_records",
    "short_name",
    "trial_records",
]

_LEFT_OUT = (*(f"dataset.{key}" for key in (*PLACES, "types")), "run.name", "sweep")


def short_name(params: Mapping[str, Any], fallback: str) -> str:
    """Return a run name made of its parameters.

    Examples
    --------
    >>> short_name({"classifier.C": 1.0, "classifier.gamma": "scale"}, "run")
    'C=1.0 gamma=scale'
    """
    parts = [f"{name.rpartition('.')[2]}={show(value)}" for name, value in params.items()]
    return " ".join(parts) or fallback


def configuration_records(
    tree: Mapping[str, Any], swept: Mapping[str, Any] | None = None
) -> list[Record]:
    """Return every resolved parameter of a configuration, by full name.

    Parameters
    ----------
    tree : mapping
        The resolved configuration.
    swept : mapping, optional
        A trial's parameters; those below a swept option have longer names.
    """
    parameters = {
        name: value for name, value in leaves(tree) if not name.startswith(_LEFT_OUT)
    } | dict(swept or {})
    return [Param(name, _public(value)) for name, value in parameters.items()]


def _public(value: Any) -> Any:
    """Return a value with the credentials of URLs removed."""
    return redact(value) if isinstance(value, str) else value


def data_record(dataset: Dataset, *, context: str, n_rows: int) -> DataInput:
    """Return a dataset input of a run."""
    return DataInput(
        name=dataset.name,
        digest=dataset.digest,
        context=context,
        source=redact(dataset.source),
        n_rows=n_rows,
        n_features=dataset.n_features,
    )


def trial_records(trial: Trial, cards: Sequence[Scorecard]) -> list[Record]:
    """Return a trial's metrics and identity.

    Parameters
    ----------
    trial : Trial
        The trial.
    cards : sequence of Scorecard
        The Scorecards of its evaluations: those of the folds, if there are several.
    """
    records: list[Record] = [
        Tag("sweepmark.status", trial.status),
        Tag("sweepmark.report.keys", " ".join(trial.keys)),
        Tag("sweepmark.attempts", str(trial.attempts)),
    ]
    if trial.reason:
        records += [Tag("sweepmark.reason", trial.reason), Tag("sweepmark.error", trial.message)]
    if trial.reused_from:
        records.append(Tag("sweepmark.reused_from", trial.reused_from))
    records += positive_records(trial)
    if trial.warnings:
        records.append(Tag("sweepmark.warnings", "\n".join(trial.warnings)))
    if not cards:
        return records
    curves = cards[0].curves if len(cards) == 1 else mean_curves([card.curves for card in cards])
    records += [
        Metric(name, value, step=epoch)
        for name, values in curves.items()
        for epoch, value in enumerate(values, start=1)
        if math.isfinite(value)
    ]
    # The last step of a curve is the metric itself.
    records += [Metric(name, value) for name, value in trial.metrics.items() if name not in curves]
    records += [
        Metric(metric_names.FIT_SECONDS, trial.fit_seconds),
        Metric(metric_names.PREDICT_SECONDS, trial.predict_seconds),
        Metric("n_train", trial.n_train),
        Metric("n_test", trial.n_test),
    ]
    for name in dict.fromkeys(name for card in cards for name in card.work):
        if total := sum(card.work.get(name, 0) for card in cards):
            records.append(Metric(f"work.{name}", total))
    if len(cards) > 1:
        records += [
            Metric("fold_accuracy", card.metrics[metric_names.ACCURACY], step=fold)
            for fold, card in enumerate(cards)
        ]
    return records


def positive_records(trial: Trial) -> list[Record]:
    """Return the tag of the positive class; empty for more than two classes."""
    return [] if trial.positive is None else [Tag("sweepmark.positive", trial.positive)]


def published_records(metrics: Sequence[PublishedMetric]) -> list[Record]:
    """Return published values, and the differences of ours, as metrics."""
    records: list[Record] = []
    for each in metrics:
        records.append(Metric(f"published.{each.metric}", each.published))
        if each.difference is not None:
            records.append(Metric(f"difference.{each.metric}", each.difference))
    return records


def artifact_records(
    card: Scorecard,
    dataset: Dataset,
    tree: Mapping[str, Any],
    overrides: Sequence[str],
    *,
    everything: bool = True,
) -> list[Record]:
    """Return the artifacts on one trial: all of them, or only those that every trial has."""
    import yaml

    dumper = yaml.CSafeDumper if yaml.__with_libyaml__ else yaml.SafeDumper  # saves 8 ms
    files = trial_artifacts(card, dataset, everything=everything) | {
        "config.yaml": redact(yaml.dump(dict(tree), Dumper=dumper, sort_keys=False)).encode(),
        "overrides.txt": redact("".join(f"{item}\n" for item in overrides)).encode(),
    }
    return [Artifact(name, content) for name, content in files.items()]


def model_record(content: bytes, dataset: Dataset, config: Config) -> Model:
    """Return the Model record of a fitted pipeline.

    Parameters
    ----------
    content : bytes
        The pipeline in skops format.
    dataset : Dataset
        The data set it was fitted on.
    config : Config
        The configuration of its trial: the task that it predicts, and a name.
    """
    return Model(
        content=content,
        n_features=dataset.n_features,
        dtype=dataset.dtype,
        answers=answer_type(config.task, dataset),
        columns=_columns(dataset),
        name=config.run.name or MODEL_NAME,
        requirements=requirements(content),
        code=code_files(content),
    )


def _columns(dataset: Dataset) -> dict[str, str] | None:
    """Return the columns of a table by name, empty without names; None of images."""
    if dataset.image_shape is not None:
        return None
    return dataset.column_types or dict.fromkeys(dataset.feature_names or (), "number")
