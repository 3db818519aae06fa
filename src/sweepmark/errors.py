"""The exceptions of sweepmark, each with the exit code of the command line; paths that are refused.

::

    SweepmarkError
    ├── ConfigurationError  (ValueError)   2  a key, value, name or combination is wrong
    ├── DataError           (ValueError)   2  a file's content is not what it should be
    │   └── FetchError                     2  no source delivered a data set
    ├── NotFoundError       (LookupError)  2  no such sweep, run, data set or file
    ├── FailedError         (RuntimeError) 1  an evaluation failed
    └── StoreError          (OSError)      3  the environment stopped us; resumable
        ├── LostError                      3  an evaluation is missing or damaged
        └── OwnedError                     3  another process owns the sweep

Every message states the rule, the value, the options and the next step. The lines of a message are
separate arguments: a line feed inside an argument comes from foreign text and is escaped when
shown.
"""

from __future__ import annotations

import difflib
import errno
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "ConfigurationError",
    "DataError",
    "FailedError",
    "FetchError",
    "LostError",
    "NotFoundError",
    "OwnedError",
    "StoreError",
    "SweepmarkError",
    "refusal",
    "unknown_name",
]

_REFUSALS = frozenset(
    {
        *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ELOOP, errno.ENAMETOOLONG, errno.EIO),
        *(errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE),
    }
)
"""Error numbers that say something of the machine, and never of a mistake in the program."""
_MOST_SHOWN = 100  # options in a message; a table can have many columns


class SweepmarkError(Exception):
    """Base class of all errors that sweepmark raises deliberately.

    Parameters
    ----------
    *lines : str
        The message, line by line.

    Attributes
    ----------
    exit_code : int
        The exit code of the command line when this error reaches it.
    """

    exit_code = 70

    def __init__(self, *lines: str) -> None:
        super().__init__(*lines)
        self.args = lines  # an OSError keeps only two of three or more arguments

    def __str__(self) -> str:
        """Return the message unquoted, even if the base is LookupError."""
        return "\n".join(map(str, self.args))


class ConfigurationError(SweepmarkError, ValueError):
    """A key, value, name or combination given by the user is invalid."""

    exit_code = 2


class DataError(SweepmarkError, ValueError):
    """The content of a data file does not match its format or its data set."""

    exit_code = 2


class FetchError(DataError):
    """No source provided the data set."""


class NotFoundError(SweepmarkError, LookupError):
    """A sweep, run, data set or file that was named does not exist."""

    exit_code = 2


class FailedError(SweepmarkError, RuntimeError):
    """An evaluation failed, so that there is no Scorecard; its sweep goes on without it."""

    exit_code = 1


class StoreError(SweepmarkError, OSError):
    """The store or the machine failed; finished work is kept and can be resumed."""

    exit_code = 3


class LostError(StoreError):
    """An evaluation is missing or damaged; it is computed again.

    Parameters
    ----------
    message : str
        What is wrong with the evaluation.
    name : str
        The name of its folder.
    """

    def __init__(self, message: str, *, name: str) -> None:
        super().__init__(message)
        self.name = name


class OwnedError(StoreError):
    """Another process is the coordinator of the sweep."""


def unknown_name(kind: str, name: str, options: Iterable[str]) -> str:
    """Return the message for an unknown name, with the closest of the options and the first 100.

    Examples
    --------
    >>> unknown_name("classifier", "svn", ["knn", "svc"])
    "unknown classifier 'svn'. Did you mean 'svc'? Options: knn, svc."
    """
    known = sorted(options)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    more = f", … ({len(known):,} in all)" if len(known) > _MOST_SHOWN else ""
    shown = ", ".join(known[:_MOST_SHOWN]) or "none"
    return f"unknown {kind} {name!r}.{hint} Options: {shown}{more}."


def refusal(error: BaseException) -> StoreError | None:
    """Return what to tell of a path that the operating system refuses; None of other errors."""
    if not isinstance(error, OSError) or not error.filename or error.errno not in _REFUSALS:
        return None
    return StoreError(
        f"{error.filename}: {error.strerror}. Mend that, or name another place: --store PATH for "
        "the store, SWEEPMARK_CACHE=PATH for the cache of data sets."
    )
