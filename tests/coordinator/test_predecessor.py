"""What is said when a sweep's configuration changed since it was interrupted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sweepmark.coordinator import LaunchOptions, launch
from sweepmark.coordinator.predecessor import difference
from sweepmark.store import Store, owned
from tiny import Listener, changed, grid, run

if TYPE_CHECKING:
    from pathlib import Path

    from sweepmark.search.blueprint import Blueprint


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "mlruns")


def interrupted(store: Store) -> str:
    """Leave a sweep as a kill does, with three of its four trials journalled."""
    sweep_id = run(grid(), store).sweep_id
    path = store.journal_path(sweep_id)
    lines = path.read_bytes().splitlines(keepends=True)
    outcomes = [n for n, line in enumerate(lines) if b'"outcome"' in line]
    path.write_bytes(b"".join(lines[: outcomes[2] + 1]))
    return sweep_id


def said(blueprint: Blueprint, store: Store, **options: Any) -> tuple[str, list[str]]:
    listener = Listener()
    result = launch(blueprint, store=store, options=LaunchOptions(**options), progress=listener)
    return result.sweep_id, listener.lines


def test_change_makes_another_sweep_and_is_told_before_it_starts(store: Store) -> None:
    before = interrupted(store)
    other = grid(sweep__space={"classifier": {"C": [1.0, 100.0], "gamma": [0.01, 0.1]}})
    sweep_id, lines = said(changed(other, classifier__tol=0.01), store)
    assert sweep_id != before
    assert lines[:4] == [
        f"{before} was interrupted, and its configuration has changed since:",
        "  classifier.tol: 0.001 -> 0.01",
        "  sweep.space.classifier.C: [1.0,10.0] -> [1.0,100.0]",
        (
            "So this is another sweep; what is still the same is reused. To go on with that one "
            f"instead: sweepmark resume --store {store.root} {before}"
        ),
    ]


def test_what_is_still_the_same_is_reused(store: Store) -> None:
    interrupted(store)
    other = grid(sweep__space={"classifier": {"C": [1.0, 100.0], "gamma": [0.01, 0.1]}})
    result = run(other, store)
    assert [trial.status for trial in result.trials] == ["reused"] * 2 + ["complete"] * 2


def test_unchanged_sweep_goes_on_and_nothing_is_said(store: Store) -> None:
    before = interrupted(store)
    assert said(grid(), store) == (before, [])


def test_where_it_runs_and_how_it_is_tracked_is_no_change(store: Store) -> None:
    before = interrupted(store)
    elsewhere = grid(engine__retries=3, tracking={"name": "mlflow", "experiment": "another"})
    assert said(elsewhere, store) == (before, [])


def test_finished_or_running_predecessor_is_not_compared(store: Store) -> None:
    run(grid(), store)
    assert said(grid(seed=1), store)[1] == []
    before = interrupted(Store(store.root / "other"))
    with owned(Store(store.root / "other").lock_path(before)):
        assert said(grid(seed=1), Store(store.root / "other"))[1] == []


def test_damaged_predecessor_is_told_and_left_alone(store: Store) -> None:
    before = interrupted(store)
    path = store.journal_path(before)
    content = path.read_bytes() + b"nonsense\n"
    path.write_bytes(content)
    sweep_id, lines = said(grid(), store)
    assert sweep_id != before
    assert lines[0].startswith(f"warning: {path} is no journal of a sweep")
    assert path.read_bytes() == content


def test_difference_shows_what_came_and_went() -> None:
    lines = difference(grid(), changed(grid(), preprocess={}, split__size=100))
    assert "split.size: 120 -> 100" in lines
    assert any(line.startswith("preprocess.") and line.endswith(" -> absent") for line in lines)
    assert len(lines) == len(set(lines))


def test_order_alone_is_named_too() -> None:
    swapped = grid(sweep__space={"classifier": {"gamma": [0.01, 0.1], "C": [1.0, 10.0]}})
    assert difference(grid(), swapped) == ["the order of its parameters"]
