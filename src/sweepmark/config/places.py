"""Paths as users write them."""

from __future__ import annotations

import os
from pathlib import Path

from sweepmark.errors import ConfigurationError

__all__ = ["given_path"]


def given_path(path: str | Path, *, what: str) -> Path:
    """Return a path that a user gave, with ``~`` at its start expanded.

    As in a shell, ``~name`` without a user of that name is a file's own name.

    Parameters
    ----------
    path : str or Path
        What was given.
    what : str
        What it is the value of, for the message.

    Raises
    ------
    ConfigurationError
        If it is empty, which would mean the current folder, or begins with ``~`` and the home
        folder is not known.

    Examples
    --------
    >>> given_path("~nobody-of-this-name/a", what="--store").name
    'a'
    """
    if not os.fspath(path):
        raise ConfigurationError(f"{what} must not be empty, but got ''. Name a path.")
    found = os.path.expanduser(path)  # noqa: PTH111 -- Path raises without such a user
    if Path(found).parts[:1] == ("~",):
        raise ConfigurationError(
            f"{what}: the home folder that ~ stands for in {os.fspath(path)!r} is not known. "
            "Write the path from / on."
        )
    return Path(found)
