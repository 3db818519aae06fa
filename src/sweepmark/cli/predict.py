"""``sweepmark predict``: predict new rows with the model of a run."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from sweepmark.cli.output import json_only, print_document, print_lines
from sweepmark.cli.parser import path_argument
from sweepmark.errors import ConfigurationError
from sweepmark.terminal import Outlet

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from sweepmark.cli.parser import Parser
    from sweepmark.report.inference import Inference

__all__ = ["define"]

_DESCRIPTION = """\
Labels for new rows from the model that a run kept, as CSV: row (from 0) or id, label, the file's
own label if it has some, and for each class its score and its probability if the model gives any
(of two classes, the positive one's score).

FILE is a table (CSV, packed or not, Parquet, Feather or npz) in the columns of the model's data
set, with or without labels; IDX images, gzipped or not; or a picture (PNG, JPEG, PGM) of one digit,
of any size, dark on light or light on dark, for models of 28 x 28 images.
"""


def define(parser: Parser) -> None:
    """Add the arguments of the verb and its ``handler``, which returns the exit code."""
    parser.description = _DESCRIPTION
    parser.add_argument(
        "run",
        metavar="RUN",
        help="a sweep, SWEEP/TRIAL, MLflow run or `latest`; a beginning will do",
    )
    parser.add_argument("file", metavar="FILE", type=path_argument, help="the rows")
    parser.add_argument(
        "-o", "--output", metavar="PATH", type=path_argument, help="write the CSV into this file"
    )
    parser.add_flag("--json", "one JSON document on standard output")
    parser.add_argument(
        "--show",
        metavar="PATH",
        type=path_argument,
        help="save the picture as the model sees it, a PNG",
    )
    parser.add_argument(
        "--ranking",
        metavar="N",
        type=int,
        help="of two classes, only the N rows with the highest scores and the N with the lowest",
    )
    parser.add_argument(
        "--header",
        choices=["yes", "no"],
        help="whether a CSV file's first line names the columns (default: finds out)",
    )
    parser.add_argument(
        "--id",
        metavar="COLUMN",
        help="a column of the CSV file that names the rows: the first of the output",
    )
    parser.add_list("--trust", "PACKAGE", "also load models that hold classes of this package")
    parser.set_defaults(handler=_predict)


def _predict(args: argparse.Namespace) -> int:
    from sweepmark.data.export import write_whole
    from sweepmark.report.inference import predict_file, select_extremes
    from sweepmark.report.predicted import inference_csv, inference_document
    from sweepmark.report.runs import find_run
    from sweepmark.store import Store

    args.only_prints = args.output is None and args.show is None
    _check_places(args)
    if args.ranking is not None and args.ranking < 1:
        raise ConfigurationError(
            f"--ranking must be a number of rows >= 1, but got {args.ranking}."
        )
    with json_only(args.json):
        run = find_run(args.run, Store(args.store))
        header = None if args.header is None else args.header == "yes"
        inference = predict_file(
            run, args.file, header=header, id_column=args.id, packages=args.trust
        )
        if args.ranking is not None:
            inference = select_extremes(inference, args.ranking)
        if args.show is not None:
            _save_picture(inference, args.show)
        if args.output is not None:
            text = "".join(inference_csv(inference))
            write_whole(args.output, lambda path: path.write_text(text, encoding="utf-8"))
    _say(inference, args)
    if args.json:
        print_document(inference_document(inference))
    elif args.output is None:
        # Labels are written unchanged to a file and escaped on a terminal.
        drawn = sys.stdout.drawn if isinstance(sys.stdout, Outlet) else sys.stdout
        (sys.stdout if sys.stdout.isatty() else drawn).writelines(inference_csv(inference))
    sys.stdout.flush()
    return 0


def _check_places(args: argparse.Namespace) -> None:
    """Raise if an output would overwrite the input or another output."""
    places = {"FILE": args.file, "--output": args.output, "--show": args.show}
    seen: dict[Path, str] = {}
    for option, path in places.items():
        if path is None:
            continue
        other = seen.setdefault(path.resolve(), option)
        if other != option:
            raise ConfigurationError(
                f"{option} must be another file than {other}, but both are {path}."
            )


def _save_picture(inference: Inference, path: Path) -> None:
    from sweepmark.data.export import write_whole
    from sweepmark.data.gallery import picture_png

    picture = inference.intake.picture
    if picture is None:
        raise ConfigurationError("--show saves the form of a picture, but FILE is none. Leave it.")
    content = picture_png(picture.image)
    write_whole(path, lambda target: target.write_bytes(content))


def _say(inference: Inference, args: argparse.Namespace) -> None:
    lines = [f"model of {inference.run.title}", *inference.intake.notes]
    if inference.accuracy is not None:
        lines.append(
            f"accuracy {inference.accuracy:.4f} ({inference.n_right:,} of "
            f"{len(inference.y_pred):,} rows)"
        )
    lines += [f"wrote {path}" for path in (args.output, args.show) if path is not None]
    print_lines(lines, file=sys.stderr)
