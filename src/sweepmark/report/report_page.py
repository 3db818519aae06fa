"""The report of a sweep or run: one HTML file that needs nothing but itself.

Everything in it follows from the journal and the evaluations. What of them is lost is named in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweepmark.config.values import show
from sweepmark.errors import StoreError
from sweepmark.ledger import importances
from sweepmark.report.figures import importance_figure
from sweepmark.report.grade import grade_lines, wilson_interval
from sweepmark.report.history_facts import command_facts, cost_facts, environment_facts
from sweepmark.report.prediction_facts import prediction_facts
from sweepmark.report.remedy import failure_advice, resume_command
from sweepmark.report.rendering import render
from sweepmark.report.runs import Run
from sweepmark.report.summary import published_tables, result_table, stop_text
from sweepmark.report.swept_figure import sweep_figure
from sweepmark.scores.bands import CONFIDENCE
from sweepmark.scores.metric_names import ACCURACY
from sweepmark.search.space import Choice, Options

if TYPE_CHECKING:
    from sweepmark.report.figure import Figure
    from sweepmark.report.results import SweepResult
    from sweepmark.search.space import Axis
    from sweepmark.store import History, Store

__all__ = ["report_page"]

_MOST_VALUES = 8  # of a parameter, listed above the figures


def report_page(
    result: SweepResult, history: History, store: Store, *, question: str, author: str | None = None
) -> bytes:
    """Return the report of a sweep or run as HTML in UTF-8.

    Parameters
    ----------
    result : SweepResult
        The sweep or run, complete or not.
    history : History
        The content of its journal.
    store : Store
        The store that contains it.
    question : str
        What it was to find out: the sweep's description.
    author : str or None
        Whose it is.
    """
    missing: list[str] = []
    figures = [
        figure for figure in (_swept(result, missing), _important(result, missing)) if figure
    ]
    predictions, matrix = None, None
    if (run := _lead(result, store)) is not None:
        try:
            predictions, matrix = prediction_facts(run, missing)
        except StoreError as error:
            missing.append(f"the predictions of {run.title}: {error}")
    else:
        missing.append("predictions: there is no finished trial to show them of")
    lost = [caution.message for caution in result.cautions if caution.kind == "lost"]
    lead = None if result.headline is None else str(result.headline.number)
    return render(
        "report.html.j2",
        figures=[*figures, *([matrix] if matrix else [])],
        title=f"{result.sweep_id} by {author}" if author else result.sweep_id,
        question=question,
        setting=_setting(result),
        alerts=_alerts(result, n_lost=len(lost)),
        cards=_cards(result, history),
        grade=[] if result.grade is None else [line.strip() for line in grade_lines(result.grade)],
        table=result_table(result),
        lead=lead,
        lead_note=_lead_note(result),
        published=next(iter(published_tables(result)), None),
        predictions=predictions,
        missing=[*lost, *missing],
        warnings=[caution.message for caution in result.cautions if caution.kind != "lost"],
        cost=cost_facts(result, history),
        commands=command_facts(result),
        environment=environment_facts(history),
        configuration=_configuration(result),
    )


def _lead(result: SweepResult, store: Store) -> Run | None:
    """Return the final test, or the representative trial."""
    trial = result.test or result.headline
    if trial is None or not trial.metrics:
        return None
    return Run(result.sweep_id, store, result, trial, is_final=result.test is not None)


def _swept(result: SweepResult, missing: list[str]) -> Figure | None:
    figure = sweep_figure(result)
    if figure is None and not result.blueprint.is_run:
        missing.append(
            f"the figure of the sweep: no finished trial has {result.blueprint.metric}"
            if any(not axis.is_single for axis in result.blueprint.space.all_axes())
            else "the figure of the sweep: its space has a single cell"
        )
    return figure


def _important(result: SweepResult, missing: list[str]) -> Figure | None:
    blueprint = result.blueprint
    shares = importances(
        blueprint.space, result.trials, metric=blueprint.metric, direction=blueprint.direction
    )
    if shares:
        return importance_figure(shares)
    if len(list(blueprint.space.all_axes())) > 1:
        missing.append(
            "parameter importances: they need four finished trials or more that differ in the "
            "metric, and two parameters or more that all of them have"
        )
    return None


def _setting(result: SweepResult) -> str:
    """Return in a sentence what was evaluated, how, and what was searched."""
    blueprint = result.blueprint
    config = blueprint.config
    words = [f"data set {config.dataset.name}", f"evaluation {config.evaluation.method}"]
    if not blueprint.is_run:
        words.append(f"sampler {config.sampler.name}")
        words += [_span(axis) for axis in blueprint.space.axes]
    if (objective := blueprint.sweep.objective) is not None:
        words.append(f"objective {objective} ({blueprint.direction})")
    return "; ".join(words)


def _span(axis: Axis) -> str:
    if isinstance(axis, Options):
        return f"{axis.name}: {', '.join(axis.options)}"
    if isinstance(axis, Choice):
        values = ", ".join(map(show, axis.values[:_MOST_VALUES]))
        return f"{axis.name}: {values}{', …' if len(axis.values) > _MOST_VALUES else ''}"
    return f"{axis.name}: {axis.low:g} to {axis.high:g}{' (log)' if axis.log else ''}"


def _alerts(result: SweepResult, *, n_lost: int) -> list[str]:
    """Return what a reader must know before any figure."""
    alerts = []
    n_trials = len(result.trials)
    again = resume_command(result.blueprint, result.sweep_id)
    if result.state != "complete":
        alerts.append(
            f"This sweep is not finished: {n_trials} trials are, and what is below is not final. "
            f"Finish it: {again}"
        )
    if result.n_failed:
        alerts.append(
            f"{result.n_failed} of {n_trials} trials failed, see the warnings. "
            + failure_advice(result.blueprint, result.sweep_id, result.trials)
        )
    if n_lost:
        alerts.append(
            f"{n_lost} results are lost, as said below. Have them computed again: {again}"
        )
    return [*alerts, *([text] if (text := stop_text(result)) else [])]


def _cards(result: SweepResult, history: History) -> list[dict[str, str]]:
    """Return the figures on top of the page."""
    cards = []
    test = result.test
    if test is not None and ACCURACY in test.metrics:
        low, high = wilson_interval(test.metrics[ACCURACY], test.n_test)
        note = f"{100 * CONFIDENCE:g} % interval {low:.4f} to {high:.4f}, {test.n_test:,} rows"
        cards.append(_card("test accuracy", f"{test.metrics[ACCURACY]:.4f}", note))
    metric, lead = result.blueprint.metric, result.headline
    if metric != ACCURACY and lead is not None and metric in lead.metrics:
        note = f"trial {lead.number}" if not result.blueprint.is_run else ""
        cards.append(_card(metric, f"{lead.metrics[metric]:.4f}", note))
    if result.grade is not None:
        cards.append(_card("grade", f"{result.grade.points:g} points", result.grade.band))
    if not result.blueprint.is_run:
        notes = [f"{result.n_reused} reused"] if result.n_reused else []
        notes += [f"{result.n_failed} failed"] if result.n_failed else []
        cards.append(_card("trials", str(len(result.trials)), ", ".join(notes)))
    cost = dict(cost_facts(result, history))
    return [*cards, _card("computing", cost["computing"], f"{cost['wall time']} of wall time")]


def _card(term: str, value: str, note: str = "") -> dict[str, str]:
    return {"term": term, "value": value, "note": note}


def _lead_note(result: SweepResult) -> str:
    if result.blueprint.is_run or result.headline is None:
        return ""
    if result.chosen is not None:
        return "The chosen trial is marked. It alone was scored on the test part."
    return "The trial with most training rows is marked: nothing was selected."


def _configuration(result: SweepResult) -> str:
    import yaml

    return str(yaml.safe_dump(result.blueprint.shown_tree, sort_keys=False, allow_unicode=True))
