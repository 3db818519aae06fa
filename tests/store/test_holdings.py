"""Holdings: evaluations as a sweep means them, and what to do about those that are lost."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from jobs import make_job
from sweepmark.errors import StoreError
from sweepmark.scores.measurement import measure
from sweepmark.scores.scorecard import Predictions, Scorecard
from sweepmark.store import EvaluationStore, Holdings, Origin
from sweepmark.store.history import Result

if TYPE_CHECKING:
    from pathlib import Path

ONE = replace(make_job(name="binary").specification, data="0" * 64)
SCORED = Predictions(
    rows=np.array([0, 1]), y_true=np.array([0, 1]), y_pred=np.array([0, 1]), scores=None
)
WRONG = replace(SCORED, y_pred=np.array([0, 0]))
CARD = Scorecard(
    metrics=measure(SCORED, (0, 1)),
    classes=(0, 1),
    predictions=SCORED,
    n_train=7,
    n_test=2,
    fit_seconds=0.25,
    predict_seconds=0.125,
)


@pytest.fixture
def evaluations(tmp_path: Path) -> EvaluationStore:
    return EvaluationStore(tmp_path / "evaluations")


def put(evaluations: EvaluationStore, **changes: Any) -> str:
    return evaluations.put(ONE, replace(CARD, **changes), Origin("s-0", 0, 1.0, 2.0))[0].result


def test_result_and_seconds_are_those_that_the_sweep_has(evaluations: EvaluationStore) -> None:
    first = put(evaluations, model=b"first")
    second = put(evaluations, predictions=WRONG, metrics=measure(WRONG, (0, 1)), model=b"second")
    for result, accuracy, model in ((first, 1.0, b"first"), (second, 0.5, b"second")):
        holdings = Holdings("s-1", evaluations, {ONE.key: Result(result, 3.0, 4.0)})
        card = holdings.scorecard(ONE.key)
        assert card.metrics["accuracy"] == accuracy
        assert (card.fit_seconds, card.predict_seconds) == (3.0, 4.0)
        assert holdings.model(ONE.key) == model
        assert holdings.specification(ONE.key) == evaluations.specification(ONE.key)


def test_without_a_result_it_is_what_was_written_first(evaluations: EvaluationStore) -> None:
    put(evaluations)
    put(evaluations, predictions=WRONG, metrics=measure(WRONG, (0, 1)))
    holdings = Holdings("s-1", evaluations)
    card = holdings.scorecard(ONE.key)
    assert card.metrics["accuracy"] == 1.0
    assert (card.fit_seconds, card.predict_seconds) == (0.25, 0.125)
    assert holdings.model(ONE.key) is None


@pytest.mark.parametrize("ask", ["scorecard", "model", "specification"])
def test_what_is_damaged_is_said_with_the_command_that_mends_it(
    evaluations: EvaluationStore, tmp_path: Path, ask: str
) -> None:
    put(evaluations, model=b"model")
    for file in (tmp_path / "evaluations" / ONE.key).iterdir():
        file.write_bytes(b"damage")
    with pytest.raises(StoreError, match=r"is damaged: .* `sweepmark resume --store .* s-1`\.$"):
        getattr(Holdings("s-1", evaluations), ask)(ONE.key)


def test_what_is_not_there_is_said_likewise(evaluations: EvaluationStore) -> None:
    put(evaluations)
    holdings = Holdings("s-1", evaluations, {ONE.key: Result("0" * 64, 1.0, 1.0)})
    with pytest.raises(StoreError, match=r"is not there as s-1 has it.*resume --store .* s-1`"):
        holdings.scorecard(ONE.key)
    with pytest.raises(StoreError, match=r"is not there.*resume --store .* s-1`"):
        holdings.specification(ONE.key)
    assert holdings.model(ONE.key) is None
