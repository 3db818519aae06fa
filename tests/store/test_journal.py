"""Journals: what was appended is there, whatever tore the file."""

from __future__ import annotations

import json
import os
import resource
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweepmark.errors import NotFoundError, StoreError
from sweepmark.store import Journal, read_journal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sweepmark.store import Entry

KEY = "0" * 64
OPENED: dict[str, Any] = {
    "sweep_id": "s-1",
    "sweep_key": KEY,
    "fresh": False,
    "versions": {"numpy": "2"},
    "data": {KEY: KEY},
    "git": None,
    "blueprint": {"name": "s", "overrides": [], "config_dirs": [], "trees": {"{}": {"seed": 0}}},
}


def fill(path: Path, n_trials: int = 3) -> list[Entry]:
    with Journal(path) as journal:
        journal.append("opened", at=1.0, **OPENED)
        for number in range(n_trials):
            journal.append("trial", at=2.0, number=number, params={"C": 1.0, "größe": "ü"})
        return journal.entries


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, list[Entry], Path]:
    path = tmp_path_factory.mktemp("sweeps") / "s-1.jsonl"
    entries = fill(path)
    return path.read_bytes(), entries, path


@settings(max_examples=60)
@given(st.data())
def test_any_truncation_leaves_a_readable_prefix_and_appending_goes_on(
    whole: tuple[bytes, list[Entry], Path], data: st.DataObject
) -> None:
    content, entries, path = whole
    length = data.draw(st.integers(0, len(content)))
    path.write_bytes(content[:length])
    n_whole = content[:length].count(b"\n")
    assert read_journal(path) == entries[:n_whole]
    with Journal(path) as journal:
        assert journal.entries == entries[:n_whole]
        if n_whole:
            added = journal.append("trial", at=3.0, number=max(n_whole - 1, 0), params={})
        else:
            added = journal.append("opened", at=3.0, **OPENED)
    assert read_journal(path) == [*entries[:n_whole], added]


def test_there_is_no_journal_before_it_says_something(tmp_path: Path) -> None:
    path = tmp_path / "sweeps" / "s-1.jsonl"
    with Journal(path) as journal:
        assert list(path.parent.iterdir()) == []
        journal.append("opened", at=0.0, **OPENED)
        assert list(path.parent.iterdir()) == [path]


def test_entry_is_on_the_disk_when_append_returns(tmp_path: Path) -> None:
    path = tmp_path / "sweeps" / "s-1.jsonl"
    with Journal(path) as journal:
        entry = journal.append("opened", at=1.23456789, **OPENED)
        assert read_journal(path) == [entry]
        assert json.loads(path.read_text())["at"] == 1.234568


def test_numbers_come_back_with_their_types(tmp_path: Path) -> None:
    params = {"a": 1, "b": 1.0, "c": 1e-300, "d": True, "e": None, "f": [1, 1.0], "g": 2**53 + 1}
    with Journal(tmp_path / "s-1.jsonl") as journal:
        journal.append("opened", at=0.0, **OPENED)
        journal.append("trial", at=0.0, number=0, params=params)
    assert repr(read_journal(tmp_path / "s-1.jsonl")[1]["params"]) == repr(params)


def test_nan_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    path = tmp_path / "s-1.jsonl"
    entries = fill(path)
    with Journal(path) as journal, pytest.raises(ValueError, match="JSON"):
        journal.append("trial", at=0.0, number=3, params={"C": float("nan")})
    assert read_journal(path) == entries


@pytest.mark.parametrize("line", [b"{", b"[]", b"\xff", b"5", b"", b'{"at": 1}'])
def test_line_that_is_no_entry_is_named_unless_it_is_the_torn_last(
    tmp_path: Path, line: bytes
) -> None:
    path = tmp_path / "s-1.jsonl"
    entries = fill(path, n_trials=0)
    with path.open("ab") as file:
        file.write(line)
    assert read_journal(path) == entries
    with path.open("ab") as file:
        file.write(b"\n")
    with pytest.raises(StoreError, match="line 2") as error:
        read_journal(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("change", ["remove", "double", "swap", "from another sweep"])
def test_line_that_is_not_in_its_place_is_refused_with_its_number(
    whole: tuple[bytes, list[Entry], Path], tmp_path: Path, change: str
) -> None:
    lines = whole[0].splitlines(keepends=True)
    warnings = tmp_path / "others" / "s-1.jsonl"
    fill(warnings)
    match change:
        case "remove":
            del lines[2]
        case "double":
            lines.insert(2, lines[1])
        case "swap":
            lines[2], lines[3] = lines[3], lines[2]
        case _:
            with Journal(warnings) as other:
                other.append("warning", at=4.0, kind="x", message="y")
            lines[2] = warnings.read_bytes().splitlines(keepends=True)[4]
    path = tmp_path / "s-1.jsonl"
    path.write_bytes(b"".join(lines))
    with pytest.raises(StoreError, match=r"is no journal of a sweep: line 3: .* Put it back"):
        read_journal(path)
    with pytest.raises(StoreError, match="line 3"):
        Journal(path)


def test_journal_of_another_sweep_is_refused_by_its_name(tmp_path: Path) -> None:
    fill(tmp_path / "s-1.jsonl")
    (tmp_path / "s-1.jsonl").rename(tmp_path / "s-2.jsonl")
    with pytest.raises(StoreError, match="must be of the sweep 's-2'"):
        read_journal(tmp_path / "s-2.jsonl")


def test_each_line_is_flushed_to_the_disk_whole_before_append_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "s-1.jsonl"
    fsync = os.fsync
    flushed: list[tuple[str, int]] = []

    def note(descriptor: int) -> None:
        status = os.fstat(descriptor)
        flushed.append(("folder" if stat.S_ISDIR(status.st_mode) else "file", status.st_size))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    with Journal(path) as journal:
        journal.append("opened", at=1.0, **OPENED)
        assert [kind for kind, _ in flushed] == ["file", "folder"]
        assert flushed[0][1] == path.stat().st_size
        for number in range(2):
            flushed.clear()
            journal.append("trial", at=2.0, number=number, params={})
            assert flushed == [("file", path.stat().st_size)]
    with Journal(path) as journal:
        flushed.clear()
        journal.append("trial", at=3.0, number=2, params={})
        assert flushed == [("file", path.stat().st_size)]


def test_journal_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="there is no sweep 's-1'"):
        read_journal(tmp_path / "s-1.jsonl")


@contextmanager
def disk_full_at(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond a size: the kernel refuses what is above."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_entry_that_does_not_fit_on_the_disk_leaves_the_others_whole(tmp_path: Path) -> None:
    path = tmp_path / "s-1.jsonl"
    entries = fill(path)
    with Journal(path) as journal:
        with disk_full_at(path.stat().st_size + 20), pytest.raises(StoreError, match=r"s-1\.jsonl"):
            journal.append("trial", at=4.0, number=3, params={"C": "x" * 100})
        assert read_journal(path) == journal.entries == entries
        entry = journal.append("trial", at=5.0, number=3, params={})
    assert read_journal(path) == [*entries, entry]


def test_journal_closes_in_order_on_a_full_disk(tmp_path: Path) -> None:
    path = tmp_path / "s-1.jsonl"
    entries = fill(path)
    journal = Journal(path)
    with disk_full_at(path.stat().st_size):
        with pytest.raises(StoreError):
            journal.append("trial", at=4.0, number=3, params={})
        journal.close()
    assert read_journal(path) == entries


def test_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "sweeps").write_text("a file where the folder should be")
    with pytest.raises(StoreError, match="sweeps"):
        Journal(tmp_path / "sweeps" / "s-1.jsonl")
    assert [path.name for path in tmp_path.iterdir()] == ["sweeps"]


def test_a_signal_while_a_line_is_written_leaves_a_whole_chain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line is on the disk, and append did not return: nobody acted on it."""
    path = tmp_path / "s-1.jsonl"
    with Journal(path) as journal:
        journal.append("opened", at=1.0, **OPENED)
        sync = os.fsync

        def stop(descriptor: int) -> None:
            sync(descriptor)
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", stop)
            with pytest.raises(KeyboardInterrupt):
                journal.append("warning", at=2.0, kind="lost", message="")
        journal.append("stop", at=3.0, state="interrupted", why="signal")
    assert [entry["event"] for entry in read_journal(path)] == ["opened", "stop"]


def test_journal_larger_than_half_a_gibibyte_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "s-1.jsonl"
    with path.open("wb") as file:
        file.truncate((1 << 29) + 1)  # no bytes of it are on the disk
    with pytest.raises(StoreError, match=r"has 536,870,913 bytes, more than 536,870,912\."):
        read_journal(path)


def test_instants_are_written_to_the_microsecond(tmp_path: Path) -> None:
    with Journal(tmp_path / "s-1.jsonl") as journal:
        journal.append("opened", at=1.0, **OPENED)
        assert journal.append("warning", at=2.12345678, kind="x", message="")["at"] == 2.123457
    assert read_journal(tmp_path / "s-1.jsonl")[1]["at"] == 2.123457
