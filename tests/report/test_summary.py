"""Summaries: the JSON document's shape, the table, and what a sweep's own run says."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from sweepmark.report.cautions import Caution
from sweepmark.report.summary import (
    majority_line,
    parent_records,
    result_document,
    result_table,
)
from sweepmark.store import Store
from sweepmark.tracking.records import Artifact, Metric, Model, Tag
from tiny import blueprint, changed, digits, grid, run

if TYPE_CHECKING:
    from pathlib import Path

    from sweepmark.report.results import SweepResult
    from sweepmark.tracking.records import Record

GRADE = {"name": "some", "bands": [{"minimum": 0.5, "points": 40}]}
PNG = b"\x89PNG"
TRIAL = {
    "number",
    "status",
    "reason",
    "params",
    "metrics",
    "run_id",
    "reused_from",
}
BESIDES = {"n_train", "n_test", "positive", "majority"}
BESIDES |= {"fit_seconds", "predict_seconds", "attempts"}
"""What a trial says besides the design's keys."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("summary") / "mlruns")


@pytest.fixture(scope="module")
def selected(store: Store) -> SweepResult:
    return run(grid(grade=GRADE), store)


@pytest.fixture(scope="module")
def subsets(store: Store) -> SweepResult:
    growing = blueprint("growing_subsets")
    return run(changed(growing, sweep__space__split__size=[60, 120], grade=GRADE), store)


class TestDocument:
    def test_has_the_shape_of_the_design(self, selected: SweepResult) -> None:
        document = result_document(selected)
        assert set(document) == {
            "sweep_id",
            "name",
            "state",
            "stopped_by",
            "published",
            "n_trials",
            "n_reused",
            "n_failed",
            "objective",
            "trials",
            "best",
            "grade",
            "warnings",
        }
        assert document["sweep_id"] == selected.sweep_id
        assert document["name"] == "svc_c_gamma"
        assert document["state"] == "complete"
        assert (document["n_trials"], document["n_reused"], document["n_failed"]) == (4, 0, 0)
        assert document["objective"] == {"metric": "cv_accuracy", "direction": "maximize"}
        for number, trial in enumerate(document["trials"]):
            assert set(trial) == TRIAL | BESIDES
            assert (trial["number"], trial["status"], trial["reason"]) == (number, "complete", None)
            assert set(trial["params"]) == {"classifier.C", "classifier.gamma"}
            assert all(isinstance(value, float) for value in trial["metrics"].values())
            assert isinstance(trial["run_id"], str)
            assert trial["reused_from"] is None
        best = dict(document["best"])
        assert "accuracy" in best.pop("test_metrics")
        assert best.pop("test_majority").keys() == {"label", "share"}
        assert best == document["trials"][best["number"]]
        grade = document["grade"]
        assert grade.keys() >= {"points", "band", "interval", "undecided"}
        assert isinstance(grade["points"], int)
        assert isinstance(grade["undecided"], bool)
        low, high = grade["interval"]
        assert 0 <= low < high <= 1
        for warning in document["warnings"]:
            assert set(warning) == {"kind", "message"}

    def test_of_what_selects_nothing_has_no_objective_and_no_best(
        self, subsets: SweepResult
    ) -> None:
        document = result_document(subsets)
        assert document["objective"] is None
        assert document["best"] is None
        assert document["grade"]["points"] == 40
        assert [one["kind"] for one in document["warnings"]] == ["test_sets"]

    def test_of_reused_trials_names_their_origin(self, store: Store, selected: SweepResult) -> None:
        document = result_document(run(grid(grade=GRADE), store))
        assert document["n_reused"] == 4
        first = document["trials"][0]
        assert (first["status"], first["reused_from"]) == ("reused", f"{selected.sweep_id}/0")

    def test_writes_nan_as_null(self, selected: SweepResult) -> None:
        assert selected.chosen is not None
        odd = {"accuracy": math.nan, "cv_accuracy": math.inf, "roc_auc": 0.5}
        trial = replace(selected.chosen, metrics=odd)
        result = replace(selected, trials=(trial,), chosen=trial, test=trial)
        document = json.loads(json.dumps(result_document(result), allow_nan=False))
        expected = {"accuracy": None, "cv_accuracy": None, "roc_auc": 0.5}
        assert document["trials"][0]["metrics"] == expected
        assert document["best"]["test_metrics"] == expected

    def test_before_the_final_evaluation_has_a_best_without_test_metrics(
        self, selected: SweepResult
    ) -> None:
        document = result_document(replace(selected, test=None, grade=None, state="interrupted"))
        assert document["state"] == "interrupted"
        assert document["best"]["test_metrics"] is None
        assert document["grade"] is None


class TestTable:
    def test_of_a_sweep_that_selects_is_ranked(self, selected: SweepResult) -> None:
        table = result_table(selected)
        assert table.columns[:3] == ("trial", "C", "gamma")
        assert selected.chosen is not None
        assert table.rows[0][0] == str(selected.chosen.number)
        column = table.columns.index("cv_accuracy")
        figures = [float(row[column].split()[0]) for row in table.rows]
        assert figures == sorted(figures, reverse=True)
        assert "points" not in table.columns

    def test_of_growing_subsets_is_in_order_and_graded(self, subsets: SweepResult) -> None:
        table = result_table(subsets)
        assert [row[0] for row in table.rows] == ["0", "1"]
        for column in ("size", "train", "test", "accuracy", "accuracy_common", "points", "fit s"):
            assert column in table.columns
        assert {row[table.columns.index("points")] for row in table.rows} == {"40"}


def found(records: list[Record], kind: type, name: str) -> Any:
    named = [one for one in records if isinstance(one, kind)]
    matching = [one for one in named if getattr(one, "name", getattr(one, "path", "")) == name]
    assert len(matching) == 1, name
    return matching[0]


class TestParent:
    def records(self, result: SweepResult) -> list[Record]:
        return parent_records(result, digits())

    def test_says_how_the_sweep_ended(self, selected: SweepResult) -> None:
        records = self.records(selected)
        assert found(records, Tag, "sweepmark.status").value == "complete"
        assert found(records, Metric, "n_trials").value == 4
        assert found(records, Metric, "points").value == 40
        csv = found(records, Artifact, "leaderboard.csv").content.decode()
        assert len(csv.splitlines()) == 5
        note = found(records, Tag, "mlflow.note.content").value
        assert "svc_c_gamma" in note
        assert "| trial |" in note

    def test_has_the_test_metrics_and_model_of_the_chosen_recipe(
        self, selected: SweepResult, store: Store
    ) -> None:
        records = self.records(selected)
        assert selected.test is not None
        accuracy = found(records, Metric, "accuracy").value
        assert accuracy == selected.test.metrics["accuracy"]
        (model,) = (one for one in records if isinstance(one, Model))
        assert model.content == store.evaluations.model(selected.test.keys[0])
        assert model.n_features == 64

    @pytest.mark.parametrize(
        ("wanted", "of_selected", "of_subsets"),
        [
            ("all", True, False),
            ("standard", True, True),
            ("best", True, True),
            ("none", False, False),
        ],
    )
    def test_has_the_files_on_the_best_that_no_child_has(
        self,
        selected: SweepResult,
        subsets: SweepResult,
        wanted: str,
        of_selected: object,
        of_subsets: object,
    ) -> None:
        for result, expected in ((selected, of_selected), (subsets, of_subsets)):
            asked = changed(result.blueprint, tracking__artifacts=wanted)
            records = self.records(replace(result, blueprint=asked))
            paths = {one.path for one in records if isinstance(one, Artifact)}
            assert ("confusion_matrix.png" in paths) is expected
            assert ("roc_curve.png" in paths) is expected
            assert "leaderboard.csv" in paths

    def test_draws_a_plane_of_two_parameters_and_a_curve_of_one(
        self, selected: SweepResult, subsets: SweepResult
    ) -> None:
        plane = found(self.records(selected), Artifact, "heatmap.png")
        curve = found(self.records(subsets), Artifact, "sweep_curve.png")
        assert plane.content.startswith(PNG)
        assert curve.content.startswith(PNG)

    def test_draws_what_has_failed_trials_and_equal_looking_values(
        self, selected: SweepResult
    ) -> None:
        failed = replace(selected.trials[1], status="failed", metrics={})
        result = replace(selected, trials=(selected.trials[0], failed))
        assert found(self.records(result), Artifact, "heatmap.png")

    @pytest.mark.parametrize(
        "space",
        [
            {"classifier": {"gamma": ["scale", 0.1]}},
            {"classifier": {"C": [1.0], "gamma": [0.1], "degree": [2, 3]}},
            {"classifier": {"C": {"low": 1, "high": 2}}},
            {"split": {"size": [None, 200]}},
        ],
    )
    def test_draws_nothing_of_what_is_no_plane_of_numbers(
        self, store: Store, space: dict[str, Any]
    ) -> None:
        values: dict[str, Any] = {"sweep__space": space, "sweep__n_trials": 2}
        result = run(grid(sampler__name="random", **values), store)
        records = self.records(result)
        assert not any(one.path.endswith(".png") for one in records if isinstance(one, Artifact))

    def test_of_a_sweep_whose_trials_all_failed_is_written_all_the_same(
        self, store: Store, tmp_path: Path
    ) -> None:
        del tmp_path
        lost = {"_target_": "estimators.NanSVC", "lost": True}
        four: dict[str, Any] = {"classifier": lost, "sweep__space": {"seed": [0, 1, 2, 3]}}
        asked = grid(sweep__objective="cv_roc_auc", **four)
        result = run(asked, store, trusted=("estimators",))
        records = self.records(result)
        assert found(records, Metric, "n_failed").value == 4
        result_table(result)


@pytest.mark.row(25, "MLflow's note")
def test_note_has_neither_markup_nor_lines_of_others(tmp_path: Path) -> None:
    store = Store(tmp_path / "mlruns")
    hostile = "<script>x</script>\n| a |\x1b[2J" + "y" * 10_000
    result = replace(run(blueprint(None), store), cautions=(Caution("edge", hostile),))
    note = found(parent_records(result, digits()), Tag, "mlflow.note.content")
    (line,) = [line for line in note.value.splitlines() if "script" in line]
    assert r"&lt;script&gt;x&lt;/script&gt;\\n\| a \|\\x1b\[2J" in line
    assert "\x1b" not in note.value
    assert len(line) < 400


def test_majority_class_is_said_with_the_range_of_its_shares(
    selected: SweepResult, subsets: SweepResult
) -> None:
    prefix = r"majority class of the scored rows: [\d, ]+, 0\.\d{4}"
    assert re.fullmatch(prefix + " of them", majority_line(selected))
    assert re.fullmatch(prefix + r" to 0\.\d{4} of them", majority_line(subsets))
    nothing = replace(selected, trials=(replace(selected.trials[0], majority=None),))
    assert majority_line(nothing) == ""
