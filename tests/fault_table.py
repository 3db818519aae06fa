"""A pytest plugin: the table of faults, one line for each scenario, from the reports alone.

It is a plugin and no conftest.py, so that it is there where reports come together when several
processes run the tests; they all get the seed that it chooses.
"""

from __future__ import annotations

import os
import secrets
from collections import Counter
from typing import TYPE_CHECKING, cast

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

    from _pytest.reports import TestReport
    from _pytest.terminal import TerminalReporter

_ROW = "sweepmark.row"
_SEED = "SWEEPMARK_FAULT_SEED"


def pytest_configure() -> None:
    """Choose the seed of random moments, unless one is given to repeat a run."""
    os.environ.setdefault(_SEED, str(secrets.randbelow(10**6)))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have reports carry their row, for a table needs no more than reports."""
    for item in items:
        if marker := item.get_closest_marker("row"):
            item.user_properties.append((_ROW, marker.args))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, TestReport, TestReport]:
    """Have a row that is skipped in CI fail: what proves a promise there has been run."""
    report = yield
    is_skipped = report.skipped and not hasattr(report, "wasxfail")
    if is_skipped and item.get_closest_marker("row") and os.environ.get("CI"):
        _, _, reason = cast("tuple[str, int, str]", report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid}: a row must not be skipped in CI. {reason}"
    return report


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Print one line for each scenario: row, scenario, outcome, seconds."""
    outcomes: dict[tuple[int, str], Counter[str]] = {}
    seconds: Counter[tuple[int, str]] = Counter()
    for outcome in ("passed", "failed", "error", "skipped"):
        for report in terminalreporter.getreports(outcome):
            row = dict(getattr(report, "user_properties", ())).get(_ROW)
            if row is not None:
                outcomes.setdefault(tuple(row), Counter())[outcome] += 1
                seconds[tuple(row)] += report.duration
    if not outcomes:
        return
    width = max(len(scenario) for _, scenario in outcomes)
    terminalreporter.section(f"faults, {_SEED}={os.environ[_SEED]}")
    terminalreporter.line(f"row  {'scenario':<{width}}  outcome         seconds")
    for (number, scenario), counts in sorted(outcomes.items()):
        outcome = ", ".join(f"{count} {name}" for name, count in counts.items())
        taken = seconds[number, scenario]
        terminalreporter.line(f"{number:>3}  {scenario:<{width}}  {outcome:<14}  {taken:>7.1f}")
