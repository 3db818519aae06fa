"""The search space, and the choice of each trial's parameters.

Trial n is a function of (seed, n) and, in an adaptive search, of the results up to n - lag and the
parameters of the trials after that. So the trials are the same for any number of workers and after
any interruption.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweepmark.config.registry import SAMPLERS
from sweepmark.search.interface import Search

if TYPE_CHECKING:
    from sweepmark.config.schema import SamplerConfig, SweepConfig
    from sweepmark.search.space import Space

__all__ = ["Search", "create_search"]


def create_search(space: Space, sampler: SamplerConfig, sweep: SweepConfig, *, seed: int) -> Search:
    """Return the search of a configuration.

    Raises
    ------
    ConfigurationError
        If the sampler cannot search that space or is not installed, or the grid needs
        ``sweep.allow_large``.
    """
    search: Search = SAMPLERS.find(sampler.name)(space, sampler, sweep, seed=seed)
    return search
