"""The agenda of a plan: trials as the sweep would have them, and what the store has already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sweepmark.coordinator.agenda import Agenda
from sweepmark.coordinator.experience import Experience
from sweepmark.search import create_search
from sweepmark.store import Store
from tiny import blueprint, changed, grid, load_digits, run

if TYPE_CHECKING:
    from pathlib import Path

    from sweepmark.report.results import SweepResult
    from sweepmark.search.blueprint import Blueprint


def agenda(asked: Blueprint, store: Store, **options: Any) -> Agenda:
    config = asked.config
    search = create_search(asked.space, config.sampler, asked.sweep, seed=config.seed)
    return Agenda.of(asked, search, store, load=load_digits, **options)


def test_of_no_store_every_trial_is_new(tmp_path: Path) -> None:
    found = agenda(grid(), Store(tmp_path / "none"))
    assert found.statuses == {"new": 4}
    (family,) = found.families.values()
    assert (family.label, len(family.params), len(family.evaluations)) == ("SVC", 4, 8)
    assert list(tmp_path.iterdir()) == []


def test_what_the_store_has_is_reused(undisturbed: tuple[SweepResult, Store]) -> None:
    _, store = undisturbed
    assert agenda(grid(), store).statuses == {"reused": 4}
    assert agenda(grid(), store, fresh=True).statuses == {"new": 4}
    larger = {"classifier": {"C": [1.0, 10.0, 100.0], "gamma": [0.01, 0.1]}}
    found = agenda(grid(sweep__space=larger), store)
    assert found.statuses == {"reused": 4, "new": 2}
    (family,) = found.families.values()
    assert [params["classifier.C"] for params in family.params] == [100.0, 100.0]


def test_earlier_evaluations_tell_how_long_others_take(
    undisturbed: tuple[SweepResult, Store], tmp_path: Path
) -> None:
    _, store = undisturbed
    experience = Experience.of(store.evaluations)
    (family,) = agenda(grid(split__size=200), store).families.values()
    known = experience.seconds(family)
    assert known.keys() == {90}
    assert 0 < known[90] < 60
    for other in (
        changed(grid(), seed=1, split__source="pooled"),
        grid(preprocess={}),
        grid(evaluation__method="validation", evaluation__validation_fraction=0.2),
    ):
        found = agenda(changed(other, sweep__objective=None), Store(tmp_path / "none"))
        (family,) = found.families.values()
        expected = (
            {90} if other.config.evaluation.method == "cv" and other.config.preprocess else set()
        )
        assert experience.seconds(family).keys() == expected
    assert Experience.of(Store(tmp_path / "none").evaluations).seconds(family) == {}


def test_a_half_stored_trial_lacks_the_other_half(undisturbed: tuple[SweepResult, Store]) -> None:
    result, store = undisturbed
    (key, *_) = result.trials[0].keys
    aside = store.evaluations.set_aside(key)
    try:
        found = agenda(grid(), store)
    finally:
        aside.rename(aside.with_name(key))
    assert found.statuses == {"new": 1, "reused": 3}
    (family,) = found.families.values()
    assert [item.key for item in family.evaluations] == [key]


def test_equal_trials_are_computed_once(tmp_path: Path) -> None:
    twice = {"classifier": {"C": [1.0, 10.0], "shrinking": [True]}}
    random = changed(grid(sweep__space=twice), sampler__name="random", sweep__n_trials=9)
    found = agenda(random, Store(tmp_path / "none"))
    assert found.statuses == {"new": 2, "duplicate": 7}
    assert sum(len(family.evaluations) for family in found.families.values()) == 4


def test_swept_options_are_families(tmp_path: Path) -> None:
    found = agenda(blueprint("classifiers"), Store(tmp_path / "none"))
    assert set(found.families) >= {"dummy", "svc", "mlp"}
    assert all(len(family.evaluations) == 5 for family in found.families.values())


def test_a_search_that_learns_is_planned_by_random_points_or_its_journal(tmp_path: Path) -> None:
    small = {"split__size": 120, "evaluation__n_splits": 2, "sweep__n_trials": 3}
    asked = changed(blueprint("svc_tpe"), **small)
    store = Store(tmp_path / "mlruns")
    first = agenda(asked, store)
    assert (first.statuses, first.n_drawn) == ({"new": 3}, 3)
    result = run(asked, store)
    again = agenda(asked, store)
    assert (again.statuses, again.n_drawn) == ({"reused": 3}, 0)
    assert again.known_from == result.sweep_id


@pytest.mark.parametrize("n_trials", [40, 170])
def test_many_trials_are_sampled_evenly(tmp_path: Path, n_trials: int) -> None:
    space = {"classifier": {"C": {"low": 0.1, "high": 10.0, "log": True}}}
    many = {"sampler__name": "random", "sweep__n_trials": n_trials, "evaluation__n_splits": 2}
    found = agenda(grid(sweep__space=space, **many), Store(tmp_path / "none"), most=40)
    assert found.n_examined == 40
    assert found.scale * sum(found.statuses.values()) == pytest.approx(n_trials)
