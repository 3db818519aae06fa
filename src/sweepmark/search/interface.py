"""What all searches have in common, and iteration over the active axes of a space."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from sweepmark.config.schema import SamplerConfig
from sweepmark.errors import ConfigurationError

if TYPE_CHECKING:
    from sweepmark.config.schema import SweepConfig
    from sweepmark.search.space import Params, Space

__all__ = ["Search"]


class Search(ABC):
    """Chooses the parameters of trials, in order.

    Parameters
    ----------
    space : Space
        What is searched.
    sampler : SamplerConfig
        An instance of :attr:`options`.
    sweep : SweepConfig
        With the number of trials.
    seed : int
        Trial n depends on the space, (seed, n) and what the search was told, on nothing else.

    Attributes
    ----------
    n_trials : int
        Number of trials.
    lag : int or None
        Before trial n is requested, the results up to n - lag must have been passed to
        :meth:`tell`; later results are not used for it. None if no results are needed.
    learns : bool
        Whether the search learns from results, so that it needs an objective.
    n_before_learning : int
        Number of trials that do not depend on results.
    options : type
        The dataclass of its options: SamplerConfig, or a subclass with further ones.

    Raises
    ------
    ConfigurationError
        If it cannot search that space, or needs something that is not installed or configured.
    """

    learns: ClassVar[bool] = False
    options: ClassVar[type[SamplerConfig]] = SamplerConfig

    def __init__(
        self, space: Space, sampler: SamplerConfig, sweep: SweepConfig, *, seed: int
    ) -> None:
        self._space = space
        self._seed = seed
        self.lag: int | None = sampler.lag if self.learns else None
        self.n_trials = self._count(sampler, sweep)
        self.n_before_learning = self.n_trials

    def _count(self, sampler: SamplerConfig, sweep: SweepConfig) -> int:
        """Return the number of trials."""
        if sweep.n_trials is None:
            raise ConfigurationError(
                f"sampler={sampler.name} needs a number of trials. Set sweep.n_trials=30, say."
            )
        return sweep.n_trials

    @abstractmethod
    def ask(self, number: int) -> Params:
        """Return the parameters of the next trial."""

    def note(self, number: int, params: Params) -> None:  # noqa: B027 -- needed if it learns
        """Record the parameters of the next trial, which are decided already."""

    def tell(self, number: int, value: float | None) -> None:  # noqa: B027 -- likewise
        """Record the objective of a trial; None if it failed."""
