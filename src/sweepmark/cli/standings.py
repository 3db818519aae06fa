"""``sweepmark grade STORE …``: the stores of a class as one ranked table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweepmark.cli.output import print_document, print_lines
from sweepmark.cli.report import PAGES, check_outside
from sweepmark.errors import ConfigurationError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path

    from sweepmark.config.schema import GradeConfig
    from sweepmark.report.grade import Grade
    from sweepmark.report.standings import Standing

__all__ = ["check_output", "grade_stores", "named_stores"]

_CSV = ".csv"


def named_stores(words: Sequence[str]) -> list[tuple[str, Path]] | None:
    """Return the stores that words name; None if they name sweeps and runs.

    Raises
    ------
    ConfigurationError
        If some name stores and others do not, or a store is named twice.
    """
    from sweepmark.config.places import given_path
    from sweepmark.report.standings import find_store

    folders = {word: given_path(word, what="STORE") for word in words}
    stores = {
        word: store
        for word, folder in folders.items()
        if folder.is_dir() and (store := find_store(folder)) is not None
    }
    others = [word for word in folders if word not in stores]
    if not stores:
        return None
    if others:
        raise ConfigurationError(
            f"{', '.join(others)}: no folder with a store in it, while {', '.join(stores)} "
            f"{'is one' if len(stores) == 1 else 'are'}. Name stores, or sweeps and runs of one."
        )
    places: dict[Path, str] = {}
    for word in words:
        place = stores[word].resolve()
        if place in places:
            raise ConfigurationError(
                f"a store is graded once, but {places[place]} and {word} are the same. Leave one."
            )
        places[place] = word
    return list(stores.items())


def check_output(args: argparse.Namespace, stores: Sequence[tuple[str, Path]] | None) -> None:
    """Raise if the options of a ranked table do not fit what is graded.

    Raises
    ------
    ConfigurationError
        If they do not.
    """
    if stores is None:
        if args.csv or args.output is not None:
            option = "--csv" if args.csv else "-o"
            raise ConfigurationError(
                f"{option} is for a table of stores, but got none. Name the folders of stores; "
                "sweeps and runs of one store have --json."
            )
        return
    if args.accuracy is not None:
        raise ConfigurationError("--accuracy grades a number; name no store beside it.")
    if args.csv and args.json:
        raise ConfigurationError("--csv and --json both take standard output. Leave one.")
    if args.output is None:
        return
    if args.output.is_dir() or args.output.suffix.lower() not in {_CSV, *PAGES}:
        raise ConfigurationError(
            f"-o must name a .csv or .html file, but got {str(args.output)!r}."
        )
    for _, store in stores:
        check_outside(args.output, store)


def grade_stores(
    stores: Sequence[tuple[str, Path]], rule: GradeConfig, args: argparse.Namespace
) -> tuple[list[str], list[Grade], bool]:
    """Rank stores and show or write their table.

    Returns
    -------
    names, grades : lists of str and of Grade
        Those that have an entry, best first.
    is_whole : bool
        Whether each of them has one.
    """
    from sweepmark.report.standings import rank_stores

    standings = rank_stores(stores, rule)
    if args.output is not None:
        _write(args.output, standings, rule)
    _show(standings, args)
    graded = [(each.store, each.grade) for each in standings if each.grade is not None]
    names, grades = [name for name, _ in graded], [grade for _, grade in graded]
    return names, grades, len(graded) == len(standings)


def _write(path: Path, standings: Sequence[Standing], rule: GradeConfig) -> None:
    from sweepmark.data.export import write_whole
    from sweepmark.report.rendering import render
    from sweepmark.report.standings import standings_csv, standings_table

    if path.suffix.lower() == _CSV:
        content = standings_csv(standings).encode()
    else:
        content = render(
            "standings.html.j2",
            title=f"{len(standings)} stores, graded",
            question=f"The last complete sweep or run of each by {rule.metric} on the same test "
            f"set, by the rule {rule.name}",
            table=standings_table(standings, is_wide=True),
            notes=_remarks(standings),
        )
    write_whole(path, lambda target: target.write_bytes(content))


def _show(standings: Sequence[Standing], args: argparse.Namespace) -> None:
    from sweepmark.report.grade import grade_document
    from sweepmark.report.standings import standings_csv, standings_table

    if args.json:
        documents = [
            {"entry": each.store, "sweep_id": each.sweep_id or None, "name": each.name or None}
            | {"place": each.place, "remark": each.note}
            | ({} if each.grade is None else grade_document(each.grade))
            for each in standings
        ]
        print_document({"grades": documents})
        return
    if args.csv:
        print_lines(standings_csv(standings).splitlines())
        return
    from sweepmark.cli.drawing import draw, table

    shown = standings_table(standings)
    draw(table(shown.columns, shown.rows, words={"store", "name"}), *_remarks(standings))
    if args.output is not None:
        print_lines([f"wrote {args.output}"])


def _remarks(standings: Sequence[Standing]) -> list[str]:
    """Return what is said of single stores, and of what the ranks hide."""
    remarks = [f"{each.store}: {each.note}" for each in standings if each.note]
    if any(each.grade is not None and each.grade.undecided for each in standings):
        unsure = [each.store for each in standings if each.grade and each.grade.undecided]
        remarks.append(f"the interval crosses a band: {', '.join(unsure)}")
    return remarks
