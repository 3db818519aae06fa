"""Consent to a long sweep: what it takes by earlier evaluations, which costs nothing to know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweepmark.commands import command_line
from sweepmark.coordinator.agenda import Agenda
from sweepmark.coordinator.estimate import extrapolate, plausible_growth
from sweepmark.coordinator.experience import Experience
from sweepmark.engine import count_slots
from sweepmark.errors import ConfigurationError
from sweepmark.search import create_search

if TYPE_CHECKING:
    from collections.abc import Callable

    from sweepmark.config.schema import Config
    from sweepmark.coordinator.agenda import Family
    from sweepmark.coordinator.options import LaunchOptions
    from sweepmark.data import Dataset
    from sweepmark.search.blueprint import Blueprint
    from sweepmark.store import Store

__all__ = ["check_hours"]

_MOST_EXAMINED = 50
_HOUR = 3600.0


def check_hours(
    blueprint: Blueprint, store: Store, options: LaunchOptions, load: Callable[[Config], Dataset]
) -> None:
    """Raise if a sweep takes more than ``plan.max_hours`` and is not confirmed.

    Nothing is probed: the time is that of earlier evaluations of the same kind in the store, grown
    to the sweep's rows. What the store knows nothing of counts as nothing.

    Raises
    ------
    ConfigurationError
        With the hours, and what confirms them.
    """
    limit = blueprint.config.plan.max_hours
    if limit is None or options.yes or blueprint.is_run:
        return
    experience = Experience.of(store.evaluations)
    if not experience.found:
        return
    config = blueprint.config
    search = create_search(blueprint.space, config.sampler, blueprint.sweep, seed=config.seed)
    agenda = Agenda.of(
        blueprint,
        search,
        store,
        load=load,
        trusted=options.trusted,
        fresh=options.fresh,
        most=_MOST_EXAMINED,
    )
    seconds = sum(_seconds(family, experience) for family in agenda.families.values())
    hours = agenda.scale * seconds / count_slots(config.engine) / _HOUR
    if blueprint.sweep.timeout is not None:
        hours = min(hours, blueprint.sweep.timeout / _HOUR)
    if hours > limit:
        planned = command_line(
            "plan",
            blueprint.name,
            *blueprint.overrides,
            store=store.root,
            config_dirs=blueprint.config_dirs,
            trusted=options.trusted,
        )
        raise ConfigurationError(
            f"a sweep of more than plan.max_hours={limit:g} must be confirmed, but by earlier "
            f"evaluations in {store.root}, {blueprint.name} takes about {hours:.3g} h. Confirm it "
            f"by --yes or by plan.max_hours={hours + 1:.0f}, or see what it would do: `{planned}`."
        )


def _seconds(family: Family, experience: Experience) -> float:
    """Return the seconds of a family's evaluations; 0 if nothing is known of it."""
    known = experience.seconds(family)
    if not known:
        return 0.0
    growth = plausible_growth(family.target)
    counts = family.rows()
    return sum(count * extrapolate(known, n, growth).middle for n, count in counts.items())
