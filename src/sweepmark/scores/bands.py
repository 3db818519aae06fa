"""The bands of a grading rule: their validation, and the band of a metric value."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

from sweepmark.errors import ConfigurationError
from sweepmark.scores.directions import direction
from sweepmark.scores.metrics import PROPORTIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sweepmark.config.schema import GradeConfig

__all__ = ["CONFIDENCE", "NOT_PASSED", "TOLERANCE", "check_bands", "name_band", "reaches"]

CONFIDENCE = 0.95
"""The level of every interval that is shown."""

NOT_PASSED = "not passed"
"""The band below the first."""

TOLERANCE = 1e-12
"""Tolerance below the edge of a band.

By rounding, a mean over folds that is exactly 0.96 can be one bit lower. Shares of n rows lie at
least 1 / (n * 10**digits of the edge) away from an edge, so no other value is affected.
"""


def check_bands(rule: GradeConfig) -> None:
    """Raise if the bands of a rule are invalid.

    Raises
    ------
    ConfigurationError
        If the metric is not better when higher, minima are not ascending, a minimum is not finite
        or, for a share, outside [0, 1], or the ranked zone does not begin in the last band.
    """
    if rule.bands and direction(rule.metric) == "minimize":
        raise ConfigurationError(
            f"bands give points from a minimum on, so that more must be better of `grade.metric`, "
            f"but got {rule.metric} in grade `{rule.name}`, of which less is. "
            "Set grade.metric=accuracy with bands for it."
        )
    minima = [band.minimum for band in rule.bands]
    for low, high in pairwise(minima):
        if not low < high:
            raise ConfigurationError(
                f"bands must ascend by `minimum`, but {high:g} follows {low:g}. "
                f"Order grade.bands of `{rule.name}`, each minimum once."
            )
    edges = [*minima, *(edge for edge in (rule.target, rule.ranked_from) if edge is not None)]
    is_share = rule.metric in PROPORTIONS
    for edge in edges:
        if not math.isfinite(edge) or (is_share and not 0 <= edge <= 1):
            raise ConfigurationError(
                f"edges of grade `{rule.name}` must be {'in [0, 1]' if is_share else 'finite'}, "
                f"but got {edge:g} for `{rule.metric}`. Write 0.96 for 96 %."
            )
    if not all(math.isfinite(each.points) for each in rule.bands):
        raise ConfigurationError(f"points of grade `{rule.name}` must be finite")
    if rule.ranked_from is not None and (not minima or rule.ranked_from < minima[-1]):
        raise ConfigurationError(
            "`ranked_from` must lie in the last band, "
            f"but got {rule.ranked_from:g} with bands from {minima}. Set grade.ranked_from."
        )


def reaches(value: float, edge: float) -> bool:
    """Return whether a value is at least that of an edge, up to rounding.

    Examples
    --------
    >>> reaches(0.1 + 0.2, 0.3), reaches(0.9599, 0.96)
    (True, False)
    """
    return value >= edge - TOLERANCE


def name_band(minima: Sequence[float], position: int, metric: str) -> str:
    """Return the name of a band.

    Parameters
    ----------
    minima : sequence of float
        Lower limits of the bands, ascending.
    position : int
        Number of bands reached.
    metric : str
        The graded metric: a share of rows is written in per cent.

    Examples
    --------
    >>> name_band([0.95, 0.96], 1, "accuracy"), name_band([0.95], 0, "accuracy")
    ('95 % to 96 %', 'not passed')
    """

    def name(edge: float) -> str:
        return f"{100 * edge:g} %" if metric in PROPORTIONS else f"{edge:g}"

    if position == 0:
        return NOT_PASSED
    if position == len(minima):
        return f"{name(minima[-1])} and above"
    return f"{name(minima[position - 1])} to {name(minima[position])}"
