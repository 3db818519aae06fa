"""Grades: points for a metric by a rule's bands, their uncertainty, and ranks in the top band."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

from sweepmark.errors import ConfigurationError
from sweepmark.scores.bands import CONFIDENCE, TOLERANCE, check_bands, name_band, reaches
from sweepmark.scores.metrics import OF_POSITIVE, PROPORTIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sweepmark.config.schema import GradeConfig

__all__ = [
    "Entry",
    "Grade",
    "grade",
    "grade_document",
    "grade_lines",
    "rank_entries",
    "wilson_interval",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A metric value to be graded, alone or together with others.

    Attributes
    ----------
    name : str
        Its name in messages.
    value : float
        The rule's metric.
    n : int
        Rows scored.
    test_set : str
        Digest of the rows scored.
    positive : str or None
        What the positive one of two classes is called.
    """

    name: str
    value: float
    n: int
    test_set: str
    positive: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """The grade of a metric value by a rule.

    Attributes
    ----------
    points : int or float
        An int if it is whole.
    band : str
        Such as "95 % to 96 %", or "not passed".
    interval : tuple of float or None
        Wilson interval of the value at level CONFIDENCE; None unless the metric is a share of rows.
    undecided : bool
        Whether the interval contains the edge of a band.
    metric, value, n : str, float, int
        The graded metric, its value and the rows scored.
    target, target_reached : float or None, bool
        The rule's target; ``target_reached`` is False if there is none.
    rank, n_ranked : int or None
        Rank among the entries that reach ``ranked_from``, and their number; None for the others.
    note : str
        A remark; may be empty.
    positive : str or None
        The positive class that the metric refers to; None for a metric of all classes.
    """

    points: float
    band: str
    interval: tuple[float, float] | None
    undecided: bool
    metric: str
    value: float
    n: int
    target: float | None
    target_reached: bool
    rank: int | None = None
    n_ranked: int | None = None
    note: str = ""
    positive: str | None = None


def wilson_interval(
    proportion: float, n: int, *, confidence: float = CONFIDENCE
) -> tuple[float, float]:
    """Return Wilson's score interval of a share of ``n`` independent rows.

    Parameters
    ----------
    proportion : float
        The observed share, in [0, 1].
    n : int
        Number of rows, at least 1.
    confidence : float
        In (0, 1).

    Raises
    ------
    ConfigurationError
        If a parameter is out of range.

    References
    ----------
    E. B. Wilson (1927), "Probable inference, the law of succession, and statistical inference",
    Journal of the American Statistical Association 22(158), 209-212.

    Examples
    --------
    >>> low, high = wilson_interval(0.957, 10_000)
    >>> f"{low:.4f} to {high:.4f}"
    '0.9528 to 0.9608'
    """
    if not 0 <= proportion <= 1:
        raise ConfigurationError(
            f"a share of rows must be in [0, 1], but got {proportion:g}. Write 0.957 for 95.7 %."
        )
    if n < 1 or not 0 < confidence < 1:
        raise ConfigurationError(
            "`n` must be at least 1 and `confidence` in (0, 1), "
            f"but got (n={n}, confidence={confidence})"
        )
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = z * z / n
    centre = (proportion + share / 2) / (1 + share)
    spread = proportion * (1 - proportion) / n + share / (4 * n)
    half = z / (1 + share) * math.sqrt(spread)
    # Rounding may carry an end past the share, or past 0 or 1.
    low, high = min(centre - half, proportion), max(centre + half, proportion)
    return max(low, 0.0), min(high, 1.0)


def grade(value: float, n: int, rule: GradeConfig, *, positive: str | None = None) -> Grade:
    """Return the grade of one metric value by itself.

    Parameters
    ----------
    value : float
        The rule's metric.
    n : int
        Rows scored.
    rule : GradeConfig
        A valid rule with at least one band.
    positive : str or None
        What the positive one of two classes is called.

    Raises
    ------
    ConfigurationError
        If the rule has no bands or is invalid, or the value is not finite or out of range.
    """
    check_bands(rule)
    _check(value, rule)
    minima = [band.minimum for band in rule.bands]
    position = sum(reaches(value, minimum) for minimum in minima)
    interval = wilson_interval(value, n) if rule.metric in PROPORTIONS else None
    is_ranked = rule.ranked_from is not None and reaches(value, rule.ranked_from)
    points = rule.bands[position - 1].points if position else 0.0
    note = ""
    if is_ranked:
        note = f"rank decides from {rule.ranked_from:g} on: a single entry gets {_whole(points):g}"
    edges = minima if rule.ranked_from is None else [*minima, rule.ranked_from]
    return Grade(
        points=_whole(points),
        band=name_band(minima, position, rule.metric),
        interval=interval,
        undecided=interval is not None
        and any(reaches(interval[1], edge) and not reaches(interval[0], edge) for edge in edges),
        metric=rule.metric,
        value=value,
        n=n,
        target=rule.target,
        target_reached=rule.target is not None and reaches(value, rule.target),
        rank=1 if is_ranked else None,
        n_ranked=1 if is_ranked else None,
        note=note,
        positive=positive if rule.metric in OF_POSITIVE else None,
    )


def rank_entries(entries: Sequence[Entry], rule: GradeConfig) -> list[Grade]:
    """Return the grades of entries that are ranked together, in their order.

    From ``ranked_from`` on, the best of m entries gets ``ranked_points``, the last the points of
    its band, and rank r in between ``base + (ranked_points - base) * (m - r) / (m - 1)``; equal
    values share the better rank. A single entry gets the base.

    Raises
    ------
    ConfigurationError
        If the entries were not scored on the same rows, or as :func:`grade` does.
    """
    _check_test_sets(entries)
    grades = [grade(one.value, one.n, rule, positive=one.positive) for one in entries]
    ranked = [each.value for each in grades if each.rank is not None]
    if len(ranked) < 2:  # noqa: PLR2004 - a rank needs another to compare with
        return grades
    return [_rerank(each, ranked, rule) if each.rank is not None else each for each in grades]


def grade_document(grade: Grade) -> dict[str, Any]:
    """Return a grade as the plain mapping that ``--json`` prints."""
    document = asdict(grade)
    return document | {"interval": list(grade.interval) if grade.interval else None}


def grade_lines(grade: Grade) -> list[str]:
    """Return a grade as lines of text."""
    lines = [f"grade: {grade.points:g} points ({grade.band}) for {grade.metric} {grade.value:.4f}"]
    if grade.positive is not None:
        lines[0] += f"; positive class: {grade.positive}"
    if grade.interval is not None:
        low, high = grade.interval
        text = f"{100 * CONFIDENCE:g} % interval for {grade.n:,} test rows: {low:.4f} to {high:.4f}"
        lines.append(f"       {text}{'; undecided: it crosses a band' if grade.undecided else ''}")
    if grade.target is not None:
        reached = "reached" if grade.target_reached else "not reached"
        lines.append(f"       target {grade.target:g} {reached}")
    if grade.note:
        lines.append(f"       {grade.note}")
    return lines


def _whole(points: float) -> float:
    return int(points) if float(points).is_integer() else points


def _check(value: float, rule: GradeConfig) -> None:
    if not rule.bands:
        raise ConfigurationError(
            f"grade `{rule.name}` has no bands to grade by. Choose a rule, such as grade=course."
        )
    if not math.isfinite(value):
        raise ConfigurationError(f"`{rule.metric}` must be finite to be graded, but got {value}")


def _check_test_sets(entries: Sequence[Entry]) -> None:
    groups: dict[tuple[str, int], list[str]] = {}
    for entry in entries:
        groups.setdefault((entry.test_set, entry.n), []).append(entry.name)
    if len(groups) > 1:
        told = "; ".join(
            f"{', '.join(names)} on {test_set[:12]} ({n:,} rows)"
            for (test_set, n), names in groups.items()
        )
        raise ConfigurationError(
            f"entries graded together must be scored on the same test set, but they were: {told}. "
            "Grade each of these groups by itself."
        )


def _rerank(single: Grade, ranked: Sequence[float], rule: GradeConfig) -> Grade:
    """Return the grade with its rank among the values in the ranked zone."""
    n_ranked = len(ranked)
    place = 1 + sum(other > single.value + TOLERANCE for other in ranked)
    span = rule.ranked_points - single.points
    points = single.points + span * (n_ranked - place) / (n_ranked - 1)
    return replace(
        single,
        points=_whole(points),
        rank=place,
        n_ranked=n_ranked,
        note=f"rank {place} of {n_ranked} from {rule.ranked_from:g} on",
    )
