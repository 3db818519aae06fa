"""Text that is not ours, of which nothing is obeyed; streams that are full or without reader."""

from __future__ import annotations

import os
import sys
import unicodedata
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweepmark.cli.drawing import draw, table
from sweepmark.terminal import Outlet, cut, escape, outlets, redact

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
        draw(table([hostile], [[hostile], ["x" * 10_000]], title=hostile), hostile)
    lines = path.read_text().splitlines()
    shown = r"[/x] [red]a\x1b[2J\nb :smile:"
    assert [line for line in lines if shown in line] == [line for line in lines if "smile" in line]
    assert sum(shown in line for line in lines) == 4
    assert sum(line.count("x" * 99 + "…") for line in lines) == 1


ANY = st.text(st.characters(exclude_categories=()))  # surrogates too
HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J\x1b]0;title\x07", r"\x1b[2J\x1b]0;title\x07"),
        ("a\nerror: b\r\tc", r"a\nerror: b\r\tc"),
        ("\x7f\x9b31m\x85", r"\x7f\x9b31m\x85"),
        (
            "\u2028\u2029\u202e\u2066\u200b\u200d\ufeff",
            r"\u2028\u2029\u202e\u2066\u200b\u200d\ufeff",
        ),
        ("\udcff\U000e0001", r"\udcff\U000e0001"),
        ("Größe 大小 ประเทศ é e\u0301 🙂 →", "Größe 大小 ประเทศ é e\u0301 🙂 →"),
        ("[red]x[/x] :smile:", "[red]x[/x] :smile:"),
        ("a" + "\u0301" * 6, "a" + "\u0301" * 4 + r"\u0301\u0301"),
        (r"C:\new\x1b", r"C:\new\x1b"),
    ],
)
def test_shown(text: str, shown: str) -> None:
    assert escape(text) == shown


def test_a_password_in_an_address_is_not_shown() -> None:
    address = "mirror.urls=[http://me:secret@host:80/a,https://token@other/b?q=a@b] me@home"
    shown = "mirror.urls=[http://***@host:80/a,https://***@other/b?q=a@b] me@home"
    assert redact(address) == escape(address) == shown


@given(ANY)
def test_nothing_is_obeyed_or_hidden(text: str) -> None:
    shown = escape(text)
    assert not [c for c in shown if unicodedata.category(c) in HIDDEN]
    shown.encode()  # a lone surrogate could not be written
    assert "\n" not in shown
    assert len(shown.splitlines()) <= 1


@given(ANY)
def test_what_is_escaped_stays(text: str) -> None:
    assert escape(escape(text)) == escape(text)


@given(ANY, ANY)
def test_different_texts_are_shown_differently(one: str, other: str) -> None:
    """Unless one holds the very escape of the other."""
    if "\\" not in one + other:
        assert (escape(one) == escape(other)) is (one == other)


@given(ANY)
def test_line_feeds_stay_where_lines_are_ours(text: str) -> None:
    assert escape(text, lines=True).split("\n") == [escape(line) for line in text.split("\n")]


@given(ANY, st.integers(1, 50))
def test_cut(text: str, longest: int) -> None:
    shown = cut(text, longest)
    assert len(shown) <= longest
    assert shown == escape(text) or (shown.endswith("…") and escape(text).startswith(shown[:-1]))
