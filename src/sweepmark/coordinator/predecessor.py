"""The predecessor of a sweep: the earlier execution that it resumes, or differs from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sweepmark.config.tree import leaves
from sweepmark.errors import ConfigurationError, OwnedError, StoreError, command_line
from sweepmark.report.remedy import resume_command
from sweepmark.report.replay import read_sweep
from sweepmark.specification.recipe import sweep_versions
from sweepmark.specification.specification import canonical_json
from sweepmark.store import History, owned, read_journal

if TYPE_CHECKING:
    from collections.abc import Callable

    from sweepmark.coordinator.datasets import Datasets
    from sweepmark.coordinator.options import LaunchOptions
    from sweepmark.search.blueprint import Blueprint
    from sweepmark.store import Store

__all__ = ["difference", "find_unfinished", "is_over", "versions_changed"]

_MOST_LINES = 20
_ABSENT = object()


def find_unfinished(
    blueprint: Blueprint,
    store: Store,
    options: LaunchOptions,
    *,
    say: Callable[[str], None],
    datasets: Datasets,
) -> str | None:
    """Return the last sweep of this key if it is incomplete; None if a new one is to be started.

    ``say`` is called if the last sweep of that name was interrupted and has another configuration,
    or if its data have changed since.
    """
    own = [name for name in store.sweep_ids() if name.startswith(f"{blueprint.name}-")]
    for position, sweep_id in enumerate(reversed(own)):
        try:
            history = History.of(read_journal(store.journal_path(sweep_id)))
        except StoreError as error:
            say(f"warning: {error}")
            continue
        if history.opened["sweep_key"] != blueprint.key:
            if position == 0 and not (history.is_complete or blueprint.is_run):
                _tell_difference(sweep_id, blueprint, store, say)
            continue
        if history.opened["fresh"] != options.fresh:
            continue
        if is_over(history, options) or versions_changed(history, sweep_id, options):
            return None
        if not datasets.are(history.opened["data"]):
            say(f"{sweep_id} was interrupted, and its data have changed since: this is another one")
            return None
        if not _is_sound(sweep_id, store, options, say):
            continue
        return None if blueprint.is_run and _is_owned(store, sweep_id) else sweep_id
    return None


def _is_sound(
    sweep_id: str, store: Store, options: LaunchOptions, say: Callable[[str], None]
) -> bool:
    """Return whether a sweep can be resumed: its journal is consistent with its blueprint."""
    try:
        read_sweep(store, sweep_id, trusted=options.trusted)
    except (ConfigurationError, StoreError) as error:
        say(f"warning: {error}")
        return False
    return True


def is_over(history: History, options: LaunchOptions) -> bool:
    """Return whether a sweep is complete and has no failures to retry."""
    failed = history.has_failures or (history.final is not None and history.final["key"] is None)
    return history.is_complete and not (options.retry_failed and failed)


def versions_changed(history: History, sweep_id: str, options: LaunchOptions) -> bool:
    """Return whether library versions differ from those that a sweep was started with.

    Raises
    ------
    ConfigurationError
        If they differ and ``accept_versions`` is not set.
    """
    then, now = history.opened["versions"], sweep_versions(options.trusted)
    changed = [
        f"{name} {then.get(name, 'absent')} -> {now.get(name, 'absent')}"
        for name in sorted({*then, *now})
        if then.get(name) != now.get(name)
    ]
    if changed and not options.accept_versions:
        command = command_line("resume", sweep_id, "--accept-versions")
        raise ConfigurationError(
            f"{sweep_id} was begun with other library versions ({', '.join(changed)}), and a "
            "sweep keeps to one set. Install those again, or begin it anew with today's: "
            f"`{command}`."
        )
    return bool(changed)


def _is_owned(store: Store, sweep_id: str) -> bool:
    try:
        with owned(store.lock_path(sweep_id)):
            return False
    except OwnedError:
        return True


def _tell_difference(
    sweep_id: str, blueprint: Blueprint, store: Store, say: Callable[[str], None]
) -> None:
    try:
        _, before = read_sweep(store, sweep_id)
    except (ConfigurationError, StoreError) as error:
        say(f"warning: {error}")
        return
    if _is_owned(store, sweep_id):
        return
    lines = difference(before, blueprint)
    if len(lines) > _MOST_LINES:
        lines = [*lines[: _MOST_LINES - 1], f"… and {len(lines) - _MOST_LINES + 1} more"]
    say(f"{sweep_id} was interrupted, and its configuration has changed since:")
    for line in lines:
        say(f"  {line}")
    say(
        "So this is another sweep; what is still the same is reused. To go on with that one "
        f"instead: {resume_command(before, sweep_id, store=store.root)}"
    )


def difference(before: Blueprint, after: Blueprint) -> list[str]:
    """Return the differences of two blueprints, one line each: ``path: old -> new``.

    Settings that do not change a sweep's key, such as the number of workers, are left out.
    """
    lines: dict[str, None] = {}
    for options in {**before.trees, **after.trees}:
        then, now = (_leaves(blueprint, options) for blueprint in (before, after))
        for path in {**then, **now}:
            old, new = (found.get(path, _ABSENT) for found in (then, now))
            if _shown(old) != _shown(new):
                lines[f"{path}: {_shown(old)} -> {_shown(new)}"] = None
    return list(lines) or ["the order of its parameters"]


def _leaves(blueprint: Blueprint, options: str) -> dict[str, Any]:
    return dict(leaves(blueprint.asked(options))) if options in blueprint.trees else {}


def _shown(value: object) -> str:
    return "absent" if value is _ABSENT else canonical_json(value)
