"""The data sets of a sweep: each is loaded once and must be the same as when the sweep began."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweepmark.config import dataset_identity
from sweepmark.data import load
from sweepmark.engine import Failure
from sweepmark.errors import DataError, FetchError, command_line
from sweepmark.specification.split import resolve_split

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sweepmark.config.schema import Config, DatasetConfig
    from sweepmark.data import Dataset
    from sweepmark.search.space import Params

__all__ = ["Datasets", "count_training_rows", "lacking"]


class Datasets:
    """Loads the data sets of configurations; one that is unavailable is requested only once.

    Parameters
    ----------
    say : callable
        Called with a line on each attempt and its outcome.
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
            If it differs from when the sweep began.
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
        """The digests of the loaded data sets, by the identity of their configuration."""
        return {identity: dataset.digest for identity, dataset in self._loaded.items()}

    def are(self, digests: Mapping[str, str]) -> bool:
        """Return whether the loaded data sets have these digests, as far as they are listed."""
        return all(digests.get(identity, now) == now for identity, now in self.digests.items())

    def expect(self, digests: Mapping[str, str]) -> None:
        """Require these digests, of data sets loaded already and of those loaded later.

        Raises
        ------
        DataError
            If a loaded data set has another digest.
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
                "back as it was, or begin another with it as it is, by the command that began this "
                "one."
            )


def count_training_rows(config: Config, load: Callable[[Config], Dataset]) -> int:
    """Return the number of training rows of a model for the test part.

    0 if there is no such model: the trial cross-validates, or its data set is unavailable.
    """
    if config.evaluation.method != "test":
        return 0
    try:
        n_train: int = resolve_split(config.split, load(config))["n_train"]
    except FetchError:
        return 0
    return n_train - round(n_train * (config.evaluation.validation_fraction or 0))


def lacking(config: Config, params: Params, config_dirs: Sequence[str] = ()) -> Failure:
    """Return the Failure of a trial whose data set is unavailable."""
    option = str(params.get("dataset", config.dataset.name))
    command = command_line("data", "fetch", option, config_dirs=config_dirs)
    return Failure(
        reason="data",
        message=f"no source delivers {config.dataset.name}: see `{command}`",
    )
