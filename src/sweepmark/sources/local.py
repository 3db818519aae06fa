"""Files that other programs have stored on this machine, as sources without download."""

from __future__ import annotations

import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sweepmark.config.rules import Text  # noqa: TC001 -- validation reads it
from sweepmark.sources.interface import Source, SourceOptions, file_names
from sweepmark.sources.transfer import AbsentError, SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sweepmark.config.schema import FileConfig

__all__ = ["Folder", "KerasArchive", "LocalOptions"]

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalOptions(SourceOptions):
    """Local paths, tried in order; ``~`` and environment variables are expanded."""

    paths: tuple[Text, ...]


class Folder(Source):
    """A local folder with the files under one of their usual names, gzipped or not.

    torchvision stores them in ``MNIST/raw`` below its root folder, Debian's package
    dataset-fashion-mnist in ``/usr/share/datasets/fashion-mnist``.

    Parameters
    ----------
    path : str
        The folder; ``~`` and environment variables are expanded.
    """

    options = LocalOptions

    def __init__(self, path: str) -> None:
        self.label = f"folder {path}"
        self._path = _expand(path)

    @classmethod
    def create(cls, options: LocalOptions) -> list[Source]:
        """Return a source for each folder."""
        return [cls(path) for path in options.paths]

    def content(self, file: FileConfig, folder: Path) -> Iterator[bytes]:
        """Read the file."""
        del folder
        if not self._path.is_dir():
            raise AbsentError("there is no such folder")
        present = [name for name in file_names(file.name) if (self._path / name).is_file()]
        if not present:
            raise SourceError(f"the folder has none of {', '.join(file_names(file.name))}")
        try:
            with (self._path / present[0]).open("rb") as stream:
                while block := stream.read(_BLOCK):
                    yield block
        except OSError as error:
            raise SourceError(f"{present[0]} cannot be read: {error.strerror}") from error


class KerasArchive(Source):
    """The .npz file in which Keras keeps MNIST: ``~/.keras/datasets/mnist.npz``.

    It has ``x_train``, ``y_train``, ``x_test`` and ``y_test`` as unsigned bytes, from which the IDX
    files are recreated.

    Parameters
    ----------
    path : str
        The file; ``~`` and environment variables are expanded.

    References
    ----------
    https://keras.io/api/datasets/mnist/
    """

    options = LocalOptions

    def __init__(self, path: str) -> None:
        self.label = f"Keras archive {path}"
        self._path = _expand(path)

    @classmethod
    def create(cls, options: LocalOptions) -> list[Source]:
        """Return a source for each archive."""
        return [cls(path) for path in options.paths]

    def content(self, file: FileConfig, folder: Path) -> Iterable[bytes]:
        """Encode the array of the file."""
        del folder
        from sweepmark.sources import idx

        if not self._path.is_file():
            raise AbsentError("there is no such file")
        member = _member(file.name)
        try:
            with np.load(self._path, allow_pickle=False) as archive:
                if member not in archive.files:
                    raise SourceError(
                        f"the archive has {', '.join(archive.files)}, but not {member}"
                    )
                return [idx.encode(archive[member])]
        except (OSError, ValueError, EOFError, TypeError, zipfile.BadZipFile) as error:
            raise SourceError(f"the archive cannot be read: {error}") from error


def _member(name: str) -> str:
    """Return the name of an IDX file's array in a Keras archive.

    Examples
    --------
    >>> _member("t10k-labels-idx1-ubyte")
    'y_test'
    """
    letter = "y" if "labels" in name else "x"
    return f"{letter}_{'test' if name.startswith('t10k') else 'train'}"


def _expand(path: str) -> Path:
    return Path(os.path.expanduser(os.path.expandvars(path)))  # noqa: PTH111 -- ~ may be unknown
