"""The interface of sources; ``tests/contracts/test_source.py`` tests all implementations.

A source provides one decompressed, verified file at a time, or raises an error with the reason. It
is found by its name in :data:`sweepmark.config.registry.SOURCES`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar

from sweepmark.sources.transfer import write_verified

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from sweepmark.config.schema import FileConfig

__all__ = ["Source", "SourceOptions", "file_names"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOptions:
    """Options of a source, as a data set's YAML has them under its name."""


class Source(ABC):
    """A location with the files of a data set.

    Attributes
    ----------
    label : str
        Its name in progress lines and errors, such as ``mirror https://example.org/mnist/``.
    options : type
        The dataclass of its options, by which a configuration is validated.
    """

    label: str
    options: ClassVar[type[SourceOptions]] = SourceOptions

    @classmethod
    def create(cls, options: Any) -> list[Source]:
        """Return a source for each place that the options name, in the order of the attempts.

        Unless overridden, that is one, and its parameters are called as its options are.
        """
        return [cls(**{each.name: getattr(options, each.name) for each in fields(options)})]

    def fetch(self, file: FileConfig, folder: Path, *, advance: Callable[[int], None]) -> Path:
        """Write ``folder / file.name``, decompressed and verified, and return that path.

        Parameters
        ----------
        file : FileConfig
            Name, size and SHA-256 of the decompressed content.
        folder : Path
            An existing folder, removed later by the caller.
        advance : callable
            Called with the number of decompressed bytes after each block.

        Raises
        ------
        SourceError
            If the file is unavailable or not the expected one; no partial file is left.
        UnreachableError
            If this source is not available at all.
        """
        target = folder / file.name
        write_verified(self.content(file, folder), file, target, advance=advance)
        return target

    @abstractmethod
    def content(self, file: FileConfig, folder: Path) -> Iterable[bytes]:
        """Return the content of a file in blocks, gzipped or not; it is verified by the caller.

        A source may keep files for later calls in sub-folders of ``folder``. Errors are those of
        :meth:`fetch`, raised here or by the iterator.
        """


def file_names(name: str) -> list[str]:
    """Return the file names in use for a file of the MNIST family.

    Examples
    --------
    >>> file_names("t10k-labels-idx1-ubyte")[:2]
    ['t10k-labels-idx1-ubyte', 't10k-labels-idx1-ubyte.gz']
    >>> file_names("t10k-labels-idx1-ubyte")[2:]
    ['t10k-labels.idx1-ubyte', 't10k-labels.idx1-ubyte.gz']
    """
    dotted = ".idx".join(name.rsplit("-idx", 1))
    return [variant + suffix for variant in dict.fromkeys([name, dotted]) for suffix in ("", ".gz")]
