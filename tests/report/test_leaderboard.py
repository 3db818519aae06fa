"""Leaderboards: who may be ranked, stable order, honest headlines."""

from __future__ import annotations

import csv
import io
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweepmark.report.leaderboard import best, csv_text, edge_warnings, headline, ranked
from sweepmark.search.trial import Trial

METRIC = "cv_accuracy"


def make_trial(number: int, figure: float | None = 0.5, **changes: Any) -> Trial:
    metrics = {} if figure is None else {METRIC: figure}
    values: dict[str, Any] = {"status": "complete", "metrics": metrics, "n_train": 75, "n_test": 25}
    return Trial(number=number, **values | changes)


def read_csv(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def numbers(trials: list[Trial]) -> list[int]:
    return [trial.number for trial in trials]


TRIALS = [
    make_trial(4, 0.9),
    make_trial(0, math.nan),
    make_trial(1, 0.9, status="reused"),
    make_trial(2, None),
    make_trial(3, 0.99, status="failed", reason="timeout"),
    make_trial(5, 0.95, status="pruned"),
    make_trial(6, 0.7),
    make_trial(7, math.inf),
]


def test_only_finished_trials_with_a_figure_are_ranked_and_ties_go_by_number() -> None:
    assert numbers(ranked(TRIALS, METRIC)) == [1, 4, 6]
    assert numbers(ranked(TRIALS, METRIC, "minimize")) == [6, 1, 4]


def test_best_is_the_first_ranked_or_none() -> None:
    found = best(TRIALS, METRIC)
    assert found is not None
    assert found.number == 1
    assert best(TRIALS, "accuracy") is None
    assert best([], METRIC) is None


@settings(max_examples=50)
@given(st.lists(st.sampled_from([0.1, 0.2, math.nan, None]), max_size=6), st.randoms())
def test_order_of_arrival_does_not_matter(figures: list[float | None], random: Any) -> None:
    trials = [make_trial(i, figure) for i, figure in enumerate(figures)]
    arrived = random.sample(trials, len(trials))
    assert numbers(ranked(arrived, METRIC)) == numbers(ranked(trials, METRIC))
    assert csv_text(arrived, metric=METRIC) == csv_text(trials, metric=METRIC)
    assert csv_text(arrived) == csv_text(trials)


def test_headline_is_the_largest_not_the_best() -> None:
    trials = [
        make_trial(0, n_train=7_500, metrics={"accuracy": 0.99}),
        make_trial(2, n_train=30_000, metrics={"accuracy": 0.96}),
        make_trial(1, n_train=30_000, metrics={"accuracy": 0.95}),
        make_trial(3, n_train=60_000, status="failed"),
    ]
    found = headline(trials)
    assert found is not None
    assert found.number == 1
    assert headline(trials[3:]) is None


def test_headline_saw_the_test_part_if_any_trial_did() -> None:
    tested = make_trial(0, n_train=100, metrics={"accuracy": 0.5})
    folds = make_trial(1, n_train=200, metrics={"cv_accuracy": 0.9})
    assert headline([tested, folds]) == tested
    assert headline([folds]) == folds


def test_csv_has_params_then_metrics_then_timings() -> None:
    trials = [
        make_trial(
            1,
            params={"classifier.C": 0.1, "classifier.kernel": "rbf"},
            metrics={"recall_10": 0.5, "recall_2": 1 / 3, "accuracy": 0.9, METRIC: 0.8},
            fit_seconds=1.5,
        ),
        make_trial(0, None, params={"classifier.C": 10.0, "classifier.gamma": None}, reason="nan"),
    ]
    params = ("classifier.C", "classifier.gamma", "classifier.kernel")
    figures = ("cv_accuracy", "accuracy", "recall_2", "recall_10")
    seconds = ("fit_seconds", "predict_seconds")
    text = csv_text(trials)
    assert text.decode().splitlines() == [
        ",".join(
            [*("number", "status", "reason", *params), "n_train", "n_test", *figures, *seconds]
        ),
        "0,complete,nan,10.0,null,,75,25,,,,,0.0,0.0",
        "1,complete,,0.1,,rbf,75,25,0.8,0.9,0.3333333333333333,0.5,1.5,0.0",
    ]


def test_csv_of_a_metric_is_ranked_and_the_rest_follows() -> None:
    rows = read_csv(csv_text(TRIALS, metric=METRIC, direction="minimize"))
    assert [int(row["number"]) for row in rows] == [6, 1, 4, 0, 2, 3, 5, 7]
    assert [row["cv_accuracy"] for row in rows] == ["0.7", "0.9", "0.9", "", "", "0.99", "0.95", ""]
    assert [int(row["number"]) for row in read_csv(csv_text(TRIALS))] == list(range(8))


def test_csv_keeps_lists_and_text_apart() -> None:
    trial = make_trial(0, params={"layers": [64, 64], "name": 'a, "b"', "flag": True})
    row = read_csv(csv_text([trial]))[0]
    assert (row["layers"], row["name"], row["flag"]) == ("[64, 64]", 'a, "b"', "true")


def test_csv_of_no_trials_is_a_header() -> None:
    assert csv_text([]) == b"number,status,reason,n_train,n_test,fit_seconds,predict_seconds\n"


def test_a_best_cell_on_the_edge_is_named() -> None:
    axes = {"classifier.C": [0.01, 0.1, 1.0, 10.0], "classifier.gamma": [100.0, 0.01, 1.0]}
    found = make_trial(0, params={"classifier.C": 10.0, "classifier.gamma": 0.01})
    prefix = "the best cell lies on the edge of the grid: classifier"
    assert edge_warnings(found, axes) == [
        f"{prefix}.C = 10.0 is the highest of 4 values (0.01 to 10.0); extend it",
        f"{prefix}.gamma = 0.01 is the lowest of 3 values (0.01 to 100.0); extend it",
    ]


@pytest.mark.parametrize(
    ("value", "choices"),
    [
        (1.0, [0.1, 1.0, 10.0]),
        (8, [1, 1.0, 8]),
        (1.0, [0.5, 1.0, 8]),
        (1, [1, 10]),
        (1, [1, 10, 10]),
        (False, [False, True, 2]),
        ("rbf", ["linear", "poly", "rbf"]),
        (None, [None, 5, 10]),
        (5, [None, 5, 10]),
        ("scale", ["scale", 0.1, 1, 10]),
        (1, []),
    ],
)
def test_no_edge_where_there_is_none_to_extend(value: Any, choices: list[Any]) -> None:
    assert edge_warnings(make_trial(0, params={"p": value}), {"p": choices}) == []


def test_an_axis_that_the_best_does_not_have_is_passed_over() -> None:
    assert edge_warnings(make_trial(0), {"classifier.svc.C": [1, 2, 3]}) == []


def test_positive_class_is_said_where_there_is_one() -> None:
    trials = [
        Trial(number=0, status="complete", metrics={"f1": 0.5}, positive="churned"),
        Trial(number=1, status="failed"),
    ]
    rows = list(csv.DictReader(io.StringIO(csv_text(trials).decode())))
    assert [row["positive"] for row in rows] == ["churned", ""]
