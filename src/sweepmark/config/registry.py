"""Implementations that are found by name: what ``name`` may be in a group of conf/.

A class is imported once its name is chosen. It has an attribute ``options``, the dataclass of its
group's keys, by which a configuration is validated.
"""

from __future__ import annotations

import json
import pkgutil
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from sweepmark.config.rules import adapter
from sweepmark.errors import ConfigurationError, unknown_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_core import CoreSchema

__all__ = ["ENGINES", "SAMPLERS", "SOURCES", "TRACKERS", "Registry", "RegistryOfSeveral"]


@dataclass(frozen=True, slots=True)
class Registry:
    """Classes by name; as an annotation of a field, it validates the options of the one named.

    Attributes
    ----------
    kind : str
        The group of conf/, as messages name it.
    places : mapping of str to str
        ``module:class`` by name.
    """

    kind: str
    places: Mapping[str, str]

    def find(self, name: str) -> Any:
        """Import the class of a name and return it.

        Raises
        ------
        ConfigurationError
            If there is none of that name.
        """
        if not isinstance(name, str) or name not in self.places:
            raise ConfigurationError(unknown_name(self.kind, str(name), self.places))
        return pkgutil.resolve_name(self.places[name])

    def __get_pydantic_core_schema__(self, source: object, handler: object) -> CoreSchema:
        """Return the schema of options, which is chosen by their ``name``."""
        from pydantic_core import core_schema

        return core_schema.no_info_plain_validator_function(self._validate)

    def _validate(self, node: object) -> Any:
        from pydantic_core import PydanticCustomError

        if not isinstance(node, dict):
            raise PydanticCustomError("options", "Input should be a mapping with a name")
        try:
            options = self.find(node.get("name", "")).options
        except ConfigurationError as error:
            raise PydanticCustomError("name", "{message}", {"message": str(error)}) from None
        return adapter(options).validate_json(json.dumps(node))


@dataclass(frozen=True, slots=True)
class RegistryOfSeveral(Registry):
    """Classes of which a configuration chooses several: a mapping of names to their options."""

    def _validate(self, node: object) -> Any:
        from pydantic_core import PydanticCustomError

        if not isinstance(node, dict):
            raise PydanticCustomError("options", "Input should be a mapping of names to options")
        try:
            types = {name: self.find(name).options | None for name in node}
        except ConfigurationError as error:
            raise PydanticCustomError("name", "{message}", {"message": str(error)}) from None
        return adapter(_mapping(tuple(types.items()))).validate_json(json.dumps(node))


@cache
def _mapping(types: tuple[tuple[str, Any], ...]) -> Any:
    """Return the type of a mapping with values of these types by key."""
    from typing_extensions import TypedDict

    return TypedDict("chosen", dict(types))  # type: ignore[misc]  # of any names


ENGINES = Registry(
    "engine",
    {
        "local": "sweepmark.engine.local:LocalEngine",
        "serial": "sweepmark.engine.serial:SerialEngine",
    },
)
SAMPLERS = Registry(
    "sampler",
    {
        "grid": "sweepmark.search.points:GridSearch",
        "random": "sweepmark.search.points:RandomSearch",
        "qmc": "sweepmark.search.points:SobolSearch",
        "tpe": "sweepmark.search.studies:TpeSearch",
        "gp": "sweepmark.search.studies:GpSearch",
    },
)
SOURCES = RegistryOfSeveral(
    "source",
    {
        "apt": "sweepmark.sources.apt:Apt",
        "bundled": "sweepmark.sources.bundled:Bundled",
        "folder": "sweepmark.sources.local:Folder",
        "index_page": "sweepmark.sources.server:IndexPage",
        "keras": "sweepmark.sources.local:KerasArchive",
        "mirror": "sweepmark.sources.server:Mirror",
        "npm": "sweepmark.sources.npm:Npm",
        "openml": "sweepmark.sources.openml:OpenML",
    },
)
TRACKERS = Registry(
    "tracking",
    {
        "mlflow": "sweepmark.tracking.mlflow:MlflowTracker",
        "none": "sweepmark.tracking.memory:MemoryTracker",
    },
)
