"""Searches: which trial comes next, whoever asks, however often and whatever is known."""

from __future__ import annotations

import importlib.util
import sys
import warnings
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import qmc

from sweepmark.config.registry import SAMPLERS
from sweepmark.config.schema import SweepConfig
from sweepmark.errors import ConfigurationError
from sweepmark.search import Search, create_search
from sweepmark.search.points import LARGEST_GRID
from sweepmark.search.space import Choice, Options, Range, Space

if TYPE_CHECKING:
    from collections.abc import Callable

    from sweepmark.search.space import Params

C = Range("classifier.C", "classifier.C", 0.01, 100.0, log=True, integer=False)
DEPTH = Range("classifier.depth", "classifier.depth", 1, 20, log=True, integer=True)
KERNEL = Choice("classifier.kernel", "classifier.kernel", ("rbf", None, [1], 1, 1.0, True))
GROUP = Options("classifier", {"svc": (C, KERNEL), "forest": (DEPTH,), "dummy": ()})
SPACE = Space((GROUP, Range("size", "split.size", 10, 20, log=False, integer=True)))
GRID = Space((Choice("a", "a", tuple(range(200))), Choice("b", "b", tuple(range(100)))))
ADAPTIVE = {"lag": 3, "n_startup_trials": 4}
WITH_TORCH = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None,
    reason="sampler=gp needs PyTorch: pip install 'sweepmark[gp]'",
)


def search(
    name: Any,
    space: Space = SPACE,
    seed: int = 0,
    *,
    sampler: dict[str, Any] | None = None,
    **sweep: Any,
) -> Search:
    config = SAMPLERS.find(name).options(name=name, **sampler or {})
    return create_search(space, config, SweepConfig(name="s", space={}, **sweep), seed=seed)


class TestGrid:
    def test_gives_every_cell_in_order(self) -> None:
        grid = search("grid", GRID, allow_large=True)
        assert [grid.ask(n) for n in range(grid.n_trials)] == list(GRID.cells())

    def test_gives_the_same_cell_in_whatever_order_it_is_asked(self) -> None:
        grid = search("grid", GRID, allow_large=True)
        cells = list(GRID.cells())
        for number in (7, 3, 150, 150, 0):
            assert grid.ask(number) == cells[number]

    def test_needs_a_word_of_consent_beyond_ten_thousand_cells(self) -> None:
        with pytest.raises(ConfigurationError) as error:
            search("grid", GRID)
        for part in ("20,000 cells", "above 10,000", "sweep.allow_large=true", "sampler=random"):
            assert part in str(error.value)
        assert search("grid", GRID, allow_large=True).n_trials == 20_000

    def test_needs_no_word_for_few_trials_of_a_large_grid(self) -> None:
        assert search("grid", GRID, n_trials=LARGEST_GRID).n_trials == LARGEST_GRID
        with pytest.raises(ConfigurationError, match="word of consent"):
            search("grid", GRID, n_trials=LARGEST_GRID + 1)

    def test_has_no_more_trials_than_cells(self) -> None:
        assert search("grid", Space((KERNEL,)), n_trials=100).n_trials == 6

    def test_refuses_a_range(self) -> None:
        with pytest.raises(ConfigurationError, match="the grid sampler needs lists"):
            search("grid")


@pytest.mark.parametrize("name", ["random", "qmc", "tpe", "gp"])
def test_search_without_an_end_must_be_given_one(name: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"sampler={name} needs .* Set sweep\.n_trials="):
        search(name)


@pytest.mark.parametrize("name", ["random", "qmc"])
class TestPoints:
    """What random and quasi-random points share."""

    @given(seed=st.integers(0, 2**32 - 1), number=st.integers(0, 10**6))
    def test_trial_is_a_function_of_seed_and_number(
        self, name: str, seed: int, number: int
    ) -> None:
        first, second = (search(name, seed=seed, n_trials=1) for _ in range(2))
        first.ask(3)
        assert repr(first.ask(number)) == repr(second.ask(number))

    def test_replay_notes_what_was_asked_and_goes_on(self, name: str) -> None:
        asked = search(name, n_trials=20)
        trials = [asked.ask(number) for number in range(20)]
        again = search(name, n_trials=20)
        for number, params in enumerate(trials[:11]):
            again.note(number, params)
            again.tell(number, None)
        assert repr([again.ask(number) for number in range(11, 20)]) == repr(trials[11:])

    def test_trials_and_seeds_differ(self, name: str) -> None:
        space = Space((C,))
        asked = {
            search(name, space, seed, n_trials=9).ask(number)[C.name]
            for seed in (0, 1)
            for number in range(9)
        }
        assert len(asked) == 18

    @given(number=st.integers(0, 10**6))
    def test_point_is_within_the_space_and_of_its_types(self, name: str, number: int) -> None:
        point = search(name, n_trials=1).ask(number)
        assert list(point) == [axis.name for axis in SPACE.active(point)]
        for axis in SPACE.active(point):
            check(axis, point[axis.name])

    @given(
        ends=st.lists(st.floats(1e-9, 1e9), min_size=2, max_size=2),
        log=st.booleans(),
        integer=st.booleans(),
        number=st.integers(0, 99),
    )
    def test_range_is_never_left(
        self, *, name: str, ends: list[float], log: bool, integer: bool, number: int
    ) -> None:
        low, high = sorted(max(1, round(end)) if integer else end for end in ends)
        axis = Range("a", "a", low, high + 1 if low == high else high, log, integer)
        check(axis, search(name, Space((axis,)), seed=1, n_trials=1).ask(number)["a"])

    @pytest.mark.parametrize("log", [False, True])
    def test_both_ends_of_integers_and_every_choice_occur(self, *, name: str, log: bool) -> None:
        axis = Range("n", "n", 1, 4, log=log, integer=True)
        points = draw(name, Space((axis, KERNEL)), 300)
        assert {point["n"] for point in points} == {1, 2, 3, 4}
        assert {repr(point[KERNEL.name]) for point in points} == set(map(repr, KERNEL.values))

    def test_log_range_is_uniform_over_magnitudes(self, name: str) -> None:
        below = sum(point[C.name] < 1.0 for point in draw(name, Space((C,)), 1000))
        assert 440 < below < 560

    def test_log_integers_are_weighted_by_magnitude(self, name: str) -> None:
        axis = Range("n", "n", 1, 1000, log=True, integer=True)
        small = sum(point["n"] < 32 for point in draw(name, Space((axis,)), 1000))
        assert 440 < small < 640


class TestSobol:
    def test_points_are_those_of_scipys_sequence(self) -> None:
        axes = tuple(Range(name, name, 0, 1, log=False, integer=False) for name in "abc")
        points = [tuple(point.values()) for point in draw("qmc", Space(axes), 32)]
        sequence = qmc.Sobol(3, rng=np.random.default_rng(0)).random(32)
        np.testing.assert_array_equal(points, sequence)

    def test_every_sixteenth_of_a_range_gets_its_share(self) -> None:
        axis = Range("a", "a", 0, 16, log=False, integer=False)
        points = draw("qmc", Space((axis, KERNEL)), 64)
        assert [sum(int(point["a"]) == n for point in points) for n in range(16)] == [4] * 16

    def test_axis_does_not_depend_on_the_option_taken(self) -> None:
        size = SPACE.axes[1]
        alone = search("qmc", Space((GROUP, size)), n_trials=9)
        points = [alone.ask(number) for number in range(64)]
        assert {point["classifier"] for point in points} == {"svc", "forest", "dummy"}
        assert sorted({point["size"] for point in points}) == list(range(10, 21))


def check(axis: Any, value: Any) -> None:
    if isinstance(axis, Range):
        assert axis.low <= value <= axis.high
        assert type(value) is (int if axis.integer else float)
    else:
        assert repr(value) in [repr(item) for item in getattr(axis, "values", None) or axis.options]


def draw(name: str, space: Space, n: int) -> list[Params]:
    points = search(name, space, n_trials=n)
    return [points.ask(number) for number in range(n)]


def value(params: Params) -> float | None:
    """Return an objective that depends on the point alone; some points fail."""
    figure = float(params.get(C.name) or params.get(DEPTH.name) or 50) / 100 + params["size"] / 50
    return None if params["size"] == 13 else figure


N_TRIALS = 25


def drive(
    searched: Search,
    known: Callable[[int], int],
    recorded: list[Params] | None = None,
    value: Callable[[Params], float | None] = value,
) -> list[Params]:
    """Ask for all trials; before trial n, the results of the first ``known(n)`` are told."""
    trials: list[Params] = []
    n_told = 0
    for number in range(searched.n_trials):
        while n_told < known(number):
            searched.tell(n_told, value(trials[n_told]))
            n_told += 1
        if number < len(recorded or []):
            trials.append((recorded or [])[number])
            searched.note(number, trials[-1])
        else:
            trials.append(searched.ask(number))
    return trials


def adaptive(name: str, seed: int = 0, **sweep: Any) -> Search:
    return search(name, seed=seed, sampler=ADAPTIVE, n_trials=N_TRIALS, **sweep)


def late(number: int) -> int:
    """Tell what must be known."""
    return max(0, number - ADAPTIVE["lag"] + 1)


def eager(number: int) -> int:
    """Tell all that there can be to know."""
    return number


@pytest.fixture(scope="module", params=["tpe", pytest.param("gp", marks=WITH_TORCH)])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def trials(name: str) -> list[Params]:
    return drive(adaptive(name), late)


class TestAdaptive:
    def test_trials_are_the_same_however_early_results_are_told(
        self, name: str, trials: list[Params]
    ) -> None:
        assert repr(drive(adaptive(name), eager)) == repr(trials)

    @pytest.mark.parametrize("n_recorded", [1, 3, 4, 11, N_TRIALS])
    def test_replay_goes_on_as_if_nothing_had_happened(
        self, name: str, trials: list[Params], n_recorded: int
    ) -> None:
        assert repr(drive(adaptive(name), late, trials[:n_recorded])) == repr(trials)

    def test_trials_depend_on_seed_and_results(self, name: str, trials: list[Params]) -> None:
        assert drive(adaptive(name, seed=1), late) != trials
        other = drive(adaptive(name), late, value=lambda params: -params["size"])
        n_startup = ADAPTIVE["n_startup_trials"]
        assert other[:n_startup] == trials[:n_startup]
        assert other != trials

    def test_direction_turns_the_search_round(self, name: str) -> None:
        def mean(direction: str) -> float:
            found = drive(
                adaptive(name, direction=direction), late, value=lambda params: params["size"]
            )
            return float(sum(params["size"] for params in found[-10:])) / 10

        assert mean("maximize") > mean("minimize") + 2

    def test_points_are_within_the_space_and_of_its_types(self, trials: list[Params]) -> None:
        for params in trials:
            assert list(params) == [axis.name for axis in SPACE.active(params)]
            for axis in SPACE.active(params):
                check(axis, params[axis.name])

    def test_trial_that_lacks_a_result_it_must_know_is_not_guessed(self, name: str) -> None:
        with pytest.raises(KeyError):
            drive(adaptive(name), lambda _: 0)


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_tpe_proposes_what_optuna_does_from_the_same_knowledge(
    direction: Literal["maximize", "minimize"],
) -> None:
    """Results up to n - lag are known, of which one failed, and the trials after that run."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    low, high = 0.0, 1.0
    axes = tuple(Range(name, name, low, high, log=False, integer=False) for name in "ab")
    searched = search(
        "tpe", Space(axes), seed=5, sampler=ADAPTIVE, n_trials=N_TRIALS, direction=direction
    )
    values = [None if n == 2 else float(np.sin(n)) for n in range(N_TRIALS)]
    asked: list[Params] = []
    uniform = optuna.distributions.FloatDistribution(low, high)
    for number in range(N_TRIALS):
        n_known = late(number)
        if n_known:
            searched.tell(n_known - 1, values[n_known - 1])
        with warnings.catch_warnings(action="ignore"):  # of what is experimental
            sampler = optuna.samplers.TPESampler(
                seed=int(np.random.SeedSequence([5, number]).generate_state(1)[0]),
                n_startup_trials=ADAPTIVE["n_startup_trials"],
                multivariate=True,
                group=True,
                constant_liar=True,
            )
        study = optuna.create_study(direction=direction, sampler=sampler)
        state = optuna.trial.TrialState
        for n, params in enumerate(asked):
            value = values[n] if n < n_known else None
            done = state.FAIL if value is None else state.COMPLETE
            study.add_trial(
                optuna.trial.create_trial(
                    state=done if n < n_known else state.RUNNING,
                    value=value,
                    params=params,
                    distributions=dict.fromkeys("ab", uniform),
                )
            )
        trial = study.ask()
        asked.append(searched.ask(number))
        assert asked[-1] == {name: trial.suggest_float(name, low, high) for name in "ab"}


def test_sampler_is_known_by_its_name_however_it_was_read() -> None:
    kinds = {
        name: type(search("".join(list(name)), n_trials=2)).__name__
        for name in ("random", "qmc", "tpe")
    }
    assert kinds == {"random": "RandomSearch", "qmc": "SobolSearch", "tpe": "TpeSearch"}


def test_gaussian_process_without_pytorch_is_refused_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ConfigurationError) as error:
        search("gp", n_trials=3)
    for part in ("sampler=gp needs PyTorch", "pip install 'sweepmark[gp]'", "sampler=tpe"):
        assert part in str(error.value)
