"""What can go wrong, and the exit code each kind of failure ends the program with.

::

    SweepmarkError
    ├── ConfigurationError  (ValueError)   2  a key, value, name or combination is wrong
    ├── DataError           (ValueError)   2  a file's content is not what it should be
    │   └── FetchError                     2  no source delivered a data set
    ├── NotFoundError       (LookupError)  2  no such sweep, run, data set or file
    └── StoreError          (OSError)      3  the environment stopped us; resumable
        ├── LostError                      3  an evaluation is missing or damaged
        └── OwnedError                     3  another process owns the sweep

Every message states the rule, the value, the options and the next step. A message of several
lines is given as several arguments: a line feed inside of one is not ours, and shown as such.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "ConfigurationError",
    "DataError",
    "FetchError",
    "LostError",
    "NotFoundError",
    "OwnedError",
    "StoreError",
    "SweepmarkError",
    "unknown_name",
]


class SweepmarkError(Exception):
    """Base of every error that sweepmark raises on purpose.

    Parameters
    ----------
    *lines : str
        The message, line by line.

    Attributes
    ----------
    exit_code : int
        What the command line exits with when the error reaches it.
    """

    exit_code = 70

    def __init__(self, *lines: str) -> None:
        super().__init__(*lines)
        self.args = lines  # of three or more, an OSError would keep two

    def __str__(self) -> str:
        """Return the message as written, also where a LookupError base would quote it."""
        return "\n".join(map(str, self.args))


class ConfigurationError(SweepmarkError, ValueError):
    """A key, value, name or combination that the user gave is wrong."""

    exit_code = 2


class DataError(SweepmarkError, ValueError):
    """The content of a data file is not what its format or the data set says."""

    exit_code = 2


class FetchError(DataError):
    """No source delivered the data set."""


class NotFoundError(SweepmarkError, LookupError):
    """A sweep, run, data set or file that was named does not exist."""

    exit_code = 2


class StoreError(SweepmarkError, OSError):
    """The store or the machine failed; what is finished is kept and can be resumed."""

    exit_code = 3


class LostError(StoreError):
    """An evaluation is missing or damaged; it is computed again.

    Parameters
    ----------
    message : str
        What is wrong with it.
    name : str
        The name of its folder.
    """

    def __init__(self, message: str, *, name: str) -> None:
        super().__init__(message)
        self.name = name


class OwnedError(StoreError):
    """Another process is the coordinator of the sweep."""


def unknown_name(kind: str, name: str, options: Iterable[str]) -> str:
    """Return the message for a name that is none of the options, with the closest one.

    Examples
    --------
    >>> unknown_name("classifier", "svn", ["knn", "svc"])
    "unknown classifier 'svn'. Did you mean 'svc'? Options: knn, svc."
    """
    known = sorted(options)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return f"unknown {kind} {name!r}.{hint} Options: {', '.join(known) or 'none'}."
