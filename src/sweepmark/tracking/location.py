"""Where a store's MLflow database says that its artifacts are, and what a move of the store does.

MLflow keeps artifact URIs as absolute paths and has no way to change them. So the database of a
store that was moved or copied is set aside with its artifacts, and made anew from evaluations and
journals. The location is also noted in a file, which is read without MLflow.
"""

from __future__ import annotations

import shutil
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import url2pathname

from sweepmark.errors import DataError
from sweepmark.files import check_folder, read_regular, write_whole
from sweepmark.store.database import alone, translated

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "artifacts_folder",
    "folder_of",
    "is_moved",
    "is_within",
    "kept_databases",
    "mlflow_database",
    "note_location",
    "noted_location",
    "set_aside",
]

_NOTE = ".mlflow.db.location"
_UNFINISHED = ".moved"
_KEPT = "moved"
_LONGEST = 1 << 16


def mlflow_database(store: Path) -> Path:
    """Return the path of a store's MLflow database."""
    return store.absolute() / "mlflow.db"


def artifacts_folder(store: Path) -> Path:
    """Return the path of a store's artifacts."""
    return store.absolute() / "artifacts"


def kept_databases(store: Path) -> list[Path]:
    """Return the databases from before the moves of a store."""
    return sorted([*store.glob(f"{_UNFINISHED}/*.db"), *store.glob(f"{_KEPT}-*/*.db")])


def is_within(uri: str | None, folder: Path) -> bool:
    """Return whether a URI is that of a folder or of something in it."""
    is_local = urlsplit(uri or "").scheme == "file"
    return is_local and folder_of(uri).resolve().is_relative_to(folder.resolve())


def folder_of(uri: str | None) -> Path:
    """Return the path that a ``file:`` URI names."""
    return Path(url2pathname(urlsplit(uri or "").path))


def note_location(store: Path, uri: str) -> None:
    """Note where a store's database says that the artifacts are."""
    artifacts = artifacts_folder(store)
    text = artifacts.as_uri() if is_within(uri, artifacts) else uri
    if text != noted_location(store):
        note = store / _NOTE
        with translated(note):
            write_whole(note, lambda path: path.write_text(text, encoding="utf-8"))


def noted_location(store: Path) -> str | None:
    """Return the noted URI; None if there is none."""
    with suppress(OSError, DataError, UnicodeDecodeError):
        return read_regular(store / _NOTE, limit=_LONGEST).decode()
    return None


def is_moved(store: Path) -> bool:
    """Return whether a store was moved or copied since its MLflow database was made.

    Also if a rebuilding after a move was not finished.
    """
    if (store / _UNFINISHED).exists():
        return True
    noted = noted_location(store)
    if noted is None or not mlflow_database(store).exists():
        return False
    return not is_within(noted, artifacts_folder(store))


@contextmanager
def set_aside(store: Path) -> Iterator[Path | None]:
    """Set MLflow's database and artifacts of a moved store aside while they are made anew.

    One process does, others wait for it. A killed one leaves the folder with its first name, so
    that the next one does it again.

    Yields
    ------
    Path or None
        The folder that will keep them afterwards; None if another process has done it meanwhile.
    """
    unfinished = store / _UNFINISHED
    with translated(unfinished), alone(unfinished):
        if not is_moved(store):
            yield None
            return
        check_folder(unfinished)
        unfinished.mkdir(exist_ok=True)
        _empty(store, unfinished)
        number = 1
        while (kept := store / f"{_KEPT}-{number}").exists():
            number += 1
        yield kept
        unfinished.rename(kept)


def _empty(store: Path, unfinished: Path) -> None:
    """Move database and artifacts away, each step so that it can be repeated after a kill."""
    database, artifacts = mlflow_database(store), artifacts_folder(store)
    if is_within(noted_location(store), artifacts):
        return  # done before; what has been made anew since is right
    if (unfinished / database.name).exists():  # made anew, and moved once more
        database.unlink(missing_ok=True)
        shutil.rmtree(artifacts, ignore_errors=True)
    for path in (artifacts, *(database.with_name(f"{database.name}{s}") for s in ("-journal", ""))):
        if path.exists() and not (unfinished / path.name).exists():
            path.rename(unfinished / path.name)
    (store / _NOTE).unlink(missing_ok=True)
