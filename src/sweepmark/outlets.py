"""Standard output and error: what leaves through them is escaped, and their end is no error.

A reader may go away (``| head -1``), a disk be full, a terminal be hung up. What computes goes on
then, because what it finds is kept in the store; the program's exit code says so at its end.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from typing import IO, TYPE_CHECKING, Any, TextIO, cast

from sweepmark.escapes import escape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

__all__ = ["Outlet", "console", "fill_missing", "outlets"]

_GONE = frozenset({errno.EPIPE, errno.EIO, errno.ECONNRESET})
"""What the system says when there is no reader any more; EIO of a terminal that was hung up."""


class Outlet(io.TextIOBase):
    """A standard stream that shows control characters as escapes and never raises.

    Parameters
    ----------
    stream : TextIO
        Where it leads to.

    Attributes
    ----------
    fault : OSError or None
        Why nothing more can be written.
    drawn : TextIO
        The same for rich's drawings, whose control characters pass; their texts are escaped before.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.fault: OSError | None = None
        self.drawn: TextIO = cast("TextIO", _Drawn(self))
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")

    @property
    def is_gone(self) -> bool:
        """Whether its reader went away."""
        return self.fault is not None and self.fault.errno in _GONE

    @property
    def is_full(self) -> bool:
        """Whether nothing could be written for any other reason."""
        return self.fault is not None and not self.is_gone

    def write(self, text: str, /) -> int:
        """Write text; where that is impossible, forget it."""
        self.pass_on(escape(text, lines=True))
        return len(text)

    def pass_on(self, text: str) -> None:
        """Write text as it is."""
        if self.fault is None:
            try:
                self._stream.write(text)
            except OSError as fault:
                self._give_up(fault)

    def flush(self) -> None:
        """Pass on what waits."""
        if self.fault is None:
            try:
                self._stream.flush()
            except OSError as fault:
                self._give_up(fault)

    def _give_up(self, fault: OSError) -> None:
        self.fault = fault
        with contextlib.suppress(OSError, ValueError, io.UnsupportedOperation):
            # What the stream still holds would be tried again when the interpreter ends.
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, self._stream.fileno())
            os.close(nothing)

    def fileno(self) -> int:
        """Return the stream's descriptor."""
        return self._stream.fileno()

    def isatty(self) -> bool:
        """Tell whether it is a terminal."""
        return self._stream.isatty()

    def writable(self) -> bool:
        """Tell that it can be written to."""
        return True

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """How text becomes bytes."""
        return self._stream.encoding

    @property
    def buffer(self) -> IO[bytes]:
        """The bytes below it, for what writes no text."""
        return cast("IO[bytes]", self._stream.buffer)


class _Drawn(io.TextIOBase):
    """An outlet through which control characters pass."""

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet

    def write(self, text: str, /) -> int:
        self._outlet.pass_on(text)
        return len(text)

    def flush(self) -> None:
        self._outlet.flush()

    def fileno(self) -> int:
        return self._outlet.fileno()

    def isatty(self) -> bool:
        return self._outlet.isatty()

    def writable(self) -> bool:
        return True

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._outlet.encoding


@contextlib.contextmanager
def outlets() -> Iterator[tuple[Outlet, Outlet]]:
    """Have ``sys.stdout`` and ``sys.stderr`` be outlets."""
    before = sys.stdout, sys.stderr
    out, err = map(Outlet, before)
    sys.stdout, sys.stderr = cast("TextIO", out), cast("TextIO", err)
    try:
        yield out, err
    finally:
        out.flush()
        err.flush()
        sys.stdout, sys.stderr = before


def fill_missing() -> None:
    """Open what the shell closed (``>&-``), so that no database becomes descriptor 1 or 2."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)  # the lowest that is free: this one
            if opened != descriptor:
                os.dup2(opened, descriptor)
                os.close(opened)
            os.set_inheritable(descriptor, True)  # noqa: FBT003 - has no keyword
    for descriptor, name in ((0, "stdin"), (1, "stdout"), (2, "stderr")):
        if getattr(sys, name) is None:
            mode = "w" if descriptor else "r"
            setattr(sys, name, os.fdopen(descriptor, mode, encoding="utf-8"))


def console(*, stderr: bool = False, **settings: Any) -> Console:
    """Return rich's console on a standard stream; what is printed on it must be escaped."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    file = stream.drawn if isinstance(stream, Outlet) else stream
    return Console(file=file, highlight=False, markup=False, **settings)
