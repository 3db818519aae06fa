"""The output at the end of a sweep: table, grade, warnings, next commands."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from sweepmark.cli.drawing import WIDE, draw, fitting, table, table_width
from sweepmark.cli.output import command_line
from sweepmark.report.grade import grade_lines
from sweepmark.report.summary import (
    compact_tables,
    published_tables,
    result_table,
    stop_text,
)
from sweepmark.report.trial_table import PARAMETERS
from sweepmark.scores import metric_names
from sweepmark.terminal import console
from sweepmark.tracking import is_tracked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from rich.console import Console

    from sweepmark.report.results import SweepResult
    from sweepmark.report.trial_table import TextTable
    from sweepmark.search.trial import Trial

__all__ = ["print_result"]

_WORDS = {"trial", "status", PARAMETERS, "experiment", "metric"}


def print_result(result: SweepResult, *, store: Path, wide: bool = False) -> None:
    """Print the result of a sweep or run, and suggested next commands.

    Parameters
    ----------
    result : SweepResult
        Complete or not.
    store : Path
        Its store, for the commands.
    wide : bool
        Whether the tables have all their columns, whatever the terminal's width.
    """
    target = console()
    if not target.is_terminal:
        target.width = WIDE
    lead = None if result.headline is None else str(result.headline.number)
    trials = [result_table(result)] if wide else compact_tables(result)
    draw(result.sweep_id, on=target)
    _draw_one(trials, is_strong=lambda row: row[0] == lead, on=target, wide=wide)
    if published := published_tables(result):
        shown = published[:1] if wide else published
        _draw_one(shown, is_strong=lambda row: row[-1] == "no", on=target, wide=wide)
    draw(*_closing_lines(result), *_next_lines(result, store), on=target)


def _draw_one(
    tables: Iterable[TextTable],
    *,
    is_strong: Callable[[tuple[str, ...]], bool],
    on: Console,
    wide: bool,
) -> None:
    """Draw the first of some tables that fits."""
    made = (
        table(
            each.columns,
            each.rows,
            words=_WORDS,
            strong=[row for row in each.rows if is_strong(row)],
            pad_edge=True,
        )
        for each in tables
    )
    shown = fitting(made, width=None if wide else on.width)
    on.width = max(on.width, table_width(shown))
    draw(shown, on=on)


def _closing_lines(result: SweepResult) -> list[str]:
    lines = [text] if (text := stop_text(result)) else []
    if result.blueprint.is_run:
        lines += [line for trial in result.trials for line in _run_lines(trial)]
    if result.chosen is not None and result.test is not None:
        objective = metric_names.of_rows(str(result.blueprint.sweep.objective))
        names = dict.fromkeys([objective, metric_names.ACCURACY])
        figures = [
            f"{name} {result.test.metrics[name]:.4f}"
            for name in names
            if name in result.test.metrics
        ]
        lines.append(
            f"chosen: trial {result.chosen.number}, test {', '.join(figures)} "
            f"({result.test.n_train:,} training rows, {result.test.n_test:,} test rows)"
        )
    if result.grade is not None:
        lines += grade_lines(result.grade)
    lines += [f"warning: {caution.message}" for caution in result.cautions]
    if result.n_reused:
        lines.append(
            f"{result.n_reused} of {len(result.trials)} trials were there before and are reused; "
            "--fresh computes them again"
        )
    return lines


def _run_lines(trial: Trial) -> list[str]:
    """Return the lines on a single run that would be too wide for a table."""
    lines = []
    count = itertools.count(1)
    folds = itertools.takewhile(
        trial.metrics.__contains__, (metric_names.cv_fold(metric_names.ACCURACY, n) for n in count)
    )
    if accuracies := [f"{trial.metrics[name]:.5f}" for name in folds]:
        lines.append(f"accuracy of each fold: {', '.join(accuracies)}")
    if metric_names.THRESHOLD in trial.metrics:
        cut = trial.metrics[metric_names.THRESHOLD]
        lines.append(f"positive: {trial.positive} from a score of {cut:.6g} on")
    return lines


def _next_lines(result: SweepResult, store: Path) -> list[str]:
    commands = []
    if result.n_failed:
        commands.append(command_line("resume", result.sweep_id, "--retry-failed", store=store))
    if is_tracked(result.blueprint.config.tracking):
        commands.append(command_line("ui", store=store))
    if result.test is not None:
        commands.append(command_line("grade", result.sweep_id, store=store))
    first, *others = commands or [""]
    return ["", f"next: {first}", *(f"      {command}" for command in others)] if first else []
