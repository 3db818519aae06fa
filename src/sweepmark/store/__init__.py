"""The store below mlruns/: evaluations and journals; everything else is derived from them."""

from __future__ import annotations

import difflib
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sweepmark.commands import command_line
from sweepmark.errors import ConfigurationError, NotFoundError, StoreError
from sweepmark.files import check_folder, environment_errors
from sweepmark.specification.recipe import foreign_packages
from sweepmark.store.evaluations import EvaluationStore, Origin, Stored
from sweepmark.store.history import History
from sweepmark.store.holdings import Holdings
from sweepmark.store.journal import LARGEST_JOURNAL, Entry, Journal, damaged, read_journal
from sweepmark.store.ownership import is_owned, owned

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sweepmark.scores.requests import Request

__all__ = [
    "LATEST",
    "Entry",
    "EvaluationStore",
    "History",
    "Holdings",
    "Journal",
    "Origin",
    "Store",
    "Stored",
    "damaged",
    "is_owned",
    "owned",
    "read_journal",
]


LATEST = "latest"
"""The name of the last sweep or run of a store."""

_FOLDERS = ("artifacts", "evaluations", "logs", "sweeps")
_DATABASES = ("mlflow.db", "optuna.db")
_PART = 1 << 16


@dataclass(frozen=True, slots=True)
class Store:
    """The folders of one store.

    Parameters
    ----------
    root : Path
        ``mlruns`` in the current folder, or what ``--store`` names; created when first written.
    """

    root: Path

    @property
    def evaluations(self) -> EvaluationStore:
        """The finished evaluations."""
        return self.evaluations_with(())

    def evaluations_with(self, requests: Sequence[Request]) -> EvaluationStore:
        """Return the finished evaluations with metrics that are asked for besides the others."""
        return EvaluationStore(self.root / "evaluations", requests)

    def holdings(
        self, sweep_id: str, history: History, requests: Sequence[Request] = ()
    ) -> Holdings:
        """Return a sweep's evaluations, with metrics that are asked for besides the others."""
        trees = [*history.opened["blueprint"]["trees"].values()] if history.opened else []
        kept = self.evaluations_with(requests)
        return Holdings(sweep_id, kept, history.results, foreign_packages(trees))

    def check(self) -> None:
        """Raise if the store is not writable, without writing anything.

        Raises
        ------
        ConfigurationError
            If it is not a folder, not writable, or cannot be created.
        StoreError
            If a sub-folder is a link or not a folder.
        """
        place = self.root
        while not os.path.lexists(place) and place != place.parent:
            place = place.parent
        if not place.is_dir():
            problem = f"{place} is no folder"
        elif not os.access(place, os.W_OK | os.X_OK):
            problem = f"{place} cannot be written to"
        else:
            self._check_contents()
            return
        raise ConfigurationError(
            f"the store must be a folder that can be written to, but of {self.root}, {problem}. "
            "Name another one: --store PATH."
        )

    def _check_contents(self) -> None:
        """Raise on sub-folders that are links, pipes or devices."""
        for name in _FOLDERS:
            check_folder(self.root / name)
        for name in _DATABASES:
            path = self.root / name
            if os.path.lexists(path) and not _is_file(path):
                command = command_line("doctor", "--rebuild", store=self.root)
                raise StoreError(
                    f"{path} must be a file of its own, but is a link, a pipe or a device. Remove "
                    f"it: `{command}` makes it anew."
                )

    def journal_path(self, sweep_id: str) -> Path:
        """Return the path of a sweep's journal."""
        return self.root / "sweeps" / f"{sweep_id}.jsonl"

    def lock_path(self, sweep_id: str) -> Path:
        """Return the path of a sweep's lock."""
        return self.root / "sweeps" / f"{sweep_id}.lock"

    def sweep_ids(self) -> list[str]:
        """Return the ids of all sweeps and runs, oldest first.

        Sweeps killed before the first line of their journal was complete are left out, and so are
        journals that are not regular files.

        Raises
        ------
        StoreError
            If the store cannot be read, or a sub-folder is a link or not a folder.
        """
        with environment_errors(self.root):
            self._check_contents()
            journals = [*(self.root / "sweeps").glob("*.jsonl")]
            begun = (path.stem for path in journals if _has_line(path))
            return sorted(begun, key=lambda name: name.rsplit("-", 3)[1:])

    def match(self, name: str | None) -> str:
        """Return the only sweep whose id equals or starts with a name.

        Parameters
        ----------
        name : str or None
            None and ``latest`` are the last one.

        Raises
        ------
        NotFoundError
            If there is none, or several.
        """
        ids = self.sweep_ids()
        if name is None or name == LATEST:
            if not ids:
                command = command_line("sweep", "--list", store=self.root)
                raise NotFoundError(
                    f"there is no sweep in {self.root} yet. See which there are: `{command}`."
                )
            return ids[-1]
        if name in ids:
            return name
        found = [item for item in ids if item.startswith(name)]
        if len(found) == 1:
            return found[0]
        if found:
            raise NotFoundError(
                f"{name!r} names {len(found)} sweeps: {', '.join(found[-8:])}. Say which."
            )
        recent = ", ".join(ids[-8:]) or "none"
        named = {each.rsplit("-", 3)[0]: each for each in ids} | {each: each for each in ids}
        close = difflib.get_close_matches(name, named, n=1)
        nearest = f" Did you mean {named[close[0]]}?" if close else ""
        raise NotFoundError(
            f"there is no sweep {name!r} in {self.root}.{nearest} The last ones: {recent}."
        )


def _is_file(path: Path) -> bool:
    """Return whether a path is a regular file and not a link: opening a pipe would block."""
    return stat.S_ISREG(path.lstat().st_mode)


def _has_line(path: Path) -> bool:
    if not _is_file(path):
        return False
    with path.open("rb") as file:
        n_read = 0
        while n_read < LARGEST_JOURNAL and (part := file.read(_PART)):
            if b"\n" in part:
                return True
            n_read += len(part)
    return False
