"""Tables and lines on standard output by rich, with texts escaped and truncated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich import box
from rich.cells import cell_len
from rich.measure import Measurement
from rich.table import Column, Table
from rich.text import Text

from sweepmark.terminal import console, cut, escape

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

    from rich.console import Console

__all__ = ["WIDE", "draw", "fitting", "table", "table_width"]

_LONGEST = 100  # characters of a cell
_LONGEST_TITLE = 1000
WIDE = 160
"""Width in characters of what is printed to a file or a pipe."""
_BOUNDLESS = 100_000  # characters, which no table has
_NARROWEST = 6  # characters of a column that is truncated
_LAST = (*"0123456789%",)


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    words: Container[str] | None = None,
    strong: Container[Sequence[str]] = (),
    longest: int = _LONGEST,
    **settings: Any,
) -> Table:
    """Return a rich table whose cells are plain text, escaped and truncated.

    Parameters
    ----------
    columns : sequence of str
        The headings.
    rows : iterable of sequence of str
        A cell for each column.
    words : container of str, optional
        The columns of words, which are on the left; None are those of which no cell ends in a
        digit or a percent sign.
    strong : container of sequence of str
        The rows in bold.
    longest : int
        Maximum number of characters in a cell.
    **settings : Any
        Keyword arguments of ``rich.table.Table``; a title is escaped too.
    """
    usual: dict[str, Any] = {"box": box.SIMPLE_HEAD, "pad_edge": False, "title_justify": "left"}
    if "title" in settings:
        usual["title"] = Text(cut(settings.pop("title"), _LONGEST_TITLE))
    made = Table(**usual | settings)
    listed = list(rows)
    for position, column in enumerate(columns):
        is_number = any(row[position].endswith(_LAST) for row in listed)
        on_left = not is_number if words is None else column in words
        heading = Text(cut(column, longest))
        made.add_column(heading, justify="left" if on_left else "right", overflow="fold")
    for row in listed:
        cells = (Text(cut(cell, longest)) for cell in row)
        made.add_row(*cells, style="bold" if row in strong else None)
    return made


def fitting(tables: Iterable[Table], *, width: int | None) -> Table:
    """Return the first of some tables that fits, or the last one with cells truncated.

    No cell is broken over lines; words are truncated before numbers, the widest column first.

    Parameters
    ----------
    tables : iterable of Table
        From the widest to the narrowest; at least one.
    width : int or None
        The number of characters that there is room for; None takes the first table.
    """
    excess = 0
    for made in tables:
        excess = 0 if width is None else table_width(made) - width
        if excess <= 0:
            break
    for column in sorted(made.columns, key=_dispensable, reverse=True):
        column.no_wrap = True
        if excess > 0:
            longest = _column_width(column)
            column.overflow, column.max_width = "ellipsis", max(longest - excess, _NARROWEST)
            excess -= longest - column.max_width
    return made


def table_width(made: Table) -> int:
    """Return the number of characters that a table takes where nothing is wrapped or truncated."""
    free = console().options.update(max_width=_BOUNDLESS)
    return Measurement.get(console(), free, made).maximum


def _dispensable(column: Column) -> tuple[bool, int]:
    return column.justify == "left", _column_width(column)


def _column_width(column: Column) -> int:
    return max(cell_len(str(text)) for text in (column.header, *column.cells))


def draw(*renderables: Any, on: Console | None = None) -> None:
    """Print tables and lines; where standard output is no terminal, its width is fixed."""
    target = console() if on is None else on
    if on is None and not target.is_terminal:
        target.width = WIDE
    for renderable in renderables:
        if isinstance(renderable, str):
            target.print(Text(escape(renderable)), soft_wrap=True)
        else:
            target.print(renderable)
