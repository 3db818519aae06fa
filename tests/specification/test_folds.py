"""Folds of the training rows are scikit-learn's, and those that cannot be are refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.model_selection import KFold, StratifiedKFold

from sweepmark.errors import ConfigurationError
from sweepmark.specification.folds import check_folds, check_held_out, fold_rows, hold_out


class TestFolds:
    y = np.repeat([0, 1, 2], [10, 7, 6])

    def method(self, fold: int, **values: Any) -> dict[str, Any]:
        base = {"n_splits": 3, "stratified": True, "shuffle": False, "seed": None}
        return base | values | {"fold": fold}

    @pytest.mark.parametrize("shuffle", [False, True])
    @pytest.mark.parametrize(("stratified", "kind"), [(True, StratifiedKFold), (False, KFold)])
    def test_folds_are_scikit_learns(self, stratified: bool, kind: Any, shuffle: bool) -> None:  # noqa: FBT001
        seed = 4 if shuffle else None
        theirs = list(kind(3, shuffle=shuffle, random_state=seed).split(self.y, self.y))
        for fold, expected in enumerate(theirs):
            method = self.method(fold, stratified=stratified, shuffle=shuffle, seed=seed)
            for ours, rows in zip(fold_rows(method, self.y), expected, strict=True):
                np.testing.assert_array_equal(ours, rows)

    @pytest.mark.parametrize("fold", [-1, 3])
    def test_fold_that_does_not_exist_is_refused(self, fold: int) -> None:
        with pytest.raises(ConfigurationError, match=f"fold {fold} does not exist: 3 folds"):
            fold_rows(self.method(fold), self.y)

    def test_fold_fitted_without_a_class_is_refused(self) -> None:
        folds = [self.method(fold, stratified=False) for fold in range(3)]
        with pytest.raises(ConfigurationError, match=r"fold 2 of 3 would lack 2.*stratified=true"):
            check_folds(np.sort(self.y), folds)
        check_folds(np.sort(self.y), [self.method(fold) for fold in range(3)])


@pytest.mark.parametrize(
    ("n_rows", "fraction", "n_held_out"),
    [(10, 0.25, 2), (10, 0.26, 3), (10, 0.35, 4), (100, 0.29, 29), (7, 0.1, 1), (1437, 0.1, 144)],
)
@pytest.mark.parametrize("rows", ["last", "random"])
def test_share_held_out_is_rounded_to_the_nearest_row(
    n_rows: int, fraction: float, n_held_out: int, rows: str
) -> None:
    fit, held_out = hold_out({"fraction": fraction, "rows": rows, "seed": 3}, n_rows)
    assert len(held_out) == n_held_out
    assert sorted([*fit, *held_out]) == list(range(n_rows))


def test_last_rows_are_the_last_and_random_ones_those_that_the_seed_draws() -> None:
    fit, held_out = hold_out({"fraction": 0.3, "rows": "last", "seed": None}, 20)
    assert (fit.tolist(), held_out.tolist()) == (list(range(14)), list(range(14, 20)))
    first, again, other = (
        hold_out({"fraction": 0.3, "rows": "random", "seed": seed}, 20) for seed in (1, 1, 2)
    )
    for part, same in zip(first, again, strict=True):
        np.testing.assert_array_equal(part, same)
        assert part.tolist() == sorted(part)
    assert held_out.tolist() != first[1].tolist() != other[1].tolist()


class TestHeldOut:
    y = np.array([0, 0, 0, 1, 1, 1, 0, 1])

    def part(self, fraction: float) -> dict[str, Any]:
        return {"fraction": fraction, "rows": "last", "seed": None}

    @pytest.mark.parametrize(("fraction", "n_held_out"), [(0.01, 0), (0.99, 8)])
    def test_part_without_rows_is_refused(self, fraction: float, n_held_out: int) -> None:
        with pytest.raises(ConfigurationError, match="both parts must have rows") as error:
            check_held_out(self.y, self.part(fraction))
        assert f"={fraction} of 8 training rows holds {n_held_out} out" in str(error.value)

    def test_class_that_none_is_left_of_to_fit_on_is_refused(self) -> None:
        with pytest.raises(ConfigurationError, match=r"lacks 1, 2\. Set .*validation_rows=random"):
            check_held_out(np.array([0, 0, 0, 0, 1, 2, 1]), self.part(0.4))

    @pytest.mark.parametrize("fraction", [0.125, 0.5])
    def test_one_row_of_each_class_is_enough(self, fraction: float) -> None:
        check_held_out(self.y, self.part(fraction))
