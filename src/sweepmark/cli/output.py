"""What reaches standard output, and that nothing else does."""

from __future__ import annotations

import json
import os
import shlex
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweepmark.terminal import escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import TextIO

__all__ = ["STORE", "command_line", "json_only", "print_document", "print_lines"]

STORE = "mlruns"
"""The store, in the current folder, that need not be named."""


@contextmanager
def json_only(wanted: bool) -> Iterator[None]:  # noqa: FBT001 -- reads as a sentence
    """Send what anything writes to standard output to standard error, libraries in C too.

    The file descriptor is redirected for those, and ``sys.stdout`` as well: were the other one
    full, ours would not be.
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


def command_line(verb: str, *words: str, store: Path) -> str:
    """Return a command that can be copied into a shell as it stands.

    Examples
    --------
    >>> command_line("ui", store=Path("/my runs"))
    "sweepmark ui --store '/my runs'"
    """
    named = [] if store == Path(STORE).absolute() else ["--store", str(store)]
    return shlex.join(["sweepmark", verb, *named, *words])


def print_document(document: Mapping[str, Any]) -> None:
    """Print one JSON document."""
    text = json.dumps(document, indent=2, allow_nan=False)
    text = text.replace("\x7f", "\\u007f")  # the one control character that json.dumps lets through
    print_lines(text.splitlines())


def print_lines(lines: Iterable[str], *, file: TextIO | None = None) -> None:
    """Print lines to standard output, or another file; whatever they say, each stays one line."""
    for line in lines:
        print(escape(line), file=file)
