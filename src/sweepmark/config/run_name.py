"""The key ``run``: what a run or sweep is called."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from sweepmark.config.rules import matching

__all__ = ["RunConfig"]

_NAME = re.compile(r"[^\W_](?:[\w\- ]{0,78}[\w\-])?")
_NAME_RULE = (
    "must be a name of 1 to 80 letters, digits, hyphens, underscores and spaces that begins with a "
    "letter or digit"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig:
    """Key ``run``: what a run or sweep is called; no result depends on it.

    Attributes
    ----------
    name : str or None
        Part of the names of its MLflow run and model.
    """

    name: Annotated[str, matching(_NAME, _NAME_RULE)] | None = None
