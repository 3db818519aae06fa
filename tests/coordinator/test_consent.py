"""A long sweep is confirmed first, where the store knows that it is long."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sweepmark.coordinator import LaunchOptions
from sweepmark.coordinator.consent import check_hours
from sweepmark.errors import ConfigurationError
from sweepmark.store import Store
from tiny import changed, grid, load_digits, run

if TYPE_CHECKING:
    from pathlib import Path

    from sweepmark.report.results import SweepResult
    from sweepmark.search.blueprint import Blueprint

LARGER = {"classifier": {"C": [1.0, 10.0], "gamma": [0.01, 0.1, 1.0]}}


def check(asked: Blueprint, store: Store, *, yes: bool = False) -> None:
    check_hours(asked, store, LaunchOptions(yes=yes), load_digits)


def test_of_a_long_sweep_the_hours_and_what_confirms_them_are_said(
    undisturbed: tuple[SweepResult, Store],
) -> None:
    _, store = undisturbed
    long = grid(sweep__space=LARGER, plan__max_hours=1e-9)
    with pytest.raises(ConfigurationError, match="--yes") as raised:
        run(long, store)
    assert "plan.max_hours=1e-09" in str(raised.value)
    assert f"`sweepmark plan --store {store.root} svc_c_gamma dataset=digits" in str(raised.value)
    check(long, store, yes=True)
    check(changed(long, plan__max_hours=None), store)
    check(changed(long, plan__max_hours=12.0), store)
    check(changed(long, sweep__timeout=1e-6, sweep__objective=None), store)


def test_what_is_there_or_unknown_takes_no_time(
    undisturbed: tuple[SweepResult, Store], tmp_path: Path
) -> None:
    _, store = undisturbed
    short = {"plan__max_hours": 1e-9}
    check(grid(**short), store)
    check(grid(sweep__space=LARGER, **short), Store(tmp_path / "none"))
    check(grid(preprocess={}, **short), store)
    assert list(tmp_path.iterdir()) == []


def test_the_limit_is_no_part_of_a_sweep() -> None:
    assert grid(plan__max_hours=1.0).key == grid().key
