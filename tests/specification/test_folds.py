"""Folds of the training rows are scikit-learn's, and those that cannot be are refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.model_selection import KFold, StratifiedKFold

from sweepmark.errors import ConfigurationError
from sweepmark.specification.folds import check_folds, fold_rows, hold_out


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

    def test_fold_that_does_not_exist_is_refused(self) -> None:
        with pytest.raises(ConfigurationError, match="fold 3 does not exist: 3 folds"):
            fold_rows(self.method(3), self.y)

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
