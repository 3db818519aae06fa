"""Loading a data set: from the cache, else from the first source that delivers."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from sweepmark.data import cache, entry
from sweepmark.errors import ConfigurationError, DataError, FetchError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from sweepmark.config.schema import DatasetConfig, FileConfig
    from sweepmark.data.dataset import Dataset
    from sweepmark.data.sources import Source

__all__ = ["fetch_files", "is_cached", "load", "mend", "published_digest"]

_TRAIN = {"train_images", "train_labels"}
_TEST = {"test_images", "test_labels"}


def load(config: DatasetConfig, *, report: Callable[[str], None] | None = None) -> Dataset:
    """Return a data set, fetching and decoding it first if the cache does not have it.

    Parameters
    ----------
    config : DatasetConfig
        Which data set; with ``path``, the user's own files instead of the published ones.
    report : callable or None
        Told in a line each what is tried and what comes of it; None is silent. With it, a
        progress bar is drawn where standard error is a terminal.

    Raises
    ------
    FetchError
        If no source delivers: each with its reason, and what to do.
    DataError
        If the user's own files are not what they should be.
    NotFoundError
        If some of them are missing.
    ConfigurationError
        If the cache folder cannot be written.
    """
    say = report or (lambda _: None)
    if config.path is not None:
        from sweepmark.data.folder import load_folder

        return load_folder(config, say)
    digest = published_digest(config)
    with contextlib.suppress(NotFoundError):
        try:
            return _named(entry.open_entry(digest), config)
        except DataError as error:
            say(f"{config.name}: {error}")
    with cache.claim(digest, on_wait=lambda: say(_waiting(config))) as work:
        try:
            return _named(entry.open_entry(digest), config)
        except NotFoundError:
            pass
        except DataError:
            entry.discard(digest, work)
        _fill(config, work, digest, report)
    return _named(entry.open_entry(digest), config)


def mend(config: DatasetConfig, *, report: Callable[[str], None] | None = None) -> Dataset:
    """Load a data set and hash all of it; if a bit has changed in the cache, fetch it again."""
    dataset = load(config, report=report)
    try:
        entry.verify(dataset)
    except DataError as error:
        (report or (lambda _: None))(f"{config.name}: {error}")
        with cache.claim(dataset.digest, on_wait=lambda: None) as work:
            entry.discard(dataset.digest, work)
        dataset = load(config, report=report)
    return dataset


def is_cached(config: DatasetConfig) -> bool:
    """Return whether the published data set is in the cache."""
    return cache.entry_folder(published_digest(config)).is_dir()


def published_digest(config: DatasetConfig) -> str:
    """Return the digest of the published files, which the configuration alone determines."""
    roles = set(config.files)
    if roles not in (_TRAIN, _TRAIN | _TEST):
        raise ConfigurationError(
            f"dataset.files must have the keys {', '.join(sorted(_TRAIN))} and either both or "
            f"none of {', '.join(sorted(_TEST))}, but got {', '.join(sorted(roles)) or 'none'}"
        )
    return entry.dataset_digest({role: file.sha256 for role, file in config.files.items()})


def fetch_files(
    files: Sequence[FileConfig],
    sources: Sequence[Source],
    folder: Path,
    *,
    name: str,
    report: Callable[[str], None] | None = None,
) -> list[str]:
    """Fetch every file into ``folder``, each from the first source that delivers it.

    Returns
    -------
    list of str
        Labels of the sources that delivered anything.

    Raises
    ------
    FetchError
        If a file is to be had from no source.
    """
    from sweepmark.data.transfer import SourceError, UnreachableError

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
    from sweepmark.data.sources import sources_of

    files, finished = work / "files", work / "entry"
    files.mkdir()
    finished.mkdir()
    labels = fetch_files(
        list(config.files.values()), sources_of(config), files, name=config.name, report=report
    )
    paths = {role: files / file.name for role, file in config.files.items()}
    entry.write_entry(paths, finished, name=config.name, source=", ".join(labels))
    cache.publish(finished, cache.entry_folder(digest))


def _named(dataset: Dataset, config: DatasetConfig) -> Dataset:
    """Call a data set what the user calls it: equal content may go by two names."""
    return replace(dataset, name=config.name)


def _waiting(config: DatasetConfig) -> str:
    return f"{config.name}: another process is fetching it; waiting"


def _nothing_delivered(name: str, file: FileConfig, reasons: dict[str, str]) -> FetchError:
    tried = "\n".join(f"  {label}: {reason}" for label, reason in reasons.items())
    return FetchError(
        f"{name}: no source delivered {file.name}. Tried:\n{tried or '  (no source is listed)'}\n"
        "Download the files elsewhere and give their folder (dataset.path=FOLDER), or use the "
        "data that need no download (dataset=digits)."
    )


@contextlib.contextmanager
def _bar(file: FileConfig, *, shown: bool) -> Iterator[Callable[[int], None]]:
    """Draw a progress bar for one file, where somebody is looking."""
    if not (shown and sys.stderr.isatty()):
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = [TextColumn("{task.description}"), BarColumn(), DownloadColumn()]
    with Progress(
        *columns, TransferSpeedColumn(), console=Console(stderr=True), transient=True
    ) as progress:
        task = progress.add_task(file.name, total=file.size)
        yield lambda n_bytes: progress.advance(task, n_bytes)
