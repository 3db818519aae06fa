"""Which of the waiting evaluations a free worker takes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs import make_job
from sweepmark.coordinator.placement import Placement
from sweepmark.store import Store
from tiny import grid, run

if TYPE_CHECKING:
    from pathlib import Path

    from sweepmark.engine import Job


def cell(
    fold: int, gamma: float, C: float, *, n_train: int = 100, memory: int | None = None
) -> Job:
    """Return the evaluation of one cell of a grid on one fold."""
    one = replace(make_job(), shared_memory=memory)
    changes: dict[str, Any] = {
        "method": {"name": "cv", "fold": fold},
        "classifier": {"_target_": "sweepmark.svm.SVC", "gamma": gamma, "C": C},
        "split": {**one.specification.split, "n_train": n_train},
    }
    return replace(one, specification=replace(one.specification, **changes))


GRID = [cell(fold, gamma, C) for C in (1.0, 10.0) for gamma in (0.1, 0.2) for fold in (0, 1, 2)]


def where(one: Job) -> tuple[int, float, float]:
    specification = one.specification
    return (
        specification.method["fold"],
        specification.classifier["gamma"],
        specification.classifier["C"],
    )


def place(ready: list[Job], slots: list[int]) -> list[tuple[int, float, float]]:
    """Return what slots take that come in the given order."""
    placement, left = Placement(), list(ready)
    taken = []
    for slot in slots:
        chosen = placement.choose(left, slot)
        left.remove(chosen)
        placement.forget(chosen)
        taken.append(where(chosen))
    return taken


def test_one_worker_ends_every_trial_of_a_gamma_before_the_next() -> None:
    assert place(GRID, [0] * 8) == [
        *((fold, 0.1, C) for fold in (0, 1, 2) for C in (1.0, 10.0)),
        (0, 0.2, 1.0),
        (0, 0.2, 10.0),
    ]


@pytest.mark.parametrize(
    ("memory", "order"),
    [
        (2 * 16 * 100**2 - 1, [(0, 0.1), (0, 0.2), (1, 0.1), (1, 0.2), (2, 0.1), (2, 0.2)]),
        (2 * 16 * 100**2, [(0, 0.1), (1, 0.1), (0, 0.2), (2, 0.1), (1, 0.2), (2, 0.2)]),
    ],
    ids=["one", "two"],
)
def test_worker_takes_no_more_rows_than_it_can_keep(
    memory: int, order: list[tuple[int, float]]
) -> None:
    ready = [cell(*where(one), memory=memory) for one in GRID]
    taken = place(ready, [0] * len(ready))
    assert [(fold, gamma) for fold, gamma, _ in taken[::2]] == order


def test_two_workers_take_different_folds() -> None:
    taken = place(GRID, [0, 1] * 4)
    assert {fold for fold, _, _ in taken[::2]} == {0, 2}
    assert {fold for fold, _, _ in taken[1::2]} == {1}


def test_at_last_a_worker_helps_another_with_another_gamma() -> None:
    taken = place(GRID, [0, 1] * 6)
    assert {fold for fold, _, _ in taken[9::2]} <= {0, 2}
    assert all(one[:2] != other[:2] for one, other in zip(taken[8::2], taken[9::2], strict=True))


def test_most_rows_go_first() -> None:
    ready = [cell(0, 0.1, 1.0, n_train=n) for n in (100, 400, 200)]
    assert Placement().choose(ready, 0) is ready[1]


@given(slots=st.lists(st.integers(0, 3), min_size=len(GRID), max_size=len(GRID)))
def test_every_evaluation_is_taken_once(slots: list[int]) -> None:
    assert sorted(place(GRID, slots)) == sorted(map(where, GRID))


def test_workers_of_a_sweep_prepare_each_fold_hardly_more_than_once(tmp_path: Path) -> None:
    """Four folds, two workers: each pair of prepared parts is missed once, and once in helping."""
    store = Store(tmp_path / "mlruns")
    engine = {"name": "local", "workers": 2, "threads": 1}
    plan = grid(
        engine=engine,
        evaluation__n_splits=4,
        sweep__space={"classifier": {"C": [0.1, 1.0, 10.0], "gamma": [0.01, 0.1]}},
    )
    assert run(plan, store).state == "complete"
    cards = [store.evaluations.scorecard(key) for key in store.evaluations.keys()]  # noqa: SIM118
    assert len(cards) == 24 + 1  # and the chosen recipe's, which shares nothing
    n_misses = 24 - sum(card.work["prepared_hits"] for card in cards) / 2
    assert 4 <= n_misses <= 6  # 8 if workers took whatever comes next
