"""Files of a store: read only where they are files, and on the disk before anybody is told."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from sweepmark.errors import DataError, StoreError
from sweepmark.files import (
    check_folder,
    environment_errors,
    read_regular,
    write_file,
    write_folder,
    write_whole,
)

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT = 1000


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What is flushed to the disk and what is renamed, in order, by the name it has then."""
    made: list[tuple[str, str]] = []
    names: dict[int, str] = {}
    fsync, rename, opened = os.fsync, Path.rename, os.open

    def remember(path: object, *arguments: Any, **settings: Any) -> int:
        descriptor = opened(path, *arguments, **settings)  # type: ignore[arg-type]
        names[os.fstat(descriptor).st_ino] = Path(str(path)).name
        return descriptor

    def flush(descriptor: int) -> None:
        number = os.fstat(descriptor).st_ino
        size = os.fstat(descriptor).st_size
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        made.append(("fsync", names[number] if is_folder else f"{size} bytes"))
        fsync(descriptor)

    def move(path: Path, target: Path) -> Path:
        made.append(("rename", target.name))
        return rename(path, target)

    monkeypatch.setattr(os, "open", remember)
    monkeypatch.setattr(os, "fsync", flush)
    monkeypatch.setattr(Path, "rename", move)
    return made


def test_file_is_on_the_disk_before_it_has_its_name_and_its_name_before_it_returns(
    tmp_path: Path, calls: list[tuple[str, str]]
) -> None:
    write_file(tmp_path / "file", b"12345")
    assert calls == [("fsync", "5 bytes"), ("rename", "file"), ("fsync", tmp_path.name)]
    assert (tmp_path / "file").read_bytes() == b"12345"


def test_folder_is_on_the_disk_before_it_has_its_name_and_its_name_before_it_returns(
    tmp_path: Path, calls: list[tuple[str, str]]
) -> None:
    assert write_folder(tmp_path / "folders" / "folder", {"a": b"1", "b": b"22", "c": b"333"})
    kinds = [(kind, "its own" if name.startswith(".tmp-") else name) for kind, name in calls]
    assert kinds == [
        ("fsync", tmp_path.name),
        ("fsync", "1 bytes"),
        ("fsync", "2 bytes"),
        ("fsync", "3 bytes"),
        ("fsync", "its own"),
        ("rename", "folder"),
        ("fsync", "folders"),
    ]


def test_folder_that_is_there_stays(tmp_path: Path) -> None:
    assert write_folder(tmp_path / "folder", {"a": b"1"})
    assert not write_folder(tmp_path / "folder", {"a": b"2", "b": b"3"})
    assert [(path.name, path.read_bytes()) for path in (tmp_path / "folder").iterdir()] == [
        ("a", b"1")
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


@pytest.mark.parametrize("kind", ["file", "link"])
def test_what_is_no_folder_stays_too(tmp_path: Path, kind: str) -> None:
    target = tmp_path / "folder"
    target.write_text("a file") if kind == "file" else target.symlink_to(tmp_path)
    assert not write_folder(target, {"a": b"1"})
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_cannot_be_written_leaves_nothing_behind(tmp_path: Path, kind: str) -> None:
    (tmp_path / "it").write_text("before")

    def write(path: Path) -> None:
        if kind == "folder":
            path.mkdir()
            path = path / "file"
        path.write_text("half")
        raise OSError("full")

    with pytest.raises(OSError, match="full"):
        write_whole(tmp_path / "it", write)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("it", "before")]


def test_it_is_told_in_between_that_all_is_flushed_and_has_no_name(
    tmp_path: Path, calls: list[tuple[str, str]]
) -> None:
    write_file(tmp_path / "file", b"1", written=lambda: calls.append(("written", "")))
    assert [kind for kind, _ in calls] == ["fsync", "written", "rename", "fsync"]


def test_file_that_need_not_outlive_the_machine_is_not_flushed(
    tmp_path: Path, calls: list[tuple[str, str]]
) -> None:
    assert write_whole(tmp_path / "file", lambda path: path.write_bytes(b"1"))
    assert calls == [("rename", "file")]


@pytest.mark.parametrize("size", [0, 1, LIMIT])
def test_file_is_read_whole_up_to_its_limit(tmp_path: Path, size: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * size)
    assert read_regular(path, limit=LIMIT) == b"x" * size


def test_larger_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(DataError, match=r"file has 1,099,511,627,776 bytes, more than 1,000"):
        read_regular(path, limit=LIMIT)


@pytest.mark.parametrize("kind", ["link", "dangling", "pipe", "folder", "socket", "device"])
def test_what_is_no_file_is_neither_followed_nor_opened(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "it"
    if kind == "link":
        (tmp_path / "other").write_text("secret")
        path.symlink_to(tmp_path / "other")
    elif kind == "dangling":
        path.symlink_to(tmp_path / "nowhere")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "socket":
        monkeypatch.chdir(tmp_path)  # a socket's path is short
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind("it")
    else:
        path = path.parent.joinpath("/dev/zero")
    monkeypatch.setattr(os, "open", None)
    with pytest.raises(DataError, match="is no file of its own"):
        read_regular(path, limit=LIMIT)


def test_link_that_takes_a_files_place_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, other = tmp_path / "it", tmp_path / "other"
    other.write_text("secret")
    as_file = other.lstat()
    path.symlink_to(other)
    monkeypatch.setattr(type(path), "lstat", lambda _: as_file)
    with pytest.raises(OSError, match="symbolic links"):
        read_regular(path, limit=LIMIT)


def test_file_that_is_not_there_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_regular(tmp_path / "nothing", limit=LIMIT)


@pytest.mark.parametrize("seen", [0, 3, 10, 500])
@pytest.mark.parametrize("size", [0, 10, 500, LIMIT, LIMIT + 1, 200_000])
def test_file_that_grows_or_shrinks_meanwhile_is_read_as_it_is_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seen: int, size: int
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * size)
    mode = path.stat().st_mode
    monkeypatch.setattr(os, "fstat", lambda _: SimpleNamespace(st_mode=mode, st_size=seen))
    if size <= LIMIT:
        assert read_regular(path, limit=LIMIT) == b"x" * size
    else:
        with pytest.raises(DataError, match="file has more than 1,000 bytes"):
            read_regular(path, limit=LIMIT)


def test_what_takes_a_files_place_once_it_is_open_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x")
    pipe = SimpleNamespace(st_mode=stat.S_IFIFO, st_size=0)
    monkeypatch.setattr(os, "fstat", lambda _: pipe)
    with pytest.raises(DataError, match="is no file of its own"):
        read_regular(path, limit=LIMIT)


def test_folder_is_one_of_its_own_or_not_there(tmp_path: Path) -> None:
    check_folder(tmp_path)
    check_folder(tmp_path / "nowhere")
    (tmp_path / "link").symlink_to(tmp_path)
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    (tmp_path / "file").write_text("")
    for name, kind in (("link", "a link"), ("dangling", "a link"), ("file", "none")):
        with pytest.raises(StoreError, match=f"{name} must be a folder of its own, but is {kind}"):
            check_folder(tmp_path / name)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(28, "No space left on device"), r"^/a/b: No space left on device\. What is"),
        (OSError(28, "No space left", "/other"), r"^/other: No space left\. What is"),
        (OSError("in words"), r"^/a/b: in words\. What is finished is kept"),
        (StoreError("as it was"), "^as it was$"),
    ],
)
def test_error_of_the_system_is_said_with_its_path(error: Exception, said: str) -> None:
    with pytest.raises(StoreError, match=said), environment_errors(Path("/a/b")):
        raise error
    with pytest.raises(KeyError), environment_errors(Path("/a/b")):
        raise KeyError


def test_nothing_is_left_of_what_could_not_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_file(tmp_path / "file", b"before")
    made: list[Callable[[], object]] = [
        lambda: write_file(tmp_path / "file", b"after"),
        lambda: write_folder(tmp_path / "folder", {"a": b"1"}),
    ]
    flush = os.fsync

    def full(descriptor: int) -> None:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(28, "No space left on device")
        flush(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    for make in made:
        with pytest.raises(OSError, match="No space left on device"):
            make()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"file": b"before"}


def test_folder_that_cannot_be_renamed_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, _: Path) -> Path:
        raise OSError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(PermissionError, match="Permission denied"):
        write_folder(tmp_path / "folder", {"a": b"1"})
    assert list(tmp_path.iterdir()) == []
