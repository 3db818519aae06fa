r"""What reaches a terminal: text that is not ours made harmless, and streams that never raise.

A label, an exception's text, a file's name or a line of YAML can hold what a terminal obeys
(https://www.unicode.org/reports/tr36/ and https://trojansource.codes list it). It is shown as
the escape that Python would write, such as ``\x1b``.

A reader may go away (``| head -1``), a disk be full, a terminal be hung up. What computes goes on
then, because what it finds is kept in the store; the program's exit code says so at its end.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import re
import sys
import unicodedata
from typing import IO, TYPE_CHECKING, Any, TextIO, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

__all__ = ["Outlet", "console", "cut", "escape", "fill_missing", "outlets", "redact"]

_NAMED = {"\t": r"\t", "\n": r"\n", "\r": r"\r"}
_LINE_FEED = 0x0A
_INVISIBLE = frozenset("\u034f\u115f\u1160\u3164\uffa0")
"""Letters and marks that are drawn as nothing, though Unicode counts them as printable."""
_SPACE = "Zs"
_MARKS = frozenset({"Mn", "Me"})
_MOST_MARKS = 4
"""Marks on one letter; languages need three, and more of them run over the lines around."""
_PLAIN = re.compile(r"[ -~]*")
_USER = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*://)[^/?#\s'\"]*@")
"""User and password of an address (RFC 3986, section 3.2.1)."""
_GONE = frozenset({errno.EPIPE, errno.EIO, errno.ECONNRESET})
"""What the system says when there is no reader any more; EIO of a terminal that was hung up."""
_BYTE, _PLANE = 0x100, 0x10000


def redact(text: str) -> str:
    """Return text without the users and passwords of the addresses in it.

    Examples
    --------
    >>> redact("http://me:secret@host/a and mail@host")
    'http://***@host/a and mail@host'
    """
    return _USER.sub(r"\1***@", text) if "://" in text else text


def escape(text: str, *, lines: bool = False) -> str:
    r"""Return text with every control, format and invisible character as a visible escape.

    Letters of any script, their accents and spaces stay; users and passwords of addresses do not.
    What is escaped already stays as it is, so that a text may pass through here twice.

    Parameters
    ----------
    text : str
        Any, also with lone surrogates, which stand for bytes of a file's name.
    lines : bool
        Whether line feeds stay.

    Examples
    --------
    >>> escape("Größe 大\x1b[2J\n\u202e")
    'Größe 大\\x1b[2J\\n\\u202e'
    """
    text = redact(text)
    if _PLAIN.fullmatch(text):
        return text
    shown = []
    n_marks = 0
    for character in text:
        category = unicodedata.category(character)
        n_marks = n_marks + 1 if category in _MARKS else 0
        is_clear = character.isprintable() or category == _SPACE
        is_clear = is_clear and character not in _INVISIBLE and n_marks <= _MOST_MARKS
        stays = is_clear or (lines and ord(character) == _LINE_FEED)
        shown.append(character if stays else _escaped(character))
    return "".join(shown)


def cut(text: str, longest: int) -> str:
    """Return text escaped, and cut where it is longer than there is room for.

    Examples
    --------
    >>> cut("x" * 10_000, 5)
    'xxxx…'
    """
    shown = escape(text[: longest + 1])  # an escape is longer than what it stands for
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"


def _escaped(character: str) -> str:
    code = ord(character)
    if character in _NAMED:
        return _NAMED[character]
    if code < _BYTE:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < _PLANE else f"\\U{code:08x}"


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
