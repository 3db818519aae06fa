"""Tables and lines on standard output by rich, with texts escaped and truncated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich import table
from rich.text import Text

from sweepmark.terminal import console, cut, escape

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["EscapedTable", "draw", "open_console"]

_LONGEST = 100  # characters of a cell
_LONGEST_TITLE = 1000
_WIDE = 160


class EscapedTable(table.Table):
    """A rich table whose cells are plain text, escaped and truncated; markup is not interpreted.

    Parameters
    ----------
    title : str, optional
        The title, above the table on the left.
    longest : int
        Maximum number of characters in a cell.
    **settings : Any
        Keyword arguments of ``rich.table.Table``.
    """

    def __init__(
        self, *, title: str | None = None, longest: int = _LONGEST, **settings: Any
    ) -> None:
        shown = None if title is None else Text(cut(title, _LONGEST_TITLE))
        super().__init__(title=shown, title_justify="left", **settings)
        self._longest = longest

    def add_column(self, header: Any = "", *rest: Any, **settings: Any) -> None:
        """Add a column with a plain-text heading."""
        super().add_column(self._shown(header), *rest, **settings)

    def add_row(self, *cells: Any, **settings: Any) -> None:
        """Add a row of plain-text cells."""
        super().add_row(*map(self._shown, cells), **settings)

    def _shown(self, cell: Any) -> Any:
        if isinstance(cell, str | Text):
            return Text(cut(str(cell), self._longest), overflow="fold")
        return cell


def open_console() -> Console:
    """Return the console of standard output, with a fixed width if that is not a terminal."""
    found = console()
    return found if found.is_terminal else console(width=_WIDE)


def draw(*renderables: Any, on: Console | None = None) -> None:
    """Print tables and lines."""
    target = open_console() if on is None else on
    for renderable in renderables:
        if isinstance(renderable, str):
            target.print(Text(escape(renderable)), soft_wrap=True)
        else:
            target.print(renderable)
