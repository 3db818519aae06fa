"""Histories: what a journal's entries come to."""

from __future__ import annotations

from typing import Any

import pytest

from sweepmark.store.history import History, Result


def entry(event: str, at: float = 0.0, **details: Any) -> dict[str, Any]:
    return {"event": event, "at": at, **details}


def outcome(number: int, status: str) -> dict[str, Any]:
    keys = [f"k{number}"]
    results = [result("d")] if status != "failed" else []
    return entry("outcome", number=number, status=status, keys=keys, results=results)


def result(digest: str, seconds: float = 0.5) -> dict[str, Any]:
    return {"digest": digest, "fit_seconds": seconds, "predict_seconds": seconds / 2}


def computed(key: str, reason: str | None = None, digest: str = "d", seconds: float = 0.5) -> Any:
    return entry("evaluation", key=key, reason=reason, **result(digest, seconds))


def test_trials_are_gathered_by_number_and_the_last_outcome_counts() -> None:
    history = History.of(
        [
            entry("opened", fresh=False),
            entry("trial", at=1.0, number=0, params={"C": 1.0}),
            entry("trial", at=2.0, number=1, params={"C": 2.0}),
            outcome(1, "failed"),
            outcome(0, "complete"),
            outcome(1, "complete"),
        ]
    )
    assert history.opened["fresh"] is False
    assert history.params == {0: {"C": 1.0}, 1: {"C": 2.0}}
    assert {number: one["status"] for number, one in history.outcomes.items()} == {
        0: "complete",
        1: "complete",
    }


def test_evaluation_that_failed_was_tried_and_not_computed() -> None:
    history = History.of(
        [
            computed("a", "killed"),
            computed("a"),
            computed("b", "error"),
        ]
    )
    assert history.computed == {"a"}
    assert history.results.keys() == {"a"}


def test_sweep_is_complete_only_if_its_last_stop_says_so() -> None:
    complete = entry("stop", state="complete", why="done")
    interrupted = entry("stop", state="interrupted", why="KeyboardInterrupt")
    resumed = entry("resumed")
    for entries, expected in (
        ([], False),
        ([interrupted], False),
        ([complete], True),
        ([interrupted, resumed], False),
        ([interrupted, resumed, complete], True),
        ([complete, resumed], False),
        ([complete, resumed, complete], True),
    ):
        assert History.of(entries).is_complete is expected


def test_time_that_is_kept_changes_nothing_else() -> None:
    assert History.of([entry("trial", number=0, params={}), entry("running")]).params == {0: {}}


def test_final_and_warnings_are_kept() -> None:
    history = History.of(
        [entry("final", number=3, key="k", result=result("d")), entry("warning", kind="x")]
    )
    assert history.final is not None
    assert history.final["number"] == 3
    assert [warning["kind"] for warning in history.warnings] == ["x"]


def test_last_result_counts_and_the_seconds_are_those_it_first_took() -> None:
    history = History.of([computed("a", seconds=1.0), computed("a", seconds=2.0)])
    assert history.results == {"a": Result("d", 1.0, 0.5)}
    history.take(computed("a", digest="e", seconds=3.0))
    assert history.results == {"a": Result("e", 3.0, 1.5)}
    history.take(entry("outcome", number=0, status="reused", keys=["b"], results=[result("f")]))
    history.take(entry("final", number=0, key="c", result=result("g")))
    history.take(entry("final", number=0, key=None, result=None))
    assert {key: one.digest for key, one in history.results.items()} == {
        "a": "e",
        "b": "f",
        "c": "g",
    }


def test_trial_that_came_out_once_more_is_to_be_shown_anew() -> None:
    history = History.of([outcome(0, "complete"), outcome(1, "failed"), outcome(2, "complete")])
    assert history.retried == set()
    history.take(outcome(1, "complete"))
    history.take(outcome(2, "complete"))
    assert history.retried == {1, 2}


def test_time_is_counted_while_it_is_coordinated() -> None:
    history = History()
    assert (history.seconds, history.last, history.is_resumed) == (0.0, 0.0, False)
    seconds = []
    for event, at in (
        ("opened", 100.0),
        ("warning", 102.0),
        ("stop", 105.0),
        ("resumed", 1000.0),  # nobody was there in between
        ("warning", 1001.0),
        ("warning", 1000.5),  # a clock that was set back
        ("stop", 1003.0),
    ):
        history.take(entry(event, at=at, state="interrupted"))
        assert history.last == at
        assert history.is_resumed == (at >= 1000)
        seconds.append(history.seconds)
    assert seconds == [0.0, 2.0, 5.0, 5.0, 6.0, 6.0, 8.5]
    assert history.seconds_at(1004.0) == 9.5
    assert history.seconds_at(1002.0) == 8.5
    assert history.silence(1004.5) == 1.5


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [([], False), (["complete", "reused"], False), (["complete", "failed"], True)],
)
def test_failure_of_one_trial_is_one(statuses: list[str], *, expected: bool) -> None:
    entries = [outcome(number, status) for number, status in enumerate(statuses)]
    assert History.of(entries).has_failures is expected


def test_stop_is_over_when_it_is_resumed() -> None:
    history = History.of([entry("stop", state="interrupted", why="x")])
    assert history.stop is not None
    history.take(entry("resumed"))
    assert history.stop is None


def test_failed_outcome_has_no_results_of_its_own() -> None:
    failed = outcome(0, "failed") | {"keys": ["k0"], "results": [result("d")]}
    assert History.of([failed]).results == {}
