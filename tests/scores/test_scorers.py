"""The scorers that a configuration may ask for, against scikit-learn's own."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import fbeta_score, get_scorer, get_scorer_names

from sweepmark.errors import ConfigurationError
from sweepmark.scores.directions import direction
from sweepmark.scores.measurement import measure
from sweepmark.scores.metrics import TEST_NAMES
from sweepmark.scores.predictions import Predictions
from sweepmark.scores.requests import Request, check_cost, implied, parse_requests
from sweepmark.scores.scorers import SCORERS

OF_OTHERS = {
    *(name for name in get_scorer_names() if name.endswith(("_error", "_deviance", "_samples"))),
    *("r2", "explained_variance", "d2_absolute_error_score"),  # regression
    *("adjusted_mutual_info_score", "adjusted_rand_score", "completeness_score", "rand_score"),
    *("fowlkes_mallows_score", "homogeneity_score", "mutual_info_score", "v_measure_score"),
    "normalized_mutual_info_score",
    "neg_root_mean_squared_log_error",
}
OF_SKLEARN = sorted(SCORERS.keys() & {*get_scorer_names()})
NEEDED: dict[str, Any] = {
    **{f"fbeta{each}": {"beta": 2} for each in ("", "_micro", "_macro", "_weighted")},
    "cost": {"cost": {"0": {"1": 5}, "1": {"0": 0.5}}},
}


class Given(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A fitted classifier that answers with what it is given."""

    def __init__(self, y_pred: Any, shares: Any, classes: Any) -> None:
        self.y_pred, self.shares, self.classes_ = y_pred, shares, np.array(classes)

    def predict_proba(self, _: Any) -> Any:
        return self.shares

    def predict(self, _: Any) -> Any:
        return self.y_pred

    def __sklearn_is_fitted__(self) -> bool:
        return True


def request(name: str) -> Request:
    (found,) = parse_requests([{"name": name, **NEEDED.get(name, {})}])
    return found


def value(name: str, y_true: Any, y_pred: Any, scores: Any, classes: Any) -> float | None:
    rows = np.arange(len(y_true))
    found = Predictions(rows=rows, y_true=y_true, y_pred=y_pred, scores=scores)
    return measure(found, classes, requests=[request(name)]).get(name)


def made(n_classes: int, seed: int = 0) -> tuple[Any, Any, Any]:
    random = np.random.default_rng(seed)
    shares = random.dirichlet(np.ones(n_classes), 60)
    y_true = np.where(
        random.random(60) < 0.6, shares.argmax(1), random.integers(n_classes, size=60)
    )
    return y_true, shares.argmax(1), shares


def test_every_scorer_of_classifiers_is_there() -> None:
    renamed = {"neg_log_loss"}
    assert {*get_scorer_names()} - OF_OTHERS == {*OF_SKLEARN, *renamed} | (
        {*TEST_NAMES} & {*get_scorer_names()}
    )
    assert not OF_OTHERS & SCORERS.keys()


@pytest.mark.parametrize("name", OF_SKLEARN)
@pytest.mark.parametrize("n_classes", [2, 4])
def test_values_are_those_of_scikit_learn(name: str, n_classes: int) -> None:
    y_true, y_pred, shares = made(n_classes)
    kept = shares[:, 1] if n_classes == 2 else shares
    found = value(name, y_true, y_pred, kept, tuple(range(n_classes)))
    if SCORERS[name].labels not in {"any", "two" if n_classes == 2 else "more"}:
        assert found is None
        return
    asked = Given(y_pred, shares, range(n_classes))
    assert found == pytest.approx(get_scorer(name)(asked, np.zeros((60, 1)), y_true), abs=1e-12)
    assert direction(f"cv_{name}") == "maximize"


@pytest.mark.parametrize("average", [None, "micro", "macro", "weighted"])
def test_beta_weights_recall(average: str | None) -> None:
    y_true, y_pred, scores = made(2 if average is None else 3)
    name = "fbeta" if average is None else f"fbeta_{average}"
    classes = (0, 1) if average is None else (0, 1, 2)
    expected = fbeta_score(y_true, y_pred, beta=2, average=average or "binary")
    assert value(name, y_true, y_pred, scores, classes) == pytest.approx(expected)


def test_cost_is_the_mean_of_a_row_and_better_when_lower() -> None:
    y_true, y_pred = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    assert value("cost", y_true, y_pred, None, (0, 1)) == pytest.approx((5 + 0.5) / 4)
    assert direction("cv_cost") == direction("validation_cost") == "minimize"


def test_costs_go_by_the_names_of_labels() -> None:
    (asked,) = parse_requests([{"name": "cost", "cost": {"churned": {"stayed": 5}}}])
    found = Predictions(
        rows=np.arange(2), y_true=np.array([0, 1]), y_pred=np.array([1, 0]), scores=None
    )
    names = ("churned", "stayed")
    assert measure(found, (0, 1), called=names, requests=[asked])["cost"] == 2.5
    check_cost(asked, names)
    with pytest.raises(ConfigurationError, match=r"label 'churned'\. Did you mean 'churn'"):
        check_cost(asked, ("churn", "stayed"))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=8),
    st.sampled_from(["none", "decisions", "probabilities", "nan"]),
    st.sampled_from([2, 3]),
)
def test_undefined_ones_are_absent_and_nothing_warns(
    rows: list[tuple[int, int]], kind: str, n_classes: int
) -> None:
    y_true, y_pred = np.minimum(np.array(rows).T, n_classes - 1)
    shape = len(rows) if n_classes == 2 else (len(rows), n_classes)
    scores = {
        "none": None,
        "decisions": np.full(shape, -1.5),
        "probabilities": np.full(shape, 1 / n_classes),
        "nan": np.full(shape, np.nan),
    }[kind]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in SCORERS:
            found = value(name, y_true, y_pred, scores, tuple(range(n_classes)))
            assert found is None or np.isfinite(found), name
            if kind != "probabilities" and SCORERS[name].needs == "probabilities":
                assert found is None


def test_held_out_rows_give_the_name_their_prefix() -> None:
    y_true, y_pred, scores = made(3)
    found = Predictions(rows=np.arange(60), y_true=y_true, y_pred=y_pred, scores=scores)
    names = measure(
        found, (0, 1, 2), method={"name": "validation"}, requests=[request("matthews_corrcoef")]
    )
    assert "validation_matthews_corrcoef" in names


def test_what_every_evaluation_has_may_be_listed() -> None:
    assert parse_requests(["accuracy", "roc_auc"]) == ()


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (["r2"], "r2 of scikit-learn is not for one label a row of a classifier"),
        (["matthews"], "Did you mean 'matthews_corrcoef'"),
        (["neg_log_loss"], "is called log_loss here"),
        (["fbeta_macro"], r"told its beta. Set 'evaluation.metrics=\[{name: fbeta_macro, beta: 2}"),
        (["cost"], "told its cost"),
        ([{"beta": 2}], "must be a name, or a mapping"),
        ([3], "must be a name, or a mapping"),
        ([{"name": "accuracy", "k": 2}], "unknown parameter 'k'"),
        ([{"name": "fbeta", "beta": 0}], "beta must be a number above 0"),
        ([{"name": "fbeta", "beta": True}], "beta must be a number above 0"),
        ([{"name": "fbeta", "beta": float("nan")}], "beta must be a number above 0"),
        ([{"name": "top_k_accuracy", "k": 0}], "k must be a count"),
        ([{"name": "top_k_accuracy", "k": 2.0}], "k must be a count"),
        ([{"name": "cost", "cost": 5}], "cost must be a number for each kind of mistake"),
        ([{"name": "cost", "cost": {}}], "cost must be a number for each kind of mistake"),
        ([{"name": "cost", "cost": {"a": 5}}], "cost must be a number for each kind of mistake"),
        ([{"name": "cost", "cost": {"a": {"b": "x"}}}], "cost must be a number for each kind"),
        ([{"name": "cost", "cost": {"a": {"b": float("inf")}}}], "cost must be a number for each"),
        (["jaccard", "jaccard"], "has jaccard twice"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(entries: list[Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        parse_requests(entries)


def test_an_objective_asks_by_itself() -> None:
    beta = parse_requests([{"name": "fbeta", "beta": 2}])
    assert implied(beta, "cv_fbeta") == beta
    assert [each.name for each in implied(beta, "validation_jaccard")] == ["fbeta", "jaccard"]
    assert implied((), "cv_accuracy") == implied((), None) == implied((), "nonsense") == ()
