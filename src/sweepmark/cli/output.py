"""What reaches standard output, and that nothing else does."""

from __future__ import annotations

import json
import os
import shlex
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import TextIO

__all__ = ["STORE", "command_line", "json_only", "print_document", "print_lines"]

STORE = "mlruns"
"""The store, in the current folder, that need not be named."""


@contextmanager
def json_only(wanted: bool) -> Iterator[TextIO]:  # noqa: FBT001 -- reads as a sentence
    """Send what anything writes to standard output to standard error, libraries in C too.

    The file descriptor is redirected, not ``sys.stdout``; what is yielded writes to the real one.
    """
    if not wanted:
        yield sys.stdout
        return
    sys.stdout.flush()
    real = os.dup(1)
    os.dup2(2, 1)
    try:
        with os.fdopen(os.dup(real), "w", encoding="utf-8") as out:
            yield out
    finally:
        sys.stdout.flush()
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
    print_lines([json.dumps(document, indent=2, allow_nan=False)])


def print_lines(lines: Iterable[str], *, file: TextIO | None = None) -> None:
    """Print lines to standard output, or another file."""
    for line in lines:
        print(line, file=file)
