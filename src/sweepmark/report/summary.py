"""Summaries of a sweep: its JSON document, its table, and its parent run in MLflow."""

from __future__ import annotations

import html
import math
import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sweepmark.report import grade as grading
from sweepmark.report import leaderboard
from sweepmark.report.sweep_pictures import sweep_pictures
from sweepmark.report.trial_table import TextTable, TrialTable, text_table
from sweepmark.scores import metric_names
from sweepmark.scores.metrics import SHOWN
from sweepmark.scores.published import published_document
from sweepmark.terminal import cut
from sweepmark.tracking.records import Artifact, Metric, Tag
from sweepmark.tracking.run_records import (
    artifact_records,
    data_record,
    model_record,
    positive_records,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sweepmark.data import Dataset
    from sweepmark.report.results import SweepResult
    from sweepmark.search.blueprint import Blueprint
    from sweepmark.search.trial import Trial
    from sweepmark.tracking.records import Record

__all__ = [
    "compact_tables",
    "leaderboard_csv",
    "majority_line",
    "parent_records",
    "published_tables",
    "result_document",
    "result_table",
    "stop_text",
]

_NOTE = "mlflow.note.content"
_LONGEST = 300  # maximum characters of a text in the note; MLflow limits notes to 8,000


def result_document(result: SweepResult) -> dict[str, Any]:
    """Return the mapping that ``--json`` prints for a sweep or a single run."""
    sweep = result.blueprint.sweep
    chosen = None
    if result.chosen is not None:
        test = result.test.metrics if result.test is not None else None
        chosen = _trial_document(result.chosen) | {
            "test_metrics": _plain(test) if test else None,
            "test_majority": _majority_document(result.test),
        }
    return {
        "sweep_id": result.sweep_id,
        "name": result.blueprint.name,
        "state": result.state,
        "stopped_by": result.stopped_by,
        "n_trials": len(result.trials),
        "n_reused": result.n_reused,
        "n_failed": result.n_failed,
        "objective": None
        if sweep.objective is None
        else {"metric": sweep.objective, "direction": result.blueprint.direction},
        "trials": [_trial_document(trial) for trial in result.trials],
        "published": [
            {"trial": number, **published_document(each)}
            for number, metrics in result.published_metrics.items()
            for each in metrics
        ],
        "best": chosen,
        "grade": None if result.grade is None else grading.grade_document(result.grade),
        "warnings": [
            {"kind": caution.kind, "message": caution.message} for caution in result.cautions
        ],
    }


def _trial_document(trial: Trial) -> dict[str, Any]:
    return {
        "number": trial.number,
        "status": trial.status,
        "reason": trial.reason,
        "params": dict(trial.params),
        "metrics": _plain(trial.metrics),
        "n_train": trial.n_train,
        "n_test": trial.n_test,
        "positive": trial.positive,
        "majority": _majority_document(trial),
        "fit_seconds": trial.fit_seconds,
        "predict_seconds": trial.predict_seconds,
        "attempts": trial.attempts,
        "run_id": trial.run_id,
        "reused_from": trial.reused_from,
    }


def _majority_document(trial: Trial | None) -> dict[str, Any] | None:
    return None if trial is None or trial.majority is None else asdict(trial.majority)


def majority_line(result: SweepResult) -> str:
    """Return a line on the majority class of the scored rows; empty if no trial has any.

    Where trials are scored on different rows it has the range of shares, and each is in the whole
    table.
    """
    scored = {trial.majority for trial in result.trials if trial.majority is not None}
    if not scored:
        return ""
    names = ", ".join(sorted({majority.label for majority in scored}))
    shares = dict.fromkeys(f"{share:.4f}" for share in sorted(one.share for one in scored))
    low, *_, high = [*shares, *shares]
    share = low if low == high else f"{low} to {high}"
    return f"majority class of the scored rows: {names}, {share} of them"


def stop_text(result: SweepResult) -> str:
    """Return in words which budget ended a sweep early; empty if none did."""
    sweep, n_trials = result.blueprint.sweep, len(result.trials)
    if result.stopped_by == "target":
        return f"ended after {n_trials} trials: sweep.target={sweep.target:g} was reached"
    if result.stopped_by == "timeout":
        return f"ended after {n_trials} trials: sweep.timeout={sweep.timeout:g} seconds were over"
    return ""


def _plain(metrics: Any) -> dict[str, float | None]:
    return {name: value if math.isfinite(value) else None for name, value in metrics.items()}


def result_table(result: SweepResult) -> TextTable:
    """Return the table of a sweep's trials, ranked if it has an objective."""
    return _trial_table(result).whole()


def leaderboard_csv(result: SweepResult) -> bytes:
    """Return leaderboard.csv: a line for each trial, with all that is known of it."""
    return leaderboard.csv_text(
        result.trials,
        metric=result.blueprint.sweep.objective,
        direction=result.blueprint.direction,
    )


def compact_tables(result: SweepResult) -> Iterator[TextTable]:
    """Yield the table of a sweep's trials in fewer and fewer columns."""
    return _trial_table(result).compact()


def _trial_table(result: SweepResult) -> TrialTable:
    objective = result.blueprint.sweep.objective
    points = {}
    for trial in result.trials if objective is None else ():
        rule = result.blueprint.grade_at(dict(trial.params))
        if rule.bands and rule.metric in trial.metrics:
            value = trial.metrics[rule.metric]
            points[trial.number] = grading.grade(value, trial.n_test, rule).points
    return TrialTable(
        trials=result.trials,
        main=result.blueprint.metric,
        others=_others(result.blueprint),
        is_ranked=objective is not None,
        direction=result.blueprint.direction,
        points=points,
    )


def _others(blueprint: Blueprint) -> list[str]:
    """Return the metrics of the table besides the main one: those that are asked for last."""
    forms = (str, metric_names.validation, metric_names.cv)
    asked = [form(request.name) for request in blueprint.requests for form in forms]
    return list(dict.fromkeys([*SHOWN, *asked]))


def published_tables(result: SweepResult) -> list[TextTable]:
    """Return published metrics beside ours, in fewer and fewer columns; empty if there are none."""
    metrics = [each for those in result.published_metrics.values() for each in those]
    columns = {
        "experiment": [each.experiment for each in metrics],
        "metric": [each.metric for each in metrics],
        "ours": [_format(each.ours) for each in metrics],
        "published": [_format(each.published) for each in metrics],
        "difference": [_difference(each.difference) for each in metrics],
        "within": [f"{each.within:g}" for each in metrics],
        "agrees": ["yes" if each.agrees else "no" for each in metrics],
    }
    left_out = ((), ("within",), ("within", "difference")) if metrics else ()
    return [
        text_table({name: cells for name, cells in columns.items() if name not in names})
        for names in left_out
    ]


def _difference(value: float | None) -> str:
    return "missing" if value is None else _format(value, sign="+")


def _format(value: float | None, sign: str = "") -> str:
    """Format a share with five digits, a count as a whole number."""
    if value is None:
        return ""
    return format(value, f"{sign}.0f" if value.is_integer() and abs(value) > 1 else f"{sign}.5f")


def parent_records(result: SweepResult, dataset: Dataset) -> list[Record]:
    """Return the records of a sweep's parent run at its end."""
    sweep = result.blueprint.sweep
    records: list[Record] = [
        Tag("sweepmark.status", result.state),
        Tag("sweepmark.stopped_by", result.stopped_by or "none"),
        Tag(_NOTE, _note(result)),
        Metric("n_trials", len(result.trials)),
        Metric("n_reused", result.n_reused),
        Metric("n_failed", result.n_failed),
        data_record(dataset, context="sweep", n_rows=dataset.n_rows),
        Artifact("leaderboard.csv", leaderboard_csv(result)),
        *sweep_pictures(result),
    ]
    if result.chosen is not None and sweep.objective is not None:
        records.append(Metric(sweep.objective, result.chosen.metrics[sweep.objective]))
    if result.test is not None:
        records += [Metric(name, value) for name, value in result.test.metrics.items()]
        records += positive_records(result.test)
        content = result.holdings.model(result.test.keys[0])
        config = result.blueprint.config_at(dict(result.test.params))
        records += [model_record(content, dataset, config)] if content else []
        records += _test_artifacts(result, result.test, dataset)
    if result.grade is not None:
        records.append(Metric(metric_names.POINTS, result.grade.points))
        records.append(Tag("sweepmark.band", result.grade.band))
    return records


def _test_artifacts(result: SweepResult, test: Trial, dataset: Dataset) -> list[Record]:
    """Return the files on the final test, unless a child run has them."""
    wanted = result.blueprint.config.tracking.artifacts
    if wanted == "none" or (wanted == "all" and result.chosen is None):
        return []
    tree = result.blueprint.tree_at(dict(test.params))
    card = result.holdings.scorecard(test.keys[0])
    return artifact_records(card, dataset, tree, result.blueprint.overrides)


def _note(result: SweepResult) -> str:
    """Return the sweep's summary as Markdown."""
    table = result_table(result)
    name = _markdown(result.blueprint.name)
    lines = [f"**{name}** {result.state}, {len(result.trials)} trials", ""]
    if text := stop_text(result):
        lines += [f"{text}.", ""]
    if result.grade is not None:
        lines += [f"Grade: **{result.grade.points} points** ({result.grade.band})", ""]
    lines += [_line(table.columns), "|" + "---|" * len(table.columns)]
    lines += [_line(row) for row in table.rows[:20]]
    if result.test is not None and result.test.majority is not None:
        accuracy, share = result.test.metrics[metric_names.ACCURACY], result.test.majority.share
        lines += ["", f"Test accuracy: **{accuracy:.4f}** (majority class {share:.4f})"]
    if text := majority_line(result):
        lines += ["", _markdown(text)]
    for published in published_tables(result)[:1]:
        lines += ["", _line(published.columns), "|" + "---|" * len(published.columns)]
        lines += [_line(row) for row in published.rows]
    lines += ["", *(f"- {_markdown(caution.message)}" for caution in result.cautions)]
    return "\n".join(lines)


def _line(cells: Iterable[str]) -> str:
    """Return a line of a Markdown table."""
    return f"| {' | '.join(map(_markdown, cells))} |"


def _markdown(text: str) -> str:
    """Escape Markdown and HTML in a text, and truncate it."""
    shown = html.escape(cut(text, _LONGEST), quote=False)
    # An underscore within a word is not Markdown.
    return re.sub(r"[\\`*\[\]|~!#]|\b_|_\b", r"\\\g<0>", shown)
