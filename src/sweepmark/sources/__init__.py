"""Sources of files: where the files of a data set come from, found by name in its YAML."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweepmark.config.registry import SOURCES

if TYPE_CHECKING:
    from sweepmark.config.schema import DatasetConfig
    from sweepmark.sources.interface import Source

__all__ = ["sources_of"]


def sources_of(config: DatasetConfig) -> list[Source]:
    """Return the sources of a data set, in the order of the attempts."""
    return [
        source
        for name, options in config.sources.items()
        if options is not None
        for source in SOURCES.find(name).create(options)
    ]
