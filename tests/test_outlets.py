"""Standard output and error whose reader is gone, or that are full."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from sweepmark.cli.drawing import Table, draw
from sweepmark.outlets import Outlet, outlets

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import TextIOWrapper
    from pathlib import Path


@pytest.fixture
def full() -> Iterator[TextIOWrapper]:
    with open("/dev/full", "w", encoding="utf-8") as stream:  # noqa: PTH123
        yield stream


@pytest.fixture
def gone() -> Iterator[TextIOWrapper]:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w", encoding="utf-8") as stream:
        yield stream


@pytest.mark.parametrize("drawn", [False, True])
def test_full(full: TextIOWrapper, *, drawn: bool) -> None:
    outlet = Outlet(full)
    target = outlet.drawn if drawn else outlet
    for _ in range(3):
        assert target.write("line\n") == 5
        target.flush()
    assert (outlet.is_full, outlet.is_gone) == (True, False)


def test_gone(gone: TextIOWrapper) -> None:
    outlet = Outlet(gone)
    outlet.write("x" * 100_000)
    outlet.write("more")
    outlet.flush()
    assert (outlet.is_full, outlet.is_gone) == (False, True)


def test_whatever_is_written_is_escaped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "out"
    with path.open("w", encoding="ascii") as file:
        monkeypatch.setattr(sys, "stdout", file)
        with outlets():
            sys.stdout.write("\x1b[2J\udcff é\nnext\n")
    assert path.read_bytes() == b"\\x1b[2J\\udcff \\xe9\nnext\n"


def test_drawn_texts_are_no_markup_and_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "out"
    hostile = "[/x] [red]a\x1b[2J\nb :smile:"
    with path.open("w", encoding="utf-8") as file:
        monkeypatch.setattr(sys, "stdout", file)
        table = Table(title=hostile)
        table.add_column(hostile)
        table.add_row(hostile)
        table.add_row("x" * 10_000)
        draw(table, hostile)
    lines = path.read_text().splitlines()
    shown = r"[/x] [red]a\x1b[2J\nb :smile:"
    assert [line for line in lines if shown in line] == [line for line in lines if "smile" in line]
    assert sum(shown in line for line in lines) == 4
    assert sum(line.count("x" * 99 + "…") for line in lines) == 1
