"""``sweepmark compare``: a close look at one run, or two side by side."""

from __future__ import annotations

import math
import re
import sys
from typing import TYPE_CHECKING, Any

from sweepmark.cli.output import print_document
from sweepmark.commands import command_line
from sweepmark.errors import ConfigurationError
from sweepmark.terminal import cut, escape

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Mapping, Sequence

    from sweepmark.cli.parser import Parser
    from sweepmark.report.runs import Run

    Document = Mapping[str, Any]

__all__ = ["define"]

_PAIR = 2
_CELLS = 5  # maximum number of feature columns shown beside the scores
_LONGEST_CELL = 36
_LABELS = ("label", "actual", "predicted")  # names, on the left even where they are digits
_NUMBER = re.compile(r"[+-]?[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?%?")  # or nothing, or a dash

_DESCRIPTION = """\
One run: its accuracy for each label and what it confuses most; with --errors what a label was taken
for and the rows with the largest margins, by which the predicted label's score exceeds the actual
one's; with --ranking the rows with the highest and lowest scores. Two runs of the same test rows:
their accuracies side by side and on how many rows they differ. Rows are numbered from 0, those of
the test file after those of the training file.
"""


def define(parser: Parser) -> None:
    """Add the arguments of the verb and its ``handler``, which returns the exit code."""
    parser.description = _DESCRIPTION
    parser.add_argument(
        "entries",
        metavar="RUN",
        nargs="*",
        help="one or two of: a sweep, SWEEP/TRIAL, MLflow run, `latest`; a beginning will do "
        "(default: the last)",
    )
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--errors", metavar="LABEL", help="what this label was taken for")
    choice.add_argument(
        "--ranking", metavar="N", type=int, help="the N rows with the highest and lowest scores"
    )
    parser.add_flag("--json", "one JSON document on standard output")
    parser.set_defaults(handler=_compare)


def _compare(args: argparse.Namespace) -> int:
    from sweepmark.report.comparison import (
        errors_document,
        look_document,
        pair_document,
        ranking_document,
    )

    runs = _runs(args)
    if len(runs) == _PAIR:
        _finish(args, pair_document(*runs), _show_pair, runs)
    elif args.errors is not None:
        _finish(args, errors_document(runs[0], args.errors), _show_errors, runs)
    elif args.ranking is not None:
        _finish(args, ranking_document(runs[0], args.ranking), _show_ranking, runs)
    else:
        _finish(args, look_document(runs[0]), _show_look, runs)
    sys.stdout.flush()
    return 0


def _runs(args: argparse.Namespace) -> list[Run]:
    from sweepmark.report.runs import find_run
    from sweepmark.store import LATEST, Store

    if len(args.entries) > _PAIR:
        raise ConfigurationError(
            f"compare takes one run or two, but got {len(args.entries)}. "
            f"`{command_line('grade', *args.entries)}` ranks any number."
        )
    for option in ("errors", "ranking"):
        if len(args.entries) == _PAIR and getattr(args, option) is not None:
            raise ConfigurationError(f"--{option} looks at one run, but got two. Name one.")
    if args.ranking is not None and args.ranking < 1:
        raise ConfigurationError(
            f"--ranking must be a number of rows >= 1, but got {args.ranking}."
        )
    store = Store(args.store)
    return [find_run(name, store) for name in args.entries or [LATEST]]


def _finish(args: argparse.Namespace, document: Document, show: Any, runs: Sequence[Run]) -> None:
    if args.json:
        print_document(document)
    else:
        show(document, runs)


def _show_look(document: Document, runs: Sequence[Run]) -> None:
    _print(_title(document, runs[0]), _label_table(document))
    if document["confusions"]:
        rows = (
            (one["label"], one["prediction"], f"{one['n_rows']:,}")
            for one in document["confusions"]
        )
        _print(_table("most frequent errors", ("actual", "predicted", "rows"), rows))
        worst = min(document["labels"], key=_accuracy)
        words = (runs[0].title, "--errors", worst["label"])
        _print(f"next: {command_line('compare', *words, store=runs[0].store.root)}")
    else:
        _print("no row is wrong")


def _show_errors(document: Document, runs: Sequence[Run]) -> None:
    errors = document["errors"]
    label, n_rows = errors["label"], errors["n_rows"]
    _print(_title(document, runs[0]), _label_table(document))
    if not n_rows:
        _print(f"no {label} was taken for anything else")
        return
    counts = (
        (one["prediction"], f"{one['n_rows']:,}", f"{one['n_rows'] / n_rows:.1%}")
        for one in errors["taken_for"]
    )
    title = f"what {label} was taken for ({n_rows:,} rows)"
    _print(
        _table(title, ("predicted", "rows", "share"), counts),
        _row_table("those with the largest margins", errors["largest_margins"], score_key="margin"),
    )


def _show_ranking(document: Document, runs: Sequence[Run]) -> None:
    by = document["ranked_by"]
    top, bottom = document["top"], document["bottom"]
    _print(
        _title(document, runs[0]),
        _row_table(f"the {len(top):,} highest scores of {by}", top),
        _row_table(f"the {len(bottom):,} lowest scores of {by}", bottom),
    )


def _show_pair(document: Document, runs: Sequence[Run]) -> None:
    names = ("A", "B")
    for name, run, head in zip(names, runs, document["runs"], strict=True):
        _print(f"{name}: {_title(head, run)}")
    rows = [
        (each["label"], f"{each['n_rows']:,}", *map(_share, each["accuracies"]), _signed(each))
        for each in document["labels"]
    ]
    called = dict.fromkeys(head["metric"] for head in document["runs"])
    overall = map(_share, (head["accuracy"] for head in document["runs"]))
    rows.append(("all", f"{document['n_rows']:,}", *overall, _signed(document)))
    _print(
        _table(" and ".join(called), ("label", "rows", *names, "B - A"), rows),
        f"they differ on {document['n_differing']:,} of {document['n_rows']:,} rows: "
        f"{document['n_only_first_right']:,} only A has right, "
        f"{document['n_only_second_right']:,} only B",
    )


def _title(document: Document, run: Run) -> str:
    asked = [*document["overrides"], *(f"{key}={value}" for key, value in run.trial.params.items())]
    folds = ", out of fold" if document["out_of_fold"] else ""
    n_right, n_rows = document["n_right"], document["n_rows"]
    return (
        f"{run.title}{f' ({chr(32).join(asked)})' if asked else ''}: "
        f"{document['metric']} {_share(document['accuracy'])} "
        f"(majority class {_share(document['majority']['share'])}; "
        f"{n_right:,} of {n_rows:,} rows{folds})"
        + (f"; positive class: {document['positive']}" if document["positive"] else "")
    )


def _label_table(document: Document) -> object:
    rows = (
        (each["label"], _share(each["accuracy"]), f"{each['n_right']:,}", f"{each['n_rows']:,}")
        for each in document["labels"]
    )
    name = document["metric"]
    return _table(f"{name} per label", ("label", name, "right", "rows"), rows)


def _row_table(title: str, rows: Sequence[Document], *, score_key: str = "score") -> object:
    columns = list(rows[0].get("cells", ()))[:_CELLS] if rows else []
    listed = (
        (
            str(row["row"]),
            row["label"],
            row["prediction"],
            "" if row[score_key] is None else f"{row[score_key]:.4f}",
            *(_cell(row["cells"][column]) for column in columns),
        )
        for row in rows
    )
    return _table(title, ("row", "actual", "predicted", score_key, *columns), listed)


def _table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> object:
    from rich.console import Group
    from rich.text import Text

    from sweepmark.cli.drawing import table

    listed = list(rows)
    words = {
        column
        for place, column in enumerate(columns)
        if column in _LABELS or not all(_NUMBER.fullmatch(row[place]) for row in listed)
    }
    # A table's own title would be wrapped to its width.
    head = Text(f"\n{escape(title)}", style="bold")
    return Group(head, table(columns, listed, words=words))


def _cell(value: object) -> str:
    text = f"{value:g}" if isinstance(value, float) else "" if value is None else str(value)
    return cut(text, _LONGEST_CELL)


def _accuracy(label: Document) -> float:
    return math.inf if label["accuracy"] is None else float(label["accuracy"])


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _signed(document: Document) -> str:
    difference = document["difference"]
    return "-" if difference is None else f"{difference:+.4f}"


def _print(*renderables: object) -> None:
    from sweepmark.cli.drawing import draw

    draw(*renderables)
