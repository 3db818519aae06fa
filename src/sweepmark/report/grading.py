"""Sweeps and runs as entries to be graded, or why they are none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweepmark.errors import ConfigurationError
from sweepmark.report.grade import Entry, grade
from sweepmark.report.runs import find_result, lack

if TYPE_CHECKING:
    from sweepmark.config.schema import GradeConfig
    from sweepmark.report.grade import Grade
    from sweepmark.report.results import SweepResult
    from sweepmark.store import Store

__all__ = ["find_entry", "grade_result", "result_entry"]


def find_entry(name: str, store: Store, rule: GradeConfig) -> Entry:
    """Return the entry of a sweep or run by its name.

    Raises
    ------
    NotFoundError
        If there is none.
    ConfigurationError
        If it has no such metric of the test part, or is a trial that its sweep did not choose.
    """
    result, number = find_result(name, store)
    if number is not None and result.test is not None and number != result.test.number:
        trial = next(trial for trial in result.trials if trial.number == number)
        raise ConfigurationError(
            f"{name} is trial {trial.number} of {result.sweep_id}, whose entry is its trial "
            f"{result.test.number}. Grade the sweep."
        )
    return result_entry(name, result, rule, store)


def grade_result(result: SweepResult, rule: GradeConfig, store: Store) -> Grade:
    """Return the grade of a sweep or run by itself.

    Raises
    ------
    ConfigurationError
        If it has no such metric of the test part.
    """
    entry = result_entry(result.sweep_id, result, rule, store)
    return grade(entry.value, entry.n, rule, positive=entry.positive)


def result_entry(name: str, result: SweepResult, rule: GradeConfig, store: Store) -> Entry:
    """Return the entry of a sweep or run under a name.

    Raises
    ------
    ConfigurationError
        If it has no such metric of the test part.
    """
    if result.test is None or rule.metric not in result.test.metrics:
        raise ConfigurationError(
            f"{result.sweep_id} has no {rule.metric} on a test part to grade: "
            f"{_lack(result, store)}"
        )
    return Entry(
        name=name,
        value=result.test.metrics[rule.metric],
        n=result.test.n_test,
        test_set=result.test_set,
        positive=result.test.positive,
    )


def _lack(result: SweepResult, store: Store) -> str:
    """Return why a sweep has no metrics of the test part, and what to do about it."""
    if result.state == "interrupted" or result.n_failed == len(result.trials):
        return lack(result, store)
    if result.blueprint.config.evaluation.method != "test" and result.chosen is None:
        return (
            "it never saw the test part: it was scored on training rows held out, and selected "
            "nothing. Run it with evaluation=test."
        )
    return "that evaluation failed, or has no such figure."
