"""Sources of files: one class for each kind of location in a data set's YAML.

A new kind needs a subclass of :class:`sweepmark.sources.interface.Source` and one line in
:func:`sources_of`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sweepmark.config.schema import DatasetConfig
    from sweepmark.sources.interface import Source

__all__ = ["sources_of"]


def sources_of(config: DatasetConfig) -> list[Source]:
    """Return the sources of a data set, in the order of the attempts."""
    from sweepmark.sources.apt import Apt
    from sweepmark.sources.bundled import Bundled
    from sweepmark.sources.local import Folder, KerasArchive
    from sweepmark.sources.npm import Npm
    from sweepmark.sources.openml import OpenML
    from sweepmark.sources.server import IndexPage, Mirror

    if config.format == "bundled":
        return [Bundled()]
    sources: list[Source] = [Folder(path) for path in config.folders]
    sources += [KerasArchive(path) for path in config.archives]
    suffix = "" if config.format == "csv" else ".gz"
    sources += [Mirror(url, suffix=suffix) for url in config.mirrors]
    sources += [IndexPage(url) for url in config.index_pages]
    if config.npm is not None:
        sources.append(Npm(config.npm.package, config.npm.version, config.npm.folder))
    if config.apt is not None:
        sources.append(Apt(config.apt.package, config.apt.folder))
    if config.openml is not None:
        sources.append(OpenML(config.openml.name, config.openml.version))
    return sources
