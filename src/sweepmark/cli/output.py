"""Standard output: the program's own results and nothing else."""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sweepmark.terminal import escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import TextIO

__all__ = ["json_only", "print_document", "print_lines", "show_size"]


@contextmanager
def json_only(wanted: bool) -> Iterator[None]:  # noqa: FBT001 -- reads as a sentence
    """Redirect standard output to standard error, also for libraries in C.

    For libraries in C the file descriptor is redirected, and ``sys.stdout`` too, so that a failure
    to write to standard error does not count as one of standard output.
    """
    if not wanted:
        yield
        return
    sys.stdout.flush()
    real, stdout = os.dup(1), sys.stdout
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    try:
        yield
    finally:
        sys.stdout = stdout
        os.dup2(real, 1)
        os.close(real)


def show_size(n_bytes: int) -> str:
    """Return a number of bytes as text.

    Examples
    --------
    >>> show_size(45_300), show_size(1_234_567)
    ('45 kB', '1.2 MB')
    """
    kilo, mega = 1_000, 1_000_000
    return f"{n_bytes / mega:,.1f} MB" if n_bytes >= mega else f"{n_bytes / kilo:.0f} kB"


def print_document(document: Mapping[str, Any]) -> None:
    """Print one JSON document."""
    text = json.dumps(document, indent=2, allow_nan=False)
    text = text.replace("\x7f", "\\u007f")  # json.dumps does not escape it
    print_lines(text.splitlines())


def print_lines(lines: Iterable[str], *, file: TextIO | None = None) -> None:
    """Print lines to standard output or another file; line feeds inside a line are escaped."""
    for line in lines:
        print(escape(line), file=file)
