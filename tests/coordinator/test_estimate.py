"""Estimates: the growth of what was measured, honest ranges, and the time on several slots."""

from __future__ import annotations

import pytest

from sweepmark.coordinator.estimate import (
    Estimate,
    extrapolate,
    makespan,
    plausible_growth,
    total,
)


@pytest.mark.parametrize(
    ("growth", "exponent", "constant"),
    [
        pytest.param((1.0, 2.5), 1.0, 0.0, id="linear"),
        pytest.param((1.0, 2.5), 2.0, 0.0, id="quadratic"),
        pytest.param((1.0, 3.0), 2.0, 0.05, id="quadratic with a constant"),
        pytest.param((1.0, 1.3), 1.1, 0.2, id="trees"),
    ],
)
def test_the_middle_of_what_grows_as_assumed_is_near(
    growth: tuple[float, float], exponent: float, constant: float
) -> None:
    measured = {n: constant + 1e-3 * (n / 100) ** exponent * 10 for n in (200, 400, 800)}
    found = extrapolate(measured, 3200, growth)
    truth = constant + 1e-3 * 32**exponent * 10
    assert found.low < truth < found.high
    assert truth / 1.5 < found.middle < truth * 1.5


def test_what_was_measured_at_that_size_is_not_extrapolated() -> None:
    found = extrapolate({200: 1.0, 400: 2.0, 800: 4.0}, 800, (1.0, 3.0))
    assert found.middle == pytest.approx(4.0, rel=0.1)
    assert found.high / found.low < 2


def test_the_range_widens_with_the_distance_and_narrows_with_sizes() -> None:
    measured = {200: 1.0, 400: 2.3, 800: 5.0}
    near, far = (extrapolate(measured, n, (1.0, 3.0)) for n in (1600, 12800))
    assert far.high / far.low > near.high / near.low
    one = extrapolate({800: 5.0}, 1600, (1.0, 3.0))
    assert one.high / one.low > near.high / near.low


@pytest.mark.parametrize("values", [{200: 3.0, 400: 1.0}, {200: 0.0, 400: 0.0}, {100: 1e-12}])
def test_noise_gives_no_nonsense(values: dict[int, float]) -> None:
    found = extrapolate(values, 3000, (1.0, 3.0))
    assert 0 < found.low <= found.middle <= found.high


def test_a_class_grows_as_its_module_does() -> None:
    assert plausible_growth("sklearn.svm.LinearSVC") != plausible_growth("sklearn.svm.SVC")
    assert plausible_growth("sklearn.svm._classes.SVC") == plausible_growth("sklearn.svm.SVC")
    assert plausible_growth("mine.Own") == (1.0, 2.0)


def test_high_is_at_most_three_times_low_around_the_same_middle() -> None:
    bounded = Estimate(1.0, 4.0, 100.0).bounded()
    assert bounded.middle == 4.0
    assert bounded.high == pytest.approx(3 * bounded.low)
    assert bounded.low < bounded.middle < bounded.high
    narrow = Estimate(1.0, 1.5, 2.0)
    assert narrow.bounded() == narrow
    assert total([narrow, narrow]) == narrow * 2


def test_jobs_on_slots_take_no_less_than_the_longest() -> None:
    one, many = Estimate.about(6.0), Estimate.about(60.0)
    assert makespan(many, one, n_slots=1) == many
    assert makespan(one, one, n_slots=8).middle == 6.0
    found = makespan(many, one, n_slots=2)
    assert (found.low, found.middle, found.high) == (30.0, 31.5, 33.0)
