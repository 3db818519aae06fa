"""``sweepmark data``: list, fetch, describe, show and export data sets."""

from __future__ import annotations

import argparse
import functools
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweepmark.cli.output import print_document, print_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sweepmark.config.folders import Folders
    from sweepmark.config.schema import DatasetConfig
    from sweepmark.data import Dataset

    Subparsers = argparse._SubParsersAction[Any]  # noqa: SLF001  # no other name
    Shift = tuple[int, int]

__all__ = ["add_parser"]

_WAYS = {"left": (0, -1), "right": (0, 1), "up": (-1, 0), "down": (1, 0)}


def add_parser(subparsers: Subparsers, *parents: argparse.ArgumentParser) -> None:
    """Add the verb ``data`` and its verbs; each sets ``handler``, which returns the exit code.

    Parameters
    ----------
    subparsers : argparse subparsers
        Where the program's verbs are added.
    *parents : ArgumentParser
        Parsers whose options each verb has as well.
    """
    summary = "list, fetch, describe, show and export data sets"
    parser = subparsers.add_parser("data", help=summary, description=_sentence(summary))
    parser.set_defaults(mends=False)
    verbs = parser.add_subparsers(metavar="VERB", title="verbs")

    summary = "the data sets there are, and which are in the cache"
    verb = verbs.add_parser("list", parents=parents, help=summary, description=_sentence(summary))
    _add_config_dir(verb)
    verb.set_defaults(handler=_list)

    add = functools.partial(_add_verb, verbs, parents)
    verb = add("fetch", "download and verify; mend what is damaged in the cache")
    verb.set_defaults(handler=_fetch, only_prints=False)

    verb = add("describe", "counts, label distribution, shape, size, source, SHA-256")
    verb.add_argument("--json", action="store_true", help="one JSON document instead of tables")
    verb.set_defaults(handler=_describe)

    verb = add("show", "draw images in a grid, as PNG with 300 dpi")
    _add_rows(verb, count=100)
    _add_output(verb, "the PNG file")
    verb.add_argument("--labels", action="store_true", help="write its label below each image")
    verb.add_argument(
        "--shift",
        metavar="WAY=PIXELS",
        type=_shift,
        action="append",
        default=[],
        help="also each image moved left, right, up or down, such as left=5; may be given again",
    )
    verb.set_defaults(handler=_show, only_prints=False)

    verb = add("export", "write rows as CSV or as pictures")
    _add_rows(verb, count=None)
    verb.add_argument("--format", choices=["csv", "pgm", "png"], default="csv", help="default: csv")
    _add_output(verb, "the file; for more than one picture, a new folder")
    verb.set_defaults(handler=_export, only_prints=False)


def _add_verb(
    verbs: Subparsers, parents: Sequence[argparse.ArgumentParser], name: str, summary: str
) -> argparse.ArgumentParser:
    """Add a verb that takes the name of a data set."""
    verb: argparse.ArgumentParser = verbs.add_parser(
        name, parents=parents, help=summary, description=_sentence(summary)
    )
    verb.add_argument("name", metavar="NAME", help="a data set of `sweepmark data list`")
    verb.add_argument(
        "overrides",
        metavar="OVERRIDE",
        nargs="*",
        help="such as dataset.path=PATH, a folder with the four IDX files or a CSV file",
    )
    _add_config_dir(verb)
    return verb


def _sentence(summary: str) -> str:
    return f"{summary[0].upper()}{summary[1:]}."


def _add_config_dir(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--config-dir",
        metavar="FOLDER",
        action="append",
        default=[],
        help="a folder of your own configurations; may be given again",
    )


def _add_rows(verb: argparse.ArgumentParser, *, count: int | None) -> None:
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


def _add_output(verb: argparse.ArgumentParser, what: str) -> None:
    verb.add_argument("-o", "--output", metavar="PATH", type=Path, required=True, help=what)


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


def _print(*renderables: Any) -> None:  # anything rich can render
    from sweepmark.cli.drawing import draw

    draw(*renderables)


def _list(args: argparse.Namespace) -> int:
    from rich import box

    from sweepmark.cli.drawing import EscapedTable
    from sweepmark.config import dataset_configs
    from sweepmark.data import is_cached, published_digest

    folders = _folders(args)
    table = EscapedTable(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("name", "in the cache", "description"):
        table.add_column(heading)
    configs = dataset_configs(folders)
    for name, description in folders.groups()["dataset"].items():
        config = configs[name]
        cached = "yes" if is_cached(config) else "no" if published_digest(config) else "-"
        table.add_row(name, cached, description)
    _print(table)
    return 0


def _fetch(args: argparse.Namespace) -> int:
    from sweepmark.data import mend

    dataset = mend(_config(args), report=_say)
    _print(
        f"{dataset.name}: {dataset.n_rows:,} rows from {dataset.source}; "
        "the SHA-256 of every file matches"
    )
    return 0


def _describe(args: argparse.Namespace) -> int:
    from sweepmark.cli.description import tables
    from sweepmark.data import published_digest
    from sweepmark.data.summary import describe

    config = _config(args)
    dataset = _load(args)
    document = describe(dataset, published=published_digest(config))
    if args.json:
        print_document(document)
    else:
        _print(*tables(document))
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
    _print(f"wrote {written}")
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
    _print(f"wrote {written}")
    return 0
