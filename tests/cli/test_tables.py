"""Tables on terminals of several widths: nothing is too wide or broken over lines."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from sweepmark.cli.drawing import fitting, table, table_width
from sweepmark.report.trial_table import PARAMETERS, TrialTable
from sweepmark.search.trial import Trial

WORDS = {"trial", PARAMETERS}
SPACES: dict[str, dict[str, Any]] = {
    "one parameter": {"split.size": 40_000},
    "two parameters": {"classifier.C": 100.0, "classifier.gamma": 0.0001},
    "options": {
        "preprocess": "deskew",
        "classifier": "random_forest",
        "classifier.random_forest.n_estimators": 500,
        "classifier.random_forest.max_features": "sqrt",
        "classifier.random_forest.min_samples_leaf": 10,
    },
    "wide characters": {"classifier.重み": "均一" * 30},
    "long names": {f"classifier.a_parameter_with_a_long_name_{n}": 0.1 + n for n in range(12)},
}


def trials(params: dict[str, Any]) -> list[Trial]:
    metrics = {"cv_average_precision": 0.9, "cv_average_precision_std": 0.01, "cv_accuracy": 0.95}
    whole: dict[str, Any] = {"params": params, "metrics": metrics, "fit_seconds": 12_345.6}
    return [
        Trial(number=9_999, status="complete", **whole),
        Trial(number=1, status="failed", reason="memory", params=params),
    ]


def draw(params: dict[str, Any], width: int) -> list[str]:
    made = TrialTable(
        trials=trials(params),
        main="cv_average_precision",
        others=("cv_accuracy", "cv_accuracy_std"),
        is_ranked=True,
        points={},
    )
    tables = (table(each.columns, each.rows, words=WORDS, pad_edge=True) for each in made.compact())
    shown = fitting(tables, width=width)
    assert table_width(shown) <= width
    console = Console(file=io.StringIO(), width=width, color_system=None, force_terminal=True)
    console.print(shown)
    return [line for line in console.file.getvalue().splitlines() if line.strip()]  # type: ignore[attr-defined]


@pytest.mark.parametrize("width", [60, 80, 120, 200])
@pytest.mark.parametrize("name", SPACES)
def test_each_trial_takes_one_line_with_its_objective(name: str, width: int) -> None:
    headings, rule, first, second = draw(SPACES[name], width)
    assert set(rule.strip()) == {"─"}
    assert headings.split()[0] == "trial"
    assert headings.split()[-1] == "seconds"
    assert "cv_average_precision" in headings
    assert first.split()[0] == "9999"
    assert "0.9000 ± 0.0100" in first
    assert first.endswith("12346  ")
    assert second.split()[0] == "1"
    assert second.rstrip().endswith("failed: memory")


def test_cells_are_truncated_only_where_there_is_no_room() -> None:
    assert "…" in "".join(draw(SPACES["options"], 60))
    assert "…" not in "".join(draw(SPACES["options"], 200))
    assert "max_features" in draw(SPACES["options"], 200)[0]


def test_what_needs_no_parameter_is_shown_whole() -> None:
    assert "cv_accuracy" in draw({}, 80)[0]
