"""The keys that the evaluations of a sweep must have, recomputed from the trials' parameters.

They can be recomputed only with the same data sets (whose digests are in the journal's first line)
and the same versions of the computing libraries.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING

from sweepmark.data import open_dataset
from sweepmark.errors import DataError, NotFoundError
from sweepmark.specification.specification import canonical_json
from sweepmark.specification.specify import Rows, final_config

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sweepmark.config.schema import Config
    from sweepmark.data import Dataset
    from sweepmark.search.blueprint import Blueprint
    from sweepmark.search.space import Params

__all__ = ["Keys"]


@dataclass(slots=True)
class Keys:
    """Recomputes and checks the keys of a sweep's evaluations.

    Attributes
    ----------
    blueprint : Blueprint
        The configuration of the sweep.
    data : mapping of str to str
        Digests of data sets, by the identity of their configuration.
    trusted : sequence of str
        Packages allowed in addition to the default ones.
    """

    blueprint: Blueprint
    data: Mapping[str, str]
    trusted: Sequence[str] = ()
    _datasets: dict[str, Dataset | None] = field(default_factory=dict)
    _rows: dict[str, Rows] = field(default_factory=dict)
    _keys: dict[str, list[str]] = field(default_factory=dict)

    def are_of_trial(self, params: Params, keys: Sequence[str]) -> bool:
        """Return whether these are the keys of a trial, in order; True if that is unknown."""
        found = self._of(params)
        return found is None or found == [*keys]

    def is_final(self, params: Params, key: str) -> bool:
        """Return whether this is the key of a recipe's final test; True if that is unknown."""
        found = self._of(params, final=True)
        return found is None or found == [key]

    def has(self, params: Params, key: str, *, final: bool) -> bool:
        """Return whether a key is one of a trial's or, with ``final``, that of its final test."""
        found = self._of(params)
        return found is None or key in found or (final and self.is_final(params, key))

    def _of(self, params: Params, *, final: bool = False) -> list[str] | None:
        """Return the keys of a trial or of its final test; None if they are unknown."""
        name = json.dumps([final, params])
        if name not in self._keys:
            config = self.blueprint.config_at(params)
            dataset = self._dataset(config)
            if dataset is None:
                return None
            config = final_config(config) if final else config
            parts = [asdict(part) for part in (config.split, config.task, config.evaluation)]
            rows = canonical_json([dataset.digest, config.seed, *parts])
            if rows not in self._rows:  # splitting rows dominates the time
                self._rows[rows] = Rows.of(config, dataset)
            found = self._rows[rows].specify(config, dataset.digest, trusted=self.trusted)
            self._keys[name] = [specification.key for specification in found]
        return self._keys[name]

    def _dataset(self, config: Config) -> Dataset | None:
        """Open a data set by its digest; None if it is not in the cache (it is not fetched)."""
        identity = config.data_identity
        if identity not in self._datasets:
            self._datasets[identity] = None
            digest = self.data.get(identity)
            if digest is not None:
                try:
                    dataset = open_dataset(digest)
                except (NotFoundError, DataError):
                    return None
                self._datasets[identity] = replace(dataset, name=config.dataset.name)
        return self._datasets[identity]
