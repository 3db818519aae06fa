"""``sweepmark register``: a run's model in MLflow's model registry."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from sweepmark.cli.output import json_only, print_document, print_lines

if TYPE_CHECKING:
    import argparse

    from sweepmark.cli.parser import Parser

__all__ = ["define"]

_ALIAS = "champion"
_DESCRIPTION = """\
Make the model that a run kept a version of a model in MLflow's registry of this store, with an
alias: `mlflow.sklearn.load_model("models:/MODEL@champion")` loads it, without sweepmark. Registered
again, the same model keeps its version, and the alias points to it.

The registry is a part of mlflow.db. A store that is moved takes it along; where mlflow.db was lost,
`doctor --rebuild` makes the runs anew, and their models have to be registered again.
"""


def define(parser: Parser) -> None:
    """Add the arguments of the verb and its ``handler``, which returns the exit code."""
    parser.description = _DESCRIPTION
    parser.add_argument(
        "run",
        metavar="RUN",
        help="a sweep (its chosen recipe), a run, MLflow run or `latest`; a beginning will do",
    )
    parser.add_argument("name", metavar="MODEL", help="the name of the model in the registry")
    parser.add_argument(
        "--alias", metavar="ALIAS", default=_ALIAS, help=f"points to it (default: {_ALIAS})"
    )
    parser.add_flag("--json", "one JSON document on standard output")
    parser.set_defaults(handler=_register, only_prints=False)


def _register(args: argparse.Namespace) -> int:
    from sweepmark.report.registration import register_run
    from sweepmark.report.runs import find_run
    from sweepmark.store import Store
    from sweepmark.tracking import check_alias, check_name

    check_name(args.name)
    check_alias(args.alias)
    with json_only(args.json):
        run = find_run(args.run, Store(args.store))
        version = register_run(run, name=args.name, aliases=[args.alias])
    how = "registered as" if version.is_new else "is already"
    uri = f"models:/{version.name}@{args.alias}"
    print_lines(
        [f"the model of {run.title} {how} version {version.number} of {version.name}", f"  {uri}"],
        file=sys.stderr if args.json else sys.stdout,
    )
    if args.json:
        print_document(
            {
                "name": version.name,
                "version": version.number,
                "alias": args.alias,
                "uri": uri,
                "sweep_id": version.sweep_id,
                "is_new": version.is_new,
            }
        )
    return 0
