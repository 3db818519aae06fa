r"""Text that is not ours, as it may be shown: nothing in it moves a cursor or hides.

A label, an exception's text, a file's name or a line of YAML can hold what a terminal obeys
(https://www.unicode.org/reports/tr36/ and https://trojansource.codes list it). It is shown as
the escape that Python would write, such as ``\x1b``.
"""

from __future__ import annotations

import re
import unicodedata

__all__ = ["cut", "escape", "redact"]

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
