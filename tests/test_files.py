"""Files of a store: read only where they are files, and on the disk before anybody is told."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from sweepmark.errors import DataError
from sweepmark.store.files import read_regular

if TYPE_CHECKING:
    from pathlib import Path

LIMIT = 1000


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
