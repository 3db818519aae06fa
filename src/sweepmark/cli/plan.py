"""``sweepmark plan``: what a sweep would do and cost, before it is started."""

from __future__ import annotations

import dataclasses
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from sweepmark.cli.output import (
    SIZES,
    json_only,
    print_document,
    print_lines,
    show_amount,
    unit_of,
)
from sweepmark.cli.sweep import add_composition, compose, print_configuration, sweep_name
from sweepmark.commands import command_line

if TYPE_CHECKING:
    import argparse

    from sweepmark.cli.parser import Parser
    from sweepmark.coordinator.agenda import Status
    from sweepmark.coordinator.estimate import Estimate
    from sweepmark.coordinator.plan import Plan

__all__ = ["define"]

_UNITS = ((3600.0, "h"), (60.0, "min"), (1.0, "s"))
_STATUSES: tuple[Status, ...] = ("new", "reused", "duplicate", "failed")


def define(parser: Parser) -> None:
    """Add the arguments of the verb and its ``handler``, which returns the exit code."""
    parser.usage = f"{parser.prog} [NAME] [OVERRIDE ...] [options]"
    parser.add_argument("name", metavar="NAME", nargs="?", help="a sweep; see `sweep --list`")
    add_composition(parser)
    parser.add_flag("--json", "one JSON document on standard output")
    parser.add_list("--trust", "PACKAGE", "also build classes of this package")
    parser.add_flag("--fresh", "as for a sweep that computes everything anew")
    parser.set_defaults(handler=_plan, mends=False)


def _plan(args: argparse.Namespace) -> int:
    from sweepmark.engine.process import helper_in_advance

    with json_only(args.json), nullcontext() if args.cfg else helper_in_advance():
        blueprint = compose(args, sweep_name(args))
        plan = None if args.cfg else _made(args, blueprint)
    if plan is None:
        return print_configuration(blueprint, args)
    if args.json:
        print_document(_document(plan, _next(args)))
    else:
        print_lines(_lines(plan, _next(args)))
    return 0


def _made(args: argparse.Namespace, blueprint: Any) -> Plan:
    from sweepmark.coordinator import LaunchOptions, create_progress
    from sweepmark.coordinator.plan import make_plan
    from sweepmark.store import Store

    store = Store(args.store)
    store.check()
    options = LaunchOptions(trusted=tuple(args.trust), fresh=args.fresh)
    say = create_progress(lambda _: None).say
    return make_plan(blueprint, store=store, options=options, say=say)


def _next(args: argparse.Namespace) -> str:
    """Return the command that starts what was planned."""
    return command_line("sweep", args.name, *args.overrides, *(["--fresh"] if args.fresh else []))


def _document(plan: Plan, command: str) -> dict[str, Any]:
    document = dataclasses.asdict(plan)
    for name in ("probed", "known"):
        document[name] = {label: list(sizes) for label, sizes in document[name].items()}
    return {"sweep": document.pop("name"), **document, "next": command}


def _lines(plan: Plan, command: str) -> list[str]:
    statuses = [
        f"{plan.statuses[status]:,} {status}" for status in _STATUSES if status in plan.statuses
    ]
    evaluations = "evaluation" if plan.n_evaluations == 1 else "evaluations"
    workers = "worker" if plan.n_slots == 1 else "workers"
    rows = {
        "trials": f"{plan.n_trials:,} ({', '.join(statuses)})",
        "compute": f"{plan.n_evaluations:,} {evaluations} on {plan.n_slots} {workers}",
        "time": _range(plan.seconds, _UNITS),
        "memory": f"{_range(plan.memory, SIZES)}, of all processes at their peak",
        "disk": f"{_range(plan.disk, SIZES)}, models not counted",
        "shared": f"{plan.shared:.0%} of the work is done once for several evaluations",
    }
    lines = [f"{plan.name}, measured now on this machine", ""]
    lines += [f"  {name:<8} {text}" for name, text in rows.items()]
    lines += ["", *_notes(plan), f"next: {command}"]
    return lines


def _notes(plan: Plan) -> list[str]:
    """Return what has to be known of the figures, and an empty line if there is anything."""
    notes = []
    if plan.n_drawn:
        notes += [
            f"{plan.n_drawn:,} trials depend on earlier results: random ones were planned.",
        ]
    if plan.has_budget:
        notes.append("sweep.target or sweep.timeout may end it before all trials.")
    if plan.known:
        notes.append("Earlier evaluations in the store were taken into account.")
    for label, reason in plan.untimed.items():
        notes.append(f"warning: nothing is known of {label}, and left out: {reason}")
    return [*notes, ""] if notes else []


def _range(estimate: Estimate | None, units: tuple[tuple[float, str], ...]) -> str:
    """Return an estimate in the largest unit of which its middle has one.

    Examples
    --------
    >>> from sweepmark.coordinator.estimate import Estimate
    >>> _range(Estimate(480, 720, 1200), _UNITS)
    'about 12 min (8 to 20 min)'
    """
    if estimate is None:
        return "unknown"
    size, unit = unit_of(estimate.middle, units)
    low, middle, high = (
        show_amount(value / size) for value in (estimate.low, estimate.middle, estimate.high)
    )
    return f"about {middle} {unit} ({low} to {high} {unit})"
