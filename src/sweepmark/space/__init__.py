"""The Space a sweep searches: choices, ranges, and options that open parameters of their own.

A parameter is named by its place in the configuration, ``classifier.C``; below an option by that
option too, ``classifier.svc.C``, because another option may have a parameter of the same name.
"""

from __future__ import annotations

from sweepmark.space.axes import Axis, Choice, Options, Params, Range, Space
from sweepmark.space.reading import Defaults, KindsAt, option_name, parse_space

__all__ = [
    "Axis",
    "Choice",
    "Defaults",
    "KindsAt",
    "Options",
    "Params",
    "Range",
    "Space",
    "option_name",
    "parse_space",
]
