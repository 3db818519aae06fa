"""Sweeps and metrics as text and as HTML for notebooks; all text in it is untrusted."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from sweepmark.report.grade import grade_lines
from sweepmark.report.summary import (
    majority_line,
    published_tables,
    result_table,
    stop_text,
)
from sweepmark.report.trial_table import TextTable
from sweepmark.scores.metrics import NAMES
from sweepmark.terminal import cut

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sweepmark.report.results import SweepResult

__all__ = ["metrics_lines", "metrics_page", "result_lines", "result_page"]

_MOST_ROWS = 30
_LONGEST = 300  # characters of a text
_WORDS = {"trial", "status", "experiment", "metric", "positive"}

_STYLE = """<style>
.sweepmark {font-size: 13px; line-height: 1.5}
.sweepmark table {border-collapse: collapse; margin: 6px 0; color: inherit; font-size: inherit}
.sweepmark caption {caption-side: top; text-align: left; padding: 0 0 2px; opacity: .7}
.sweepmark th {font-weight: 600; border-bottom: 1px solid; text-align: right; padding: 2px 10px}
.sweepmark td {text-align: right; padding: 2px 10px; font-variant-numeric: tabular-nums}
.sweepmark th.word, .sweepmark td.word {text-align: left}
.sweepmark tr.lead td {font-weight: 700; background: rgba(67, 160, 71, .18)}
.sweepmark .muted {opacity: .7}
.sweepmark .grade {border-left: 4px solid #43a047; padding: 2px 10px; margin: 6px 0}
.sweepmark .warning {border-left: 4px solid #ef6c00; padding: 2px 10px; margin: 6px 0}
</style>"""


def result_lines(result: SweepResult) -> list[str]:
    """Return a sweep or run as lines of text: its table, grade and warnings."""
    lines = [_title(result), "", *_aligned(result_table(result))]
    lines += [cut(text, _LONGEST)] if (text := majority_line(result)) else []
    for published in published_tables(result)[:1]:
        lines += ["", "published figures", *_aligned(published)]
    lines += ["", *([] if result.grade is None else grade_lines(result.grade))]
    return lines + [f"warning: {cut(each.message, _LONGEST)}" for each in result.cautions]


def result_page(result: SweepResult) -> str:
    """Return a sweep or run as HTML: its table, grade and warnings."""
    lead = None if result.headline is None else str(result.headline.number)
    parts = [f"<div><b>{_text(_title(result))}</b></div>", _table(result_table(result), lead=lead)]
    if text := majority_line(result):
        parts.append(f'<div class="muted">{_text(text)}</div>')
    published = published_tables(result)[:1]
    parts += [_table(each, caption="published figures") for each in published]
    if result.grade is not None:
        first, *others = grade_lines(result.grade)
        rest = "".join(f'<br><span class="muted">{_text(line.strip())}</span>' for line in others)
        parts.append(f'<div class="grade"><b>{_text(first)}</b>{rest}</div>')
    parts += [f'<div class="warning">{_text(each.message)}</div>' for each in result.cautions]
    return _page(parts)


def metrics_lines(title: str, metrics: Mapping[str, float]) -> list[str]:
    """Return metrics as lines of text, but for those of single labels and folds."""
    table = _metrics_table(metrics)
    return [cut(title, _LONGEST), *_aligned(table), *_others(metrics, table)]


def metrics_page(title: str, metrics: Mapping[str, float]) -> str:
    """Return metrics as HTML, but for those of single labels and folds."""
    table = _metrics_table(metrics)
    notes = [f'<div class="muted">{_text(text)}</div>' for text in _others(metrics, table)]
    return _page([f"<div><b>{_text(title)}</b></div>", _table(table), *notes])


def _title(result: SweepResult) -> str:
    n_trials = len(result.trials)
    words = [result.state, "1 trial" if n_trials == 1 else f"{n_trials} trials"]
    words += [f"{result.n_reused} reused"] if result.n_reused else []
    words += [f"{result.n_failed} failed"] if result.n_failed else []
    words += [text] if (text := stop_text(result)) else []
    return f"{result.sweep_id}: {', '.join(words)}"


def _metrics_table(metrics: Mapping[str, float]) -> TextTable:
    rows = ((name, f"{metrics[name]:.4f}") for name in NAMES if name in metrics)
    return TextTable(columns=("metric", "value"), rows=tuple(rows))


def _others(metrics: Mapping[str, float], table: TextTable) -> list[str]:
    n_others = len(metrics) - len(table.rows)
    return [f"and {n_others} more in .metrics"] if n_others else []


def _page(parts: Iterable[str]) -> str:
    return f'<div class="sweepmark">{_STYLE}{"".join(parts)}</div>'


def _text(text: str) -> str:
    """Return a text harmless in HTML: cut, control characters shown, markup escaped."""
    return html.escape(cut(text, _LONGEST))


def _table(table: TextTable, *, lead: str | None = None, caption: str = "") -> str:
    kinds = [' class="word"' if column in _WORDS else "" for column in table.columns]
    head, marked = _cells("th", table.columns, kinds), ' class="lead"'
    rows = [
        f"<tr{marked if row[0] == lead else ''}>{_cells('td', row, kinds)}</tr>"
        for row in table.rows[:_MOST_ROWS]
    ]
    if (n_more := len(table.rows) - _MOST_ROWS) > 0:
        rows.append(f'<tr><td class="word muted" colspan="{len(kinds)}">{n_more} more</td></tr>')
    named = f"<caption>{_text(caption)}</caption>" if caption else ""
    return f"<table>{named}<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _cells(tag: str, texts: Iterable[str], kinds: Sequence[str]) -> str:
    return "".join(
        f"<{tag}{kind}>{_text(text)}</{tag}>" for text, kind in zip(texts, kinds, strict=True)
    )


def _aligned(table: TextTable) -> list[str]:
    """Return a table as lines of text, a column as wide as its longest cell."""
    listed = [[cut(text, 40) for text in row] for row in (table.columns, *table.rows[:_MOST_ROWS])]
    widths = [max(map(len, column)) for column in zip(*listed, strict=True)]
    lines = [
        "  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True))
        for row in listed
    ]
    n_more = len(table.rows) - _MOST_ROWS
    return [*lines, f"{n_more} more"] if n_more > 0 else lines
