"""``sweepmark data``: list, fetch, describe, show and export data sets."""

from __future__ import annotations

import argparse
import functools
import sys
from typing import TYPE_CHECKING, Any

from sweepmark.cli.output import print_document, print_lines
from sweepmark.cli.parser import add_verb, path_argument

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sweepmark.cli.parser import Parser, Verbs
    from sweepmark.config.folders import Folders
    from sweepmark.config.schema import DatasetConfig
    from sweepmark.data import Dataset

    Shift = tuple[int, int]

__all__ = ["define"]

_OWN = "a folder of your own configurations; may be given again"
_WAYS = {"left": (0, -1), "right": (0, 1), "up": (-1, 0), "down": (1, 0)}


def define(parser: Parser) -> None:
    """Add the verbs of ``data``, each with its ``handler``, which returns the exit code."""
    parser.set_defaults(mends=False)
    verbs = parser.add_subparsers(metavar="VERB", title="verbs")

    verb = add_verb(verbs, "list", "the data sets there are, and which are in the cache")
    verb.add_list("--config-dir", "FOLDER", _OWN)
    verb.set_defaults(handler=_list)

    verb = _add(verbs, "fetch", "download and verify; mend what is damaged in the cache")
    verb.set_defaults(handler=_fetch, only_prints=False)

    verb = _add(verbs, "describe", "counts, label distribution, shape, size, source, SHA-256")
    verb.add_flag("--json", "one JSON document instead of tables")
    verb.set_defaults(handler=_describe)

    verb = _add(verbs, "show", "draw images in a grid, as PNG with 300 dpi")
    _add_rows(verb, count=100)
    _add_output(verb, "the PNG file")
    verb.add_flag("--labels", "write its label below each image")
    verb.add_argument(
        "--shift",
        metavar="WAY=PIXELS",
        type=_shift,
        action="append",
        default=[],
        help="also each image moved left, right, up or down, such as left=5; may be given again",
    )
    verb.set_defaults(handler=_show, only_prints=False)

    verb = _add(verbs, "export", "write rows as CSV or as pictures")
    _add_rows(verb, count=None)
    verb.add_argument("--format", choices=["csv", "pgm", "png"], default="csv", help="default: csv")
    _add_output(verb, "the file; for more than one picture, a new folder")
    verb.set_defaults(handler=_export, only_prints=False)


def _add(verbs: Verbs, name: str, summary: str) -> Parser:
    """Add a verb that takes the name of a data set."""
    verb = add_verb(verbs, name, summary)
    verb.add_argument("name", metavar="DATASET", help="one of `sweepmark data list`")
    verb.add_argument(
        "overrides",
        metavar="OVERRIDE",
        nargs="*",
        help="such as dataset.path=PATH, a folder with the four IDX files or a table",
    )
    verb.add_list("--config-dir", "FOLDER", _OWN)
    return verb


def _add_rows(verb: Parser, *, count: int | None) -> None:
    verb.add_argument("--split", choices=["train", "test"], default="train", help="default: train")
    default = "" if count is None else f"; default: {count}"
    verb.add_argument(
        "--count",
        metavar="N",
        type=int,
        default=count,
        required=count is None,
        help=f"how many; -1 is all{default}",
    )
    verb.add_argument(
        "--first", metavar="N", type=int, default=0, help="the first row, from 0; default: 0"
    )


def _shift(text: str) -> Shift:
    """Parse a direction and a number of pixels into (down, right)."""
    way, _, pixels = text.partition("=")
    if way not in _WAYS or not pixels.isdecimal():
        raise argparse.ArgumentTypeError(
            f"must be {', '.join(_WAYS)} with a number of pixels, such as left=5, but got {text!r}"
        )
    down, right = _WAYS[way]
    return down * int(pixels), right * int(pixels)


def _add_output(verb: Parser, what: str) -> None:
    verb.add_argument(
        "-o", "--output", metavar="PATH", type=path_argument, required=True, help=what
    )


def _folders(args: argparse.Namespace) -> Folders:
    from sweepmark.config import Folders

    return Folders.of(args.config_dir)


def _config(args: argparse.Namespace) -> DatasetConfig:
    from sweepmark.config import dataset_config

    return dataset_config(args.name, args.overrides, _folders(args))


def _load(args: argparse.Namespace) -> Dataset:
    from sweepmark.data import load

    return load(_config(args), report=_say)


def _say(line: str) -> None:
    print_lines([line], file=sys.stderr)  # progress; results go to standard output


def _list(args: argparse.Namespace) -> int:
    from sweepmark.cli.drawing import draw, table
    from sweepmark.config import dataset_configs
    from sweepmark.data import is_cached, published_digest

    folders = _folders(args)
    configs = dataset_configs(folders)

    def state(name: str) -> str:
        config = configs[name]
        return "yes" if is_cached(config) else "no" if published_digest(config) else "-"

    columns = ("name", "in the cache", "description")
    described = folders.groups()["dataset"].items()
    draw(table(columns, ((name, state(name), text) for name, text in described), words=columns))
    return 0


def _fetch(args: argparse.Namespace) -> int:
    from sweepmark.data import mend

    dataset = mend(_config(args), report=_say)
    rows = f"{dataset.name}: {dataset.n_rows:,} rows from {dataset.source}"
    print_lines([f"{rows}; the SHA-256 of every file matches"])
    return 0


def _describe(args: argparse.Namespace) -> int:
    from sweepmark.cli.description import tables
    from sweepmark.cli.drawing import draw
    from sweepmark.data import published_digest
    from sweepmark.data.summary import describe

    config = _config(args)
    dataset = _load(args)
    document = describe(dataset, published=published_digest(config))
    if args.json:
        print_document(document)
    else:
        draw(*tables(document))
    return 0


def _show(args: argparse.Namespace) -> int:
    from sweepmark.data.export import export_gallery

    written = export_gallery(
        _load(args),
        args.split,
        args.count,
        args.output,
        first=args.first,
        captions=args.labels,
        copies=[functools.partial(_shifted, shift=shift) for shift in args.shift],
    )
    print_lines([f"wrote {written}"])
    return 0


def _shifted(images: NDArray[Any], *, shift: Shift) -> NDArray[Any]:
    from sweepmark.estimators.images import shift_images

    n_images, *shape = images.shape
    down, right = shift
    pixels = images.reshape(n_images, -1)
    return shift_images(pixels, down=down, right=right, image_shape=shape).reshape(images.shape)


def _export(args: argparse.Namespace) -> int:
    from sweepmark.data.export import export

    written = export(
        _load(args), args.split, args.count, args.format, args.output, first=args.first
    )
    print_lines([f"wrote {written}"])
    return 0
