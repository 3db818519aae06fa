"""Published metrics of an experiment, beside those computed here."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sweepmark.config.schema import ExperimentConfig

__all__ = ["PublishedMetric", "compare", "published_document"]

_WITHIN = 5e-5
"""Half a unit of the fourth digit, which is what most sources print."""


@dataclass(frozen=True, slots=True)
class PublishedMetric:
    """One published metric and ours.

    Attributes
    ----------
    experiment : str
        The preset's name.
    metric : str
        The metric's name.
    ours : float or None
        The value computed here; None if the trial has no such metric.
    published : float
        The published value.
    within : float
        Maximum difference, from the preset.
    """

    experiment: str
    metric: str
    ours: float | None
    published: float
    within: float

    @property
    def difference(self) -> float | None:
        """Our value minus the published one."""
        return None if self.ours is None else self.ours - self.published

    @property
    def agrees(self) -> bool:
        """Whether the difference is within the preset's tolerance.

        Examples
        --------
        >>> PublishedMetric("softmax", "accuracy", 0.92428, 0.9243, 0.0001).agrees
        True
        >>> PublishedMetric("softmax", "accuracy", None, 0.9243, 0.0001).agrees
        False
        """
        if self.difference is None:
            return False
        return abs(self.difference) <= self.within * (1 + 1e-9)  # 0.1 + 0.2 is not 0.3


def compare(experiment: ExperimentConfig, metrics: Mapping[str, float]) -> list[PublishedMetric]:
    """Return every published metric of an experiment beside that of a trial."""
    return [
        PublishedMetric(
            experiment=experiment.name,
            metric=metric,
            ours=metrics.get(metric),
            published=published,
            within=experiment.within.get(metric, _WITHIN),
        )
        for metric, published in experiment.published.items()
    ]


def published_document(metric: PublishedMetric) -> dict[str, Any]:
    """Return a published metric as plain values, for ``--json``."""
    return asdict(metric) | {"difference": metric.difference, "agrees": metric.agrees}
