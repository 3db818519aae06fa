"""The keys that the evaluations of a sweep must have, recomputed from the trials' parameters.

They can be recomputed only with the same data sets (whose digests are in the journal's first line)
and the same versions of the computing libraries.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING

from sweepmark.config import dataset_identity
from sweepmark.data import open_dataset
from sweepmark.errors import DataError, NotFoundError
from sweepmark.specification.recipe import recipe_versions, resolve_recipe
from sweepmark.specification.specification import canonical_json
from sweepmark.specification.specify import specify, specify_test

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sweepmark.config.schema import Config
    from sweepmark.data import Dataset
    from sweepmark.search.blueprint import Blueprint
    from sweepmark.search.space import Params
    from sweepmark.specification.specification import Specification

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
    _told: dict[str, list[str]] = field(default_factory=dict)
    _alike: dict[str, Sequence[Specification]] = field(default_factory=dict)

    def are_of_trial(self, params: Params, keys: Sequence[str]) -> bool:
        """Return whether these are the keys of a trial, in order; True if that is unknown."""
        return self._fit(params, lambda found: found == [*keys])

    def is_final(self, params: Params, key: str) -> bool:
        """Return whether this is the key of a recipe's final test; True if that is unknown."""
        return self._fit(params, lambda found: found == [key], final=True)

    def has(self, params: Params, key: str, *, final: bool) -> bool:
        """Return whether a key is one of a trial's or, with ``final``, that of its final test."""
        return self._fit(params, lambda found: key in found) or (
            final and self.is_final(params, key)
        )

    def _fit(
        self, params: Params, is_right: Callable[[list[str]], bool], *, final: bool = False
    ) -> bool:
        name = json.dumps([final, params])
        if name in self._told and is_right(self._told[name]):
            return True
        config = self.blueprint.config_at(params)
        dataset = self._dataset(config)
        if dataset is None:
            return True
        rows = canonical_json(
            [
                *(final, dataset.digest, config.seed),
                *(asdict(config.split), asdict(config.task), asdict(config.evaluation)),
            ]
        )
        # Splitting rows dominates the time. Another recipe on the same rows nearly always has the
        # same split, task and folds; if the keys do not match, everything is computed again.
        if rows in self._alike:
            self._told[name] = self._keys_like(self._alike[rows], config)
            if is_right(self._told[name]):
                return True
        self._alike[rows] = found = self._specify(config, dataset, final=final)
        self._told[name] = [specification.key for specification in found]
        return is_right(self._told[name])

    def _specify(self, config: Config, dataset: Dataset, *, final: bool) -> Sequence[Specification]:
        if final:
            return (specify_test(config, dataset, trusted=self.trusted),)
        return specify(config, dataset, trusted=self.trusted)

    def _keys_like(self, alike: Sequence[Specification], config: Config) -> list[str]:
        """Return the keys of another recipe on the same rows."""
        preprocess, classifier = resolve_recipe(config, trusted=self.trusted)
        versions = recipe_versions([*preprocess.values(), classifier], self.trusted)
        return [
            replace(
                one,
                preprocess=preprocess,
                classifier=classifier,
                threads=config.engine.threads,
                versions=versions,
            ).key
            for one in alike
        ]

    def _dataset(self, config: Config) -> Dataset | None:
        """Open a data set by its digest; None if it is not in the cache (it is not fetched)."""
        identity = dataset_identity(config.dataset)
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
