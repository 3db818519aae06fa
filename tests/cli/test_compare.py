"""``sweepmark compare`` as a user calls it."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from program import Called
from sweepmark.config import Composer, Folders
from sweepmark.errors import ConfigurationError, NotFoundError
from sweepmark.report.runs import find_run
from sweepmark.search.blueprint import Blueprint
from sweepmark.store import Holdings, Store
from tables import PASSENGERS, write
from tiny import grid, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sweepmark.report.results import SweepResult
    from sweepmark.scores.scorecard import Predictions, Scorecard

SMALL = ("engine=serial", "tracking=none", "grade=none")
DETECTOR = ("task=is_digit", "task.positive=5", "evaluation.threshold=0.5")
NUMBERS = """\
# Numbers of passengers
columns:
  _target_: sklearn.compose.ColumnTransformer
  transformers:
    - [numbers, {_target_: sklearn.impute.SimpleImputer, strategy: median}, [Age, Fare]]
"""


@dataclass(frozen=True)
class Compared:
    """A store with runs, and a program that finds them there."""

    program: Called
    store: Store
    results: dict[str, SweepResult]

    def id(self, name: str) -> str:
        return self.results[name].sweep_id

    def predictions(self, name: str) -> Predictions:
        return find_run(self.id(name), self.store).card.predictions

    def compare(self, *words: object, code: int = 0) -> Any:
        named = [self.results[word].sweep_id if word in self.results else word for word in words]
        return self.program.run("compare", *named, code=code)


def launched(store: Store, *overrides: str, folder: Path | None = None) -> SweepResult:
    with Composer(Folders.of([folder] if folder else [])) as composer:
        return run(Blueprint.compose(composer, None, [*SMALL, *overrides]), store)


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory, session_cache: Path) -> Iterator[Compared]:
    root = tmp_path_factory.mktemp("compared")
    (root / "preprocess").mkdir()
    write(root / "preprocess/numbers.yaml", NUMBERS)
    head, _, lines = PASSENGERS.partition("\n")
    path = write(root / "train.csv", f"{head}\n{lines * 6}")
    titanic = ["dataset=titanic", f"dataset.path={path}", "preprocess=numbers"]
    with contextlib.closing(Called(root, cache=session_cache)) as program:
        store = Store(program.store)
        digits = ("dataset=digits", "split.size=800")
        results = {
            "knn": launched(store, *digits, "classifier=knn"),
            "never": launched(store, *digits, "classifier=dummy"),
            "other": launched(store, "dataset=digits", "split.size=600"),
            "cv": launched(store, "dataset=digits", "split.size=400", "evaluation=cv"),
            "sweep": run(grid(), store),
            "detector": launched(store, *digits, *DETECTOR),
            "titanic": launched(store, *titanic, "classifier=logistic", folder=root),
        }
        yield Compared(program, store, results)


def test_one_run(compared: Compared) -> None:
    predictions = compared.predictions("knn")
    document = compared.compare("knn", "--json").document
    assert document["n_right"] == (predictions.y_true == predictions.y_pred).sum()
    assert document["accuracy"] == document["n_right"] / document["n_rows"]
    assert document["metrics"]["accuracy"] == document["accuracy"]
    assert document["metrics"].keys() > {"f1_macro", "precision_weighted"}
    for each in document["labels"]:
        of_label = predictions.y_true == int(each["label"])
        n_right = (predictions.y_pred[of_label] == int(each["label"])).sum()
        assert (each["n_right"], each["n_rows"]) == (n_right, of_label.sum())
    n_wrong = document["n_rows"] - document["n_right"]
    assert sum(one["n_rows"] for one in document["confusions"]) == n_wrong
    shown = compared.compare("knn").out
    assert "accuracy per label" in shown
    assert "most frequent errors" in shown
    worst = min(document["labels"], key=lambda each: each["accuracy"])
    command = f"next: sweepmark compare {compared.id('knn')} --errors {worst['label']}"
    assert shown.splitlines()[-1] == command


def test_what_a_label_was_taken_for(compared: Compared) -> None:
    """The baseline takes everything for the most frequent label of the training part."""
    predictions = compared.predictions("never")
    always = str(predictions.y_pred[0])
    label = "7" if always != "7" else "8"
    n_rows = int((predictions.y_true == int(label)).sum())
    errors = compared.compare("never", "--errors", label, "--json").document["errors"]
    assert errors["taken_for"] == [{"prediction": always, "n_rows": n_rows}]
    assert len(errors["largest_margins"]) == min(10, n_rows)
    rows = dict(zip(predictions.rows.tolist(), predictions.y_true.tolist(), strict=True))
    assert {rows[one["row"]] for one in errors["largest_margins"]} == {int(label)}
    shown = compared.compare("never", "--errors", label).out
    assert f"what {label} was taken for ({n_rows:,} rows)" in shown
    none = compared.compare("never", "--errors", always).out
    assert f"no {always} was taken for anything else" in none


def test_two_runs_side_by_side(compared: Compared) -> None:
    knn, never = compared.predictions("knn"), compared.predictions("never")
    document = compared.compare("knn", "never", "--json").document
    mine, theirs = (each.y_true == each.y_pred for each in (knn, never))
    assert document["n_differing"] == (knn.y_pred != never.y_pred).sum()
    assert document["n_only_first_right"] == (mine & ~theirs).sum()
    assert document["n_only_second_right"] == (theirs & ~mine).sum()
    assert document["difference"] == pytest.approx(theirs.mean() - mine.mean())
    shown = compared.compare("knn", "never").out
    assert f"A: {compared.id('knn')} " in shown
    assert f"they differ on {document['n_differing']} of 200 rows" in shown


def test_other_rows_do_not_compare(compared: Compared) -> None:
    for other in ("other", "cv", "titanic"):
        refused = compared.compare("knn", other, code=2)
        assert refused.out == ""
        assert "must have been scored on the same rows" in refused.err
        assert compared.id("knn") in refused.err
        assert compared.id(other) in refused.err


def test_a_sweep_is_its_chosen_recipe_and_a_trial_is_out_of_fold(compared: Compared) -> None:
    sweep = compared.id("sweep")
    chosen = compared.compare("sweep", "--json").document
    assert (chosen["out_of_fold"], chosen["n_rows"]) == (False, 30)
    assert chosen["metric"] == "accuracy"
    trial = compared.compare(f"{sweep}/1", "--json").document
    assert (trial["out_of_fold"], trial["n_rows"], trial["trial"]) == (True, 90, 1)
    assert trial["metric"] == "pooled_accuracy"
    alone = compared.compare("cv").out
    assert "out of fold" in alone
    assert "pooled_accuracy per label" in alone
    assert " accuracy" not in alone
    shown = compared.compare(f"{sweep}/0", f"{sweep}/3").out
    assert "classifier.C=10.0 classifier.gamma=0.1" in shown
    assert "\npooled_accuracy\n" in shown
    assert " accuracy" not in shown


def test_ranking_of_a_tables_rows(compared: Compared) -> None:
    predictions = compared.predictions("titanic")
    assert predictions.scores is not None
    document = compared.compare("titanic", "--ranking", 3, "--json").document
    for side, rows in (("top", np.sort(predictions.scores)[::-1]), ("bottom", None)):
        expected = np.sort(predictions.scores) if rows is None else rows
        scores = [row["score"] for row in document[side]]
        assert scores == pytest.approx(expected[:3].tolist())
    assert document["top"][0]["cells"]["Name"] in PASSENGERS.replace('""', '"')
    shown = compared.compare("titanic", "--ranking", 3).out
    assert "the 3 highest scores of 1" in shown
    assert "PassengerId" in shown
    assert "Name" in shown


def test_without_the_data_set_everything_but_its_cells_is_shown(
    compared: Compared, tmp_path: Path
) -> None:
    words = ("compare", compared.id("titanic"), "--ranking", 2, "--json")
    document = compared.program.run(*words, SWEEPMARK_CACHE=str(tmp_path / "empty")).document
    assert len(document["top"]) == 2
    assert "cells" not in document["top"][0]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("knn", "--errors", "x"), "unknown label 'x'"),
        (("knn", "--errors"), "expected one argument"),
        (("knn", "--ranking", 3), "the scores of two classes, but there are those of 10"),
        (("titanic", "--ranking", 0), "--ranking must be a number of rows >= 1, but got 0"),
        (("titanic", "--ranking", "all"), "invalid int value: 'all'"),
        (("titanic", "--ranking", 3, "--errors", "1"), "not allowed with"),
        (("knn", "never", "--errors", "1"), "--errors looks at one run"),
        (("knn", "never", "other"), "one run or two, but got 3"),
        (("nothing",), "there is no sweep 'nothing'"),
        (("run-",), "names 6 sweeps"),
    ],
)
def test_what_is_wrong_is_said(compared: Compared, words: tuple[Any, ...], message: str) -> None:
    refused = compared.compare(*words, code=2)
    assert refused.out == ""
    assert refused.err.startswith("error: ")
    assert message in refused.err


def test_scores_that_are_no_numbers_are_null(
    compared: Compared, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store may come from elsewhere, and JSON has no NaN."""
    scorecard = Holdings.scorecard

    def without_numbers(self: Holdings, key: str) -> Scorecard:
        card = scorecard(self, key)
        assert card.predictions.scores is not None
        card.predictions.scores[:] = np.nan
        return card

    monkeypatch.setattr(Holdings, "scorecard", without_numbers)
    document = compared.compare("titanic", "--ranking", 1, "--json").document
    assert document["top"][0]["score"] is None


def test_one_label_against_the_rest_has_two_names(compared: Compared) -> None:
    document = compared.compare("detector", "--json").document
    assert [each["label"] for each in document["labels"]] == ["not 5", "5"]
    assert document["positive"] == "5"
    shown = compared.compare("detector", "--errors", "not 5").out
    assert "not 5" in shown


def test_a_moved_threshold_is_what_margin_counts_from(compared: Compared) -> None:
    stored = compared.predictions("detector")
    assert stored.scores is not None
    ahead = np.abs(stored.scores - 0.5)[(stored.y_true == 1) & (stored.y_pred == 0)]
    document = compared.compare("detector", "--errors", "5", "--json").document
    found = [one["margin"] for one in document["errors"]["largest_margins"]]
    assert found == pytest.approx(np.sort(ahead)[::-1][:10].tolist())
    assert found
    assert document["errors"]["taken_for"] == [{"prediction": "not 5", "n_rows": len(ahead)}]
    assert "margin" in compared.compare("detector", "--errors", "5").out
    ranked = compared.compare("detector", "--ranking", 2, "--json").document
    assert ranked["ranked_by"] == "5"
    assert ranked["top"][0]["score"] == stored.scores.max()


# Names of runs


def test_names_of_runs(compared: Compared) -> None:
    sweep = compared.results["sweep"]
    assert sweep.chosen is not None
    of_sweep = find_run(sweep.sweep_id, compared.store)
    assert of_sweep.is_final
    assert of_sweep.trial.number == sweep.chosen.number
    assert find_run("svc_c", compared.store).title == of_sweep.title
    assert find_run("latest", compared.store).title == compared.id("titanic")
    trial = find_run(f"{sweep.sweep_id}/0", compared.store)
    assert (trial.title, trial.is_final) == (f"{sweep.sweep_id}/0", False)
    assert trial.is_folds


@pytest.mark.parametrize("name", ["latest/9", "latest/x", "latest/-1", "/0", "", "nothing/0"])
def test_names_of_no_run(compared: Compared, name: str) -> None:
    with pytest.raises(NotFoundError, match=r"unknown finished trial|no sweep|names"):
        find_run(name, compared.store)


def test_what_failed_predicted_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path)
    failed = launched(store, "dataset=digits", "split.size=200", "classifier.kernel=precomputed")
    for name in (failed.sweep_id, f"{failed.sweep_id}/0"):
        with pytest.raises(ConfigurationError, match="It fails alike whenever it is tried"):
            find_run(name, store)
