"""``sweepmark doctor``: report problems, each with the command that fixes it."""

from __future__ import annotations

import shlex
import sys
import time
from typing import TYPE_CHECKING, Any

from sweepmark.cli.output import json_only, print_document, print_lines
from sweepmark.commands import command_line

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from sweepmark.cli.parser import Parser
    from sweepmark.doctor import Finding
    from sweepmark.store import Store

__all__ = ["define"]

_MARKS = {"ok": "ok     ", "note": "note   ", "problem": "PROBLEM"}


def define(parser: Parser) -> None:
    """Add the arguments of the verb and its ``handler``, which returns the exit code."""
    parser.epilog = "Exit code 1 if anything is."
    parser.add_flag(
        "--rebuild",
        "first write to MLflow and Optuna what they lack of the sweeps; nothing is fitted",
    )
    parser.add_flag("--full", "read every evaluation, hash large data sets too")
    parser.add_flag("--json", "one JSON document on standard output")
    parser.set_defaults(handler=_doctor, mends=False)


def _doctor(args: argparse.Namespace) -> int:
    args.only_prints = not args.rebuild
    with json_only(args.json):
        from sweepmark.doctor import examine
        from sweepmark.store import Store

        store = Store(args.store)
        n_failed = _rebuild(store) if args.rebuild else 0
        findings = examine(store, full=args.full)
    is_well = not n_failed and all(finding.state != "problem" for finding in findings)
    if args.json:
        documents = [_document(finding, args.store) for finding in findings]
        print_document({"ok": is_well, "findings": documents})
    else:
        print_lines(_lines(findings, args.store))
    return 0 if is_well else 1


def _rebuild(store: Store) -> int:
    """Rebuild every sweep, print the result of each, and return the number of failures."""
    from sweepmark.coordinator import create_progress, mend_moved, rebuild
    from sweepmark.doctor.databases import orphans
    from sweepmark.errors import SweepmarkError
    from sweepmark.tracking import MlflowTracker, own_environment

    n_failed = 0
    progress = create_progress(lambda _: None)
    mend_moved(store, say=progress.say)
    for sweep_id in store.sweep_ids():
        try:
            rebuild(sweep_id, store=store, say=progress.say)
        except SweepmarkError as error:
            n_failed += 1
            progress.say(f"error: {sweep_id}: {error}")
        else:
            progress.say(f"{sweep_id}: as its journal says")
    if left := orphans(store):
        tracker = MlflowTracker(store.root, experiment="sweepmark")
        for run in left:
            with own_environment():
                tracker.close_parent(
                    run_id=run.run_id, records=[], ended=time.time(), status="KILLED"
                )
            progress.say(f"run {run.run_id}: ended, its sweep {run.sweep_id} is gone")
        tracker.close()
    return n_failed


def _command(finding: Finding, store: Path) -> str | None:
    if not finding.mend:
        return None
    program, *words = finding.mend
    if program != "sweepmark":
        return shlex.join(finding.mend)
    return command_line(*words, store=store)


def _document(finding: Finding, store: Path) -> dict[str, Any]:
    return {
        "state": finding.state,
        "subject": finding.subject,
        "message": finding.message,
        "mend": _command(finding, store),
    }


def _lines(findings: list[Finding], store: Path) -> list[str]:
    width = max(len(finding.subject) for finding in findings)
    lines = []
    for finding in findings:
        lines.append(f"{_MARKS[finding.state]}  {finding.subject:<{width}}  {finding.message}")
        command = _command(finding, store)
        if command is not None:
            lines.append(f"{'':<{width + 9}}  -> {command}")
    n_problems = sum(finding.state == "problem" for finding in findings)
    sys.stdout.flush()
    return [*lines, "", f"{n_problems} problems" if n_problems else "nothing is wrong"]
