"""The exceptions of sweepmark, each with the exit code of the command line.

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

Every message states the rule, the value, the options and the next step. A command in it is
complete, with the options that the program was called with, and quoted for a shell. The lines of a
message are separate arguments: a line feed inside an argument comes from foreign text and is
escaped when shown.
"""

from __future__ import annotations

import difflib
import shlex
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = [
    "STORE",
    "ConfigurationError",
    "DataError",
    "FailedError",
    "FetchError",
    "LostError",
    "NotFoundError",
    "OwnedError",
    "StoreError",
    "SweepmarkError",
    "calling",
    "command_line",
    "unknown_name",
]

STORE = "mlruns"
"""The default store, in the current folder."""

_OF_CONFIGURATIONS = {"run", "sweep", "grade", "data"}
"""Verbs with ``--config-dir``."""

_OF_CLASSES = {"run", "sweep", "resume", "predict"}
"""Verbs with ``--trust``."""

_WITHOUT_STORE = {"data", "completion"}
"""Verbs that a store makes no difference to."""


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
    """Return the message for an unknown name, with the closest of the options.

    Examples
    --------
    >>> unknown_name("classifier", "svn", ["knn", "svc"])
    "unknown classifier 'svn'. Did you mean 'svc'? Options: knn, svc."
    """
    known = sorted(options)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return f"unknown {kind} {name!r}.{hint} Options: {', '.join(known) or 'none'}."


@dataclass(frozen=True, slots=True)
class _Options:
    store: Path | None = None
    config_dirs: tuple[str, ...] = ()
    trusted: tuple[str, ...] = ()


_called_with: ContextVar[_Options] = ContextVar("called_with", default=_Options())  # noqa: B039


@contextmanager
def calling(
    *, store: Path, config_dirs: Sequence[str | Path] = (), trusted: Sequence[str] = ()
) -> Iterator[None]:
    """Have every command repeat these options meanwhile.

    Parameters
    ----------
    store : Path
        The folder that keeps everything, absolute.
    config_dirs : sequence of str or Path
        The user's own folders of configurations.
    trusted : sequence of str
        Packages whose classes may be built.
    """
    options = _Options(store, tuple(map(str, config_dirs)), tuple(trusted))
    token = _called_with.set(options)
    try:
        yield
    finally:
        _called_with.reset(token)


def command_line(
    verb: str,
    *words: str,
    store: Path | None = None,
    config_dirs: Sequence[str | Path] = (),
    trusted: Sequence[str] = (),
) -> str:
    """Return a command line, quoted for a shell.

    Parameters
    ----------
    verb : str
        What it does.
    *words : str
        Its words and options.
    store : Path, optional
        Where it works; by default where this program does.
    config_dirs, trusted : sequence
        What it needs beside the options that this program was called with.

    Examples
    --------
    >>> command_line("ui", store=Path("/my runs"))
    "sweepmark ui --store '/my runs'"
    >>> with calling(store=Path("/runs"), config_dirs=["/mine"], trusted=["lightgbm"]):
    ...     command_line("sweep", "forest_size")
    'sweepmark sweep --store /runs forest_size --config-dir /mine --trust lightgbm'
    """
    called = _called_with.get()
    place = store or called.store
    is_usual = place is None or place == Path(STORE).absolute() or verb in _WITHOUT_STORE
    options = [] if is_usual else ["--store", str(place)]
    own = []
    if verb in _OF_CONFIGURATIONS:
        folders = dict.fromkeys(map(_absolute, (*config_dirs, *called.config_dirs)))
        own += [word for folder in folders for word in ("--config-dir", folder)]
    if verb in _OF_CLASSES:
        packages = dict.fromkeys((*trusted, *called.trusted))
        own += [word for package in packages for word in ("--trust", package)]
    return shlex.join(["sweepmark", verb, *options, *words, *own])


def _absolute(folder: str | Path) -> str:
    return str(Path(folder).expanduser().absolute())
