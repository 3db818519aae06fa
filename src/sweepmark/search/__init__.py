"""The search space, and the choice of each trial's parameters.

Trial n is a function of (seed, n) and, in an adaptive search, of the results up to n - lag and the
parameters of the trials after that. So the trials are the same for any number of workers and after
any interruption.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweepmark.errors import ConfigurationError
from sweepmark.search.interface import Search
from sweepmark.search.points import GridSearch, RandomSearch, SobolSearch
from sweepmark.search.studies import GpSearch, TpeSearch

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
    if sampler.name == "grid":
        return GridSearch(space, n_trials=sweep.n_trials, allow_large=sweep.allow_large)
    if sweep.n_trials is None:
        raise ConfigurationError(
            f"sampler={sampler.name} needs a number of trials. Set sweep.n_trials=30, say."
        )
    if sampler.name == "random":
        return RandomSearch(space, seed=seed, n_trials=sweep.n_trials)
    if sampler.name == "qmc":
        return SobolSearch(space, seed=seed, n_trials=sweep.n_trials)
    adaptive = GpSearch if sampler.name == "gp" else TpeSearch
    return adaptive(space, sampler, sweep, seed=seed)
