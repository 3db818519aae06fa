"""Splits: which rows, in which order, and which cannot be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sweepmark.config.schema import EvaluationConfig, SplitConfig
from sweepmark.data import Dataset, Part
from sweepmark.errors import ConfigurationError
from sweepmark.specification.split import (
    _largest,
    _parts,
    check_classes,
    resolve_split,
    split_rows,
    stratified_order,
)

LABELS = st.lists(st.integers(0, 4), min_size=1, max_size=80).map(np.array)
RATIOS = st.floats(0.01, 0.99)
SEEDS = st.integers(0, 99)


def dataset(n_train: int, n_test: int | None = None, n_classes: int = 3) -> Dataset:
    def part(n: int) -> Part:
        return Part(np.zeros((n, 1), np.uint8), np.arange(n, dtype=np.int64) % n_classes)

    return Dataset(
        name="some",
        digest="",
        source="",
        image_shape=None,
        files={},
        train=part(n_train),
        test=None if n_test is None else part(n_test),
    )


def resolve(data: Dataset, **values: Any) -> dict[str, Any]:
    config = SplitConfig(size=None, train_ratio=0.75, source="auto", seed=0)
    return resolve_split(replace(config, **values), data)


class TestResolve:
    def test_official_parts_are_taken_where_there_are_any(self) -> None:
        assert resolve(dataset(60, 20)) == {"source": "official", "n_train": 60, "n_test": 20}
        assert resolve(dataset(60))["source"] == "pooled"

    def test_official_heads_depend_on_the_size_alone(self) -> None:
        split = resolve(dataset(60, 20), size=40, seed=5)
        assert split == {"source": "official", "n_train": 30, "n_test": 10}

    def test_pooled_takes_every_row_and_train_leaves_the_test_file_alone(self) -> None:
        pooled, train = (resolve(dataset(60, 20), source=source) for source in ("pooled", "train"))
        assert (pooled["n_train"], pooled["n_test"]) == (60, 20)
        assert (train["n_train"], train["n_test"]) == (45, 15)

    def test_official_is_refused_where_there_are_no_parts(self) -> None:
        with pytest.raises(ConfigurationError, match=r"some has none.*Set split\.source=pooled"):
            resolve(dataset(60), source="official")

    @pytest.mark.parametrize(
        ("data", "values", "largest"),
        [
            (dataset(60, 20), {"size": 81}, 80),
            (dataset(60, 20), {"size": 81, "source": "pooled"}, 80),
            (dataset(60, 20), {"size": 61, "source": "train"}, 60),
            (dataset(60, 20), {"size": 50, "train_ratio": 0.5}, 40),
        ],
    )
    def test_too_large_a_size_is_refused_with_the_largest(
        self, data: Dataset, values: dict[str, Any], largest: int
    ) -> None:
        with pytest.raises(ConfigurationError, match=f"at most {largest} for some") as error:
            resolve(data, **values)
        assert f"Set split.size={largest} or less" in str(error.value)
        assert resolve(data, **values | {"size": largest})

    @pytest.mark.parametrize("values", [{"size": 1}, {"size": 2, "train_ratio": 0.99}])
    def test_part_without_rows_is_refused(self, values: dict[str, Any]) -> None:
        with pytest.raises(ConfigurationError, match="both parts must have rows"):
            resolve(dataset(60, 20), **values)


@given(st.integers(2, 10**6), RATIOS)
def test_parts_make_up_the_size_at_about_the_ratio(size: int, ratio: float) -> None:
    assume(0 < round(size * ratio) < size)
    n_train, n_test = _parts(size, ratio)
    assert n_train + n_test == size
    assert abs(n_train - size * ratio) <= 0.5


@given(st.integers(1, 10**5), st.integers(1, 10**5), RATIOS)
def test_largest_size_fits_and_the_next_does_not(n_train: int, n_test: int, ratio: float) -> None:
    largest = _largest(ratio, n_train, n_test)

    def fits(size: int) -> bool:
        return round(size * ratio) <= n_train and size - round(size * ratio) <= n_test

    assert fits(largest)
    assert not fits(largest + 1)


class TestRows:
    def test_official_rows_are_heads_of_the_files(self) -> None:
        train, test = split_rows(resolve(dataset(60, 20), size=8), dataset(60, 20))
        assert train.tolist() == [0, 1, 2, 3, 4, 5]
        assert test.tolist() == [60, 61]

    @given(st.integers(8, 80), RATIOS, SEEDS)
    def test_parts_are_disjoint_and_of_the_stated_sizes(
        self, size: int, ratio: float, seed: int
    ) -> None:
        assume(0 < round(size * ratio) < size)
        data = dataset(60, 20)
        split = resolve(data, size=size, train_ratio=ratio, seed=seed, source="pooled")
        train, test = split_rows(split, data)
        assert (len(train), len(test)) == (split["n_train"], split["n_test"])
        rows = set(train) | set(test)
        assert len(rows) == size
        assert rows <= set(range(80))

    @given(st.integers(8, 60), st.integers(8, 60), SEEDS)
    def test_smaller_parts_are_heads_of_larger_ones(self, a: int, b: int, seed: int) -> None:
        data = dataset(60)
        small, large = (
            split_rows(resolve(data, size=size, seed=seed), data) for size in sorted((a, b))
        )
        for inner, outer in zip(small, large, strict=True):
            np.testing.assert_array_equal(inner, outer[: len(inner)])

    def test_head_of_a_file_is_cut_alone(self) -> None:
        data = dataset(60, 20)
        split = resolve(data, source="train", head=40)
        train, test = split_rows(split, data)
        assert sorted([*train, *test]) == list(range(40))
        with pytest.raises(ConfigurationError, match="at most 60 for"):
            resolve(data, source="train", head=61)
        with pytest.raises(ConfigurationError, match=r"Set split\.source=train"):
            resolve(data, head=40)
        assert "head" not in resolve(data, source="train")

    def test_rows_of_the_test_file_stay_out_of_a_split_of_the_training_file(self) -> None:
        data = dataset(60, 20)
        train, test = split_rows(resolve(data, source="train"), data)
        assert sorted([*train, *test]) == list(range(60))

    def test_seed_changes_the_rows(self) -> None:
        data = dataset(60)
        first, second = (split_rows(resolve(data, seed=seed), data)[0] for seed in (0, 1))
        assert first.tolist() != second.tolist()


class TestStratifiedOrder:
    @given(LABELS, SEEDS)
    def test_is_a_permutation_that_the_seed_decides(self, y: Any, seed: int) -> None:
        order = stratified_order(y, seed)
        assert sorted(order) == list(range(len(y)))
        np.testing.assert_array_equal(order, stratified_order(y, seed))

    @given(LABELS, SEEDS)
    def test_every_head_has_about_the_shares_of_the_whole(self, y: Any, seed: int) -> None:
        taken = y[stratified_order(y, seed)]
        labels, counts = np.unique(y, return_counts=True)
        for label, count in zip(labels, counts, strict=True):
            found = np.cumsum(taken == label)
            expected = np.arange(1, len(y) + 1) * count / len(y)
            assert np.abs(found - expected).max() < len(labels) + 1e-9

    @pytest.mark.parametrize("seed", range(5))
    def test_every_head_has_few_of_a_rare_class_too(self, seed: int) -> None:
        counts = (900, 90, 10)
        y = np.repeat([0, 1, 2], counts)
        taken = y[stratified_order(y, seed)]
        for label, count in enumerate(counts):
            found = np.cumsum(taken == label)
            expected = np.arange(1, len(y) + 1) * count / len(y)
            assert np.abs(found - expected).max() < 2
            # Its rows come at equal distances, the first within the first of them.
            places = np.flatnonzero(taken == label)
            assert places[0] < len(y) / count + 2
            np.testing.assert_allclose(np.diff(places), len(y) / count, atol=3)

    def test_rows_are_shuffled_within_a_class(self) -> None:
        order = stratified_order(np.zeros(50, dtype=np.int64), 0)
        assert order.tolist() != sorted(order)


class TestClasses:
    cv = EvaluationConfig(method="cv", n_splits=3)
    test = EvaluationConfig(method="test")

    @pytest.mark.parametrize(
        ("y_train", "y_test", "evaluation", "part"),
        [
            ([5, 5], [5], test, "two classes or more, but its 2 rows have 1"),
            ([0, 1], [0, 2, 3], test, "but its 2 rows lack 2, 3"),
            ([0, 0, 0, 1, 1], [0], cv, r"n_splits=3 training rows, but class 1 has 2"),
            ([0, 1], [0], replace(cv, stratified=False), "at least as many training rows as fol"),
        ],
    )
    def test_parts_that_cannot_be_learned_from_are_refused(
        self, y_train: list[int], y_test: list[int], evaluation: EvaluationConfig, part: str
    ) -> None:
        with pytest.raises(ConfigurationError, match=part):
            check_classes(np.array(y_train), np.array(y_test), evaluation)

    def test_class_that_only_the_training_part_has_is_no_harm(self) -> None:
        check_classes(np.array([0, 1, 2]), np.array([0]), self.test)
