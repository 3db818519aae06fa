"""Metrics that a configuration asks for: refused beforehand, computed from what is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sweepmark.errors import ConfigurationError
from sweepmark.report.summary import result_document, result_table
from sweepmark.store import Store
from tiny import blueprint, digits, load_digits, run, write_sweep

if TYPE_CHECKING:
    from pathlib import Path

    from sweepmark.report.results import SweepResult
    from sweepmark.search.blueprint import Blueprint

SWEEP = """\
# Nearest neighbours
defaults:
  - override /classifier: knn
  - override /evaluation: cv
  - override /sampler: grid
evaluation:
  n_splits: 3
  metrics: [{name: fbeta_macro, beta: 2}, matthews_corrcoef]
sweep:
  space:
    classifier:
      n_neighbors: [1, 9]
  objective: cv_matthews_corrcoef
"""
DETECTOR = ("task=is_digit", "task.positive=3")
COST = "evaluation.metrics=[{{name: cost, cost: {{8: {{3: {}}}, 3: {{8: 1}}}}}}]"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sweep(tmp_path_factory.mktemp("own"), "neighbours", SWEEP)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("figures") / "mlruns")


@pytest.fixture(scope="module")
def first(folder: Path, store: Store) -> SweepResult:
    return run(composed(folder), store)


def composed(folder: Path, *overrides: str) -> Blueprint:
    return blueprint("neighbours", *overrides, folder=folder)


def test_they_select_and_are_shown(first: SweepResult) -> None:
    assert first.chosen is not None
    values = {each.number: each.metrics["cv_matthews_corrcoef"] for each in first.trials}
    assert first.chosen.number == max(values, key=values.__getitem__)
    assert {"cv_fbeta_macro", "pooled_fbeta_macro"} <= first.trials[0].metrics.keys()
    assert first.test is not None
    assert "matthews_corrcoef" in first.test.metrics
    headings = result_table(first).columns
    assert headings.index("cv_matthews_corrcoef") < headings.index("cv_accuracy")
    assert "cv_fbeta_macro" in headings
    assert result_document(first)["objective"]["direction"] == "maximize"


def test_another_one_is_computed_of_stored_predictions(
    first: SweepResult, folder: Path, store: Store
) -> None:
    kept = sorted(store.evaluations.keys())
    costs = []
    for cost in (5, 10):
        found = run(composed(folder, COST.format(cost), "sweep.objective=cv_cost"), store)
        assert found.n_reused == len(first.trials)
        assert found.blueprint.direction == "minimize"
        costs.append([each.metrics["pooled_cost"] for each in found.trials])
        again = run(composed(folder, COST.format(cost), "sweep.objective=cv_cost"), store)
        assert [each.metrics["pooled_cost"] for each in again.trials] == costs[-1]
    assert sorted(store.evaluations.keys()) == kept
    assert costs[0] != costs[1]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["evaluation.metrics=[jaccard]"], "jaccard is of the positive one of two labels"),
        (["evaluation.metrics=[neg_brier_score]", "classifier=svc"], "SVC does not give"),
        (
            ["evaluation.metrics=[top_k_accuracy]", "task=is_digit", "task.positive=3"],
            "of more than two labels",
        ),
        (["evaluation.metrics=[{name: top_k_accuracy, k: 10}]"], "k=10 is always 1 of 10 labels"),
        (["evaluation.metrics=[r2]"], "not for one label a row of a classifier"),
        (["evaluation.metrics=[{name: cost, cost: {3: {11: 1}}}]"], "unknown label '11'"),
        (["evaluation.metrics=[{name: cost, cost: x}]"], "cost must be a number for each"),
        (["evaluation.metrics=none"], "must be a list"),
        (["sweep.objective=cv_fbeta"], "must be told its beta"),
        (["sweep.objective=cv_jaccard"], "Set sweep.objective=cv_jaccard_macro"),
        (["sweep.objective=cv_jaccard_macro", "sweep.direction=minimize"], "which is maximize"),
        (["sweep.objective=jaccard_macro"], "select on cross-validation"),
        (["sweep.objective=cv_jacard"], "Did you mean 'cv_jaccard'"),
        (
            ["evaluation.metrics=[neg_brier_score]", "classifier=logistic"],
            "those of LogisticRegression are not: they are those of decision_function. Take log_lo",
        ),
        (["evaluation.metrics=[roc_auc_ovo]", "classifier=logistic"], "Take roc_auc, which"),
    ],
)
def test_what_a_trial_cannot_have_is_refused(
    overrides: list[str], message: str, folder: Path
) -> None:
    of_run = any(word.startswith("classifier=") for word in overrides)

    def check() -> None:
        asked = blueprint(None, *overrides) if of_run else composed(folder, *overrides)
        asked.check(load_digits)

    with pytest.raises(ConfigurationError, match=message):
        check()


def test_a_grade_asks_by_itself(folder: Path, store: Store) -> None:
    digits()
    graded = ("grade=course", "grade.metric=matthews_corrcoef")
    found = run(composed(folder, "evaluation.metrics=[]", *graded), store)
    assert found.grade is not None
    assert found.test is not None
    assert found.grade.value == found.test.metrics["matthews_corrcoef"]
