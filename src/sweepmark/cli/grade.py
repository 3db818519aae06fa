"""``sweepmark grade``: grade sweeps by the bands of a rule."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from sweepmark.cli.output import print_document, print_lines
from sweepmark.cli.parser import path_argument
from sweepmark.cli.standings import check_output, grade_stores, named_stores
from sweepmark.errors import ConfigurationError
from sweepmark.scores.metric_names import ACCURACY

if TYPE_CHECKING:
    import argparse

    from sweepmark.cli.parser import Parser
    from sweepmark.config.schema import GradeConfig
    from sweepmark.report.grade import Entry, Grade

__all__ = ["RULE", "define"]

RULE = "course"
"""The rule that the verb grades by unless another is named."""


def define(parser: Parser) -> None:
    """Add the arguments of the verb and its ``handler``, which returns the exit code."""
    parser.add_argument(
        "entries",
        metavar="SWEEP|RUN|STORE",
        nargs="*",
        help="sweeps or MLflow runs, ranked together (default: the last sweep); or folders with a "
        "store in them, of each of which the last complete sweep or run is ranked",
    )
    parser.add_argument("--accuracy", type=float, metavar="VALUE", help="grade this number instead")
    parser.add_argument("--n-test", type=int, metavar="N", help="the test rows of --accuracy")
    parser.add_argument("--require", type=float, metavar="VALUE", help="exit 1 below this value")
    parser.add_argument(
        "--rule", metavar="OPTION", default=RULE, help=f"option of group grade (default: {RULE})"
    )
    parser.add_list("--config-dir", "FOLDER", "a folder with rules of your own (grade/x.yaml)")
    parser.add_flag("--json", "one JSON document on standard output")
    parser.add_flag("--csv", "the table of stores as CSV on standard output")
    parser.add_argument(
        "-o",
        "--output",
        metavar="PATH",
        type=path_argument,
        help="the table of stores as .csv or .html",
    )
    parser.set_defaults(handler=_grade)


def _grade(args: argparse.Namespace) -> int:
    from sweepmark.report.grade import grade, grade_document, rank_entries

    stores = named_stores(args.entries)
    check_output(args, stores)
    rule = _rule(args)
    _check_required(args.require, rule)
    if args.accuracy is None and args.n_test is not None:
        raise ConfigurationError("--n-test belongs to --accuracy, which is not given.")
    if args.accuracy is not None:
        if args.entries:
            raise ConfigurationError("--accuracy grades a number; name no sweep or run beside it.")
        if args.n_test is None or args.n_test < 1 or not 0 <= args.accuracy <= 1:
            raise ConfigurationError(
                "--accuracy must be in [0, 1] with the number of test rows in --n-test, but got "
                f"{args.accuracy} and {args.n_test}."
            )
        if rule.metric != ACCURACY:
            raise ConfigurationError(
                f"--accuracy grades an accuracy, but rule {rule.name} is for {rule.metric}. "
                "Grade a sweep or run by it, or take --rule course."
            )
        names, grades = ["accuracy"], [grade(args.accuracy, args.n_test, rule)]
    elif stores is not None:
        args.only_prints = args.output is None
        names, grades, is_whole = grade_stores(stores, rule, args)
        return 1 if _fall_short(names, grades, args.require) or not is_whole else 0
    else:
        entries = _entries(args, rule)
        names, grades = [entry.name for entry in entries], rank_entries(entries, rule)
    if args.json:
        documents = [
            {"entry": name} | grade_document(each) for name, each in zip(names, grades, strict=True)
        ]
        print_document(documents[0] if len(documents) == 1 else {"grades": documents})
    else:
        _print(names, grades)
    return 1 if _fall_short(names, grades, args.require) else 0


def _check_required(required: float | None, rule: GradeConfig) -> None:
    """Raise if the ``--require`` value is outside the metric's range or NaN."""
    if required is None or 0 <= required <= 1:
        return
    raise ConfigurationError(
        f"--require must be a figure of {rule.metric}, which is in [0, 1], but got {required:g}. "
        "Write 0.96 for 96 %."
    )


def _fall_short(names: list[str], grades: list[Grade], required: float | None) -> bool:
    """Return whether an entry is below the required value, and print which."""
    from sweepmark.scores.bands import reaches

    short = [
        f"{name}: {_figure(each)} is below the required {required:g}"
        for name, each in zip(names, grades, strict=True)
        if required is not None and not reaches(each.value, required)
    ]
    print_lines(short, file=sys.stderr)
    return bool(short)


def _figure(grade: Grade) -> str:
    whose = "" if grade.positive is None else f" (positive class: {grade.positive})"
    return f"{grade.metric} {grade.value:.6g}{whose}"


def _rule(args: argparse.Namespace) -> GradeConfig:
    from sweepmark.config import Folders, grade_config
    from sweepmark.search.feasibility import check_grade

    rule = grade_config(args.rule, Folders.of(args.config_dir))
    check_grade(rule)
    return rule


def _entries(args: argparse.Namespace, rule: GradeConfig) -> list[Entry]:
    from sweepmark.report.grading import find_entry
    from sweepmark.store import Store

    store = Store(args.store)
    names = args.entries or [store.match(None)]
    return [find_entry(name, store, rule) for name in names]


def _print(names: list[str], grades: list[Grade]) -> None:
    from sweepmark.report.grade import grade_lines

    for name, each in zip(names, grades, strict=True):
        print_lines([name, *(f"  {line}" for line in grade_lines(each))])
