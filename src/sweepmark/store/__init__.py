"""What is kept below mlruns/: evaluations and journals are the truth, the rest is made of them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sweepmark.errors import ConfigurationError, NotFoundError
from sweepmark.store.entries import LARGEST_JOURNAL
from sweepmark.store.evaluations import EvaluationStore, Origin
from sweepmark.store.files import environment_errors
from sweepmark.store.history import History
from sweepmark.store.journal import Entry, Journal, read_journal
from sweepmark.store.ownership import owned

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "Entry",
    "EvaluationStore",
    "History",
    "Journal",
    "Origin",
    "Store",
    "environment_errors",
    "owned",
    "read_journal",
]


@dataclass(frozen=True, slots=True)
class Store:
    """The rooms of one store.

    Parameters
    ----------
    root : Path
        ``mlruns`` in the current folder, or what ``--store`` names; created when first written.
    """

    root: Path

    @property
    def evaluations(self) -> EvaluationStore:
        """The finished evaluations."""
        return EvaluationStore(self.root / "evaluations")

    @property
    def logs(self) -> Path:
        """Where tracebacks are kept."""
        return self.root / "logs"

    def check(self) -> None:
        """Refuse a place where nothing can be written; nothing is written to find out.

        Raises
        ------
        ConfigurationError
            If it is no folder, may not be written to, or cannot be made.
        """
        place = self.root
        while not os.path.lexists(place) and place != place.parent:
            place = place.parent
        if not place.is_dir():
            problem = f"{place} is no folder"
        elif not os.access(place, os.W_OK | os.X_OK):
            problem = f"{place} cannot be written to"
        else:
            return
        raise ConfigurationError(
            f"the store must be a folder that can be written to, but of {self.root}, {problem}. "
            "Name another one: --store PATH."
        )

    def journal_path(self, sweep_id: str) -> Path:
        """Return where a sweep's journal is."""
        return self.root / "sweeps" / f"{sweep_id}.jsonl"

    def lock_path(self, sweep_id: str) -> Path:
        """Return where a sweep's lock is."""
        return self.root / "sweeps" / f"{sweep_id}.lock"

    def sweep_ids(self) -> list[str]:
        """Return the sweeps and runs there are, oldest first.

        One that was killed before the first line of its journal was whole is none.
        """
        with environment_errors(self.root):
            journals = [*(self.root / "sweeps").glob("*.jsonl")]
            begun = (path.stem for path in journals if _has_line(path))
            return sorted(begun, key=lambda name: name.rsplit("-", 3)[1:])

    def match(self, name: str | None) -> str:
        """Return the one sweep whose id is, or starts with, a name; the last for None.

        Raises
        ------
        NotFoundError
            If there is none, or several.
        """
        ids = self.sweep_ids()
        if name is None:
            if not ids:
                raise NotFoundError(
                    f"there is no sweep in {self.root} yet. Start one: `sweepmark sweep --list`."
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
        raise NotFoundError(f"there is no sweep {name!r} in {self.root}. The last ones: {recent}.")


def _has_line(path: Path) -> bool:
    if not path.is_file():  # a pipe would keep us waiting
        return False
    with path.open("rb") as file:
        return file.readline(LARGEST_JOURNAL).endswith(b"\n")
