"""Commands of this program in advice: complete, and quoted so that a shell takes them as they are.

A room below the command line does not know the options that the program was called with. They are
kept here, so that each command repeats those that its verb takes.
"""

from __future__ import annotations

import shlex
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["STORE", "calling", "command_line"]

STORE = "mlruns"
"""The default store, in the current folder."""

_OF_CONFIGURATIONS = {"run", "sweep", "plan", "grade", "report", "data"}
"""Verbs with ``--config-dir``."""

_OF_CLASSES = {"run", "sweep", "plan", "resume", "predict"}
"""Verbs with ``--trust``."""

_WITHOUT_STORE = {"data", "completion"}
"""Verbs that a store makes no difference to."""


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
