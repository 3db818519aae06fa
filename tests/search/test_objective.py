"""What selects: every metric's better end, from the configuration to the chosen trial."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import optuna
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sweepmark.errors import ConfigurationError
from sweepmark.report.cautions import search_cautions
from sweepmark.report.summary import result_document, result_table
from sweepmark.search import create_search
from sweepmark.search.space import Choice, Space
from sweepmark.specification.split import resolve_split, split_rows
from sweepmark.store import Store
from tiny import blueprint, changed, digits, entries, run, write_sweep

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sweepmark.report.results import SweepResult
    from sweepmark.search.blueprint import Blueprint

SWEEP = """\
# Logistic regression over C
defaults:
  - override /classifier: logistic
  - override /preprocess: standard
  - override /evaluation: cv
  - override /sampler: grid
sweep:
  space:
    classifier:
      C: [0.00001, 1.0, 0.01]
  objective: cv_log_loss
"""
CHOICES = (0.00001, 1.0, 0.01)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sweep(tmp_path_factory.mktemp("own"), "logistic_c", SWEEP)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("objective") / "mlruns")


@pytest.fixture(scope="module")
def by_loss(folder: Path, store: Store) -> SweepResult:
    return run(blueprint("logistic_c", folder=folder), store)


def composed(folder: Path, *overrides: str) -> Blueprint:
    return blueprint("logistic_c", *overrides, folder=folder)


def refusal(asked: Blueprint, tmp_path: Path) -> str:
    store = Store(tmp_path / "mlruns")
    with pytest.raises(ConfigurationError) as error:
        run(asked, store)
    assert not store.root.exists()
    return str(error.value)


def plain_losses(asked: Blueprint) -> tuple[list[float], list[float]]:
    """Return mean losses over folds and test accuracies by scikit-learn alone."""
    dataset = digits()
    train, test = split_rows(resolve_split(asked.config.split, dataset), dataset)
    fit, held_out = dataset.take(train), dataset.take(test)
    losses, accuracies = [], []
    for C in CHOICES:
        model = make_pipeline(StandardScaler(), LogisticRegression(C=C, max_iter=1000))
        folds = StratifiedKFold(5)
        scores = cross_val_score(model, fit.X, fit.y, cv=folds, scoring="neg_log_loss")
        losses.append(-float(scores.mean()))
        accuracies.append(accuracy_score(held_out.y, model.fit(fit.X, fit.y).predict(held_out.X)))
    return losses, accuracies


class TestLoss:
    def test_the_least_is_chosen_as_scikit_learn_has_it(self, by_loss: SweepResult) -> None:
        losses, accuracies = plain_losses(by_loss.blueprint)
        found = [trial.metrics["cv_log_loss"] for trial in by_loss.trials]
        assert found == pytest.approx(losses, rel=1e-3)
        assert by_loss.chosen is not None
        assert by_loss.test is not None
        assert by_loss.chosen.number == int(np.argmin(losses)) == 1
        assert by_loss.test.metrics["accuracy"] == pytest.approx(accuracies[1])

    def test_the_direction_is_said_everywhere(self, by_loss: SweepResult, store: Store) -> None:
        expected = {"metric": "cv_log_loss", "direction": "minimize"}
        assert result_document(by_loss)["objective"] == expected
        (opened,) = entries(store, by_loss.sweep_id, "opened")
        (tree,) = opened["blueprint"]["trees"].values()
        assert tree["sweep"]["direction"] == "minimize"

    def test_the_table_shows_what_ranks_and_begins_with_the_best(
        self, by_loss: SweepResult
    ) -> None:
        table = result_table(by_loss)
        column = table.columns.index("cv_log_loss")
        figures = [float(row[column]) for row in table.rows]
        assert figures == sorted(figures)

    def test_a_target_is_reached_from_above(self, folder: Path, store: Store) -> None:
        ended = run(composed(folder, "sweep.target=1.0", "sampler.lag=1"), store)
        assert len(ended.trials) == 2
        unreached = run(composed(folder, "sweep.target=0.0", "sampler.lag=1"), store)
        assert len(unreached.trials) == 3

    def test_asking_for_its_own_end_is_the_same_sweep(self, folder: Path) -> None:
        agreed = composed(folder, "sweep.direction=minimize")
        assert agreed.key == composed(folder).key
        assert agreed.direction == "minimize"


@pytest.mark.parametrize(
    ("overrides", "parts"),
    [
        (
            ["sweep.direction=maximize"],
            ["minimize for cv_log_loss", "got sweep.direction=maximize", "sweep.direction=null"],
        ),
        (
            ["sweep.objective=cv_f1_macro", "sweep.direction=minimize"],
            ["maximize for cv_f1_macro", "got sweep.direction=minimize"],
        ),
        (
            ["sweep.objective=null", "sweep.direction=minimize"],
            ["maximize for accuracy", "sweep.direction=null"],
        ),
        (
            ["sweep.objective=cv_accuracy_std"],
            ["must be a quality, but cv_accuracy_std is none", "sweep.direction=minimize or"],
        ),
        (["sweep.objective=fit_seconds"], ["come out the same", "sweep.objective=cv_accuracy"]),
        (
            ["sweep.objective=threshold", "sweep.direction=minimize"],
            ["threshold does not", "sweep.objective=cv_accuracy"],
        ),
        (
            ["sweep.objective=cv_los_loss", "sweep.direction=minimize"],
            ["unknown metric 'cv_los_loss'", "Did you mean 'cv_log_loss'?", "cv_accuracy_std"],
        ),
        (["sweep.objective=acc"], ["unknown metric 'acc'", "Options: cv_accuracy,"]),
        (["sweep.objective=accuracy"], ["so that the test part is scored once"]),
    ],
)
def test_objectives_that_are_none_are_refused_before_anything(
    overrides: list[str], parts: list[str], folder: Path, tmp_path: Path
) -> None:
    message = refusal(composed(folder, *overrides), tmp_path)
    for part in parts:
        assert part in message


def test_what_is_no_quality_selects_once_its_end_is_said(folder: Path, store: Store) -> None:
    chosen = {}
    for direction in ("minimize", "maximize"):
        asked = composed(folder, "sweep.objective=cv_accuracy_std", f"sweep.direction={direction}")
        result = run(asked, store)
        spreads = [trial.metrics["cv_accuracy_std"] for trial in result.trials]
        best = min(spreads) if direction == "minimize" else max(spreads)
        assert result.chosen is not None
        assert result.chosen.number == spreads.index(best)
        chosen[direction] = result.chosen.number
    assert len(set(chosen.values())) == 2


@pytest.mark.parametrize(
    ("objective", "end"), [("cv_log_loss", "minimize"), ("cv_accuracy", "maximize")]
)
def test_searches_that_learn_are_told_the_better_end(
    objective: str, end: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = changed(composed(folder), sweep__objective=objective, sweep__direction=None)
    asked = changed(asked, sampler__name="tpe", sweep__n_trials=3)
    seen: list[Any] = []
    create = optuna.create_study

    def remember(**options: Any) -> optuna.Study:
        seen.append(options["direction"])
        return create(**options)

    monkeypatch.setattr(optuna, "create_study", remember)
    create_search(asked.space, asked.config.sampler, asked.sweep, seed=0).ask(0)
    assert seen == [end]


def test_nothing_but_finite_figures_is_ranked_at_either_end() -> None:
    from sweepmark.report.leaderboard import best, ranked
    from sweepmark.search.trial import Trial

    figures: Mapping[int, float] = {0: math.nan, 1: 0.5, 2: 0.25, 3: 0.25, 4: math.inf, 5: 0.5}
    trials = [
        Trial(number=number, status="complete", metrics={"cv_log_loss": value, "cv_f1": value})
        for number, value in figures.items()
    ]
    assert [trial.number for trial in ranked(trials, "cv_log_loss")] == [2, 3, 1, 5]
    assert [trial.number for trial in ranked(trials, "cv_f1")] == [1, 5, 2, 3]
    first = best(trials, "cv_log_loss")
    assert first is not None
    assert first.number == 2


LACKING: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    "probabilities": (
        "cv_log_loss",
        {"_target_": "sklearn.svm.LinearSVC"},
        ["needs probabilities (predict_proba)", "LinearSVC does not", "dummy, hist_gradient"],
    ),
    "probabilities for want of a parameter": (
        "cv_log_loss",
        {"_target_": "sklearn.linear_model.SGDClassifier", "loss": "hinge"},
        ["SGDClassifier does not give as it is configured", "mlp"],
    ),
    "probabilities of a vote": (
        "cv_log_loss",
        {
            "_target_": "sklearn.ensemble.VotingClassifier",
            "estimators": [["one", {"_target_": "sklearn.svm.LinearSVC"}]],
        },
        ["VotingClassifier does not"],
    ),
    "scores": (
        "cv_roc_auc",
        {
            "_target_": "sklearn.ensemble.VotingClassifier",
            "estimators": [["one", {"_target_": "sklearn.naive_bayes.GaussianNB"}]],
        },
        ["scores of each of 10 labels (decision_function or predict_proba)", "linear_svc"],
    ),
    "scores of each label": (
        "cv_average_precision",
        {"_target_": "sweepmark.svm.SVC", "decision_function_shape": "ovo"},
        ["scores of each of 10 labels (predict_proba), which SVC does not"],
    ),
    "f1": ("cv_f1", {"_target_": "sklearn.naive_bayes.GaussianNB"}, ["has 10", "cv_f1_macro"]),
    "recall": (
        "cv_recall",
        {"_target_": "sklearn.naive_bayes.GaussianNB"},
        ["positive one of two labels, and the training part has 10", "cv_recall_macro"],
    ),
}


def selecting(folder: Path, objective: str, classifier: dict[str, Any], **values: Any) -> Blueprint:
    asked = changed(composed(folder), sweep__space={"seed": [0, 1]}, classifier=classifier)
    return changed(asked, sweep__objective=objective, sweep__direction=None, **values)


@pytest.mark.parametrize(("objective", "classifier", "parts"), LACKING.values(), ids=LACKING)
def test_an_objective_that_no_trial_could_have_is_refused_before_anything(
    objective: str, classifier: dict[str, Any], parts: list[str], folder: Path, tmp_path: Path
) -> None:
    message = refusal(selecting(folder, objective, classifier), tmp_path)
    for part in ["every trial must be able to have", f"but sweep.objective={objective} ", *parts]:
        assert part in message
    _, _, advised = message.partition(". Set ")
    values = dict(re.findall(r"(sweep\.\w+)=(\w+)", advised))
    lower = {"sweep.direction": "null"} if objective == "cv_log_loss" else {}
    assert values == {"sweep.objective": values["sweep.objective"]} | lower
    selecting(folder, values["sweep.objective"], classifier).check(lambda _: digits())
    held_out: dict[str, Any] = {"evaluation": {"method": "validation", "validation_fraction": 0.2}}
    name = objective.replace("cv_", "validation_")
    validated = selecting(folder, name, classifier, **held_out)
    with pytest.raises(ConfigurationError, match=f"but sweep.objective={name} "):
        validated.check(lambda _: digits())


@pytest.mark.parametrize(
    ("objective", "classifier"),
    [
        (
            "cv_log_loss",
            {
                "_target_": "sklearn.ensemble.StackingClassifier",
                "estimators": [["one", {"_target_": "sklearn.svm.LinearSVC"}]],
                "cv": 2,
            },
        ),
        (
            "cv_log_loss",
            {
                "_target_": "sklearn.model_selection.GridSearchCV",
                "estimator": {"_target_": "sklearn.linear_model.SGDClassifier"},
                "param_grid": {"loss": ["log_loss"]},
                "cv": 2,
            },
        ),
        ("cv_roc_auc", {"_target_": "sweepmark.svm.SVC"}),
        ("cv_roc_auc", {"_target_": "sklearn.svm.LinearSVC"}),
    ],
)
def test_what_a_classifier_has_once_it_is_fitted_can_be_the_objective(
    objective: str, classifier: dict[str, Any], folder: Path, store: Store
) -> None:
    small = {"evaluation__n_splits": 2, "split__size": 200, "sweep__space": {"seed": [0]}}
    result = run(changed(selecting(folder, objective, classifier), **small), store)
    (trial,) = result.trials
    assert trial.status == "complete", trial.message
    assert objective in trial.metrics


def test_f1_of_two_labels_can_be_the_objective_and_the_pairs_of_two_are_one(
    folder: Path, store: Store
) -> None:
    pairs = {"_target_": "sweepmark.svm.SVC", "decision_function_shape": "ovo"}
    detector = {"task__name": "is_digit", "task__positive": 5, "sweep__space": {"seed": [0]}}
    for objective in ("cv_f1", "cv_roc_auc"):
        result = run(changed(selecting(folder, objective, pairs), **detector), store)
        assert result.n_failed == 0
        assert result.chosen is not None


def test_a_grade_by_a_figure_that_there_cannot_be_is_refused(tmp_path: Path) -> None:
    bands: dict[str, Any] = {"grade__bands": [{"minimum": 0.5, "points": 10}]}
    asked = changed(blueprint(None), grade__metric="f1", **bands)
    message = refusal(asked, tmp_path)
    for part in ("grade.metric=f1 is of", "has 10", "Set grade.metric=f1_macro, or grade=none"):
        assert part in message
    changed(asked, grade__metric="f1_macro").check(lambda _: digits())
    changed(asked, task__name="is_digit", task__positive=5).check(lambda _: digits())


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("seed", ["seed_searched"]),
        ("random_state", ["seed_searched"]),
        ("bagging_seed", ["seed_searched"]),
        ("n_seeds", []),
        ("seedling", []),
        ("C", []),
    ],
)
def test_whatever_ends_in_seed_is_one(name: str, kinds: list[str], folder: Path) -> None:
    asked = composed(folder)
    axis = Choice(f"classifier.{name}", f"classifier.{name}", (1, 2))
    said = search_cautions(replace(asked, space=Space((axis,))))
    assert [caution.kind for caution in said] == kinds
    single = replace(axis, values=(1,))
    assert not search_cautions(replace(asked, space=Space((single,))))


@pytest.mark.parametrize(
    ("space", "kinds"),
    [
        ({"split": {"seed": [0, 1]}}, ["seed_searched"]),
        ({"seed": [0, 1]}, ["seed_searched"]),
        ({"split": {"seed": [1]}}, []),
        ({"classifier": {"random_state": [0, 1]}}, ["seed_searched"]),
        ({"classifier": {"random_state": [3], "C": [1.0, 2.0]}}, []),
        ({"split": {"size": [100, 200]}}, ["test_sets"]),
        ({"split": {"size": [200]}}, []),
        ({"classifier": {"C": [1.0, 2.0]}}, []),
    ],
)
def test_a_choice_among_what_the_objective_does_not_compare_is_said(
    folder: Path, store: Store, space: dict[str, Any], kinds: list[str]
) -> None:
    told = changed(blueprint("logistic_c", folder=folder), sweep__space=space)
    result = run(told, store)
    said = [one.kind for one in result.cautions if one.kind in {"seed_searched", "test_sets"}]
    assert said == kinds
    document = result_document(result)
    assert [one["kind"] for one in document["warnings"]].count("seed_searched") == kinds.count(
        "seed_searched"
    )
    nothing = run(changed(told, sweep__objective=None, sweep__direction=None), store)
    assert "seed_searched" not in {one.kind for one in nothing.cautions}
