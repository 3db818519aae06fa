r"""Terminal output: foreign text is escaped, and writing to the streams never raises.

A label, an exception's text, a file name or a line of YAML may contain control characters that a
terminal interprets (see https://www.unicode.org/reports/tr36/ and https://trojansource.codes). They
are shown as Python escapes, such as ``\x1b``.

Output may fail because a pipe is closed (``| head -1``), a disk is full or a terminal is gone.
Computation continues, because results are kept in the store; the exit code reports the failure at
the end.
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
    from collections.abc import Iterable, Iterator

    from rich.console import Console

__all__ = ["Outlet", "console", "cut", "escape", "fill_missing", "outlets", "redact"]

_NAMED = {"\t": r"\t", "\n": r"\n", "\r": r"\r"}
_LINE_FEED = 0x0A
_INVISIBLE = frozenset("\u034f\u115f\u1160\u3164\uffa0")
"""Characters without a visible glyph that Unicode classifies as printable."""
_SPACE = "Zs"
_MARKS = frozenset({"Mn", "Me"})
_MOST_MARKS = 4
"""Maximum number of combining marks on one letter; languages need three, and more overlap other
lines."""
_PLAIN = re.compile(r"[ -~]*")
_USER = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*://)[^/?#\s'\"]*@")
"""User and password in a URL (RFC 3986, section 3.2.1)."""
_GONE = frozenset({errno.EPIPE, errno.EIO, errno.ECONNRESET})
"""Error numbers of a stream without a reader; EIO is that of a terminal that was hung up."""
_BYTE, _PLANE = 0x100, 0x10000


def redact(text: str) -> str:
    """Return text with the user and password of every URL replaced.

    Examples
    --------
    >>> redact("http://me:secret@host/a and mail@host")
    'http://***@host/a and mail@host'
    """
    return _USER.sub(r"\1***@", text) if "://" in text else text


def escape(text: str, *, lines: bool = False) -> str:
    r"""Return text with every control, format and invisible character as a visible escape.

    Letters of any script, accents and spaces are kept; users and passwords of URLs are removed. The
    function is idempotent: text that is escaped already is not changed.

    Parameters
    ----------
    text : str
        Any text, including lone surrogates, which stand for undecodable bytes of a file name.
    lines : bool
        Whether line feeds are kept.

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
    """Return text escaped and truncated to ``longest`` characters.

    Examples
    --------
    >>> cut("x" * 10_000, 5)
    'xxxx…'
    """
    shown = escape(text[: longest + 1])  # an escape is longer than the character
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
        The underlying stream.

    Attributes
    ----------
    fault : OSError or None
        The error after which nothing more is written.
    drawn : TextIO
        The same stream for rich, which passes control characters; rich's texts are escaped
        beforehand.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.fault: OSError | None = None
        self.drawn: TextIO = cast("TextIO", _Drawn(self))
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")

    @property
    def is_gone(self) -> bool:
        """Whether the stream has no reader any more."""
        return self.fault is not None and self.fault.errno in _GONE

    @property
    def is_full(self) -> bool:
        """Whether writing failed for any other reason."""
        return self.fault is not None and not self.is_gone

    def write(self, text: str, /) -> int:
        """Write text escaped; discard it if writing fails."""
        self.pass_on(escape(text, lines=True))
        return len(text)

    def pass_on(self, text: str) -> None:
        """Write text without escaping."""
        if self.fault is None:
            try:
                self._stream.write(text)
            except OSError as fault:
                self._give_up(fault)

    def flush(self) -> None:
        """Flush the stream."""
        if self.fault is None:
            try:
                self._stream.flush()
            except OSError as fault:
                self._give_up(fault)

    def _give_up(self, fault: OSError) -> None:
        self.fault = fault
        with contextlib.suppress(OSError, ValueError, io.UnsupportedOperation):
            # The interpreter would try to write the buffered text again at its end.
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, self._stream.fileno())
            os.close(nothing)

    def fileno(self) -> int:
        """Return the stream's descriptor."""
        return self._stream.fileno()

    def isatty(self) -> bool:
        """Return whether it is a terminal."""
        return self._stream.isatty()

    def writable(self) -> bool:
        """Return True."""
        return True

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The stream's encoding."""
        return self._stream.encoding

    @property
    def buffer(self) -> IO[bytes]:
        """The underlying binary stream."""
        return cast("IO[bytes]", self._stream.buffer)


class _Drawn:
    """An outlet that does not escape control characters."""

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet

    def write(self, text: str, /) -> int:
        self._outlet.pass_on(text)
        return len(text)

    def writelines(self, lines: Iterable[str], /) -> None:
        self._outlet.pass_on("".join(lines))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._outlet, name)


@contextlib.contextmanager
def outlets() -> Iterator[tuple[Outlet, Outlet]]:
    """Replace ``sys.stdout`` and ``sys.stderr`` by outlets."""
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
    """Open standard streams that the shell closed, so that no database gets their number."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)  # the lowest free descriptor: this one
            if opened != descriptor:
                os.dup2(opened, descriptor)
                os.close(opened)
            os.set_inheritable(descriptor, True)  # noqa: FBT003 - has no keyword
    for descriptor, name in ((0, "stdin"), (1, "stdout"), (2, "stderr")):
        if getattr(sys, name) is None:
            mode = "w" if descriptor else "r"
            setattr(sys, name, os.fdopen(descriptor, mode, encoding="utf-8"))


def console(*, stderr: bool = False, **settings: Any) -> Console:
    """Return rich's console on a standard stream; text printed on it must be escaped."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    file = stream.drawn if isinstance(stream, Outlet) else stream
    return Console(file=file, highlight=False, markup=False, **settings)
