"""Standard output: the program's own results and nothing else."""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sweepmark.terminal import escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import TextIO

__all__ = [
    "SIZES",
    "json_only",
    "print_document",
    "print_lines",
    "show_amount",
    "show_size",
    "unit_of",
]

SIZES = ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"))
"""Units of bytes, the largest first."""
_FEW = 10


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
    ('44 KiB', '1.2 MiB')
    """
    size, unit = unit_of(n_bytes, SIZES)
    return f"{show_amount(n_bytes / size)} {unit}"


def unit_of(amount: float, units: Sequence[tuple[float, str]]) -> tuple[float, str]:
    """Return the largest unit that an amount has one of, or the smallest."""
    return next((pair for pair in units if amount >= pair[0]), units[-1])


def show_amount(value: float) -> str:
    """Return two digits of a small number, all of those before the point of a larger one."""
    return f"{value:.1f}".removesuffix(".0") if value < _FEW else f"{value:,.0f}"


def print_document(document: Mapping[str, Any]) -> None:
    """Print one JSON document."""
    text = json.dumps(document, indent=2, allow_nan=False)
    text = text.replace("\x7f", "\\u007f")  # json.dumps does not escape it
    print_lines(text.splitlines())


def print_lines(lines: Iterable[str], *, file: TextIO | None = None) -> None:
    """Print lines to standard output or another file; line feeds inside a line are escaped."""
    for line in lines:
        print(escape(line), file=file)
