"""A sweep's journal: every decision and outcome, one JSON line each.

The file is append-only, and each line is flushed to disk before it takes effect. An incomplete last
line, left by a kill, is ignored, and removed before the next one is written. Each line's digest
depends on the previous one, so that later modifications are detected.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from sweepmark.errors import DataError, NotFoundError, StoreError
from sweepmark.failpoints import failpoint
from sweepmark.files import check_folder, environment_errors, open_itself, read_regular, write_file
from sweepmark.store.entries import Entry, find_problem, read_entry

if TYPE_CHECKING:
    from io import FileIO
    from pathlib import Path

__all__ = ["LARGEST_JOURNAL", "Entry", "Journal", "damaged", "read_journal", "read_line", "seal"]

LARGEST_JOURNAL = 1 << 29
"""Maximum size in bytes. A trial takes about 1,000, and ten times that in memory when read."""

_SEAL = re.compile(rb'(\{.*),"digest":"([0-9a-f]{64})"\}', re.DOTALL)


def seal(entry: Entry, previous: str) -> tuple[bytes, str]:
    """Return an entry's line, without line feed, and the digest at its end.

    The digest is of the digest of the line before and of the line's own bytes up to there; the
    first line names the sweep. So a changed, removed, inserted or moved line is detected. Bytes are
    hashed, not values: the order of mappings counts, and 1e3 differs from 1000.0.

    Parameters
    ----------
    entry : Entry
        The entry.
    previous : str
        The digest of the previous line; empty for the first.

    Raises
    ------
    ValueError
        If it has values that JSON cannot represent, such as NaN.
    """
    said = json.dumps(entry, separators=(",", ":"), allow_nan=False).encode()[:-1]
    digest = _digest(said, previous)
    return said + f',"digest":"{digest}"}}'.encode(), digest


def _digest(said: bytes, previous: str) -> str:
    return hashlib.sha256(previous.encode() + said).hexdigest()


def read_line(line: bytes, previous: str) -> tuple[Entry, str]:
    """Parse a line into its entry and digest.

    Parameters
    ----------
    line : bytes
        The line without line feed.
    previous : str
        As in :func:`seal`.

    Raises
    ------
    ValueError
        If it is not a valid entry, or its digest does not match.
    """
    found = _SEAL.fullmatch(line)
    if found is None:
        raise ValueError("it does not end with its digest")
    said, digest = found[1], found[2].decode()
    if _digest(said, previous) != digest:
        raise ValueError("it is not what was written there: its digest is another one")
    return read_entry(said + b"}"), digest


def read_journal(path: Path) -> list[Entry]:
    """Return a journal's entries.

    Raises
    ------
    NotFoundError
        If the journal does not exist.
    StoreError
        If it is not a journal, or was modified: a line other than the last cannot be parsed, does
        not match its digest, or is invalid.
    """
    return _read(path).entries


@dataclass(frozen=True, slots=True)
class _Content:
    """The complete entries of a journal, their size in bytes, and the last one's digest."""

    entries: list[Entry]
    length: int
    digest: str


def _read(path: Path) -> _Content:
    with environment_errors(path):
        check_folder(path.parent)
        try:
            content = read_regular(path, limit=LARGEST_JOURNAL)
        except FileNotFoundError:
            raise NotFoundError(f"there is no sweep {path.stem!r} in {path.parent}.") from None
        except DataError as error:
            raise damaged(path, str(error)) from None
    entries: list[Entry] = []
    length, digest = 0, ""
    lines = content.split(b"\n")[:-1]  # text after the last line feed is an incomplete line
    for number, line in enumerate(lines, start=1):
        try:
            entry, digest = read_line(line, digest)
        except ValueError as error:
            raise damaged(path, f"line {number}: {error}") from None
        entries.append(entry)
        length += len(line) + 1
    if reason := find_problem(entries, path.stem):
        raise damaged(path, reason)
    return _Content(entries, length, digest)


def damaged(path: Path, reason: str) -> StoreError:
    """Return the error for an invalid journal, with its reason and a remedy."""
    return StoreError(
        f"{path} is no journal of a sweep: {reason}. The file was changed, or a version wrote it "
        "that this one does not understand. Put it back from a copy, or move it away: what was "
        "computed is kept and reused by the next sweep."
    )


def _open(path: Path) -> FileIO:
    """Open a journal for appending, without following links."""
    return open(path, "ab", buffering=0, opener=open_itself)


class Journal:
    """A journal open for appending; a context manager.

    Parameters
    ----------
    path : Path
        ``mlruns/sweeps/<sweep_id>.jsonl``; created with its first entry if it does not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries: list[Entry] = []
        self._file: FileIO | None = None
        # Size written so far and its last digest, assigned together: a signal may arrive between
        # any two statements.
        self._end: tuple[int, str] = 0, ""
        with environment_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with suppress(NotFoundError):
                content = _read(path)
                self.entries, self._end = content.entries, (content.length, content.digest)
                self._file = _open(path)
                self._file.truncate(content.length)

    def append(self, event: str, *, at: float, **details: Any) -> Entry:
        """Append an entry; it is flushed to disk when this returns."""
        entry: Entry = {"event": event, "at": round(at, 6), **details}
        length, previous = self._end
        line, digest = seal(entry, previous)
        failpoint(f"journal.{event}")
        with environment_errors(self.path):
            self._write(line + b"\n")
        self._end = length + len(line) + 1, digest
        self.entries.append(entry)
        failpoint(f"journal.{event}.done")
        return entry

    def _write(self, line: bytes) -> None:
        """Write a line completely or not at all: the next one must not follow a partial line.

        A signal may have interrupted the previous write before it was recorded as written; that
        line never took effect and is removed. The file is created with its first line, so that no
        journal is empty.
        """
        if self._file is None:
            write_file(self.path, line, written=partial(failpoint, "file.written"))
            self._file = _open(self.path)
            return
        length, _ = self._end
        rest = memoryview(line)
        try:
            if os.fstat(self._file.fileno()).st_size != length:
                self._file.truncate(length)
            while rest:
                rest = rest[self._file.write(rest) :]
            os.fsync(self._file.fileno())
        except OSError:
            with suppress(OSError):
                self._file.truncate(length)
            raise

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close the file."""
        self.close()
