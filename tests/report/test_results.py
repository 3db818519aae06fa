"""Results: what became of a sweep, read back from its journal and evaluations alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from sweepmark.config import Composer, Folders
from sweepmark.report.results import read_result
from sweepmark.report.summary import result_table
from sweepmark.search.blueprint import Blueprint
from sweepmark.specification.specify import specify_test
from sweepmark.specification.split import split_rows
from sweepmark.store import Store
from tiny import blueprint, changed, digits, figures, flaky, grid, run, write_sweep

if TYPE_CHECKING:
    from pathlib import Path

    from sweepmark.report.results import SweepResult

SIZES = [300, 60, 200]
BANDS = {"bands": [{"minimum": 0.5, "points": 40}, {"minimum": 0.9, "points": 60}]}

SETS = """# Two data sets
defaults:
  - override /dataset: digits
  - override /preprocess: none
  - override /classifier: dummy
split: {size: 300}
sweep:
  space: {dataset: {option: [digits, graded]}}
"""
GRADED = """# Digits
defaults:
  - override /grade@_global_.grade: course
"""


def growing(**values: Any) -> Any:
    small = {
        "preprocess": {},
        "classifier": {"_target_": "sklearn.neighbors.KNeighborsClassifier"},
        "sweep__space__split__size": SIZES,
    }
    return changed(blueprint("growing_subsets"), **small | values)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("results") / "mlruns")


@pytest.fixture(scope="module")
def subsets(store: Store) -> SweepResult:
    return run(growing(grade={"name": "some"} | BANDS), store)


@pytest.fixture(scope="module")
def selected(store: Store) -> SweepResult:
    return run(grid(), store)


def cautions(result: SweepResult, kind: str) -> list[str]:
    return [caution.message for caution in result.cautions if caution.kind == kind]


def test_reading_gives_what_running_gave(store: Store, selected: SweepResult) -> None:
    again = read_result(store, selected.sweep_id)
    assert figures(again) == figures(selected)
    assert (again.state, again.test_set) == (selected.state, selected.test_set)


def test_runs_of_the_tracker_are_joined_to_their_trials(
    store: Store, selected: SweepResult
) -> None:
    result = read_result(store, selected.sweep_id, run_ids={2: "abc"})
    assert [trial.run_id for trial in result.trials] == ["", "", "abc", ""]


class TestAccuracyCommon:
    def test_is_each_models_accuracy_on_the_rows_that_all_test_sets_share(
        self, subsets: SweepResult
    ) -> None:
        X, y = digits().train.X, digits().train.y
        parts = {
            trial.number: split_rows(
                specify_test(subsets.blueprint.config_at(dict(trial.params)), digits()).split,
                digits(),
            )
            for trial in subsets.trials
        }
        smallest = set.intersection(*(set(test) for _, test in parts.values()))
        assert len(smallest) == 15
        shared = sorted(smallest)
        for trial in subsets.trials:
            train, test = parts[trial.number]
            model = KNeighborsClassifier().fit(X[train], y[train])
            assert trial.metrics["accuracy"] == model.score(X[test], y[test])
            assert trial.metrics["accuracy_common"] == model.score(X[shared], y[shared])

    def test_is_explained(self, subsets: SweepResult) -> None:
        (message,) = cautions(subsets, "test_sets")
        assert "different test sets" in message
        assert "accuracy_common" in message
        assert "15 test rows" in message

    def test_is_absent_where_all_are_scored_on_the_same_rows(self, store: Store) -> None:
        alike = growing(
            sweep__space={"classifier": {"n_neighbors": [1, 3]}},
            classifier__n_neighbors=5,
            split__size=60,
        )
        result = run(alike, store)
        assert all("accuracy_common" not in trial.metrics for trial in result.trials)
        assert cautions(result, "test_sets") == []

    def test_is_absent_where_no_row_is_shared(self, store: Store) -> None:
        seeds = growing(sweep__space={"split": {"seed": [0, 1, 2, 3]}}, split__size=60)
        result = run(seeds, store)
        assert all("accuracy_common" not in trial.metrics for trial in result.trials)
        assert "no row in common" in cautions(result, "test_sets")[0]

    def test_leaves_a_failed_trial_out(self, store: Store, tmp_path: Path) -> None:
        obstacle = tmp_path / "obstacle"
        obstacle.touch()
        component = {"_target_": "flaky.Flaky", "obstacle": str(obstacle), "n_neighbors": 5}
        space = {"split": {"size": [60, 200]}, "classifier": {"n_neighbors": [1, 3]}}
        result = run(growing(classifier=component, sweep__space=space), store, trusted=("flaky",))
        statuses = [trial.status for trial in result.trials]
        assert statuses == ["failed", "complete", "failed", "complete"]
        has = ["accuracy_common" in trial.metrics for trial in result.trials]
        assert has == [False, True, False, True]


class TestHeadline:
    def test_of_growing_subsets_is_the_largest_not_the_best(self, subsets: SweepResult) -> None:
        assert subsets.chosen is None
        assert subsets.headline == subsets.trials[0]
        assert subsets.test == subsets.headline
        assert subsets.headline.n_train == 225

    def test_of_a_sweep_that_selects_is_the_chosen_trial(self, selected: SweepResult) -> None:
        assert selected.headline == selected.chosen
        assert selected.test is not None
        assert selected.test.params == selected.chosen.params if selected.chosen else False
        assert selected.test.metrics.keys() >= {"accuracy", "roc_auc"}
        assert not any(name.startswith("cv_") for name in selected.test.metrics)

    def test_of_cross_validation_that_selects_nothing_has_no_test(self, store: Store) -> None:
        result = run(grid(sweep__objective=None), store)
        assert result.headline is not None
        assert (result.test, result.test_set, result.grade) == (None, "", None)


class TestGrade:
    def test_of_a_validation_part_is_scored_on_the_test_part_once(self, store: Store) -> None:
        values: dict[str, Any] = {
            "evaluation__method": "validation",
            "evaluation__validation_fraction": 0.2,
        }
        result = run(grid(sweep__objective="validation_accuracy", **values), store)
        assert result.chosen is not None
        assert result.test is not None
        best = max(trial.metrics["validation_accuracy"] for trial in result.trials)
        assert result.chosen.metrics["validation_accuracy"] == best
        assert not any("accuracy" in trial.metrics for trial in result.trials)
        assert (result.chosen.n_train, result.chosen.n_test) == (72, 18)
        assert (result.test.n_train, result.test.n_test) == (90, 30)
        unselected = run(grid(sweep__objective=None, **values), store)
        assert unselected.test is None

    def test_is_of_the_test_part(self, subsets: SweepResult, store: Store) -> None:
        assert subsets.grade is not None
        assert subsets.test is not None
        assert subsets.grade.value == subsets.test.metrics["accuracy"]
        assert subsets.grade.n == subsets.test.n_test == 75
        selected = run(grid(grade={"name": "some"} | BANDS), store)
        assert selected.grade is not None
        assert selected.test is not None
        assert selected.grade.value == selected.test.metrics["accuracy"]

    def test_is_by_the_rule_of_each_data_set_where_these_are_swept(self, tmp_path: Path) -> None:
        folder = write_sweep(tmp_path, "sets", SETS)
        (folder / "dataset").mkdir()
        digits_yaml = Folders().option_path("dataset", "digits").read_text()
        (folder / "dataset" / "graded.yaml").write_text(f"{GRADED}{digits_yaml}")
        with Composer(Folders.of([folder])) as composer:
            asked = Blueprint.compose(composer, "sets", ("engine=serial", "tracking=none"))
        result = run(asked, Store(tmp_path / "mlruns"))
        assert (asked.config.grade.bands, result.grade) == ((), None)  # the headline is of digits
        table = result_table(result)
        points = [row[table.columns.index("points")] for row in table.rows]
        assert points == ["", "0"]

    def test_is_absent_without_bands(self, selected: SweepResult) -> None:
        assert selected.grade is None


def test_test_set_tells_equal_rows_from_others(
    store: Store, subsets: SweepResult, selected: SweepResult
) -> None:
    again = run(growing(classifier__n_neighbors=1), store)
    assert len(subsets.test_set) == 64
    assert again.test_set == subsets.test_set
    assert selected.test_set != subsets.test_set


def test_best_cell_on_an_edge_is_said(store: Store) -> None:
    space = {"classifier": {"C": [0.1, 1.0, 10.0], "gamma": [0.0001, 0.01, 100.0]}}
    result = run(grid(sweep__space=space), store)
    assert result.chosen is not None
    assert result.chosen.params == {"classifier.C": 10.0, "classifier.gamma": 0.01}
    (message,) = cautions(result, "edge")
    assert "classifier.C = 10.0 is the highest of 3 values (0.1 to 10.0)" in message


def test_warnings_of_the_libraries_are_counted(store: Store) -> None:
    logistic = grid(
        classifier={
            "_target_": "sklearn.linear_model.LogisticRegression",
            "C": 1.0,
            "max_iter": 1,
        },
        sweep__space={"classifier": {"C": [1.0, 2.0]}},
    )
    (message,) = cautions(run(logistic, store), "fit")
    assert message.startswith("ConvergenceWarning: lbfgs failed to converge")
    assert message.endswith("(in 2 of 2 trials)")


def test_interrupted_sweep_is_read_as_far_as_it_got(store: Store, tmp_path: Path) -> None:
    result = run(flaky(tmp_path / "nothing"), store, trusted=("flaky",))
    path = store.journal_path(result.sweep_id)
    content = path.read_bytes()
    path.write_bytes(content[: content.rindex(b'{"event":"outcome"')])
    partial = read_result(store, result.sweep_id)
    assert partial.state == "interrupted"
    assert [trial.number for trial in partial.trials] == [0, 1]
    assert partial.chosen is not None
    assert partial.test is None


def test_seconds_of_a_trial_are_sums_over_its_folds(store: Store, selected: SweepResult) -> None:
    for trial in selected.trials:
        cards = [store.evaluations.scorecard(key) for key in trial.keys]
        assert trial.fit_seconds == sum(card.fit_seconds for card in cards)
        assert trial.n_test == sum(card.n_test for card in cards) == 90
        accuracies = [card.metrics["accuracy"] for card in cards]
        assert trial.metrics["cv_accuracy"] == np.mean(accuracies)
        assert trial.metrics["cv_accuracy_std"] == np.std(accuracies)


def test_the_majority_class_is_that_of_the_scored_rows(selected: SweepResult) -> None:
    assert selected.test is not None
    card = selected.holdings.scorecard(selected.test.keys[0])
    labels, counts = np.unique(card.predictions.y_true, return_counts=True)
    assert selected.test.majority is not None
    assert selected.test.majority.share == counts.max() / counts.sum()
    assert selected.test.majority.label == str(labels[counts.argmax()])
    assert len({trial.majority for trial in selected.trials}) == 1  # the same folds


@pytest.mark.parametrize(
    ("classifier", "said"),
    [
        ({"_target_": "sklearn.svm.SVC", "gamma": 1e4}, ["the classifier took every row for "]),
        ({"_target_": "sklearn.svm.SVC"}, []),
        ({"_target_": "sklearn.dummy.DummyClassifier"}, []),  # does nothing else
    ],
)
def test_what_takes_every_row_for_one_class_is_said(
    tmp_path: Path, classifier: dict[str, Any], said: list[str]
) -> None:
    asked = changed(blueprint(None), classifier=classifier, preprocess={})
    found = cautions(run(asked, Store(tmp_path / "mlruns")), "one_class")
    assert [text[: len(said[0])] for text in found] == said


def test_trials_that_take_every_row_for_one_class_are_said_once(tmp_path: Path) -> None:
    space = {"classifier": {"C": [1.0, 10.0], "gamma": [1e-2, 1e4]}}
    result = run(grid(sweep__space=space), Store(tmp_path / "mlruns"))
    (text,) = cautions(result, "one_class")
    assert text.startswith("2 trials (1, 3) took every row for ")
