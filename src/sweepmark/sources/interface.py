"""The interface of sources; ``tests/contracts/test_source.py`` tests all implementations.

A source provides one decompressed, verified file at a time, or raises an error with the reason. It
is found by its name in :data:`sweepmark.config.registry.SOURCES`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sweepmark.config.schema import FileConfig

__all__ = ["Source", "SourceOptions", "file_names"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOptions:
    """Options of a source, as a data set's YAML has them under its name; no other keys."""

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}


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
    @abstractmethod
    def create(cls, options: Any) -> list[Source]:
        """Return a source for each place that the options name, in the order of the attempts."""

    @abstractmethod
    def fetch(self, file: FileConfig, folder: Path, *, advance: Callable[[int], None]) -> Path:
        """Write ``folder / file.name``, decompressed and verified, and return that path.

        Parameters
        ----------
        file : FileConfig
            Name, size and SHA-256 of the decompressed content.
        folder : Path
            An existing folder, removed later by the caller; a source may also keep files for later
            calls there.
        advance : callable
            Called with the number of decompressed bytes after each block.

        Raises
        ------
        SourceError
            If the file is unavailable or not the expected one; no partial file is left.
        UnreachableError
            If this source is not available at all.
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
