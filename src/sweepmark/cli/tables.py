"""The output at the end of a sweep: table, grade, warnings, next commands."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from sweepmark.cli.drawing import draw, table
from sweepmark.cli.output import command_line
from sweepmark.report.grade import grade_lines
from sweepmark.report.summary import published_table, result_table, stop_text
from sweepmark.scores import metric_names
from sweepmark.terminal import console
from sweepmark.tracking import is_tracked

if TYPE_CHECKING:
    from pathlib import Path

    from sweepmark.report.results import SweepResult
    from sweepmark.search.trial import Trial

__all__ = ["print_result"]

_WORDS = {"trial", "status", "experiment", "metric"}


def print_result(result: SweepResult, *, store: Path) -> None:
    """Print the result of a sweep or run, and suggested next commands."""
    target = console()
    listed = result_table(result)
    lead = None if result.headline is None else str(result.headline.number)
    strong = [row for row in listed.rows if row[0] == lead]
    shown = table(
        listed.columns,
        listed.rows,
        title=result.sweep_id,
        words=_WORDS,
        strong=strong,
        pad_edge=True,
    )
    if not target.is_terminal:  # nothing need be truncated in a file
        target.width = max(160, target.measure(shown).maximum)
    draw(shown, on=target)
    if (published := published_table(result)) is not None:
        strong = [row for row in published.rows if row[-1] == "no"]
        draw(
            table(
                published.columns,
                published.rows,
                title="published figures",
                words=_WORDS,
                strong=strong,
                pad_edge=True,
            ),
            on=target,
        )
    draw(*_closing_lines(result), *_next_lines(result, store), on=target)


def _closing_lines(result: SweepResult) -> list[str]:
    lines = [text] if (text := stop_text(result)) else []
    if result.blueprint.is_run:
        lines += [line for trial in result.trials for line in _run_lines(trial)]
    if result.chosen is not None and result.test is not None:
        accuracy = result.test.metrics["accuracy"]
        lines.append(
            f"chosen: trial {result.chosen.number}, test accuracy {accuracy:.4f} "
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
    commands.append(command_line("report", result.sweep_id, store=store))
    first, *others = commands
    return ["", f"next: {first}", *(f"      {command}" for command in others)]
