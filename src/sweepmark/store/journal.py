"""A sweep's journal: every decision and outcome, one JSON line each; the second of the two truths.

The file is only ever appended to, and each line is on the disk before what it says is acted on. A
line that a kill tore is ignored, and cut off before the next one is written.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

from sweepmark.errors import NotFoundError, StoreError
from sweepmark.steps import step
from sweepmark.store.entries import LARGEST_JOURNAL, Entry, problem, read_line
from sweepmark.store.files import environment_errors, write_file

if TYPE_CHECKING:
    from io import FileIO
    from pathlib import Path
    from types import TracebackType

__all__ = ["Entry", "Journal", "read_journal"]


def read_journal(path: Path) -> list[Entry]:
    """Return a journal's entries.

    Raises
    ------
    NotFoundError
        If there is no such journal.
    StoreError
        If it is none: a line that is not the last cannot be read, or says what no journal says.
    """
    return _entries(path)[0]


def _entries(path: Path) -> tuple[list[Entry], int]:
    """Return the whole entries and how many bytes they take."""
    if not path.exists():
        raise NotFoundError(f"there is no sweep {path.stem!r} in {path.parent}.")
    with environment_errors(path):
        if path.is_symlink() or not path.is_file():
            raise _damaged(path, "it is no file of its own")
        if path.stat().st_size > LARGEST_JOURNAL:
            raise _damaged(path, f"it has more than {LARGEST_JOURNAL:,} bytes")
        content = path.read_bytes()
    entries: list[Entry] = []
    length = 0
    lines = content.split(b"\n")[:-1]  # what follows the last line feed was torn
    for number, line in enumerate(lines, start=1):
        try:
            entries.append(read_line(line))
        except ValueError as error:
            raise _damaged(path, f"line {number}: {error}") from None
        length += len(line) + 1
    if reason := problem(entries, path.stem):
        raise _damaged(path, reason)
    return entries, length


def _damaged(path: Path, reason: str) -> StoreError:
    return StoreError(
        f"{path} is no journal of a sweep: {reason}. The file was changed. Put it back from a "
        "copy, or move it away: what was computed is kept and reused by the next sweep."
    )


class Journal:
    """A journal open for appending; a context manager.

    Parameters
    ----------
    path : Path
        ``mlruns/sweeps/<sweep_id>.jsonl``; created with its first entry if it is not there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries: list[Entry] = []
        self._file: FileIO | None = None
        self._length = 0
        with environment_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.exists():
                self.entries, self._length = _entries(path)
                self._file = path.open("ab", buffering=0)
                self._file.truncate(self._length)

    def append(self, event: str, *, at: float, **details: Any) -> Entry:
        """Add an entry; it is on the disk when this returns."""
        entry: Entry = {"event": event, "at": round(at, 6), **details}
        line = json.dumps(entry, separators=(",", ":"), allow_nan=False).encode() + b"\n"
        step(f"journal.{event}")
        with environment_errors(self.path):
            self._write(line)
        self.entries.append(entry)
        step(f"journal.{event}.done")
        return entry

    def _write(self, line: bytes) -> None:
        """Write a line whole, or nothing of it: the next one must not be glued to its torn half.

        The first comes with the file: there is no journal that says nothing.
        """
        if self._file is None:
            write_file(self.path, line)
            self._file = self.path.open("ab", buffering=0)
            self._length = len(line)
            return
        rest = memoryview(line)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
            os.fsync(self._file.fileno())
        except OSError:
            with suppress(OSError):
                self._file.truncate(self._length)
            raise
        self._length += len(line)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        self.close()
