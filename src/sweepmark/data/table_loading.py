"""Loading tables: a user's own files, parsed once, and published ones."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sweepmark.config.places import given_path
from sweepmark.data import entry
from sweepmark.data.columns import widen
from sweepmark.data.identifiers import find_identifiers
from sweepmark.data.index import files_key, load_indexed
from sweepmark.data.table import ParsedTable, check_label_range, read_table
from sweepmark.data.table_entry import table_digest, write_tables
from sweepmark.data.table_formats import FORMATS
from sweepmark.errors import ConfigurationError, DataError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from sweepmark.config.schema import DatasetConfig
    from sweepmark.data.dataset import Dataset

__all__ = ["check_image_shape", "load_tables", "write_table_entry"]

_SHOWN = 3  # columns that a line lists


def load_tables(config: DatasetConfig, say: Callable[[str], None]) -> Dataset:
    """Return the data set in the file ``config.path`` and, if given, ``config.test_path``.

    The decoded copy is reused as long as no file's path, size or time of change differs, nor the
    configuration of reading it.
    """
    paths = _paths(config)
    source = ", ".join(map(str, paths.values()))

    def decode(_: Path, finished: Path) -> str:
        return write_table_entry(paths, finished, config, source=source, say=say)

    written = [config.separator, config.decimal, config.encoding]
    dataset = load_indexed(
        files_key(paths, table_digest({}, config), config.n_classes, written),
        decode,
        on_wait=lambda: say(f"{paths['train_table']}: another process is reading it; waiting"),
        say=lambda line: say(f"{config.name}: {line}"),
    )
    return replace(dataset, name=config.name, source=source)


def write_table_entry(
    paths: Mapping[str, Path],
    folder: Path,
    config: DatasetConfig,
    *,
    source: str,
    say: Callable[[str], None],
) -> str:
    """Decode files into the empty folder of an entry.

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
        table = read_table(path, config, train=tables.get("train_table"))
        check_label_range(table, config.n_classes)
        say(f"{config.name}: {path}: {_taken_for(table)}")
        tables[role] = table
    train = tables["train_table"]
    image_shape = config.image_shape or train.file.image_shape
    check_image_shape(image_shape, len(train.features))
    _check_agreement(paths, tables)
    digests = {role: table.file.digest() for role, table in tables.items()}
    settings = {role: table.file.settings for role, table in tables.items()}
    is_named = train.file.is_named
    meta = {
        "layout": entry.LAYOUT,
        "name": config.name,
        "source": source,
        "digest": table_digest(digests, config, settings),
        "files": digests,
        "image_shape": image_shape,
        "feature_names": train.feature_names if is_named else None,
        "label_column": train.file.names[train.label] if is_named else None,
        "label_names": train.label_names,
        "identifiers": find_identifiers(train.X, train.feature_names),
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
            f"{config.name} is a file of your own, but no path is given. Set dataset.path=FILE"
        )
    paths = {}
    for role, key in {"train_table": "path", "test_table": "test_path"}.items():
        if given := getattr(config, key):
            path = given_path(given, what=f"dataset.{key}").absolute()
            if not path.is_file():
                raise NotFoundError(f"dataset.{key} must be a file, {FORMATS}, but {path} is none")
            paths[role] = path
    return paths


def _taken_for(table: ParsedTable) -> str:
    """Return what was found out about a file, in one line."""
    file, names = table.file, table.file.names
    head = f"header {', '.join(names[:_SHOWN])}{', …' if len(names) > _SHOWN else ''}"
    if file.has_own_labels:
        text = f"{len(table.y):,} rows; {len(table.features)} features"
    else:
        text = (
            f"{len(table.y):,} rows, {head if file.is_named else 'no header'}; "
            f"label in {names[table.label]}, {len(table.features)} features"
        )
    found = list(file.findings)
    if table.index:
        left_out = ", ".join(names[place] for place in table.index)
        found.append(f"{left_out} left out: it numbers the rows")
    nameless = [names[place] for place in file.unnamed if place not in table.index]
    if nameless:
        more = ", …" if len(nameless) > _SHOWN else ""
        found.append(f"without a name, and so called {', '.join(nameless[:_SHOWN])}{more}")
    return "; ".join([text, *found])


def check_image_shape(image_shape: Sequence[int] | None, n_features: int) -> None:
    """Raise if the images in the rows of a table do not have as many pixels as there are features.

    Raises
    ------
    ConfigurationError
        If they do not.
    """
    if image_shape is None:
        return
    height, width = image_shape
    if height * width != n_features:
        raise ConfigurationError(
            f"dataset.image_shape must have as many pixels as there are features, but "
            f"{height} x {width} is not {n_features}."
        )


def _check_agreement(paths: Mapping[str, Path], tables: Mapping[str, ParsedTable]) -> None:
    if "test_table" not in tables:
        return
    train, test = tables["train_table"], tables["test_table"]
    if (train.label_names is None) != (test.label_names is None):
        raise DataError(
            f"training and test labels must both be numbers or both text, but only those of "
            f"{paths['test_table']} are text"
        )
    if len(train.features) != len(test.features):
        raise DataError(
            f"training and test rows must have the same columns, but {paths['train_table']} has "
            f"{len(train.features)} features and {paths['test_table']} has {len(test.features)}"
        )
    if not (train.file.is_named and test.file.is_named):
        return
    columns = [
        (train.file.names[train.label], test.file.names[test.label]),
        *zip(train.feature_names, test.feature_names, strict=True),
    ]
    for one, other in columns:
        if one != other:
            raise DataError(
                f"training and test rows must have the same columns in the same order, but "
                f"{paths['train_table']} has {one!r} where {paths['test_table']} has {other!r}"
            )
