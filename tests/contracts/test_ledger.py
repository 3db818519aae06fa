"""What every Ledger promises, tried on each of them; and what the study looks like."""

from __future__ import annotations

import math
import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from sweepmark.errors import StoreError
from sweepmark.ledger import (
    Ledger,
    MemoryLedger,
    OptunaLedger,
    importances,
    ledger_database,
)
from sweepmark.search.space import Choice, Options, Range, Space
from sweepmark.search.trial import Trial
from sweepmark.store.database import database_uri

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import optuna

SPACE = Space(
    (
        Range("classifier.C", "classifier.C", 0.1, 10.0, log=True, integer=False),
        Range("split.size", "split.size", 10, 20, log=False, integer=True),
        Choice("classifier.hidden", "classifier.hidden", ([8], [8, 8])),
        Choice("classifier.power", "classifier.power", (1, 1.0, True)),
        Options("preprocess", {"pca": (Choice("preprocess.pca.n", "preprocess.n", (2, None)),)}),
    )
)
PARAMS: dict[str, Any] = {
    "classifier.C": 0.1,
    "split.size": 20,
    "classifier.hidden": [8, 8],
    "classifier.power": True,
    "preprocess": "pca",
    "preprocess.pca.n": None,
}


def make_trial(number: int, **changes: Any) -> Trial:
    values: dict[str, Any] = {
        "number": number,
        "status": "complete",
        "params": PARAMS,
        "keys": ("k1", "k2"),
        "run_id": "r1",
        "started": 100.0,
        "ended": 101.0,
    }
    return Trial(**(values | changes))


def open_ledger(store: Path) -> OptunaLedger:
    return OptunaLedger(store, sweep_id="s1", space=SPACE)


@pytest.fixture(params=["memory", "optuna"])
def ledger(request: pytest.FixtureRequest, store: Path) -> Iterator[Ledger]:
    made: Ledger = MemoryLedger() if request.param == "memory" else open_ledger(store)
    yield made
    made.close()


def read_study(store: Path) -> optuna.Study:
    import optuna

    study = optuna.load_study(study_name="s1", storage=database_uri(ledger_database(store)))
    assert study.trials is not None
    return study


def test_trials_are_recorded_once_each(ledger: Ledger) -> None:
    for number in (0, 1, 0, 1, 2):
        ledger.record(make_trial(number), value=0.5)
    assert ledger.count == 3


def test_gap_is_refused(ledger: Ledger) -> None:
    ledger.record(make_trial(0), value=0.5)
    with pytest.raises(ValueError, match="trial 2 came after 0"):
        ledger.record(make_trial(2), value=0.5)


def test_study_holds_the_trial(store: Path) -> None:
    ledger = open_ledger(store)
    ledger.record(make_trial(0), value=0.25)
    ledger.record(make_trial(1, reused_from="s0/4", status="reused"), value=0.75)
    ledger.close()
    study = read_study(store)
    first, second = study.trials
    assert first.params == PARAMS | {"classifier.hidden": "[8,8]", "classifier.power": "true"}
    assert (first.value, first.state.name) == (0.25, "COMPLETE")
    assert first.duration is not None
    assert first.duration.total_seconds() == 1
    assert first.user_attrs == {"status": "complete", "keys": ["k1", "k2"], "run_id": "r1"}
    assert second.user_attrs["reused_from"] == "s0/4"
    assert study.best_trial.number == 1


@pytest.mark.parametrize("value", [None, math.nan, 0.5])
def test_failed_trial_is_no_result(store: Path, value: float | None) -> None:
    status = "failed" if value == 0.5 else "complete"
    ledger = open_ledger(store)
    ledger.record(make_trial(0, status=status, reason="timeout"), value=value)
    ledger.close()
    (trial,) = read_study(store).trials
    assert (trial.state.name, trial.values) == ("FAIL", None)
    assert trial.user_attrs["reason"] == "timeout"


def test_ledger_goes_on_where_it_was_left(store: Path) -> None:
    first = open_ledger(store)
    first.record(make_trial(0), value=0.5)
    first.close()
    second = open_ledger(store)
    assert second.count == 1
    second.record(make_trial(0), value=0.1)
    second.record(make_trial(1), value=0.7)
    second.close()
    assert [trial.value for trial in read_study(store).trials] == [0.5, 0.7]


def test_lost_study_is_written_anew(store: Path) -> None:
    for _ in range(2):
        ledger_database(store).unlink()
        ledger = open_ledger(store)
        ledger.record(make_trial(0), value=0.5)
        ledger.close()
    assert len(read_study(store).trials) == 1


def test_cleared_ledger_takes_its_trials_anew(ledger: Ledger) -> None:
    for number in range(2):
        ledger.record(make_trial(number, status="failed"), value=None)
    ledger.clear()
    assert ledger.count == 0
    ledger.record(make_trial(0), value=0.5)
    assert ledger.count == 1


def test_lock_held_by_another_program_is_waited_for_once(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sweepmark.ledger.study.LOCK_TIMEOUT", 0.2)
    ledger = open_ledger(store)
    ledger.record(make_trial(0), value=0.5)
    with closing(sqlite3.connect(ledger_database(store), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        started = time.monotonic()
        with pytest.raises(StoreError, match=r"optuna\.db cannot be used: database is locked"):
            ledger.record(make_trial(1), value=0.5)
        assert time.monotonic() - started < 2.0
        other.execute("ROLLBACK")
    ledger.record(make_trial(1), value=0.5)
    assert ledger.count == 2
    ledger.close()


def importance_trials(n_trials: int) -> list[Trial]:
    """Trials whose metric follows from the first parameter, hardly from the second."""
    powers = [1, 1.0, True]
    return [
        make_trial(
            number,
            params={"classifier.C": 0.1 + number, "classifier.power": powers[number % 3]},
            metrics={"accuracy": number / 10 + (number % 3) / 1000},
        )
        for number in range(n_trials)
    ]


def test_importances_are_shares_of_what_varies() -> None:
    options: dict[str, Any] = {"metric": "accuracy", "direction": "maximize"}
    found = importances(SPACE, importance_trials(9), **options)
    assert list(found) == ["classifier.C", "classifier.power"]
    assert sum(found.values()) == pytest.approx(1)
    assert found["classifier.C"] > 0.9
    assert importances(SPACE, importance_trials(9), **options) == found, "not by chance"


@pytest.mark.parametrize(
    "trials",
    [
        [],
        importance_trials(3),
        [make_trial(number, metrics={"accuracy": number / 10}) for number in range(9)],
        [make_trial(number, metrics={"accuracy": math.nan}) for number in range(9)],
        [replace(trial, metrics={"accuracy": 0.5}) for trial in importance_trials(9)],
    ],
    ids=["none", "few", "nothing varies", "no figures", "equal figures"],
)
def test_without_a_difference_there_are_no_importances(trials: list[Trial]) -> None:
    assert importances(SPACE, trials, metric="accuracy", direction="maximize") == {}
