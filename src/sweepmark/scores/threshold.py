"""Thresholds on the score of the positive class: a number, or a rule that chooses one."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from sweepmark.errors import ConfigurationError, DataError
from sweepmark.scores.ranking import Ranking

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Rule", "choose_threshold", "parse_threshold"]

_RULE = re.compile(r"(precision|recall) *>= *(0|1|[01]?\.\d{1,17}|[01]\.)")


@dataclass(frozen=True, slots=True)
class Rule:
    """A lower bound on precision or recall.

    Attributes
    ----------
    metric : {"precision", "recall"}
        The metric, of the positive class.
    minimum : float
        In (0, 1].
    """

    metric: Literal["precision", "recall"]
    minimum: float

    def __str__(self) -> str:
        """Return the rule as written in a configuration."""
        return f"{self.metric}>={np.format_float_positional(self.minimum, trim='-')}"


def parse_threshold(value: float | str) -> float | Rule:
    """Parse ``evaluation.threshold`` into a number or a rule.

    Raises
    ------
    ConfigurationError
        If it is neither.

    Examples
    --------
    >>> parse_threshold("precision>=0.9")
    Rule(metric='precision', minimum=0.9)
    """
    if isinstance(value, str):
        found = _RULE.fullmatch(value)
        minimum = float(found[2]) if found else math.nan
        if found and 0 < minimum <= 1:
            return Rule("precision" if found[1] == "precision" else "recall", minimum)
    elif math.isfinite(value):
        return float(value)
    raise ConfigurationError(
        "evaluation.threshold must be a number, or a rule precision>=P or recall>=R with a share "
        f"in (0, 1], but got {value!r}. Set 'evaluation.threshold=precision>=0.9' (quoted: a "
        "shell takes > for a redirection)."
    )


def choose_threshold(rule: Rule, is_positive: NDArray[Any], scores: NDArray[Any]) -> float:
    """Return the threshold that a rule chooses among the scores.

    For ``precision>=P`` the lowest threshold that satisfies it, which maximises recall; for
    ``recall>=R`` the highest one, which minimises false positives.

    Parameters
    ----------
    rule : Rule
        The rule that rows with a score of at least the threshold must satisfy.
    is_positive : ndarray of shape (n,), bool
        Whether each row is positive.
    scores : ndarray of shape (n,), float64
        The higher, the more positive.

    Raises
    ------
    DataError
        If no threshold satisfies the rule, or a score is NaN.
    """
    if np.isnan(scores).any():
        raise DataError(f"evaluation.threshold={rule} needs scores, but some are NaN")
    ranking = Ranking.of(is_positive, scores)
    if not ranking.has_both:
        raise DataError(f"evaluation.threshold={rule} needs rows of both classes")
    reached = ranking.precision if rule.metric == "precision" else ranking.recall
    enough = np.flatnonzero(reached >= rule.minimum)
    if not enough.size:
        raise DataError(
            f"no threshold reaches evaluation.threshold={rule}: on the cross-validated training "
            f"part the highest {rule.metric} is {reached.max():.4f}. Ask for less."
        )
    place = enough[-1] if rule.metric == "precision" else enough[0]  # thresholds are descending
    return float(ranking.thresholds[place])
