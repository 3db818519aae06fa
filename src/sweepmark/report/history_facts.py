"""What a report says of a sweep's history: cost, environment, the commands that repeat it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sweepmark.report.remedy import lone_command, repeat_command

if TYPE_CHECKING:
    from sweepmark.report.results import SweepResult
    from sweepmark.store import History

__all__ = ["command_facts", "cost_facts", "environment_facts"]

Facts = list[tuple[str, str]]

_MINUTE, _HOUR = 60, 3600
_DIGEST = 12  # characters of a digest or commit that are shown


def cost_facts(result: SweepResult, history: History) -> Facts:
    """Return what a sweep cost: trials, evaluations, computing against wall time."""
    results = history.results
    computed = [results[key] for key in history.computed if key in results]
    reused = [each for key, each in results.items() if key not in history.computed]
    seconds, spared = (
        sum(each.fit_seconds + each.predict_seconds for each in those)
        for those in (computed, reused)
    )
    planned = 1 if result.blueprint.is_run else _planned(result)
    facts = [
        ("trials", f"{len(result.trials):,} of {planned:,} planned"),
        ("reused trials", f"{result.n_reused:,}"),
        ("failed trials", f"{result.n_failed:,}"),
        ("evaluations computed", f"{len(computed):,}"),
        ("computing", duration(seconds)),
        ("wall time", duration(history.seconds)),
    ]
    if reused:
        facts.append(("computing spared by reuse", duration(spared)))
    if history.is_resumed:
        facts.append(("interruptions", "it was interrupted and resumed"))
    return facts


def environment_facts(history: History) -> Facts:
    """Return when and with what a sweep ran: times, versions, state of its git repository."""
    opened = history.opened
    facts = [("started", _date(opened["at"])), ("last entry", _date(history.last))]
    facts += [(f"data {name[:_DIGEST]}", value[:_DIGEST]) for name, value in opened["data"].items()]
    if opened["git"] is not None:
        git = opened["git"]
        dirty = " (with changes)" if git.get("dirty") == "true" else ""
        facts.append(("git commit", f"{git.get('commit', '')[:_DIGEST]}{dirty}"))
    return facts + sorted(opened["versions"].items())


def command_facts(result: SweepResult) -> Facts:
    """Return commands with what each does: the whole sweep, its representative trial alone."""
    blueprint = result.blueprint
    what = "The same run." if blueprint.is_run else "The whole sweep."
    facts = [(what, repeat_command(blueprint))]
    if not blueprint.is_run and result.headline is not None:
        lone = lone_command(blueprint, result.headline.params)
        facts.append((f"Trial {result.headline.number} alone, with its model.", lone))
    return facts


def duration(seconds: float) -> str:
    """Return a duration in the unit that fits.

    Examples
    --------
    >>> duration(0.44), duration(75), duration(5400)
    ('0.4 s', '1 min 15 s', '1 h 30 min')
    """
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    if seconds < _HOUR:
        return f"{int(seconds // _MINUTE)} min {int(seconds % _MINUTE)} s"
    return f"{int(seconds // _HOUR)} h {int(seconds % _HOUR // _MINUTE)} min"


def _planned(result: SweepResult) -> int:
    sweep = result.blueprint.sweep
    return result.blueprint.space.size if sweep.n_trials is None else sweep.n_trials


def _date(instant: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(instant))
