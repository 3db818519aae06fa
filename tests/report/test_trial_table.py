"""The table of a sweep's trials: all of it, and what of it there is room for."""

from __future__ import annotations

import math
from typing import Any

from sweepmark.report.trial_table import TrialTable
from sweepmark.search.trial import Trial

METRIC = "cv_accuracy"
OTHERS = ("accuracy", METRIC, "cv_accuracy_std", "accuracy_common", "pooled_recall", "pooled_f1")


def make_trial(number: int, **changes: Any) -> Trial:
    values: dict[str, Any] = {"status": "complete", "metrics": {}, "n_train": 75, "n_test": 25}
    return Trial(number=number, **values | changes)


def make_table(trials: list[Trial], main: str = METRIC, **changes: Any) -> TrialTable:
    values: dict[str, Any] = {"others": OTHERS, "points": {}}
    return TrialTable(trials=trials, main=main, **values | changes)


def growing() -> list[Trial]:
    return [
        make_trial(
            number,
            params={"split.size": size},
            n_train=size * 3 // 4,
            n_test=size // 4,
            metrics={"accuracy": figure, "accuracy_common": 0.95},
            fit_seconds=12.345,
            predict_seconds=3.0,
        )
        for number, (size, figure) in enumerate([(10_000, 0.934), (20_000, 0.94044)])
    ]


def options() -> list[Trial]:
    metrics = {METRIC: 0.9, "cv_accuracy_std": 0.01, "pooled_recall": 0.5, "pooled_f1": 0.6}
    return [
        make_trial(0, params={"classifier": "svc", "classifier.svc.C": 1.0}, metrics=metrics),
        make_trial(
            1,
            params={"classifier": "knn", "classifier.knn.n_neighbors": 5},
            metrics=metrics | {METRIC: 0.95},
        ),
    ]


def test_whole_table_of_growing_subsets() -> None:
    found = make_table(growing(), "accuracy", points={0: 70, 1: 93.33333}).whole()
    assert found.columns == (
        *("trial", "size", "train", "test", "accuracy", "accuracy_common", "points"),
        *("fit s", "predict s"),
    )
    assert found.rows == (
        ("0", "10000", "7500", "2500", "0.9340", "0.9500", "70", "12.35", "3.00"),
        ("1", "20000", "15000", "5000", "0.9404", "0.9500", "93.33", "12.35", "3.00"),
    )


def test_compact_table_of_growing_subsets() -> None:
    first, *smaller = make_table(growing(), "accuracy", points={0: 70, 1: 90}).compact()
    assert first.columns == ("trial", "size", "accuracy", "accuracy_common", "points", "seconds")
    assert first.rows[0] == ("0", "10000", "0.9340", "0.9500", "70", "15.35")
    assert [each.columns for each in smaller] == [
        ("trial", "size", "accuracy", "accuracy_common", "seconds"),
        ("trial", "size", "accuracy", "seconds"),
    ]


def test_compact_table_joins_the_parameters_before_it_leaves_metrics_out() -> None:
    tables = list(make_table(options(), is_ranked=True).compact())
    assert [each.columns for each in tables] == [
        *(
            ("trial", *params, METRIC, *others, "seconds")
            for params, others in (
                (("classifier", "C", "n_neighbors"), ("pooled_recall", "pooled_f1")),
                (("parameters",), ("pooled_recall", "pooled_f1")),
                (("parameters",), ("pooled_recall",)),
                (("parameters",), ()),
            )
        )
    ]
    assert tables[-1].rows == (
        ("1", "classifier=knn, n_neighbors=5", "0.9500 ± 0.0100", "0.00"),
        ("0", "classifier=svc, C=1.0", "0.9000 ± 0.0100", "0.00"),
    )


def test_points_are_not_crowded_out_by_metrics() -> None:
    trials = [
        make_trial(0, metrics={"accuracy": 0.9, "accuracy_common": 0.8, "pooled_recall": 0.7})
    ]
    found = next(make_table(trials, "accuracy", points={0: 70}).compact())
    assert found.columns == ("trial", "accuracy", "accuracy_common", "points", "seconds")


def test_main_metric_is_there_whatever_it_is_called() -> None:
    trials = [make_trial(0, metrics={"cv_average_precision": 0.25, METRIC: 0.9})]
    table = make_table(trials, "cv_average_precision", is_ranked=True)
    for found in (table.whole(), *table.compact()):
        assert found.rows[0][found.columns.index("cv_average_precision")] == "0.2500"


def test_table_names_failures_and_ambiguous_parameters_in_full() -> None:
    trials = [
        make_trial(
            0,
            status="failed",
            reason="timeout",
            params={"classifier.svc.C": 1.0, "classifier.logistic.C": 1e-7, "split.test": 2},
            n_train=0,
            n_test=0,
        ),
        make_trial(1, status="reused", metrics={METRIC: math.nan}),
    ]
    table = make_table(trials, is_ranked=True)
    found = table.whole()
    assert found.columns == (
        *("trial", "status", "classifier.svc.C", "classifier.logistic.C", "split.test"),
        *("train", "validation", METRIC, "fit s", "predict s"),
    )
    assert found.rows == (
        ("0", "failed: timeout", "1.0", "1e-07", "2", "", "", "", "", ""),
        ("1", "reused", "", "", "", "75", "25", "", "0.00", "0.00"),
    )
    assert list(table.compact())[-1].rows == (
        (
            "0",
            "classifier.svc.C=1.0, classifier.logistic.C=1e-07, split.test=2",
            "failed: timeout",
            "",
        ),
        ("1", "", "", "0.00"),
    )


def test_table_of_no_trials_has_no_rows() -> None:
    table = make_table([])
    assert [each.rows for each in (table.whole(), *table.compact())] == [(), ()]


def test_positive_class_is_said_where_there_is_one() -> None:
    trials = [
        make_trial(0, metrics={METRIC: 0.5}, positive="churned"),
        make_trial(1, status="failed"),
    ]
    found = make_table(trials).whole()
    assert [row[found.columns.index("positive")] for row in found.rows] == ["churned", ""]
