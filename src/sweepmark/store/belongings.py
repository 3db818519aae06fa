"""What belongs to one sweep alone, and its removal from the store's folders.

An evaluation belongs to every sweep whose journal names its key. Those of one sweep alone are
removed with it; whatever another journal names stays.
"""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sweepmark.failpoints import failpoint
from sweepmark.files import check_folder, environment_errors
from sweepmark.store.history import History
from sweepmark.store.journal import read_journal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sweepmark.store import Store

__all__ = [
    "Belongings",
    "evaluation_folders",
    "find_belongings",
    "metrics_files",
    "remove_evaluations",
    "remove_journal",
    "size",
]

_REMOVED = ".forgotten-"
_EVALUATION = re.compile(rf"(?:\.damaged-|{re.escape(_REMOVED)})?([0-9a-f]{{64}})(?:[.\-].*)?")
_METRICS = re.compile(r"([0-9a-f]{64})(?:[.\-].*)?\.json")


@dataclass(frozen=True, slots=True)
class Belongings:
    """The evaluations of a sweep.

    Attributes
    ----------
    own : frozenset of str
        The keys of those that no other sweep uses.
    shared : frozenset of str
        The keys of those that another sweep uses too.
    """

    own: frozenset[str]
    shared: frozenset[str]


def find_belongings(store: Store, sweep_id: str) -> Belongings:
    """Return the evaluations of a sweep, by what all journals of a store say.

    Raises
    ------
    StoreError
        If a journal is damaged: nobody knows what that sweep uses.
    """
    keys = _keys(store, sweep_id)
    others: set[str] = set()
    for other in store.sweep_ids():
        others |= _keys(store, other) if other != sweep_id else set()
    return Belongings(frozenset(keys - others), frozenset(keys & others))


def _keys(store: Store, sweep_id: str) -> set[str]:
    history = History.of(read_journal(store.journal_path(sweep_id)))
    asked = (key for outcome in history.outcomes.values() for key in outcome["keys"])
    return {*history.results, *asked}


def size(paths: Iterator[Path] | list[Path]) -> int:
    """Return the bytes of files, and of all files in folders; links are not followed."""
    total = 0
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            total += size([*path.iterdir()])
        elif os.path.lexists(path):
            total += path.lstat().st_size
    return total


def evaluation_folders(store: Store, keys: frozenset[str]) -> list[Path]:
    """Return the folders of all versions of some evaluations, damaged ones too."""
    return _named(store.root / "evaluations", _EVALUATION, keys)


def metrics_files(store: Store, keys: frozenset[str]) -> list[Path]:
    """Return the files with the metrics of some evaluations."""
    return _named(store.root / "metrics", _METRICS, keys)


def _named(folder: Path, pattern: re.Pattern[str], keys: frozenset[str]) -> list[Path]:
    with environment_errors(folder):
        check_folder(folder)
        if not folder.exists():
            return []
        found = ((path, pattern.fullmatch(path.name)) for path in folder.iterdir())
        return sorted(path for path, match in found if match and match[1] in keys)


def remove_evaluations(store: Store, keys: frozenset[str]) -> None:
    """Remove evaluations and their metrics; a kill leaves each whole or gone.

    Called again with the same keys it removes what a killed call left.

    Raises
    ------
    StoreError
        If the system refuses something.
    """
    for path in metrics_files(store, keys):
        with environment_errors(path):
            path.unlink(missing_ok=True)
    for path in evaluation_folders(store, keys):
        with environment_errors(path):
            removed = path
            if not path.name.startswith(_REMOVED):
                removed = path.with_name(f"{_REMOVED}{path.name.removeprefix('.damaged-')}")
                _remove(removed)
                path.rename(removed)
                failpoint("forget.evaluation")
            _remove(removed)


def remove_journal(store: Store, sweep_id: str) -> None:
    """Remove the journal of a sweep, after which there is no such sweep, and its lock."""
    path = store.journal_path(sweep_id)
    with environment_errors(path):
        path.unlink(missing_ok=True)
        failpoint("forget.journal")
        store.lock_path(sweep_id).unlink(missing_ok=True)


def _remove(path: Path) -> None:
    """Remove a folder, or whatever is at its place; what a link leads to is not touched."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
