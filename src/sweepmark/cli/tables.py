"""The output at the end of a sweep: table, grade, warnings, next commands."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from sweepmark.cli.drawing import WIDE, draw, fitting, table, table_width
from sweepmark.cli.grade import RULE
from sweepmark.commands import command_line
from sweepmark.report.grade import grade_lines
from sweepmark.report.remedy import failure_commands
from sweepmark.report.summary import (
    compact_tables,
    majority_line,
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
        draw("published figures", on=target)
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
    lines = [text for text in (majority_line(result), stop_text(result)) if text]
    if result.blueprint.is_run:
        lines += [line for trial in result.trials for line in _run_lines(trial)]
    if result.chosen is not None and result.test is not None:
        lines.append(_chosen_line(result.test, str(result.blueprint.sweep.objective)))
    if result.grade is not None:
        lines += grade_lines(result.grade)
    lines += [f"warning: {caution.message}" for caution in result.cautions]
    if result.n_reused:
        lines.append(
            f"{result.n_reused} of {len(result.trials)} trials were there before and are reused; "
            "--fresh computes them again"
        )
    return lines


def _chosen_line(test: Trial, objective: str) -> str:
    """Return what the chosen recipe reaches on the test part, by what it was chosen by too."""
    names = dict.fromkeys([metric_names.of_rows(objective), metric_names.ACCURACY])
    figures = [f"{name} {test.metrics[name]:.4f}" for name in names if name in test.metrics]
    baseline = "" if test.majority is None else f" (majority class {test.majority.share:.4f})"
    return (
        f"chosen: trial {test.number}, test {', '.join(figures)}{baseline}, "
        f"{test.n_train:,} training rows, {test.n_test:,} test rows"
    )


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
    commands = failure_commands(result.blueprint, result.sweep_id, result.trials, store=store)
    if is_tracked(result.blueprint.config.tracking):
        commands.append(command_line("ui", store=store))
    if result.grade is not None and result.test is not None:
        rule = result.blueprint.grade_at(dict(result.test.params)).name
        named = [] if rule == RULE else ["--rule", rule]
        folders = result.blueprint.config_dirs if named else ()
        words = (result.sweep_id, *named)
        commands.append(command_line("grade", *words, store=store, config_dirs=folders))
    commands.append(command_line("report", result.sweep_id, store=store))
    first, *others = commands
    return ["", f"next: {first}", *(f"      {command}" for command in others)]
