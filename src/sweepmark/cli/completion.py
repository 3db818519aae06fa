"""Completion for bash: verbs and sweep names are ours, groups, options and keys Hydra's.

``eval "$(sweepmark -sc install=bash)"`` switches it on; the script is Hydra's and calls
``sweepmark -sc query=bash`` with the line in COMP_LINE.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sweepmark.cli.output import print_lines
from sweepmark.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["complete"]

_VERBS = ("run", "sweep", "resume", "grade", "ui", "data")
_COMPOSING = ("run", "sweep")
_DATA_VERBS = ("list", "fetch", "describe", "show", "export")


def complete(words: Sequence[str]) -> int:
    """Answer ``install=bash``, ``uninstall=bash`` or ``query=bash``."""
    action, _, shell = (words[0] if words else "").partition("=")
    if shell != "bash" or action not in {"install", "uninstall", "query"}:
        raise ConfigurationError(
            "completion is for bash: -sc install=bash, -sc uninstall=bash or -sc query=bash, "
            f"but got {' '.join(words)!r}."
        )
    if action == "query":
        print_lines(_candidates(os.environ.get("COMP_LINE", "")))
        return 0
    from hydra._internal.core_plugins.bash_completion import BashCompletion

    plugin = BashCompletion(None)  # type: ignore[arg-type]  # (un)installing loads nothing
    (plugin.install if action == "install" else plugin.uninstall)()
    return 0


def _candidates(line: str) -> list[str]:
    """Return what the last word of a line can become."""
    words = line.split(" ")[1:]
    before, last = [word for word in words[:-1] if word], words[-1] if words else ""
    if not before:
        return _starting(_VERBS, last)
    verb = before[0]
    if verb == "data":
        return _data_candidates(before, last)
    if verb not in _COMPOSING:
        return []
    if verb == "sweep" and len(before) == 1:
        from sweepmark.config import Folders

        return _starting(Folders().sweeps(), last)
    return _overrides(before, last)


def _data_candidates(before: Sequence[str], last: str) -> list[str]:
    from sweepmark.config import dataset_names

    if len(before) == 1:
        return _starting(_DATA_VERBS, last)
    return _starting(dataset_names(), last) if len(before) == 2 else []  # noqa: PLR2004


def _overrides(before: Sequence[str], last: str) -> list[str]:
    from sweepmark.config import Composer, Folders

    chosen = [f"sweep={before[1]}"] if before[0] == "sweep" else []
    chosen += [word for word in before[len(chosen) + 1 :] if not word.startswith("-")]
    with Composer(Folders()) as composer:
        found: list[str] = composer.completions([*chosen, last])
        return found


def _starting(options: Iterable[str], prefix: str) -> list[str]:
    return [option for option in options if option.startswith(prefix)]
