"""Tables and lines on standard output by rich, with texts escaped and truncated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table
from rich.text import Text

from sweepmark.terminal import console, cut, escape

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

    from rich.console import Console

__all__ = ["draw", "table"]

_LONGEST = 100  # characters of a cell
_LONGEST_TITLE = 1000
_WIDE = 160
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
        heading = Text(cut(column, longest), overflow="fold")
        made.add_column(heading, justify="left" if on_left else "right", overflow="fold")
    for row in listed:
        cells = (Text(cut(cell, longest), overflow="fold") for cell in row)
        made.add_row(*cells, style="bold" if row in strong else None)
    return made


def draw(*renderables: Any, on: Console | None = None) -> None:
    """Print tables and lines; where standard output is no terminal, its width is fixed."""
    target = console() if on is None else on
    if on is None and not target.is_terminal:
        target.width = _WIDE
    for renderable in renderables:
        if isinstance(renderable, str):
            target.print(Text(escape(renderable)), soft_wrap=True)
        else:
            target.print(renderable)
