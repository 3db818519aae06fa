"""Loading a data set: from the cache, or else from the first available source."""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from sweepmark.data import cache, entry
from sweepmark.errors import ConfigurationError, FetchError, NotFoundError
from sweepmark.terminal import console, escape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from sweepmark.config.schema import DatasetConfig, FileConfig
    from sweepmark.data.dataset import Dataset
    from sweepmark.sources.interface import Source

__all__ = ["fetch_files", "is_cached", "load", "mend", "published_digest"]

_TRAIN = {"train_images", "train_labels"}
_TEST = {"test_images", "test_labels"}
_TRAIN_TABLE = {"train_table"}
_TEST_TABLE = {"test_table"}


def load(config: DatasetConfig, *, report: Callable[[str], None] | None = None) -> Dataset:
    """Return a data set, fetching and decoding it first if it is not in the cache.

    Parameters
    ----------
    config : DatasetConfig
        The data set; with ``path``, the user's own files instead of the published ones.
    report : callable or None
        Called with a line for each attempt and its outcome; None is silent. With it, a progress bar
        is shown if standard error is a terminal.

    Raises
    ------
    FetchError
        If no source is available; with the reason of each, and a remedy.
    DataError
        If the user's own files are invalid.
    NotFoundError
        If some of them are missing.
    ConfigurationError
        If the cache folder cannot be written.
    """
    if config.format == "cache":
        from sweepmark.data.arrays import load_kept

        return load_kept(config)
    say = report or (lambda _: None)
    digest = published_digest(config) if config.path is None else None
    if digest is None:
        return _load_own(config, say)
    with contextlib.suppress(NotFoundError):
        try:
            return _named(entry.open_entry(digest), config)
        except entry.DamagedError as error:
            say(f"{config.name}: {error.what}; it is fetched again")
    with cache.claim(digest, on_wait=lambda: say(_waiting(config))) as work:
        try:
            return _named(entry.open_entry(digest), config)
        except NotFoundError:
            pass
        except entry.DamagedError:
            entry.discard(digest, work)
        _fill(config, work, digest, report)
    return _named(entry.open_entry(digest), config)


def _load_own(config: DatasetConfig, say: Callable[[str], None]) -> Dataset:
    """Load a data set without a published digest, or the user's own files."""
    if config.format == "csv":
        from sweepmark.data.table_kind import load_auto

        return load_auto(config, say)
    if config.format == "openml":
        from sweepmark.data.openml import load_openml

        return load_openml(config, say)
    from sweepmark.data.folder import load_folder

    return load_folder(config, say)


def mend(config: DatasetConfig, *, report: Callable[[str], None] | None = None) -> Dataset:
    """Load a data set and verify all of it; if it is damaged in the cache, fetch it again."""
    dataset = load(config, report=report)
    try:
        entry.verify(dataset)
    except entry.DamagedError as error:
        say = report or (lambda _: None)
        say(f"{config.name}: {error.what}; it is made anew")
        with cache.claim(dataset.digest, on_wait=lambda: None) as work:
            entry.discard(dataset.digest, work)
        dataset = load(config, report=report)
    return dataset


def is_cached(config: DatasetConfig) -> bool:
    """Return whether the published data set is in the cache."""
    digest = published_digest(config)
    return digest is not None and os.path.lexists(cache.entry_folder(digest))


def published_digest(config: DatasetConfig) -> str | None:
    """Return the digest of the published files, computed from the configuration.

    None if there is none: for a user's own files or arrays, and for OpenML.
    """
    if config.format in {"cache", "csv", "openml"} and not config.files:
        return None
    train, test = (_TRAIN_TABLE, _TEST_TABLE) if config.format == "csv" else (_TRAIN, _TEST)
    roles = set(config.files)
    if roles not in (train, train | test):
        raise ConfigurationError(
            f"dataset.files must have the keys {', '.join(sorted(train))} and either both or "
            f"none of {', '.join(sorted(test))}, but got {', '.join(sorted(roles)) or 'none'}"
        )
    digests = {role: file.sha256 for role, file in config.files.items()}
    if config.format == "csv":
        from sweepmark.data.csv_dialect import given_dialect
        from sweepmark.data.table_entry import table_digest

        return table_digest(digests, config, dict.fromkeys(roles, given_dialect(config).settings))
    return entry.dataset_digest(digests)


def fetch_files(
    files: Sequence[FileConfig],
    sources: Sequence[Source],
    folder: Path,
    *,
    name: str,
    report: Callable[[str], None] | None = None,
) -> list[str]:
    """Fetch every file into ``folder``, each from the first source that provides it.

    Returns
    -------
    list of str
        Labels of the sources that were used.

    Raises
    ------
    FetchError
        If no source provides a file.
    """
    from sweepmark.sources.transfer import AbsentError, SourceError, UnreachableError

    say = report or (lambda _: None)
    silent: dict[str, str] = {}
    used: dict[str, None] = {}
    for file in files:
        reasons: dict[str, str] = {}
        for source in sources:
            if source.label in silent:
                reasons[source.label] = silent[source.label]
                continue
            try:
                with _bar(file, shown=report is not None) as advance:
                    source.fetch(file, folder, advance=advance)
            except SourceError as error:
                reasons[source.label] = str(error)
                if isinstance(error, UnreachableError):
                    silent[source.label] = str(error)
                if not isinstance(error, AbsentError):
                    say(f"{name}: {file.name}: {source.label}: {error}")
            else:
                used[source.label] = None
                say(f"{name}: {file.name}: {source.label}: {file.size:,} bytes, SHA-256 matches")
                break
        else:
            raise _nothing_delivered(name, file, reasons)
    return list(used)


def _fill(
    config: DatasetConfig, work: Path, digest: str, report: Callable[[str], None] | None
) -> None:
    """Fetch, decode and publish an entry."""
    from sweepmark.sources import sources_of

    files, finished = work / "files", work / "entry"
    files.mkdir()
    finished.mkdir()
    labels = fetch_files(
        list(config.files.values()), sources_of(config), files, name=config.name, report=report
    )
    paths = {role: files / file.name for role, file in config.files.items()}
    source = ", ".join(labels)
    if config.format == "csv":
        from sweepmark.data.table_loading import write_table_entry

        say = report or (lambda _: None)
        write_table_entry(paths, finished, _as_published(config), source=source, say=say)
    else:
        entry.write_entry(paths, finished, name=config.name, source=source)
    cache.publish(finished, cache.entry_folder(digest))


def _as_published(config: DatasetConfig) -> DatasetConfig:
    """Return how published files are read: nothing is found out, since their digest is known."""
    from sweepmark.data.csv_dialect import given_dialect

    dialect = given_dialect(config)
    return replace(
        config,
        separator=dialect.separator,
        decimal=dialect.decimal,
        encoding=dialect.encoding,
    )


def _named(dataset: Dataset, config: DatasetConfig) -> Dataset:
    """Return a data set with its configured name: equal content may have two names."""
    return replace(dataset, name=config.name)


def _waiting(config: DatasetConfig) -> str:
    return f"{config.name}: another process is fetching it; waiting"


def _nothing_delivered(name: str, file: FileConfig, reasons: dict[str, str]) -> FetchError:
    tried = [f"  {label}: {reason}" for label, reason in reasons.items()]
    return FetchError(
        f"{name}: no source delivered {file.name}. Tried:",
        *(tried or ["  (no source is listed)"]),
        f"Get the files elsewhere and say where they are (dataset.path={_place(file)}), or use "
        "the data that need no download (dataset=digits).",
    )


def _place(file: FileConfig) -> str:
    return "FILE.csv" if file.name.endswith(".csv") else "FOLDER"


@contextlib.contextmanager
def _bar(file: FileConfig, *, shown: bool) -> Iterator[Callable[[int], None]]:
    """Show a progress bar for one file, if standard error is a terminal."""
    if not (shown and sys.stderr.isatty()):
        yield lambda _: None
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = [TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn()]
    with Progress(
        *columns, TransferSpeedColumn(), console=console(stderr=True), transient=True
    ) as progress:
        task = progress.add_task(escape(file.name), total=file.size)
        yield lambda n_bytes: progress.advance(task, n_bytes)
