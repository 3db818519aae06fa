"""The data sets of a sweep: each asked for once, and the same as when the sweep began."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweepmark.config import dataset_identity
from sweepmark.data import load
from sweepmark.engine import Failure
from sweepmark.errors import DataError, FetchError
from sweepmark.specification.split import resolve_split

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sweepmark.config.schema import Config, DatasetConfig
    from sweepmark.data import Dataset
    from sweepmark.search.axes import Params

__all__ = ["Datasets", "count_training_rows", "lacking"]


class Datasets:
    """Loads the data sets that configurations name; one that cannot be had is asked for once too.

    Parameters
    ----------
    say : callable
        Told in a line each what is tried and what comes of it.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._loaded: dict[str, Dataset] = {}
        self._lacking: dict[str, str] = {}
        self._configs: dict[str, DatasetConfig] = {}
        self._expected: Mapping[str, str] = {}

    def load(self, config: Config) -> Dataset:
        """Return the data set of a configuration.

        Raises
        ------
        FetchError
            If no source delivers it.
        DataError
            If it is another one than when the sweep began.
        """
        identity = dataset_identity(config.dataset)
        if identity in self._lacking:
            raise FetchError(self._lacking[identity])
        if identity not in self._loaded:
            try:
                self._loaded[identity] = load(config.dataset, report=self._say)
            except FetchError as error:
                self._lacking[identity] = str(error)
                raise
            self._configs[identity] = config.dataset
            self._check(identity)
        return self._loaded[identity]

    @property
    def digests(self) -> dict[str, str]:
        """The digests of those that were loaded, by the identity of their configuration."""
        return {identity: dataset.digest for identity, dataset in self._loaded.items()}

    def are(self, digests: Mapping[str, str]) -> bool:
        """Tell whether those that were loaded are these, as far as these are known."""
        return all(digests.get(identity, now) == now for identity, now in self.digests.items())

    def expect(self, digests: Mapping[str, str]) -> None:
        """Refuse others than these, also of those that are loaded later.

        Raises
        ------
        DataError
            If one of those that were loaded is another one.
        """
        self._expected = digests
        for identity in self._loaded:
            self._check(identity)

    def _check(self, identity: str) -> None:
        config, found = self._configs[identity], self._loaded[identity].digest
        expected = self._expected.get(identity, found)
        if found != expected:
            place = f" in {config.path}" if config.path else ""
            raise DataError(
                f"a sweep keeps to the data that it was begun with, but the data set {config.name}"
                f"{place} has changed: its digest was {expected[:12]} and is {found[:12]}. Put it "
                "back as it was, or begin another sweep with it as it is: `sweepmark sweep NAME`."
            )


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
