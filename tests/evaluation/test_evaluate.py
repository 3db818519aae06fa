"""Evaluations: the numbers of plain scikit-learn, to the last digit, and nothing else happens."""

from __future__ import annotations

import random
import warnings
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, StandardScaler
from sklearn.svm import SVC, LinearSVC

from sweepmark.data import load
from sweepmark.errors import ConfigurationError, DataError
from sweepmark.evaluation.evaluate import evaluate
from sweepmark.scores.merging import merge
from sweepmark.sources import idx
from sweepmark.specification import models
from sweepmark.specification.specify import specify, specify_test
from sweepmark.specification.split import split_rows
from tiny import config, digits

if TYPE_CHECKING:
    from pathlib import Path

    from sweepmark.config.schema import DatasetConfig
    from sweepmark.data import Dataset
    from sweepmark.scores.scorecard import Scorecard
    from sweepmark.specification.specification import Specification

CV = "evaluation=cv"
BY_HAND: dict[tuple[str, str], Any] = {
    ("standard", "svc_libsvm"): lambda: make_pipeline(StandardScaler(), SVC(random_state=0)),
    ("scale", "svc_libsvm"): lambda: make_pipeline(
        FunctionTransformer(lambda X: X / 256), SVC(random_state=0)
    ),
    ("none", "knn"): KNeighborsClassifier,
    ("minmax", "linear_svc"): lambda: make_pipeline(MinMaxScaler(), LinearSVC(random_state=0)),
    ("standard", "logistic"): lambda: make_pipeline(StandardScaler(), LogisticRegression()),
    ("none", "random_forest"): lambda: RandomForestClassifier(n_estimators=10, random_state=0),
    ("pca", "knn"): lambda: make_pipeline(
        FunctionTransformer(lambda X: X / 256), PCA(50, random_state=0), KNeighborsClassifier()
    ),
}
FEWER: dict[str, dict[str, Any]] = {"random_forest": {"classifier__n_estimators": 10}}


def specifications(*groups: str, **values: Any) -> tuple[Specification, ...]:
    return specify(config(*groups, **values), digits())


def card(*groups: str, keep_model: bool = False, **values: Any) -> Scorecard:
    (specification,) = specifications(*groups, **values)
    return evaluate(specification, keep_model=keep_model)


def load_model(card: Scorecard) -> Any:
    assert card.model is not None
    return models.load(card.model)


@cache
def rows() -> tuple[Any, Any]:
    (specification,) = specifications()
    return split_rows(specification.split, digits())


@pytest.mark.parametrize(("preprocess", "classifier"), BY_HAND)
class TestByHand:
    def test_test_part_is_scored_as_plain_scikit_learn_scores_it(
        self, preprocess: str, classifier: str
    ) -> None:
        values = FEWER.get(classifier, {})
        ours = card(f"preprocess={preprocess}", f"classifier={classifier}", **values)
        train, test = rows()
        X, y = digits().train.X, digits().train.y
        theirs = BY_HAND[preprocess, classifier]().fit(X[train], y[train])
        np.testing.assert_array_equal(ours.predictions.y_pred, theirs.predict(X[test]))
        np.testing.assert_array_equal(ours.predictions.y_true, y[test])
        np.testing.assert_array_equal(ours.predictions.rows, test)
        assert ours.metrics["accuracy"] == theirs.score(X[test], y[test])
        assert (ours.n_train, ours.n_test) == (225, 75)
        if hasattr(theirs, "decision_function"):
            scores = theirs.decision_function(X[test])
        else:
            scores = theirs.predict_proba(X[test])
        np.testing.assert_array_equal(ours.predictions.scores, scores)

    def test_folds_are_scored_as_plain_scikit_learn_scores_them(
        self, preprocess: str, classifier: str
    ) -> None:
        groups = (CV, f"preprocess={preprocess}", f"classifier={classifier}")
        folds = specifications(*groups, evaluation__n_splits=3, **FEWER.get(classifier, {}))
        cards = [evaluate(fold) for fold in folds]
        train, _ = rows()
        X, y = digits().train.X[train], digits().train.y[train]
        theirs = BY_HAND[preprocess, classifier]()
        accuracies = []
        for ours, (fit, held_out) in zip(cards, StratifiedKFold(3).split(X, y), strict=True):
            y_pred = theirs.fit(X[fit], y[fit]).predict(X[held_out])
            np.testing.assert_array_equal(ours.predictions.y_pred, y_pred)
            np.testing.assert_array_equal(ours.predictions.rows, train[held_out])
            accuracies.append(accuracy_score(y[held_out], y_pred))
        assert [ours.metrics["accuracy"] for ours in cards] == accuracies
        assert merge(cards).metrics["cv_accuracy"] == np.mean(accuracies)


def test_shuffled_folds_are_those_of_the_seed() -> None:
    values = {"evaluation__n_splits": 3, "evaluation__shuffle": True, "seed": 5}
    folds = [evaluate(fold) for fold in specifications(CV, "classifier=knn", **values)]
    train, _ = split_rows(specifications(seed=5)[0].split, digits())
    theirs = StratifiedKFold(3, shuffle=True, random_state=5).split(train, digits().train.y[train])
    for fold, (_, held_out) in zip(folds, theirs, strict=True):
        np.testing.assert_array_equal(fold.predictions.rows, train[held_out])


class TestSpecify:
    def test_trial_is_one_evaluation_or_one_a_fold(self) -> None:
        assert [one.method for one in specifications()] == [{"name": "test"}]
        folds = specifications(CV, evaluation__n_splits=3)
        assert [one.method["fold"] for one in folds] == [0, 1, 2]
        assert len({one.key for one in folds}) == 3

    def test_what_changes_no_number_changes_no_key(self) -> None:
        key = specifications()[0].key
        others: list[dict[str, Any]] = [
            {"engine__name": "local", "engine__workers": 3, "engine__timeout": 9.0},
            {"tracking__name": "mlflow"},
            {"grade__target": 0.5},
            {"sampler__name": "tpe"},
            {"split__source": "pooled"},
        ]
        assert {specifications(**values)[0].key for values in others} == {key}

    def test_what_may_change_a_number_changes_the_key(self) -> None:
        values: list[dict[str, Any]] = [
            {},
            {"engine__threads": 2},
            {"seed": 1},
            {"split__seed": 1},
            {"split__size": 299},
            {"split__train_ratio": 0.7},
            {"classifier__C": 2.0},
            {"classifier__tol": 1e-4},
            {"preprocess__scale__divisor": 255.0},
        ]
        assert len({specifications(**one)[0].key for one in values}) == len(values)

    def test_seed_of_folds_counts_only_where_they_are_shuffled(self) -> None:
        values = {"split__seed": 0, "classifier__random_state": 3}
        keys = [specifications(CV, seed=seed, **values)[0].method for seed in (0, 1)]
        assert keys[0] == keys[1]

    def test_final_evaluation_of_a_cross_validated_recipe_is_that_of_a_single_run(self) -> None:
        assert specify_test(config(CV), digits()).key == specifications()[0].key

    @pytest.mark.parametrize(
        ("values", "part"),
        [
            ({"split__size": 2000}, "at most 1797 for digits"),
            ({"split__size": 12, "split__train_ratio": 0.1}, "two classes or more"),
            ({"split__size": 20, "split__train_ratio": 0.2}, "rows lack"),
            ({"evaluation__method": "cv", "evaluation__n_splits": 50}, "n_splits=50"),
            ({"classifier__C": 0.0}, "'C' parameter of SVC"),
        ],
    )
    def test_what_cannot_be_evaluated_is_refused(self, values: dict[str, Any], part: str) -> None:
        with pytest.raises(ConfigurationError, match=part):
            specifications(**values)


def test_everything_fitted_is_fitted_on_the_training_part_only() -> None:
    model = load_model(card("preprocess=standard", keep_model=True))
    train, _ = rows()
    X = digits().train.X
    np.testing.assert_allclose(model["standard"].mean_, X[train].mean(axis=0), rtol=1e-12)
    assert np.abs(model["standard"].mean_ - X.mean(axis=0)).max() > 0.01
    assert model["classifier"].shape_fit_[0] == len(train)


def test_everything_fitted_in_a_fold_is_fitted_without_its_held_out_rows() -> None:
    fold = specifications(CV, "preprocess=standard")[2]
    model = load_model(evaluate(fold, keep_model=True))
    train, _ = rows()
    fit, _ = list(StratifiedKFold(5).split(train, digits().train.y[train]))[2]
    expected = digits().train.X[train[fit]].mean(axis=0)
    np.testing.assert_allclose(model["standard"].mean_, expected, rtol=1e-12)


def test_order_of_evaluations_changes_nothing() -> None:
    values = {"evaluation__n_splits": 3, "classifier__n_estimators": 5}
    folds = [
        *specifications(CV, "classifier=random_forest", **values),
        *specifications("classifier=sgd"),
    ]
    shuffled = random.Random(0).sample(folds, len(folds))  # noqa: S311 -- an order, no secret
    first = {one.key: evaluate(one) for one in folds}
    for one in shuffled:
        again = evaluate(one)
        assert again.metrics == first[one.key].metrics
        for name in ("y_pred", "scores"):
            ours = getattr(again.predictions, name)
            np.testing.assert_array_equal(ours, getattr(first[one.key].predictions, name))


def test_global_seed_has_no_say() -> None:
    state = np.random.get_state()  # noqa: NPY002 -- the global one is what is tested
    try:
        np.random.seed(1)  # noqa: NPY002
        first = card("classifier=random_forest", classifier__n_estimators=3)
        np.random.seed(2)  # noqa: NPY002
        second = card("classifier=random_forest", classifier__n_estimators=3)
    finally:
        np.random.set_state(state)  # noqa: NPY002
    np.testing.assert_array_equal(first.predictions.scores, second.predictions.scores)


class TestWarnings:
    def test_are_kept_in_one_line_each_and_do_not_escape(self) -> None:
        warned = card("preprocess=standard", "classifier=logistic", classifier__max_iter=2).warnings
        assert len(warned) == 1
        assert warned[0].startswith("ConvergenceWarning: lbfgs failed to converge")
        assert "\n" not in warned[0]

    def test_without_text_are_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fit(self: Any, X: Any, y: Any, original: Any = SVC.fit) -> Any:
            warnings.warn("", UserWarning, stacklevel=1)
            warnings.warn("\n two\nlines", UserWarning, stacklevel=1)
            return original(self, X, y)

        monkeypatch.setattr(SVC, "fit", fit)
        assert card().warnings == ("UserWarning: ", "UserWarning: two")


def test_model_is_kept_where_it_is_wanted_and_predicts_the_same() -> None:
    kept = card(keep_model=True)
    _, test = rows()
    y_pred = load_model(kept).predict(digits().train.X[test])
    np.testing.assert_array_equal(y_pred, kept.predictions.y_pred)
    assert card().model is None


def test_error_of_an_estimator_comes_through() -> None:
    (specification,) = specifications("classifier=linear_svc", classifier__loss="hinge")
    bad = dict(specification.classifier) | {"penalty": "l1"}
    with pytest.raises(ValueError, match="Unsupported set of arguments"):
        evaluate(replace(specification, classifier=bad))


def test_data_set_that_is_not_in_the_cache_is_named(request: pytest.FixtureRequest) -> None:
    (specification,) = specifications()  # of a cache that has it
    empty_cache: Path = request.getfixturevalue("empty_cache")
    with pytest.raises(Exception, match=specification.data[:12]) as error:
        evaluate(specification)
    assert isinstance(error.value, DataError | LookupError)
    assert not list(empty_cache.glob("datasets/*"))


class TestFewClasses:
    """Two and three classes of the digits, as a user's own IDX files."""

    def dataset(self, folder: Path, n_classes: int) -> tuple[DatasetConfig, Dataset]:
        chosen = np.flatnonzero(digits().train.y < n_classes)[:200]
        X, y = digits().train.X[chosen].reshape(-1, 8, 8), digits().train.y[chosen]
        for name, part in (("train", slice(150)), ("t10k", slice(150, None))):
            for kind, array in (("images-idx3", X), ("labels-idx1", y)):
                content = idx.encode(array[part].astype(np.uint8))
                (folder / f"{name}-{kind}-ubyte").write_bytes(content)
        of_ones_own = config("dataset=mnist", dataset__path=str(folder), split__size=None).dataset
        return of_ones_own, load(of_ones_own)

    def card(self, folder: Path, n_classes: int, *groups: str, **values: Any) -> Scorecard:
        _, dataset = self.dataset(folder, n_classes)
        path = {"dataset__path": str(folder), "split__size": None}
        (one,) = specify(config("dataset=mnist", *groups, **path, **values), dataset)
        return evaluate(one)

    @pytest.mark.parametrize("classifier", ["svc", "knn", "logistic", "random_forest", "dummy"])
    def test_two_classes_are_scored_by_the_second_ones_column(
        self, tmp_path: Path, classifier: str
    ) -> None:
        scored = self.card(tmp_path, 2, f"classifier={classifier}")
        predictions = scored.predictions
        assert scored.classes == (0, 1)
        assert predictions.scores is not None
        assert predictions.scores.shape == predictions.y_true.shape
        expected = roc_auc_score(predictions.y_true, predictions.scores)
        assert scored.metrics["roc_auc"] == pytest.approx(expected, abs=1e-12)

    @pytest.mark.parametrize("n_classes", [3, 10])
    def test_scores_of_pairs_of_classes_are_left_out(self, tmp_path: Path, n_classes: int) -> None:
        values = {"classifier__decision_function_shape": "ovo"}
        scored = self.card(tmp_path, n_classes, **values)
        assert scored.predictions.scores is None
        assert "roc_auc" not in scored.metrics
        plain = self.card(tmp_path, n_classes)
        np.testing.assert_array_equal(scored.predictions.y_pred, plain.predictions.y_pred)
        assert plain.predictions.scores is not None

    def test_scores_of_the_one_pair_of_two_classes_are_kept(self, tmp_path: Path) -> None:
        scored = self.card(tmp_path, 2, classifier__decision_function_shape="ovo")
        assert scored.predictions.scores is not None
