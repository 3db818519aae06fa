"""What ``sweepmark plan`` prints, on 80 columns and as JSON, and what it leaves: nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sweepmark.cli.plan import _lines, _range
from sweepmark.coordinator.estimate import Estimate
from sweepmark.coordinator.plan import Plan

if TYPE_CHECKING:
    from program import Program

SMALL = ("svc_c_gamma", "dataset=digits", "split.size=200", "evaluation.n_splits=2")


def test_a_plan_is_printed_with_the_command_to_paste_and_leaves_nothing(program: Program) -> None:
    finished = program.run("plan", *SMALL)
    assert program.left() == []
    *lines, last = finished.out.splitlines()
    assert max(map(len, lines)) <= 80
    assert "25 (25 new)" in finished.out
    assert "51 evaluations on" in finished.out
    assert last == f"next: sweepmark sweep {' '.join(SMALL)}"


def test_json_is_one_document(program: Program) -> None:
    document = program.run("plan", *SMALL, "sweep.n_trials=2", "--json").document
    assert (document["sweep"], document["n_trials"]) == ("svc_c_gamma", 2)
    assert document["statuses"] == {"new": 2}
    assert document["seconds"] is None or set(document["seconds"]) == {"low", "middle", "high"}
    assert document["next"].startswith("sweepmark sweep svc_c_gamma")
    assert program.left() == []


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (Estimate(480, 720, 1200), "about 12 min (8 to 20 min)"),
        (Estimate(20.2, 30.1, 50), "about 30 s (20 to 50 s)"),
        (Estimate(9000, 12600, 20000), "about 3.5 h (2.5 to 5.6 h)"),
        (None, "unknown"),
    ],
)
def test_a_range_has_one_unit_and_few_digits(seconds: Estimate | None, text: str) -> None:
    assert _range(seconds, ((3600.0, "h"), (60.0, "min"), (1.0, "s"))) == text


def test_the_widest_plan_fits_into_80_columns() -> None:
    estimate = Estimate(999_999.0, 1_999_999.0, 2_999_999.0)
    plan = Plan(
        name="svc_c_gamma",
        n_trials=1_000_000,
        statuses={"new": 999_000, "reused": 100_000, "duplicate": 123_456, "failed": 10},
        n_evaluations=100_000_000,
        n_drawn=1_000_000,
        has_budget=True,
        n_slots=1024,
        seconds=estimate,
        memory=estimate * 1e6,
        disk=estimate * 1e6,
        shared=0.5,
        probed={"SVC": (150,)},
        known={"SVC": (150,)},
        untimed={},
    )
    lines = _lines(plan, "sweepmark sweep svc_c_gamma")
    assert [line for line in lines if len(line) > 80] == []
