"""The parts of sweepmark.svm by themselves: strips, threads, votes, what is solved and where."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from contextlib import suppress
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import sklearn.svm
from hypothesis import given
from hypothesis import strategies as st
from sklearn.exceptions import ConvergenceWarning

import svm_data
from svm_data import blobs
from sweepmark import cache
from sweepmark.cache import configure, freeze
from sweepmark.svm import (
    SVC,
    compilation,
    content,
    decision,
    kernel,
    solution,
    threads,
    warm_up,
)
from sweepmark.svm.decision import vote
from sweepmark.svm.strips import cut_strips, order_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


@pytest.fixture(autouse=True)
def _nothing_shared() -> Iterator[None]:
    svm_data.forget()
    yield
    configure()


# Which solution


def test_with_max_iter_a_solution_is_what_is_found_at_its_own_c_and_nowhere_else() -> None:
    """At C = 10 there would be more steps, after which it would be given up."""
    X, y = blobs(12, (30, 10), 2)
    parameters = {"gamma": 10.0, "shrinking": False}
    low, high = (sklearn.svm.SVC(C=C, **parameters).fit(X, y) for C in (10.0, 1000.0))
    enough = int(high.n_iter_[0]) + 1
    assert low.n_iter_[0] > enough
    with warnings.catch_warnings(action="error", category=ConvergenceWarning):
        ours = SVC(C=1000.0, max_iter=enough, **parameters).fit(X, y)
    assert ours.fit_status_ == 0
    assert ours.n_iter_.tolist() == high.n_iter_.tolist()
    np.testing.assert_array_equal(ours.support_, high.support_)
    np.testing.assert_allclose(ours.dual_coef_, high.dual_coef_, rtol=1e-5)
    with pytest.warns(ConvergenceWarning, match=f"max_iter={enough}"):
        SVC(C=10.0, max_iter=enough, **parameters).fit(X, y)


def test_unbounded_pairs_of_c_10_are_those_of_any_larger_c() -> None:
    X, y = blobs(0, (12, 12, 12), 6)
    X[y == 2] += 9.0  # far away: its pairs are unbounded
    X[y == 1, :2] = X[y == 0, :2]
    models = [SVC(C=C, gamma=0.05).fit(X, y) for C in (10.0, 1000.0)]
    largest = [np.abs(model.dual_coef_).max() for model in models]
    assert largest[0] == 10.0 < largest[1]  # the pair of 0 and 1 is solved anew
    low, high = (model.n_iter_.tolist() for model in models)
    assert (low[0] != high[0], low[1:] == high[1:]) == (True, True)
    assert models[0].intercept_[1:].tolist() == models[1].intercept_[1:].tolist()
    assert models[0].intercept_[0] != models[1].intercept_[0]


@pytest.mark.parametrize(
    ("C", "solved"),
    [(9.99, [9.99]), (10.0, [10.0]), (10.01, [10.0, 10.01]), (500.0, [10.0, 500.0])],
)
def test_solutions_are_tried_at_10_for_larger_c_alone(
    monkeypatch: pytest.MonkeyPatch, C: float, solved: list[float]
) -> None:
    asked: list[float] = []
    solve = solution._solve  # noqa: SLF001

    def note(problem: Any, C: float, *rest: Any) -> Any:
        asked.append(C)
        return solve(problem, C, *rest)

    monkeypatch.setattr(solution, "_solve", note)
    SVC(C=C, gamma=0.05).fit(*blobs(0, (12, 12), 2))  # bounded at any of them
    assert asked == solved
    asked.clear()
    SVC(C=C).fit([[0.0], [9.0]], [0, 1])  # free
    assert asked == solved[:1]


# Memory


def test_a_kernel_may_take_half_of_the_memory() -> None:
    for n_rows in (1, 10, 333):
        assert kernel.size(n_rows) == np.empty((n_rows, n_rows), np.float32).nbytes
        configure(memory=2 * kernel.size(n_rows))
        assert kernel.fits(n_rows)
        assert not kernel.fits(n_rows + 1)


@pytest.mark.parametrize(
    ("kernels", "n_threads", "at_once"), [(2, 4, 2), (3.5, 4, 3), (3.5, 2, 2), (0.5, 4, 1)]
)
def test_pairs_are_solved_as_many_at_once_as_half_the_memory_holds(
    monkeypatch: pytest.MonkeyPatch, kernels: float, n_threads: int, at_once: int
) -> None:
    """A kernel of two classes takes up to 4 * 30 * 30 bytes here, and that of all does not fit."""
    asked: list[int] = []
    run = threads.run

    def note(function: Callable[[Any], Any], items: Sequence[Any], *, threads: int) -> Any:
        if isinstance(items[0], tuple) and items[0] == (0, 1):
            asked.append(threads)
        return run(function, items, threads=threads)

    monkeypatch.setattr(threads, "run", note)
    monkeypatch.setattr(threads, "available", lambda: n_threads)
    X, y = blobs(1, (10, 15, 5, 15, 12), 2)
    configure(memory=int(2 * kernels * kernel.size(30)))
    assert not kernel.fits(len(y))
    apart = SVC().fit(X, y)
    assert asked == [at_once]
    svm_data.forget()
    np.testing.assert_array_equal(apart.dual_coef_, SVC().fit(X, y).dual_coef_)
    assert asked == [at_once, n_threads]


def test_rows_are_prepared_in_order_for_reading_alone() -> None:
    X = np.arange(12.0).reshape(4, 3)
    for dtype in (np.float32, np.float64):
        order = np.array([2, 0, 3, 1])
        rows = order_rows(X, content=b"", order=order, strips=((0, 3), (3, 4)), dtype=dtype)
        assert rows.array.dtype == rows.norms.dtype == dtype
        np.testing.assert_array_equal(rows.array, X[order])
        np.testing.assert_array_equal(rows.norms, (X[order] ** 2).sum(axis=1))
        assert not rows.array.flags.writeable
        assert len(set(rows.digests)) == 2


@pytest.mark.parametrize(
    ("memory", "is_shared"), [(4 * 8 * 20 * 30, True), (4 * 8 * 20 * 30 - 1, False)]
)
def test_distances_are_shared_between_models_where_a_quarter_of_the_memory_holds_them(
    memory: int, *, is_shared: bool
) -> None:
    (X, y), asked = blobs(0, (14, 16), 3), blobs(1, (20,), 3)[0]
    models = [SVC(C=C, gamma=gamma).fit(X, y) for C, gamma in ((1, 0.1), (2, 0.1), (1, 0.2))]
    svm_data.forget()
    configure(memory=memory)
    found = []
    for model in models:
        before = cache.statistics()
        model.predict(asked)
        after = cache.statistics()
        found.append(
            (after.kernel_misses - before.kernel_misses, after.kernel_hits - before.kernel_hits)
        )
    # Values, kernel and distances; values alone; values and kernel, from the same distances.
    assert found == ([(3, 0), (1, 1), (2, 1)] if is_shared else [(1, 0)] * 3)


def test_very_many_distances_are_not_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    (X, y), asked = blobs(0, (14, 16), 3), blobs(1, (20,), 3)[0]
    model = SVC().fit(X, y)
    values = []
    for most, n_made in ((20 * 30, 1), (20 * 30 + 1, 3)):
        monkeypatch.setattr(decision, "_MANY_DISTANCES", most)
        svm_data.forget()
        before = cache.statistics().kernel_misses
        values.append(model.decision_function(asked))
        assert cache.statistics().kernel_misses == before + n_made
    np.testing.assert_array_equal(*values)


# Strips


@pytest.mark.parametrize(
    ("counts", "strips"),
    [
        ([], ()),
        ([1], ((0, 1),)),
        ([256], ((0, 256),)),
        ([257], ((0, 256), (256, 257))),
        ([512], ((0, 256), (256, 512))),
        ([127, 1], ((0, 128),)),
        ([127, 127], ((0, 254),)),
        ([127, 128], ((0, 127), (127, 255))),
        ([128, 1], ((0, 128), (128, 129))),
        ([100, 28, 5], ((0, 128), (128, 133))),
        ([100, 27, 5], ((0, 132),)),
        ([127, 127, 127], ((0, 254), (254, 381))),
        ([0, 3, 0, 4], ((0, 7),)),
        ([300, 20, 30, 200], ((0, 256), (256, 350), (350, 550))),
    ],
)
def test_strips_begin_with_large_classes(
    counts: list[int], strips: tuple[tuple[int, int], ...]
) -> None:
    assert cut_strips(counts) == strips


@given(st.lists(st.integers(0, 700), max_size=12))
def test_strips_follow_each_other_and_none_is_tall(counts: list[int]) -> None:
    strips = cut_strips(counts)
    assert [start for start, _ in strips] == [0, *(stop for _, stop in strips)][: len(strips)]
    assert sum(stop - start for start, stop in strips) == sum(counts)
    assert all(0 < stop - start <= 256 for start, stop in strips)
    if sum(counts):  # a head keeps its strips, but for the last
        head = cut_strips([*counts, 128])
        assert head[: len(strips)] == strips


# Votes


@given(st.integers(2, 6), st.integers(0, 2**32 - 1))
def test_most_wins_and_the_first_of_equals(n_classes: int, seed: int) -> None:
    pairs = list(combinations(range(n_classes), 2))
    values = np.random.default_rng(seed).integers(-1, 2, (8, len(pairs))).astype(np.float64)
    for row, winner in zip(values, vote(values, n_classes), strict=True):
        wins = [0] * n_classes
        for (i, j), value in zip(pairs, row, strict=True):
            wins[i if value > 0 else j] += 1
        assert winner == wins.index(max(wins))


# Threads


@pytest.mark.parametrize("n_threads", [0, 1, 2, 3, 9])
@pytest.mark.parametrize("n_items", [0, 1, 2, 5])
def test_values_come_in_order_from_as_many_threads_as_there_is_work_for(
    n_threads: int, n_items: int
) -> None:
    n_workers = max(1, min(n_threads, n_items))
    together = threading.Barrier(n_workers)
    begun: set[int] = set()

    def square(number: int) -> int:
        if threading.get_ident() not in begun:  # nobody goes on before all have come
            begun.add(threading.get_ident())
            together.wait(60)
        return number * number

    found = threads.run(square, range(n_items), threads=n_threads)
    assert found == [number * number for number in range(n_items)]
    assert len(begun) == (n_workers if n_items else 0)


@pytest.mark.parametrize("n_threads", [1, 3])
def test_what_a_call_raises_is_raised_and_what_is_not_begun_is_left(n_threads: int) -> None:
    begun: list[int] = []

    def work(number: int) -> None:
        begun.append(number)
        time.sleep(0.01)
        raise KeyError(number)

    with pytest.raises(KeyError, match="0"):
        threads.run(work, range(1000), threads=n_threads)
    assert len(begun) < 500


_FORK = """
import os, sys
from sweepmark.svm import threads
with threads._single.lock:  # as another thread might hold it at that moment
    child = os.fork()
    if not child:
        os._exit(0 if threads.available() > 0 else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_forked_child_does_not_wait_for_its_parent_s_threads() -> None:
    with subprocess.Popen([sys.executable, "-c", _FORK], process_group=0) as forking:
        try:
            assert forking.wait(120) == 0
        finally:  # the child too, should it wait
            with suppress(ProcessLookupError):
                os.killpg(forking.pid, signal.SIGKILL)


def test_what_is_loaded_beforehand_is_what_fits_and_predictions_call() -> None:
    """No more is compiled then."""
    from sweepmark.svm import similarity, smo

    compiled: tuple[Any, ...] = (
        smo.minimize,
        similarity.squared_distances,
        similarity.decision_values,
    )
    warm_up()
    before = [list(function.signatures) for function in compiled]
    assert all(before)
    assert all(function.stats.cache_path for function in compiled)  # kept for the next process
    X, y = blobs(0, (14, 16, 9), 3)
    for dtype in (np.float64, np.float32):
        SVC().fit(X.astype(dtype), y).predict(X.astype(dtype))
    after = [list(function.signatures) for function in compiled]
    assert after == before


def test_where_nothing_can_be_kept_every_process_compiles_for_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []

    def refuse(function: Any, *, cache: bool = False, **options: Any) -> Any:
        asked.append((cache, options["fastmath"], options["nogil"]))
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return function

    monkeypatch.setattr(compilation, "njit", refuse)
    assert compilation.compiled(allowing=frozenset({"nnan"}))(abs) is abs
    assert asked == [(True, {"nnan"}, True), (False, {"nnan"}, True)]


# Digests


def test_frozen_array_is_hashed_once_and_forgotten_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    hashed = []
    make = content._hash  # noqa: SLF001

    def note(array: Any) -> bytes:
        hashed.append(array.shape)
        return make(array)

    monkeypatch.setattr(content, "_hash", note)
    known = len(content._known)  # noqa: SLF001
    array = freeze(np.arange(6.0))
    assert content.digest(array) == content.digest(array) == content.digest(np.arange(6.0))
    assert len(hashed) == 2  # it, and the one that is not frozen
    assert len(content._known) == known + 1  # noqa: SLF001
    del array
    gc.collect()
    assert len(content._known) == known  # noqa: SLF001


@pytest.mark.parametrize(
    "other",
    [
        np.arange(6.0).reshape(2, 3),
        np.arange(6.0)[::-1],
        np.arange(6),
        np.arange(6.0, dtype=">f8"),
        np.arange(7.0),
        np.append(np.arange(5.0), 5.0 + 1e-15),
    ],
)
def test_digest_tells_arrays_apart_by_type_shape_and_content(other: Any) -> None:
    assert content.digest(other) != content.digest(np.arange(6.0))
    assert content.digest(other) == content.digest(other.copy())
    assert content.digest(np.asfortranarray(other)) == content.digest(other)


def test_digest_is_of_every_byte_however_many_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "_CHUNK", 8)
    array = np.arange(40, dtype=np.uint8)
    digests = {content.digest(array)}
    for place in range(40):
        changed = array.copy()
        changed[place] ^= 1
        digests.add(content.digest(changed))
    assert len(digests) == 41


class _Pools:
    """Stands in for threadpoolctl's view of BLAS."""

    def __init__(self, *n_threads: int) -> None:
        self.n_threads = list(n_threads)
        self.limited: list[int] = []
        self.restored = 0

    def info(self) -> list[dict[str, int]]:
        return [{"num_threads": n} for n in self.n_threads]

    def limit(self, *, limits: int) -> _Pools:
        self.limited.append(limits)
        return self

    def restore_original_limits(self) -> None:
        self.restored += 1


@pytest.mark.parametrize(("pools", "n"), [(_Pools(), 1), (_Pools(3), 3), (_Pools(2, 5, 4), 5)])
def test_as_many_threads_as_blas_may_use(
    monkeypatch: pytest.MonkeyPatch, pools: _Pools, n: int
) -> None:
    monkeypatch.setattr(threads, "_controller", lambda: pools)
    assert threads.available() == n
    with threads.single_blas():
        pools.n_threads = [7]
        assert threads.available() == n  # what it will be again
        with threads.single_blas():
            assert threads.available() == n
            assert pools.limited == ([1] if n > 1 else [])
        assert pools.restored == 0
    assert pools.restored == (n > 1)
    assert threads.available() == 7
    with pytest.raises(KeyError), threads.single_blas():
        raise KeyError
    assert (pools.limited, pools.restored) == ([1] * (1 + (n > 1)), 1 + (n > 1))


def test_a_solution_is_as_large_as_its_arrays() -> None:
    one = solution.Solution(np.zeros((2, 5)), np.zeros(3), np.zeros(3, np.int32), 0)
    assert one.n_bytes == 8 * 10 + 8 * 3 + 4 * 3
