"""A class: the last graded sweep or run of each of several stores, ranked together."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sweepmark.errors import ConfigurationError, SweepmarkError
from sweepmark.report.grade import rank_entries
from sweepmark.report.grading import result_entry
from sweepmark.report.results import read_result
from sweepmark.report.trial_table import TextTable
from sweepmark.store import Store

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sweepmark.config.schema import GradeConfig
    from sweepmark.report.grade import Entry, Grade

__all__ = ["Standing", "find_store", "rank_stores", "standings_csv", "standings_table"]

_FOLDER = "mlruns"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A store among others.

    Attributes
    ----------
    store : str
        The store, as it was named.
    sweep_id : str
        Its entry: the last sweep or run that is complete and has the graded metric; empty without.
    name : str
        The entry's ``run.name``; may be empty.
    grade : Grade or None
        The entry's grade; None without an entry.
    place : int or None
        Its rank among all entries; equal values share the better one.
    note : str
        Why there is no entry, or why later sweeps are none; may be empty.
    """

    store: str
    sweep_id: str = ""
    name: str = ""
    grade: Grade | None = None
    place: int | None = None
    note: str = ""


def find_store(folder: Path) -> Path | None:
    """Return the store that a folder is or has in it as ``mlruns``; None if there is none."""
    for place in (folder, folder / _FOLDER):
        if (place / "sweeps").is_dir():
            return place
    return None


def rank_stores(stores: Sequence[tuple[str, Path]], rule: GradeConfig) -> list[Standing]:
    """Return the standings of stores, best first; those without an entry are last.

    Parameters
    ----------
    stores : sequence of (str, Path)
        What each is called, and its folder.
    rule : GradeConfig
        The rule they are graded by.

    Raises
    ------
    ConfigurationError
        If two entries were not scored on the same test set, or no store has an entry.
    """
    found = [_last_entry(name, Store(root), rule) for name, root in stores]
    entries = [entry for entry, _ in found if entry is not None]
    if not entries:
        reasons = "; ".join(f"{each.store}: {each.note}" for _, each in found)
        raise ConfigurationError(f"no store has a sweep or run to grade: {reasons}")
    grades = iter(rank_entries(entries, rule))
    values = [entry.value for entry in entries]
    standings = [
        standing
        if entry is None
        else replace(
            standing,
            grade=next(grades),
            place=1 + sum(value > entry.value for value in values),
        )
        for entry, standing in found
    ]
    return sorted(standings, key=lambda each: (each.place or len(found) + 1, each.store))


def standings_table(standings: Sequence[Standing], *, is_wide: bool = False) -> TextTable:
    """Return the ranked table; a column that all leave empty is left out.

    Parameters
    ----------
    standings : sequence of Standing
        From :func:`rank_stores`.
    is_wide : bool
        Whether to have the bands, the sweeps' ids and notes, which a terminal has no room for.
    """
    graded = next(each.grade for each in standings if each.grade is not None)
    columns: dict[str, list[str]] = {
        "rank": ["" if each.place is None else str(each.place) for each in standings],
        "store": [each.store for each in standings],
        "name": [each.name for each in standings],
        graded.metric: [_figure(each.grade) for each in standings],
        "interval": [_interval(each.grade) for each in standings],
        "points": ["" if each.grade is None else f"{each.grade.points:.4g}" for each in standings],
    }
    if is_wide:
        columns["band"] = ["" if each.grade is None else each.grade.band for each in standings]
        columns["rows"] = ["" if each.grade is None else f"{each.grade.n:,}" for each in standings]
        columns["sweep or run"] = [each.sweep_id for each in standings]
        columns["note"] = [each.note for each in standings]
    kept = {name: texts for name, texts in columns.items() if any(texts)}
    return TextTable(columns=tuple(kept), rows=tuple(zip(*kept.values(), strict=True)))


def standings_csv(standings: Sequence[Standing]) -> str:
    """Return the standings as CSV with a header and all digits.

    A text that a spreadsheet would take for a formula is preceded by an apostrophe.
    """
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    columns = ("rank", "store", "name", "sweep", "metric", "value", "low", "high", "n_test")
    writer.writerow([*columns, "points", "band", "note"])
    for each in standings:
        grade = each.grade
        figures: list[object] = [""] * 7
        if grade is not None:
            low, high = grade.interval or ("", "")
            figures = [grade.metric, grade.value, low, high, grade.n, grade.points, grade.band]
        texts = (each.store, each.name, each.sweep_id)
        row = [each.place or "", *map(_cell, texts), *figures, _cell(each.note)]
        writer.writerow(row)
    return buffer.getvalue()


def _last_entry(name: str, store: Store, rule: GradeConfig) -> tuple[Entry | None, Standing]:
    """Return a store's last complete sweep or run that can be graded, and what is said of it."""
    later: list[str] = []
    try:
        sweep_ids = store.sweep_ids()
    except SweepmarkError as error:
        return None, Standing(store=name, note=str(error))
    for sweep_id in reversed(sweep_ids):
        try:
            result = read_result(store, sweep_id)
            entry = result_entry(name, result, rule, store)
        except SweepmarkError as error:
            later.append(str(error))
            continue
        if result.state != "complete":
            later.append(f"{sweep_id} is not finished")
            continue
        called = result.blueprint.config.run.name or ""
        note = f"{len(later)} later not graded: {later[0]}" if later else ""
        return entry, Standing(store=name, sweep_id=sweep_id, name=called, note=note)
    return None, Standing(store=name, note=later[0] if later else "it has no sweep yet")


def _figure(grade: Grade | None) -> str:
    return "" if grade is None else f"{grade.value:.4f}"


def _interval(grade: Grade | None) -> str:
    if grade is None or grade.interval is None:
        return ""
    low, high = grade.interval
    return f"{low:.4f} to {high:.4f}"


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
