"""The plan of a sweep: its trials, time, memory and disk, before anything is started or written."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

from sweepmark.coordinator.agenda import Agenda
from sweepmark.coordinator.cost import Cost
from sweepmark.coordinator.datasets import Datasets
from sweepmark.coordinator.estimate import Estimate, makespan, total
from sweepmark.coordinator.experience import Experience
from sweepmark.coordinator.launch import warm_up
from sweepmark.coordinator.probe import PROBE_SECONDS, create_probe, measure
from sweepmark.engine import check_engine, count_slots, shared_memory
from sweepmark.search import create_search
from sweepmark.tracking import is_tracked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sweepmark.coordinator.agenda import Status
    from sweepmark.coordinator.options import LaunchOptions
    from sweepmark.coordinator.probe import Probed
    from sweepmark.search import Search
    from sweepmark.search.blueprint import Blueprint
    from sweepmark.store import Store

__all__ = ["Plan", "make_plan"]

_START = Estimate(2.0, 4.0, 7.0)
"""Seconds of a sweep's start and end: imports, databases, report and pictures of its best trial.

A whole run on the digits takes 3.1 s (benchmarks/harness.py)."""

_DELIVERY = {
    "none": Estimate(0.03, 0.1, 0.16),
    "best": Estimate(0.03, 0.1, 0.16),
    "standard": Estimate(0.06, 0.18, 0.26),
    "all": Estimate(0.3, 0.7, 1.1),
}
"""Seconds of telling MLflow about a trial, by tracking.artifacts (benchmarks/harness.py)."""

_UNTRACKED = Estimate(0.005, 0.02, 0.04)

_DATABASES = 1_400_000
_RUN_BYTES = 23_000
_ARTIFACT_BYTES = {"none": 0, "best": 0, "standard": 50_000, "all": 175_000}
_COPIES = 2.5
"""Bytes on the disk: MLflow's and Optuna's databases when empty, of a run in MLflow's, of a trial's
report and pictures; its predictions are written once more as text and as arrays."""

_COORDINATOR = 350 << 20
"""Resident bytes of the process that coordinates, with MLflow and scikit-learn imported."""

_TOO_SLOW = "none of its evaluations ended in time. Plan again when less runs here"

_ABOUT_AS_GOOD = 0.1
"""Difference in accuracy on the few rows of a probe that says little about the whole sweep."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a sweep would do and cost.

    Attributes
    ----------
    name : str
        The sweep's name.
    n_trials : int
        Its trials, unless a budget ends it earlier.
    statuses : mapping of Status to int
        Trials by status; of more than 500 the numbers are extrapolated.
    n_evaluations : int
        Evaluations to be computed, the final test included.
    n_drawn : int
        Trials whose parameters depend on results, for which random ones were examined.
    has_budget : bool
        Whether ``sweep.target`` or ``sweep.timeout`` may end it before all trials.
    n_slots : int
        Evaluations that run at a time.
    seconds, memory, disk : Estimate or None
        Wall time, resident bytes of all processes at their maximum, bytes written to the store;
        None if no evaluation ended within the probe.
    shared : float
        The share of the work of new evaluations that they take over from each other, in [0, 1].
    probed : mapping of str to tuple of int
        The numbers of training rows that each family was timed at.
    known : mapping of str to tuple of int
        Likewise where earlier evaluations in the store were taken into account.
    untimed : mapping of str to str
        Families without a time, and why; the estimates leave them out.
    """

    name: str
    n_trials: int
    statuses: Mapping[Status, int]
    n_evaluations: int
    n_drawn: int
    has_budget: bool
    n_slots: int
    seconds: Estimate | None
    memory: Estimate | None
    disk: Estimate | None
    shared: float
    probed: Mapping[str, tuple[int, ...]]
    known: Mapping[str, tuple[int, ...]]
    untimed: Mapping[str, str]


def make_plan(
    blueprint: Blueprint,
    *,
    store: Store,
    options: LaunchOptions,
    say: Callable[[str], None] = lambda _: None,
    seconds: float = PROBE_SECONDS,
) -> Plan:
    """Return the plan of a sweep; small evaluations are timed, nothing is written to the store.

    Parameters
    ----------
    blueprint : Blueprint
        The sweep.
    store : Store
        Where finished evaluations may be; it need not exist.
    options : LaunchOptions
        As for :func:`sweepmark.coordinator.launch.launch`.
    say : callable
        Called with a line on data that are fetched.
    seconds : float
        Maximum duration of the probe.

    Raises
    ------
    ConfigurationError
        If the sweep would be refused.
    """
    config = blueprint.config
    check_engine(config.engine)
    datasets = Datasets(say)
    search = create_search(blueprint.space, config.sampler, blueprint.sweep, seed=config.seed)
    with create_probe(config.engine, warm_up=warm_up(blueprint)) as engine:
        for name in blueprint.check(datasets.load, trusted=options.trusted):
            say(f"{name} cannot be had: trials on it fail, the others are run")
        agenda = Agenda.of(
            blueprint,
            search,
            store,
            load=datasets.load,
            trusted=options.trusted,
            fresh=options.fresh,
        )
        families = list(agenda.families.values())
        probed = measure(
            engine,
            families,
            blueprint,
            load=datasets.load,
            trusted=options.trusted,
            seconds=seconds,
        )
    experience = Experience.of(store.evaluations)
    known = {family.label: experience.seconds(family) for family in families}
    scales = _scales(agenda, probed, search)
    n_jobs = round(sum(scales[family.label] * len(family.evaluations) for family in families))
    n_slots = count_slots(config.engine)
    if search.lag is not None:
        n_slots = min(n_slots, search.lag * blueprint.n_evaluations())
    costs = [
        Cost.of(
            family,
            probed[family.label].samples,
            known[family.label],
            scale=scales[family.label],
            n_slots=n_slots,
            n_columns=datasets.load(blueprint.config_at(family.params[0])).n_features,
            cache_limit=_cache_limit(blueprint, n_slots),
        )
        for family in families
        if probed[family.label].samples
    ]
    selects = blueprint.sweep.objective is not None and bool(n_jobs)
    is_known = bool(costs) or not families
    return Plan(
        name=blueprint.name,
        n_trials=agenda.n_trials,
        statuses={name: round(agenda.scale * count) for name, count in agenda.statuses.items()},
        n_evaluations=n_jobs + selects,
        n_drawn=round(agenda.scale * agenda.n_drawn),
        has_budget=(blueprint.sweep.target, blueprint.sweep.timeout) != (None, None),
        n_slots=n_slots,
        seconds=_seconds(costs, blueprint, agenda.n_trials, n_slots=n_slots, selects=selects)
        if is_known
        else None,
        memory=_memory(costs, blueprint, n_slots=n_slots) if is_known else None,
        disk=_disk(costs, blueprint, agenda.n_trials) if is_known else None,
        shared=_shared(costs),
        probed={label: tuple(sorted(item.samples)) for label, item in probed.items()},
        known={label: tuple(sorted(seconds)) for label, seconds in known.items() if seconds},
        untimed={
            label: item.failure or _TOO_SLOW for label, item in probed.items() if not item.samples
        },
    )


def _scales(agenda: Agenda, probed: Mapping[str, Probed], search: Search) -> dict[str, float]:
    """Return by how much there are more evaluations of a family than those examined.

    A search that learns soon tries little but the options that did best in its first trials. Which
    these may be is what the probe says; before, the options are drawn alike.
    """
    families = agenda.families
    scales = dict.fromkeys(families, agenda.scale)
    able = [label for label in families if probed[label].samples]
    n_later = agenda.n_trials - search.n_before_learning
    if agenda.n_drawn and len(able) > 1 and n_later > 0:
        n_drawn = sum(len(family.params) for family in families.values())
        share = min(n_later / (agenda.scale * n_drawn), 1.0)
        least = max(probed[label].accuracy for label in able) - _ABOUT_AS_GOOD
        good = [label for label in able if probed[label].accuracy >= least]
        scales = dict.fromkeys(families, agenda.scale * (1 - share))
        for label in good:
            n_planned = share * n_drawn / len(good)
            scales[label] += agenda.scale * n_planned / len(families[label].params)
    return scales


def _cache_limit(blueprint: Blueprint, n_slots: int) -> int:
    return shared_memory(blueprint.config.engine, n_slots=n_slots)


def _seconds(
    costs: Sequence[Cost], blueprint: Blueprint, n_trials: int, *, n_slots: int, selects: bool
) -> Estimate:
    """Return the wall time of a sweep."""
    tracking = blueprint.config.tracking
    each = _DELIVERY[tracking.artifacts] if is_tracked(tracking) else _UNTRACKED
    delivery = each * n_trials
    if not costs:
        return _START + delivery
    work = total(cost.work for cost in costs)
    longest = max((cost.longest for cost in costs), key=lambda found: found.middle)
    computing = makespan(work, longest, n_slots=n_slots)
    seconds = _START + Estimate(
        max(computing.low, delivery.low),
        computing.middle + delivery.middle / n_slots,
        computing.high + delivery.high,
    )
    if selects:
        finals = [cost.longest for cost in costs]
        seconds += Estimate(
            min(found.low for found in finals),
            fmean(found.middle for found in finals),
            fmean(found.high for found in finals),
        )
    timeout = blueprint.sweep.timeout
    if timeout is not None and seconds.high > timeout:
        seconds = Estimate(
            min(seconds.low, timeout),
            min(seconds.middle, timeout),
            min(seconds.high, timeout + longest.high),
        )
    return seconds.bounded()


def _memory(costs: Sequence[Cost], blueprint: Blueprint, *, n_slots: int) -> Estimate:
    """Return the resident bytes of all processes at their maximum."""
    coordinator = Estimate.about(_COORDINATOR, factor=1.3)
    if not costs:
        return coordinator
    limit = _cache_limit(blueprint, n_slots)
    held = max((cost.held for cost in costs), key=lambda found: found.middle)
    one = max(min(cost.kept.low, limit) for cost in costs)
    all_rows = min(sum(cost.kept.middle * cost.n_rows_sets / n_slots for cost in costs), limit)
    most = min(sum(cost.kept.high * cost.n_rows_sets for cost in costs), limit)
    kept = Estimate(min(one, all_rows), all_rows, max(most, all_rows))
    return ((held + kept) * n_slots + coordinator).bounded()


def _disk(costs: Sequence[Cost], blueprint: Blueprint, n_trials: int) -> Estimate:
    """Return the bytes that a sweep writes to its store, without models."""
    tracking = blueprint.config.tracking
    stored = total(cost.stored for cost in costs)
    if not is_tracked(tracking):
        return stored
    each = _RUN_BYTES + _ARTIFACT_BYTES[tracking.artifacts]
    copies = _COPIES if tracking.artifacts in {"standard", "all"} else 0.0
    return stored * (1 + copies) + Estimate.about(_DATABASES + each * n_trials, factor=1.3)


def _shared(costs: Sequence[Cost]) -> float:
    """Return the share of the work that evaluations take over from each other."""
    shared = sum(cost.shared_seconds for cost in costs)
    return shared / (shared + sum(cost.work.middle for cost in costs)) if shared else 0.0
