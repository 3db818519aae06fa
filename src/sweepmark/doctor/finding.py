"""A Finding: one thing that was looked at, and what mends it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Finding", "note", "ok", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of one look.

    Attributes
    ----------
    state : {"ok", "note", "problem"}
        A note is worth knowing, and no fault.
    subject : str
        What was looked at.
    message : str
        What was found.
    mend : tuple of str
        The words of the command that mends it; empty if none does.
    """

    state: Literal["ok", "note", "problem"]
    subject: str
    message: str
    mend: tuple[str, ...] = ()


def ok(subject: str, message: str) -> Finding:
    """Return that something is as it should be."""
    return Finding("ok", subject, message)


def note(subject: str, message: str, *mend: str) -> Finding:
    """Return something that is worth knowing."""
    return Finding("note", subject, message, mend)


def problem(subject: str, message: str, *mend: str) -> Finding:
    """Return something that is wrong, with the words of the command that mends it."""
    return Finding("problem", subject, message, mend)
