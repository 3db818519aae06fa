"""Fitting: by epochs, with steps that change rows, and what is watched meanwhile."""

from __future__ import annotations

import warnings
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline

from sweepmark.errors import ConfigurationError
from sweepmark.evaluation.evaluate import evaluate
from sweepmark.evaluation.fitting import fit, fit_epochs, predict_rows
from sweepmark.scores.measurement import log_loss as our_log_loss
from sweepmark.scores.merging import merge, merge_trial
from sweepmark.specification import models
from sweepmark.specification.folds import hold_out
from sweepmark.specification.parts import Parts
from sweepmark.specification.specify import specify, specify_test
from sweepmark.specification.split import split_rows
from sweepmark.store.documents import document, from_document
from tiny import config, digits

MLP = ("classifier=mlp", "preprocess=scale")
SGD = ("classifier=sgd", "preprocess=scale")
MIRROR = {"mirror": {"_target_": "estimators.Mirror"}}


def specifications(*groups: str, trusted: tuple[str, ...] = (), **values: Any) -> Any:
    return specify(config(*groups, **values), digits(), trusted=trusted)


def arrays(rows: Any) -> tuple[Any, Any]:
    return digits().train.X[rows] / 16, digits().train.y[rows]


class TestEpochs:
    def test_curves_are_those_of_partial_fit_by_hand(self) -> None:
        (one,) = specifications(*MLP, evaluation__epochs=3, evaluation__validation_fraction=0.2)
        card = evaluate(one)
        train, test = split_rows(one.split, digits())
        fit, held_out = train[:180], train[180:]
        (X, y), (X_held, y_held) = arrays(fit), arrays(held_out)
        classifier = MLPClassifier(random_state=0)
        expected: dict[str, list[float]] = {}
        for _ in range(3):
            classifier.partial_fit(X, y, classes=np.arange(10))
            for name, (rows, labels) in {"train": (X, y), "validation": (X_held, y_held)}.items():
                loss = log_loss(labels, classifier.predict_proba(rows), labels=np.arange(10))
                expected.setdefault(f"{name}_loss", []).append(loss)
                accuracy = accuracy_score(labels, classifier.predict(rows))
                expected.setdefault(f"{name}_accuracy", []).append(accuracy)
        assert {name: list(values) for name, values in card.curves.items()} == {
            name: pytest.approx(values, rel=1e-12) for name, values in expected.items()
        }
        np.testing.assert_array_equal(card.predictions.y_pred, classifier.predict(arrays(test)[0]))
        for name, values in card.curves.items():
            assert card.metrics[name] == values[-1]
        assert (card.n_train, card.n_test) == (180, 75)

    def test_every_epoch_has_an_order_of_its_own(self) -> None:
        values: dict[str, Any] = {"evaluation__epochs": 3, "classifier__batch_size": 20}
        (one,) = specifications(*MLP, **values)
        card = evaluate(one)
        train, test = split_rows(one.split, digits())
        X, y = arrays(train)
        by_hand = {
            seed: MLPClassifier(random_state=seed, batch_size=20)
            for seed in (0, np.random.RandomState(0))
        }
        for classifier in by_hand.values():
            for _ in range(3):
                classifier.partial_fit(X, y, classes=np.arange(10))
        same, own = (each.predict_proba(arrays(test)[0]) for each in by_hand.values())
        assert card.predictions.scores is not None
        np.testing.assert_allclose(card.predictions.scores, own, rtol=1e-9)
        assert not np.allclose(same, own)

    def test_what_partial_fit_does_not_take_is_refused(self) -> None:
        with pytest.raises(ConfigurationError, match="neither early_stopping nor class_weight"):
            specifications(*SGD, evaluation__epochs=2, classifier__class_weight="balanced")

    def test_rows_that_are_neither_fitted_nor_scored_are_the_only_ones_watched(self) -> None:
        (one,) = specifications(*MLP, evaluation__epochs=2)
        card = evaluate(one)
        assert set(card.curves) == {"train_loss", "train_accuracy"}

    def test_classifier_without_probabilities_has_accuracies_only(self) -> None:
        values: dict[str, Any] = {"evaluation__epochs": 2, "evaluation__validation_fraction": 0.2}
        (one,) = specifications(*SGD, **values)
        card = evaluate(one)
        assert set(card.curves) == {"train_accuracy", "validation_accuracy"}
        assert "log_loss" not in card.metrics

    def test_folds_have_the_mean_of_their_curves(self) -> None:
        values: dict[str, Any] = {"evaluation__epochs": 2, "evaluation__n_splits": 2}
        cards = [evaluate(one) for one in specifications("evaluation=cv", *MLP, **values)]
        merged = merge(cards)
        for name in ("train_loss", "validation_loss", "validation_accuracy"):
            means = np.mean([card.curves[name] for card in cards], axis=0)
            assert merged.curves[f"cv_{name}"] == pytest.approx(means)
        # The rows held out are those scored: said once.
        assert "cv_validation_accuracy" not in merged.metrics
        last = merged.curves["cv_validation_accuracy"][-1]
        assert merged.metrics["cv_accuracy"] == pytest.approx(last)

    def test_threshold_holds_for_the_curves_as_for_the_score(self) -> None:
        groups = ("task=is_digit", "evaluation=validation", *SGD)
        values: dict[str, Any] = {"evaluation__threshold": -0.4, "evaluation__epochs": 2}
        (one,) = specifications(*groups, task__positive=8, **values)
        card = evaluate(one)
        assert card.curves["validation_accuracy"][-1] == card.metrics["validation_accuracy"]

    def test_curves_are_kept(self) -> None:
        (one,), (plain,) = specifications(*MLP, evaluation__epochs=2), specifications(*MLP)
        card, other = evaluate(one), evaluate(plain)
        assert from_document(document(card), card.predictions, card.metrics).curves == card.curves
        assert from_document(document(other), other.predictions, other.metrics).curves == {}

    @pytest.mark.parametrize(
        "values", [{}, {"classifier__solver": "lbfgs"}], ids=["never", "as configured"]
    )
    def test_classifier_that_does_not_train_by_epochs_is_refused(
        self, values: dict[str, Any]
    ) -> None:
        group = "classifier=mlp" if values else "classifier=svc"
        with pytest.raises(ConfigurationError, match=r"to one of mlp, .*sgd"):
            specifications(group, evaluation__epochs=2, **values)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    "classifier",
    [MLPClassifier(max_iter=3, random_state=0), LogisticRegression()],
)
def test_probabilities_are_as_the_classifier_gave_them(classifier: Any, dtype: str) -> None:
    X, y = (part[:200] for part in arrays(np.arange(400)))
    X = X.astype(dtype)
    pipeline = Pipeline([("classifier", clone(classifier))])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        fit(pipeline, lambda: SimpleNamespace(X=X[:100], y=y[:100]), key=None)  # type: ignore[arg-type,return-value]
    X *= 1e5
    (_, scores, probabilities), _ = predict_rows(pipeline, X)
    theirs = pipeline.steps[-1][1].predict_proba(X)
    assert theirs.dtype == dtype
    assert (theirs == 0).any()
    assert probabilities is not None
    assert probabilities.dtype == dtype
    np.testing.assert_array_equal(probabilities, theirs)
    assert scores is not None
    assert scores.dtype == np.float64
    assert our_log_loss(y, probabilities, range(10)) == pytest.approx(
        log_loss(y, theirs, labels=np.arange(10)), rel=1e-6
    )


@pytest.mark.parametrize(
    ("classifier", "dtype"),
    [
        ("sklearn.neighbors.KNeighborsClassifier", "float64"),
        ("estimators.SingleNeighbors", "float32"),
    ],
)
@pytest.mark.parametrize("method", ["test", "cv"])
def test_log_loss_is_scikit_learns_of_what_the_classifier_answers(
    classifier: str, dtype: str, method: str
) -> None:
    component = {"_target_": classifier, "n_neighbors": 3}
    asked = {"classifier": component, "evaluation__method": method}
    several = specifications("preprocess=scale", trusted=("estimators",), **asked)
    card = merge_trial([evaluate(one) for one in several])
    losses = []
    for one in several:
        parts = Parts.of(one)
        (X, y), (X_scored, y_scored) = arrays(parts.fit), arrays(parts.scored)
        shares = KNeighborsClassifier(3).fit(X, y).predict_proba(X_scored).astype(dtype)
        losses.append(log_loss(y_scored, shares, labels=np.arange(10)))
    name = "log_loss" if method == "test" else "cv_log_loss"
    assert card.metrics[name] == pytest.approx(np.mean(losses), rel=1e-6)


def test_loss_after_each_epoch_is_scikit_learns_of_what_the_classifier_answers() -> None:
    X, y = arrays(np.arange(300))
    X = (X * 1e4).astype(np.float32)
    pipeline = Pipeline([("classifier", MLPClassifier(random_state=0))])
    rows = SimpleNamespace(X=X, y=y)
    _, curves = fit_epochs(pipeline, lambda: rows, None, key=None, n_epochs=2)  # type: ignore[arg-type,return-value]
    shares = pipeline.steps[-1][1].predict_proba(X)
    assert shares.dtype == np.float32
    assert (shares == 0).any()
    assert curves["train_loss"][-1] == pytest.approx(log_loss(y, shares), rel=1e-6)


class TestValidation:
    def test_part_held_out_is_scored_and_the_test_part_is_not(self) -> None:
        (one,) = specifications("evaluation=validation", "classifier=logistic", "preprocess=scale")
        card = evaluate(one)
        train, _ = split_rows(one.split, digits())
        fit, held_out = train[:180], train[180:]
        np.testing.assert_array_equal(card.predictions.rows, held_out)
        theirs = LogisticRegression().fit(*arrays(fit))
        assert card.metrics["validation_accuracy"] == theirs.score(*arrays(held_out))
        assert not any(name in card.metrics for name in ("accuracy", "log_loss", "f1_macro"))
        assert (card.n_train, card.n_test) == (180, 45)

    def test_random_rows_are_the_seeds(self) -> None:
        groups = ("evaluation=validation", "classifier=knn")
        random: dict[str, Any] = {"evaluation__validation_rows": "random", "split__seed": 0}
        (first,), (again,), (other,) = (
            specifications(*groups, **random, seed=seed) for seed in (1, 1, 2)
        )
        rows = [set(evaluate(one).predictions.rows.tolist()) for one in (first, again, other)]
        assert rows[0] == rows[1] != rows[2]
        fit, held_out = hold_out({"fraction": 0.3, "rows": "random", "seed": 3}, 20)
        assert sorted([*fit, *held_out]) == list(range(20))
        assert len(held_out) == 6

    def test_watched_part_is_left_out_of_the_fit_and_reported_beside_the_test(self) -> None:
        groups = ("classifier=logistic", "preprocess=scale")
        (one,) = specifications(*groups, evaluation__validation_fraction=0.2)
        card = evaluate(one)
        train, test = split_rows(one.split, digits())
        theirs = LogisticRegression().fit(*arrays(train[:180]))
        assert card.metrics["accuracy"] == theirs.score(*arrays(test))
        assert card.metrics["validation_accuracy"] == theirs.score(*arrays(train[180:]))
        X, y = arrays(test)
        assert card.metrics["log_loss"] == pytest.approx(log_loss(y, theirs.predict_proba(X)))
        assert "validation_loss" in card.metrics

    def test_chosen_recipe_is_fitted_on_the_whole_training_part(self) -> None:
        asked = config("evaluation=validation", "classifier=knn")
        assert specify_test(asked, digits()).method == {"name": "test"}

    @pytest.mark.parametrize(
        ("groups", "values", "part"),
        [
            (("evaluation=cv",), {"evaluation__validation_fraction": 0.2}, "holds every fold out"),
            (
                ("evaluation=validation",),
                {"evaluation__validation_fraction": None},
                r"Set evaluation\.validation_fraction=0\.2",
            ),
            (("evaluation=validation",), {"evaluation__validation_fraction": 0.001}, "holds 0 out"),
            (("evaluation=validation",), {"evaluation__validation_fraction": 0.99}, "part lacks"),
        ],
    )
    def test_parts_that_cannot_be_are_refused(
        self, groups: tuple[str, ...], values: dict[str, Any], part: str
    ) -> None:
        with pytest.raises(ConfigurationError, match=part):
            specifications(*groups, **values)


class TestResampling:
    groups = ("classifier=knn", "preprocess=none")

    def test_step_changes_the_rows_fitted_on_and_no_others(self) -> None:
        (one,) = specifications(*self.groups, trusted=("estimators",), preprocess=MIRROR)
        card = evaluate(one, keep_model=True)
        (plain,) = specifications(*self.groups)
        other = evaluate(plain)
        assert (card.n_train, card.n_test) == (225, 75)
        assert len(card.predictions.y_pred) == 75
        assert card.predictions.scores is not None
        assert other.predictions.scores is not None
        assert (card.predictions.scores != other.predictions.scores).any()
        assert card.model is not None
        model = models.load(card.model)
        assert [name for name, _ in model.steps] == ["classifier"]
        assert model.steps[-1][1].n_samples_fit_ == 450
        X = digits().train.X[card.predictions.rows]
        np.testing.assert_array_equal(model.predict(X), card.predictions.y_pred)

    def test_fold_sees_its_own_training_rows_only(self) -> None:
        groups = ("evaluation=cv", *self.groups)
        values = {"preprocess": MIRROR, "evaluation__n_splits": 3}
        folds = specifications(*groups, trusted=("estimators",), **values)
        card = evaluate(folds[0], keep_model=True)
        assert card.model is not None
        fitted = models.load(card.model).steps[-1][1]
        assert fitted.n_samples_fit_ == 2 * card.n_train
        held_out = digits().train.X[card.predictions.rows]
        seen = {row.tobytes() for row in np.asarray(fitted._fit_X, dtype=np.float64)}  # noqa: SLF001
        assert not any(row.astype(np.float64).tobytes() in seen for row in held_out)

    def test_epochs_go_over_the_rows_as_changed(self) -> None:
        values = {"preprocess": MIRROR, "evaluation__epochs": 2}
        (one,) = specifications("classifier=sgd", trusted=("estimators",), **values)
        assert len(evaluate(one).curves["train_accuracy"]) == 2


def test_options_that_are_not_used_leave_no_trace_in_the_key() -> None:
    (test,) = specifications()
    assert test.method == {"name": "test"}
    assert test.task == {"name": "multiclass"}
    fold = specifications("evaluation=cv")[3]
    assert fold.method == {
        "name": "fold",
        "n_splits": 5,
        "stratified": True,
        "shuffle": False,
        "seed": None,
        "fold": 3,
    }


def test_sparse_rows_of_several_classes_have_scores() -> None:
    X, y = arrays(np.arange(200))
    pipeline = Pipeline([("c", LogisticRegression(max_iter=20))])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it does not converge
        pipeline.fit(sparse.csr_array(X), y)
    (_, scores, _), _ = predict_rows(pipeline, sparse.csr_array(X))
    assert scores is not None
    assert scores.shape == (200, 10)
