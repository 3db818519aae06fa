"""The typed schema of a configuration: the keys and types of each group of conf/.

Values are checked against these classes by :mod:`sweepmark.config.validation`; nothing here imports
Hydra, so that workers start fast.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 -- validation reads the fields' types
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le, Lt

from sweepmark.config.dataset import DatasetConfig, FileConfig, dataset_identity
from sweepmark.config.registry import ENGINES, SAMPLERS, TRACKERS
from sweepmark.config.rules import Plain, Text
from sweepmark.config.run_name import RunConfig
from sweepmark.config.split import SplitConfig

__all__ = [
    "Band",
    "Component",
    "Config",
    "DatasetConfig",
    "EngineConfig",
    "EvaluationConfig",
    "ExperimentConfig",
    "FileConfig",
    "GradeConfig",
    "PlanConfig",
    "RunConfig",
    "SamplerConfig",
    "SplitConfig",
    "SweepConfig",
    "TaskConfig",
    "TrackingConfig",
]

_MOST_PROCESSES = 1024
_MOST_TRIALS = 10_000_000
_LONGEST = 1e8
"""Maximum of timeouts in seconds: three years, which every clock and timer can represent."""

Component = Plain
"""A component: ``_target_`` and its parameters as plain values, nested arbitrarily."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskConfig:
    """Group ``task``: what is predicted.

    Attributes
    ----------
    name : {"multiclass", "is_digit"}
        ``multiclass``: the labels unchanged. ``is_digit``: one label against the rest.
    positive : int or bool or str or None
        The label of ``is_digit``, written as in the file. Otherwise, of two labels, the positive
        class of precision, recall, F1, ROC AUC, average precision and thresholds; None is the one
        that sorts second.
    """

    name: Literal["multiclass", "is_digit"]
    positive: int | bool | str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationConfig:
    """Group ``evaluation``: what a trial is scored on.

    Attributes
    ----------
    method : {"test", "cv", "validation"}
        ``test`` fits on the training part and scores the test part. ``cv`` cross-validates within
        the training part; ``validation`` holds out a share of it and scores that. Neither uses the
        test part.
    n_splits : int
        Number of folds of ``cv``, and of the cross-validation that chooses a threshold by a rule.
    stratified, shuffle : bool
        Whether folds are stratified by class, and whether rows are shuffled with the seed.
    validation_fraction : float or None
        The share of the training part that is held out; under ``test`` it is only monitored.
    validation_rows : {"last", "random"}
        Which rows are held out: the last ones, or random ones drawn with the seed.
    epochs : int or None
        Passes over the training part, for classifiers with ``partial_fit``; loss and accuracy are
        recorded after each. None calls ``fit`` once.
    threshold : float or str or None
        For two classes, the score from which on a row counts as positive, or a rule such as
        ``precision>=0.9`` by which cross-validation of the training part chooses it.
    metrics : sequence of str or mapping
        Scorers of scikit-learn to compute besides the metrics that every evaluation has: names, or
        mappings of ``name`` and parameters. They are computed from predictions, and change nothing
        about what is evaluated.
    """

    method: Literal["test", "cv", "validation"]
    n_splits: Annotated[int, Ge(2), Le(10_000)] = 5
    stratified: bool = True
    shuffle: bool = False
    validation_fraction: Annotated[float, Gt(0), Lt(1)] | None = None
    validation_rows: Literal["last", "random"] = "last"
    epochs: Annotated[int, Gt(0), Le(100_000)] | None = None
    threshold: float | str | None = None
    metrics: tuple[str | Plain, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplerConfig:
    """Group ``sampler``: how the parameters of the next trial are chosen.

    These are the options of every sampler; one with more has a subclass as its ``options``.

    Attributes
    ----------
    name : str
        One of :data:`sweepmark.config.registry.SAMPLERS`.
    lag : int
        Trial n is chosen knowing the results up to n - lag.
    """

    name: str
    lag: Annotated[int, Gt(0), Le(_MOST_TRIALS)] = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineConfig:
    """Group ``engine``: where evaluations run.

    These are the options of every engine; one with more has a subclass as its ``options``.

    Attributes
    ----------
    name : str
        One of :data:`sweepmark.config.registry.ENGINES`.
    workers : int or None
        How many evaluations run at a time; None is the number of usable cores.
    threads : int
        BLAS and OpenMP threads of each evaluation.
    retries : int
        Number of retries of an evaluation whose worker was killed or ran out of memory.
    timeout : float or None
        Maximum seconds of an evaluation.
    memory : float or None
        Maximum resident memory of a worker in GiB.
    shared_memory : float or None
        Size in GiB of a worker's cache for later evaluations, such as distances between rows; None
        divides a quarter of the machine's memory among the workers.
    """

    name: str
    workers: Annotated[int, Gt(0), Le(_MOST_PROCESSES)] | None = None
    threads: Annotated[int, Gt(0), Le(_MOST_PROCESSES)] = 1
    retries: Annotated[int, Ge(0), Le(100)] = 1
    timeout: Annotated[float, Gt(0), Le(_LONGEST)] | None = None
    memory: Annotated[float, Gt(0), Le(1e6)] | None = None
    shared_memory: Annotated[float, Ge(0), Le(1e6)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingConfig:
    """Group ``tracking``: what is logged, and where.

    These are the options of every tracker; one with more has a subclass as its ``options``.

    Attributes
    ----------
    name : str
        One of :data:`sweepmark.config.registry.TRACKERS`.
    artifacts : {"all", "standard", "best", "none"}
        Which files are logged beside metrics and parameters: ``standard`` gives every trial its
        report, confusion matrix and predictions, and every picture to single, chosen and headline
        runs; ``all`` gives every picture to every trial; ``best`` gives files to the chosen one
        only.
    """

    name: str
    artifacts: Literal["all", "standard", "best", "none"] = "standard"


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """From ``minimum`` of the grade's metric on, an entry gets ``points``."""

    minimum: float
    points: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeConfig:
    """Group ``grade``: a grading rule with its bands.

    Attributes
    ----------
    name : str
        The rule's name; ``none`` grades nothing.
    metric : str
        The graded metric.
    target : float or None
        The value an entry should reach.
    bands : sequence of Band
        Minimum and points, ascending; below the first an entry gets 0, "not passed".
    ranked_from : float or None
        From here on, entries graded together share the points up to ``ranked_points`` by rank.
    ranked_points : float
        The best rank's points.
    """

    name: Text
    metric: Text = "accuracy"
    target: float | None = None
    bands: tuple[Band, ...] = ()
    ranked_from: float | None = None
    ranked_points: float = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentConfig:
    """Group ``experiment``: a published experiment with its published metrics.

    Attributes
    ----------
    name : str
        The preset's name.
    source : str
        The publication.
    published : mapping of str to float
        The published values by metric name.
    within : mapping of str to float
        Tolerance by metric name; by default half a unit of the fourth digit.
    """

    name: Text
    source: Text
    published: Mapping[str, float] = field(default_factory=dict)
    within: Mapping[str, Annotated[float, Ge(0)]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepConfig:
    """Group ``sweep``: what is searched; a YAML of sweeps/.

    Attributes
    ----------
    name : str
        The YAML's name.
    space : mapping
        Has the structure of the configuration's tree; leaves are lists (choices) or ranges.
    objective : str or None
        The metric that selects the best trial; None selects nothing.
    direction : {"maximize", "minimize"} or None
        Direction of the optimisation; None is the metric's own. Required for metrics that are
        neither better high nor low, such as ``cv_accuracy_std``.
    n_trials : int or None
        Number of trials; None is the whole grid.
    timeout : float or None
        Seconds of coordinating, over all resumes, after which no further trial starts.
    target : float or None
        Stop once the objective reaches this value: trial m starts only if none of the trials up to
        m - lag reached it (from above if the objective is minimised).
    allow_large : bool
        Whether a grid may have more than 10,000 cells.
    """

    name: Text
    space: Plain
    objective: Text | None = None
    direction: Literal["maximize", "minimize"] | None = None
    n_trials: Annotated[int, Gt(0), Le(_MOST_TRIALS)] | None = None
    timeout: Annotated[float, Gt(0), Le(_LONGEST)] | None = None
    target: float | None = None
    allow_large: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanConfig:
    """Group ``plan``: from when on a sweep has to be confirmed.

    Attributes
    ----------
    max_hours : float or None
        A sweep that takes longer by earlier evaluations in its store is started with ``--yes``
        only; None asks never.
    """

    max_hours: Annotated[float, Gt(0), Le(1e6)] | None = 12.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """One resolved configuration: everything that a trial or a sweep depends on."""

    seed: Annotated[int, Ge(0), Lt(2**32)]
    dataset: DatasetConfig
    split: SplitConfig
    task: TaskConfig
    preprocess: Mapping[str, Component]
    classifier: Component
    evaluation: EvaluationConfig
    sampler: Annotated[SamplerConfig, SAMPLERS]
    engine: Annotated[EngineConfig, ENGINES]
    tracking: Annotated[TrackingConfig, TRACKERS]
    grade: GradeConfig
    plan: PlanConfig = field(default_factory=PlanConfig)
    experiment: ExperimentConfig | None = None
    sweep: SweepConfig | None = None
    run: RunConfig = field(default_factory=RunConfig)

    @property
    def data_identity(self) -> str:
        """SHA-256 of what the data are: the data set, and the column that it is divided by."""
        identity, by = dataset_identity(self.dataset), self.split.column
        return identity if by is None else sha256(f"{identity} {by}".encode()).hexdigest()
