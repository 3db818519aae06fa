"""Options of launching a sweep that are not part of its configuration."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["LaunchOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchOptions:
    """Options of launching a sweep, given on the command line.

    Attributes
    ----------
    trusted : tuple of str
        Packages whose classes may be named in addition to the default ones.
    fresh : bool
        Whether evaluations of other sweeps are computed again instead of reused.
    retry_failed : bool
        Whether failed trials are retried.
    accept_versions : bool
        Whether a sweep started with other library versions is started anew with the current ones.
    yes : bool
        Whether a sweep is started however long it may take.
    """

    trusted: tuple[str, ...] = ()
    fresh: bool = False
    retry_failed: bool = False
    accept_versions: bool = False
    yes: bool = False
