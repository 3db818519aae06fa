"""Rows divided by a column: whole groups, or an order of time."""

from __future__ import annotations

import itertools
import shlex
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GroupKFold,
    StratifiedGroupKFold,
    TimeSeriesSplit,
    cross_val_score,
)

from sweepmark.config.schema import SplitConfig
from sweepmark.config.split import SplitColumn
from sweepmark.data import Dataset, Part
from sweepmark.data.divided import load_divided
from sweepmark.errors import ConfigurationError
from sweepmark.evaluation.evaluate import evaluate
from sweepmark.scores.threshold import Rule, choose_threshold, parse_threshold
from sweepmark.specification.folds import check_folds, fold_rows, hold_out
from sweepmark.specification.specify import specify
from sweepmark.specification.split import resolve_split, split_rows
from tiny import config as configured

if TYPE_CHECKING:
    from pathlib import Path

    from program import Called

RANKS = st.lists(st.integers(0, 9), min_size=4, max_size=80).map(np.array)


def dataset(ranks: Any) -> Dataset:
    y = np.arange(len(ranks), dtype=np.int64) % 2
    return Dataset(
        name="some",
        digest="",
        source="",
        image_shape=None,
        files={},
        train=Part(np.zeros((len(ranks), 1)), y),
        test=None,
        split_column="at",
        ranks=np.unique(ranks, return_inverse=True)[1],
    )


def split(data: Dataset, role: str, **values: Any) -> tuple[list[int], list[int]]:
    values = {"size": None, "train_ratio": 0.75, "source": "auto", "seed": 0, role: "at"} | values
    resolved = resolve_split(SplitConfig(**values), data)
    train, test = split_rows(resolved, data)
    assert (len(train), len(test)) == (resolved["n_train"], resolved["n_test"])
    return train.tolist(), test.tolist()


class TestSplit:
    @given(ranks=RANKS.filter(lambda ranks: len(np.unique(ranks)) > 1), seed=st.integers(0, 9))
    def test_no_group_is_on_both_sides_and_no_row_is_lost(self, ranks: Any, seed: int) -> None:
        data = dataset(ranks)
        train, test = split(data, "groups", seed=seed)
        assert sorted(train + test) == list(range(len(ranks)))
        assert not set(ranks[train]) & set(ranks[test])

    def test_the_cut_comes_as_close_to_the_ratio_as_groups_allow(self) -> None:
        data = dataset(np.repeat(np.arange(20), 5))
        assert len(split(data, "groups")[0]) == 75
        assert len(split(data, "groups", train_ratio=0.01)[0]) == 5
        assert len(split(data, "groups", train_ratio=0.99)[0]) == 95

    @given(ranks=RANKS)
    def test_the_last_rows_in_the_order_are_tested(self, ranks: Any) -> None:
        train, test = split(dataset(ranks), "order")
        assert sorted(train + test) == list(range(len(ranks)))
        assert train + test == np.argsort(ranks, kind="stable").tolist()
        assert len(train) == round(0.75 * len(ranks))

    @pytest.mark.parametrize("role", ["groups", "order"])
    def test_growing_subsets_nest(self, role: str) -> None:
        data = dataset(np.random.default_rng(0).integers(0, 12, 120))
        parts = [split(data, role, size=size) for size in (20, 40, 80)]
        for (train, test), (more, more_tests) in itertools.pairwise(parts):
            assert set(train) < set(more)
            assert set(test) < set(more_tests)
            assert not set(more) & set(more_tests)
        if role == "order":  # the smaller ones lie around the cut
            whole, _ = split(data, role)
            assert parts[0][0] == whole[-15:]

    def test_sizes_and_columns_that_cannot_be_are_refused(self) -> None:
        data = dataset(np.repeat([0, 1], [90, 10]))
        with pytest.raises(ConfigurationError, match=r"split.size must be at most 1\d for some"):
            split(data, "groups", size=100, train_ratio=0.25, seed=1)
        with pytest.raises(ConfigurationError, match="has one value only"):
            split(dataset(np.zeros(9)), "groups")
        with pytest.raises(ConfigurationError, match=r"split\.source=official takes official"):
            split(data, "order", source="official")
        with pytest.raises(ConfigurationError, match="Set one of them to null"):
            split(data, "order", groups="b")


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        ({"by": "groups", "stratified": False, "shuffle": False}, GroupKFold(3)),
        (
            {"by": "groups", "stratified": False, "shuffle": True},
            GroupKFold(3, shuffle=True, random_state=4),
        ),
        ({"by": "groups", "stratified": True, "shuffle": False}, StratifiedGroupKFold(3)),
        (
            {"by": "groups", "stratified": True, "shuffle": True},
            StratifiedGroupKFold(3, shuffle=True, random_state=4),
        ),
        ({"by": "order", "stratified": False, "shuffle": False}, TimeSeriesSplit(3)),
    ],
)
def test_folds_are_scikit_learns(method: dict[str, Any], kind: Any) -> None:
    generator = np.random.default_rng(3)
    ranks, y = generator.integers(0, 9, 60), generator.integers(0, 2, 60)
    groups = ranks if method["by"] == "groups" else None
    for fold, expected in enumerate(kind.split(y, y, groups)):
        asked = {"n_splits": 3, "seed": 4, "fold": fold} | method
        for ours, rows in zip(fold_rows(asked, y, ranks), expected, strict=True):
            np.testing.assert_array_equal(ours, rows)


def test_folds_of_an_order_that_lack_a_class_are_refused() -> None:
    asked = {"n_splits": 3, "stratified": False, "shuffle": False, "seed": None, "by": "order"}
    with pytest.raises(ConfigurationError, match=r"fold 0 of 3 would lack 1\. Set fewer folds"):
        check_folds(np.repeat([0, 1], 20), [asked | {"fold": 0}])


@pytest.mark.parametrize("rows", ["last", "random"])
def test_whole_groups_are_held_out(rows: str) -> None:
    ranks = np.array([3, 1, 1, 2, 3, 0, 2, 1, 0, 0])
    part = {"fraction": 0.3, "rows": rows, "seed": 1, "by": "groups"}
    fit, held_out = hold_out(part, len(ranks), ranks)
    assert not set(ranks[fit]) & set(ranks[held_out])
    assert sorted([*fit, *held_out]) == list(range(10))
    if rows == "last":
        assert set(ranks[held_out]) == {0}


@pytest.fixture
def table(empty_cache: Path) -> pd.DataFrame:
    """A table of 40 patients with visits, whose order in the file is that of neither."""
    del empty_cache
    generator = np.random.default_rng(0)
    frame = pd.DataFrame({"patient": [f"p{n}" for n in generator.integers(0, 40, 300)]})
    days = pd.Timestamp("2026-01-01") + pd.to_timedelta(generator.permutation(300), unit="D")
    frame["day"] = days.strftime("%Y-%m-%d")
    frame["a"], frame["b"] = generator.normal(size=(2, 300)).round(3)
    frame["label"] = (frame["a"] + generator.normal(size=300) > 0).astype(int)
    return frame


def cards(table: pd.DataFrame, folder: Path, role: str, column: str, *more: str) -> list[Any]:
    """Return the scorecards of a logistic regression of a and b, divided by a column."""
    path = folder / "table.csv"
    table[[column, "a", "b", "label"]].to_csv(path, index=False)
    words = ("dataset=csv", "dataset.label=label", f"dataset.path={path}", "split.size=null")
    asked = configured(
        *words, "preprocess=none", "classifier=logistic", f"split.{role}={column}", *more
    )
    by = asked.split.column
    assert by == SplitColumn(role, column)  # type: ignore[arg-type]
    return [evaluate(each) for each in specify(asked, load_divided(asked.dataset, by))]


@pytest.mark.parametrize(
    ("role", "column", "more", "kind"),
    [
        ("groups", "patient", ["evaluation=cv"], StratifiedGroupKFold(5)),
        ("groups", "patient", ["evaluation=cv", "evaluation.stratified=false"], GroupKFold(5)),
        ("order", "day", ["evaluation=cv"], TimeSeriesSplit(5)),
        ("groups", "patient", [], None),
        ("order", "day", [], None),
        ("order", "day", ["evaluation=validation"], None),
        ("groups", "patient", ["evaluation=validation"], None),
    ],
)
def test_figures_are_those_of_plain_scikit_learn(  # noqa: PLR0913, PLR0917
    table: pd.DataFrame, tmp_path: Path, role: str, column: str, more: list[str], kind: Any
) -> None:
    found = cards(table, tmp_path, role, column, *more)
    data = dataset(table[column])
    train, test = split(replace(data, train=Part(data.train.X, table["label"].to_numpy())), role)
    X, y, values = table[["a", "b"]].to_numpy(), table["label"].to_numpy(), table[column].to_numpy()
    if kind is not None:
        theirs = cross_val_score(
            LogisticRegression(),
            X[train],
            y[train],
            cv=kind,
            groups=values[train] if role == "groups" else None,
        )
        assert [card.metrics["accuracy"] for card in found] == theirs.tolist()
        return
    (card,) = found
    rows = card.predictions.rows
    fit = np.setdiff1d(np.arange(300), test)
    if more:
        fit = np.setdiff1d(fit, rows)
        assert set(rows) < set(train)
    else:
        assert set(rows) == set(test)
    if role == "groups":
        assert not set(values[fit]) & set(values[rows])
    else:
        assert max(values[fit]) < min(values[rows])
    fit = np.array([row for row in train if row in set(fit)])  # sums go in this order
    model = LogisticRegression().fit(X[fit], y[fit])
    np.testing.assert_array_equal(model.predict(X[rows]), card.predictions.y_pred)
    assert card.n_train == len(fit)


@pytest.mark.parametrize(
    ("role", "column", "kind"),
    [("groups", "patient", StratifiedGroupKFold(5)), ("order", "day", TimeSeriesSplit(5))],
)
def test_a_rule_chooses_its_threshold_on_the_rows_that_folds_score(
    table: pd.DataFrame, tmp_path: Path, role: str, column: str, kind: Any
) -> None:
    (card,) = cards(table, tmp_path, role, column, "evaluation.threshold=recall>=0.8")
    data = dataset(table[column])
    train, _ = split(replace(data, train=Part(data.train.X, table["label"].to_numpy())), role)
    X, y, values = (table[names].to_numpy()[train] for names in (["a", "b"], "label", column))
    scored: list[int] = []
    scores: list[float] = []
    for fit, rows in kind.split(X, y, values if role == "groups" else None):
        model = LogisticRegression().fit(X[fit], y[fit])
        scored += rows.tolist()
        scores += model.decision_function(X[rows]).tolist()
    rule = parse_threshold("recall>=0.8")
    assert isinstance(rule, Rule)
    expected = choose_threshold(rule, y[scored] == 1, np.array(scores))
    assert card.metrics["threshold"] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("role", "column", "more", "says"),
    [
        ("order", "day", ["evaluation=cv", "evaluation.shuffle=true"], "evaluation.shuffle=false"),
        (
            "order",
            "day",
            ["evaluation=validation", "evaluation.validation_rows=random"],
            "evaluation.validation_rows=last",
        ),
        ("groups", "patient", ["evaluation=cv", "evaluation.n_splits=38"], "has .* groups for"),
        ("order", "day", ["evaluation=cv", "evaluation.n_splits=225"], "has 225 rows in an order"),
    ],
)
def test_what_makes_no_sense_is_refused(  # noqa: PLR0913, PLR0917
    table: pd.DataFrame, tmp_path: Path, role: str, column: str, more: list[str], says: str
) -> None:
    with pytest.raises(ConfigurationError, match=says):
        cards(table, tmp_path, role, column, *more)


def test_a_run_by_groups_is_reused_and_predicts(
    called: Called, table: pd.DataFrame, tmp_path: Path
) -> None:
    cache = tmp_path / "own"
    called.environment["SWEEPMARK_CACHE"] = str(cache)
    table[["patient", "a", "b", "label"]].to_csv(called.folder / "t.csv", index=False)
    words = ("run", "dataset=csv", "dataset.label=label", "dataset.path=t.csv")
    quick = ("classifier=logistic", "engine=serial", "tracking=none", "grade=none", "--json")
    asked = (*words, "split.groups=patient", *quick)
    first = called.run(*asked).document
    again = called.run(*asked).document
    assert again["n_reused"] == 1
    assert again["trials"][0]["metrics"] == first["trials"][0]["metrics"]
    assert called.run("predict", "latest", "t.csv").out.startswith("row,label,actual")
    shutil.rmtree(cache)
    lost = called.run("predict", "latest", "t.csv", code=2).err
    command = shlex.split(lost[lost.index("`") + 1 : lost.rindex("`")])
    called.run(*command[1:])
    called.run("predict", "latest", "t.csv")
    refused = called.run("run", "dataset=digits", "split.groups=patient", code=2)
    assert "digits has none" in refused.err
