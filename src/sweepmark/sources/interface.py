"""What every source promises; ``tests/contracts/test_source.py`` holds each to it.

A source delivers one decompressed, verified file at a time or says why it does not.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sweepmark.config.schema import FileConfig

__all__ = ["Source", "file_names"]


class Source(ABC):
    """A place that has the files of a data set.

    Attributes
    ----------
    label : str
        How progress lines and errors name it, such as ``mirror https://example.org/mnist/``.
    """

    label: str

    @abstractmethod
    def fetch(self, file: FileConfig, folder: Path, *, advance: Callable[[int], None]) -> Path:
        """Write ``folder / file.name``, decompressed and verified, and return that path.

        Parameters
        ----------
        file : FileConfig
            Name, size and SHA-256 of the decompressed content.
        folder : Path
            An existing folder of the caller, who removes it in the end: a source may keep what
            serves the next file there too.
        advance : callable
            Told the number of decompressed bytes after each block.

        Raises
        ------
        SourceError
            If the file cannot be had or is not the expected one; no part of it is left.
        UnreachableError
            If nothing can be had from this source at all.
        """


def file_names(name: str) -> list[str]:
    """Return the names that a file of the MNIST family goes by.

    Examples
    --------
    >>> file_names("t10k-labels-idx1-ubyte")[:2]
    ['t10k-labels-idx1-ubyte', 't10k-labels-idx1-ubyte.gz']
    >>> file_names("t10k-labels-idx1-ubyte")[2:]
    ['t10k-labels.idx1-ubyte', 't10k-labels.idx1-ubyte.gz']
    """
    dotted = ".idx".join(name.rsplit("-idx", 1))
    return [variant + suffix for variant in dict.fromkeys([name, dotted]) for suffix in ("", ".gz")]
