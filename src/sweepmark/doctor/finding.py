"""A Finding: the result of one check, and the command that fixes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Finding", "note", "ok", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check.

    Attributes
    ----------
    state : {"ok", "note", "problem"}
        A note is information, not a problem.
    subject : str
        What was checked.
    message : str
        What was found.
    mend : tuple of str
        The words of the command that fixes it; empty if there is none.
    """

    state: Literal["ok", "note", "problem"]
    subject: str
    message: str
    mend: tuple[str, ...] = ()


def ok(subject: str, message: str) -> Finding:
    """Return the finding that a check passed."""
    return Finding("ok", subject, message)


def note(subject: str, message: str, *mend: str) -> Finding:
    """Return a finding that is information only."""
    return Finding("note", subject, message, mend)


def problem(subject: str, message: str, *mend: str) -> Finding:
    """Return a problem, with the words of the command that fixes it."""
    return Finding("problem", subject, message, mend)
