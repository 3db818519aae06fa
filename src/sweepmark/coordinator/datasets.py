"""The data sets of a sweep: each asked for once, and what becomes of trials on one that lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweepmark.data import load
from sweepmark.engine import Failure
from sweepmark.errors import FetchError
from sweepmark.split import resolve_split

if TYPE_CHECKING:
    from collections.abc import Callable

    from sweepmark.config.schema import Config
    from sweepmark.data import Dataset
    from sweepmark.space import Params

__all__ = ["Datasets", "count_training_rows", "lacking"]


class Datasets:
    """Loads each data set once; one that cannot be had is asked for once too.

    Parameters
    ----------
    say : callable
        Told in a line each what is tried and what comes of it.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._loaded: dict[str, Dataset] = {}
        self._lacking: dict[str, str] = {}

    def load(self, config: Config) -> Dataset:
        """Return the data set of a configuration.

        Raises
        ------
        FetchError
            If no source delivers it.
        """
        name = repr(config.dataset)
        if name in self._lacking:
            raise FetchError(self._lacking[name])
        if name not in self._loaded:
            try:
                self._loaded[name] = load(config.dataset, report=self._say)
            except FetchError as error:
                self._lacking[name] = str(error)
                raise
        return self._loaded[name]


def count_training_rows(config: Config, load: Callable[[Config], Dataset]) -> int:
    """Return how many rows the test part's model is fitted on.

    0 if there is no such model: the trial cross-validates, or its data set cannot be had.
    """
    if config.evaluation.method != "test":
        return 0
    try:
        n_train: int = resolve_split(config.split, load(config))["n_train"]
    except FetchError:
        return 0
    return n_train - round(n_train * (config.evaluation.validation_fraction or 0))


def lacking(config: Config, params: Params) -> Failure:
    """Describe why a trial cannot be computed whose data set no source delivers."""
    option = params.get("dataset", config.dataset.name)
    return Failure(
        reason="data",
        message=f"no source delivers {config.dataset.name}: see `sweepmark data fetch {option}`",
    )
