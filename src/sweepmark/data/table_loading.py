"""Loading tables: a user's own CSV files, parsed once, and published ones."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sweepmark.config.places import given_path
from sweepmark.data import entry
from sweepmark.data.csv_columns import widen
from sweepmark.data.index import files_key, load_indexed
from sweepmark.data.table import ParsedTable, check_label_range, read_table
from sweepmark.data.table_entry import file_digest, table_digest, write_tables
from sweepmark.errors import ConfigurationError, DataError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from sweepmark.config.schema import DatasetConfig
    from sweepmark.data.dataset import Dataset

__all__ = ["load_tables", "write_csv_entry"]


def load_tables(config: DatasetConfig, say: Callable[[str], None]) -> Dataset:
    """Return the data set in the CSV file ``config.path`` and, if given, ``config.test_path``.

    The decoded copy is reused as long as no file's path, size or time of change differs, nor the
    configuration of reading it.
    """
    paths = _paths(config)
    source = ", ".join(map(str, paths.values()))

    def decode(_: Path, finished: Path) -> str:
        return write_csv_entry(paths, finished, config, source=source, say=say)

    dataset = load_indexed(
        files_key(paths, table_digest({}, config), config.n_classes),
        decode,
        on_wait=lambda: say(f"{paths['train_table']}: another process is reading it; waiting"),
        say=lambda line: say(f"{config.name}: {line}"),
    )
    return replace(dataset, name=config.name, source=source)


def write_csv_entry(
    paths: Mapping[str, Path],
    folder: Path,
    config: DatasetConfig,
    *,
    source: str,
    say: Callable[[str], None],
) -> str:
    """Decode CSV files into the empty folder of an entry.

    Parameters
    ----------
    paths : mapping of str to Path
        ``train_table`` and optionally ``test_table``.
    folder : Path
        An existing, empty folder.
    config : DatasetConfig
        How they are read.
    source : str
        The source of the files.
    say : callable
        Called with a line on how each file was interpreted.

    Returns
    -------
    str
        The data set's digest.

    Raises
    ------
    DataError
        If a file is invalid, with row and column.
    ConfigurationError
        If the configuration does not fit the files.
    """
    tables: dict[str, ParsedTable] = {}
    for role, path in paths.items():
        names = tables["train_table"].label_names if tables else None
        table = read_table(path, config, label_names=names)
        check_label_range(table, path, config.n_classes)
        say(f"{config.name}: {path}: {_taken_for(table)}")
        tables[role] = table
    train = tables["train_table"]
    _check_shape(config, train)
    _check_agreement(paths, tables)
    digests = {role: file_digest(path) for role, path in paths.items()}
    meta = {
        "layout": entry.LAYOUT,
        "name": config.name,
        "source": source,
        "digest": table_digest(digests, config),
        "files": digests,
        "image_shape": config.image_shape,
        "feature_names": train.feature_names if train.header.is_given else None,
        "label_column": train.header.names[train.label] if train.header.is_given else None,
        "label_names": train.label_names,
    }
    features = widen([table.X for table in tables.values()])
    parts = {
        role.split("_")[0]: (X, table.y)
        for (role, table), X in zip(tables.items(), features, strict=True)
    }
    write_tables(folder, parts, meta)
    return str(meta["digest"])


def _paths(config: DatasetConfig) -> dict[str, Path]:
    if config.path is None:
        raise ConfigurationError(
            f"{config.name} is a file of your own, but no path is given. Set dataset.path=FILE.csv"
        )
    given = {"train_table": config.path, "test_table": config.test_path}
    paths = {
        role: given_path(path, what="dataset.path").absolute()
        for role, path in given.items()
        if path
    }
    for role, path in paths.items():
        if not path.is_file():
            key = "path" if role == "train_table" else "test_path"
            raise NotFoundError(f"dataset.{key} must be a CSV file, but {path} is none")
    return paths


def _taken_for(table: ParsedTable) -> str:
    names = table.header.names
    head = f"header {', '.join(names[:3])}{', …' if len(names) > 3 else ''}"  # noqa: PLR2004
    return (
        f"{len(table.y):,} rows, {head if table.header.is_given else 'no header'}; "
        f"label in {names[table.label]}, {len(names) - 1} features"
    )


def _check_shape(config: DatasetConfig, table: ParsedTable) -> None:
    if config.image_shape is None:
        return
    height, width = config.image_shape
    if height * width != len(table.feature_names):
        raise ConfigurationError(
            f"dataset.image_shape must have as many pixels as there are features, but "
            f"{height} x {width} is not {len(table.feature_names)}."
        )


def _check_agreement(paths: Mapping[str, Path], tables: Mapping[str, ParsedTable]) -> None:
    if "test_table" not in tables:
        return
    train, test = tables["train_table"], tables["test_table"]
    if train.label_names != test.label_names:
        raise DataError(
            f"training and test labels must both be numbers or both text, but only those of "
            f"{paths['test_table']} are text"
        )
    if len(train.header.names) != len(test.header.names):
        raise DataError(
            f"training and test rows must have the same columns, but {paths['train_table']} has "
            f"{len(train.header.names)} and {paths['test_table']} has {len(test.header.names)}"
        )
    for number, (one, other) in enumerate(
        zip(train.header.names, test.header.names, strict=True), start=1
    ):
        if train.header.is_given and test.header.is_given and one != other:
            raise DataError(
                f"training and test rows must have the same columns, but column {number} of "
                f"{paths['train_table']} is {one!r} and that of {paths['test_table']} {other!r}"
            )
