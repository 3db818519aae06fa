"""The Options of a sweep: what the command line says besides the configuration."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["LaunchOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchOptions:
    """What the command line says besides the configuration.

    Attributes
    ----------
    trusted : tuple of str
        Packages whose classes may be named besides ours.
    fresh : bool
        Whether evaluations that other sweeps computed are computed again.
    retry_failed : bool
        Whether failed trials are tried again.
    accept_versions : bool
        Whether a sweep that other library versions began is begun anew with today's.
    """

    trusted: tuple[str, ...] = ()
    fresh: bool = False
    retry_failed: bool = False
    accept_versions: bool = False
