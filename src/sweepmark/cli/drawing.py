"""What rich draws: tables and lines on standard output, their texts escaped and cut."""

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
    """rich's table of plain texts: no markup, no control characters, nothing longer than fits.

    Parameters
    ----------
    title : str, optional
        What stands above it, on the left.
    longest : int
        Characters after which a cell is cut.
    **settings : Any
        rich's.
    """

    def __init__(
        self, *, title: str | None = None, longest: int = _LONGEST, **settings: Any
    ) -> None:
        shown = None if title is None else Text(cut(title, _LONGEST_TITLE))
        super().__init__(title=shown, title_justify="left", **settings)
        self._longest = longest

    def add_column(self, header: Any = "", *rest: Any, **settings: Any) -> None:
        """Add a column with a heading of plain text."""
        super().add_column(self._shown(header), *rest, **settings)

    def add_row(self, *cells: Any, **settings: Any) -> None:
        """Add a row of plain texts."""
        super().add_row(*map(self._shown, cells), **settings)

    def _shown(self, cell: Any) -> Any:
        if isinstance(cell, str | Text):
            return Text(cut(str(cell), self._longest), overflow="fold")
        return cell


def open_console() -> Console:
    """Return the console of standard output; a file has no edge at which to cut much off."""
    found = console()
    return found if found.is_terminal else console(width=_WIDE)


def draw(*renderables: Any, on: Console | None = None) -> None:
    """Draw tables and lines."""
    target = open_console() if on is None else on
    for renderable in renderables:
        if isinstance(renderable, str):
            target.print(Text(escape(renderable)), soft_wrap=True)
        else:
            target.print(renderable)
