"""Fitted preprocessing is shared between evaluations, and changes no figure."""

from __future__ import annotations

import time
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin

from sweepmark import cache
from sweepmark.data import Part
from sweepmark.evaluation.evaluate import evaluate
from sweepmark.evaluation.prepared import prepare, transform
from sweepmark.specification.specify import specify
from tiny import config, digits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sweepmark.scores.scorecard import Scorecard


@pytest.fixture(autouse=True)
def _empty() -> Iterator[None]:
    """Nothing is shared with the tests before and after."""
    for _ in range(2):
        cache.configure(memory=0)
        cache.configure()
    yield
    cache.configure(memory=0)
    cache.configure()


class Counting(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Adds one, and counts how often it was fitted and asked."""

    n_fitted = 0
    n_asked = 0

    def fit(self, X: Any, y: Any = None) -> Counting:
        del X, y
        type(self).n_fitted += 1
        return self

    def transform(self, X: Any) -> Any:
        type(self).n_asked += 1
        return np.asarray(X) + 1.0


def test_rows_are_prepared_once_and_frozen() -> None:
    Counting.n_fitted = Counting.n_asked = 0
    part = Part(np.zeros((4, 2)), np.arange(4))
    first, second = (prepare([Counting()], lambda: part, key="a") for _ in range(2))
    assert first.X is second.X
    assert (Counting.n_fitted, Counting.n_asked) == (1, 1)
    other = prepare([Counting()], lambda: part, key="b")
    assert other.X is not first.X
    scored = [transform(first.steps, np.ones((3, 2)), key="a") for _ in range(2)]
    assert scored[0].X is scored[1].X
    assert (scored[0].X == 2).all()
    assert first.y is not None
    for array in (first.X, first.y, scored[0].X):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
        with pytest.raises(ValueError, match="WRITEABLE"):  # nor is it made writeable again
            array.flags.writeable = True
    assert part.X.flags.writeable


def test_new_rows_are_not_shared_without_a_key() -> None:
    steps = prepare([Counting()], lambda: Part(np.zeros((4, 2)), np.arange(4)), key="a").steps
    assert (transform(steps, np.zeros((1, 2))).X == 1).all()
    assert (transform(steps, np.ones((1, 2))).X == 2).all()


class Warned(Counting):
    """Warns whenever it is asked, and gives what is no array."""

    def transform(self, X: Any) -> Any:
        warnings.warn("a column is constant", UserWarning, stacklevel=2)
        time.sleep(0.01)
        return sparse.csr_array(np.asarray(X))


def test_warnings_and_seconds_are_those_of_the_first_time_and_what_is_no_array_is_copied() -> None:
    part = Part(np.eye(3), np.arange(3))
    made = []
    for _ in range(2):
        with pytest.warns(UserWarning, match="a column is constant"):
            made.append(prepare([Warned()], lambda: part, key="w"))
    assert made[0].seconds == made[1].seconds >= 0.01
    made[0].X.data[:] = 7
    assert made[1].X.data.tolist() == [1, 1, 1]


def cards(*groups: str, **values: Any) -> list[Scorecard]:
    return [evaluate(each) for each in specify(config(*groups, **values), digits())]


@pytest.mark.parametrize("classifier", ["svc", "knn", "logistic", "hist_gradient_boosting", "mlp"])
@pytest.mark.parametrize("evaluation", ["test", "cv"])
def test_sharing_changes_no_figure(classifier: str, evaluation: str) -> None:
    groups = ("preprocess=standard", f"classifier={classifier}", f"evaluation={evaluation}")
    few = {"classifier__max_iter": 5} if classifier in {"hist_gradient_boosting", "mlp"} else {}
    alone = cards(*groups, **few)
    again = cards(*groups, **few)
    cache.configure(memory=0)
    without = cards(*groups, **few)
    for one, two, three in zip(alone, again, without, strict=True):
        assert two.work["prepared_hits"] == 2
        assert three.work["prepared_hits"] == 0
        assert one.metrics == two.metrics == three.metrics
        assert (one.predictions.y_pred == two.predictions.y_pred).all()


def test_cells_of_a_grid_share_rows_and_kernels() -> None:
    groups = ("preprocess=standard", "classifier=svc")
    (first,) = cards(*groups, classifier__C=1.0)
    (second,) = cards(*groups, classifier__C=2.0)
    assert (first.work["prepared_hits"], second.work["prepared_hits"]) == (0, 2)
    assert second.work["kernel_hits"] > first.work["kernel_hits"]
    assert second.work["shared_seconds"] > 0


@pytest.mark.parametrize("threshold", [None, "precision>=0.5"])
def test_rows_are_let_go_of_where_the_model_is_kept(threshold: str | None) -> None:
    """The model is large enough; a threshold's folds prepare rows as well."""
    groups = ("preprocess=standard", "classifier=logistic", "task=is_digit", "task.positive=5")
    (specification,) = specify(config(*groups, evaluation__threshold=threshold), digits())
    held = cache.statistics().n_bytes
    card = evaluate(specification, keep_model=True)
    assert card.model is not None
    assert cache.statistics().n_bytes == held
    evaluate(specification)
    assert cache.statistics().n_bytes > held
