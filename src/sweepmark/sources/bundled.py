"""Data sets bundled with scikit-learn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweepmark.sources import idx
from sweepmark.sources.interface import Source
from sweepmark.sources.transfer import SourceError, write_verified

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sweepmark.config.schema import FileConfig
    from sweepmark.sources.interface import SourceOptions

__all__ = ["Bundled"]


class Bundled(Source):
    """The digits bundled with scikit-learn, written as IDX files.

    References
    ----------
    https://scikit-learn.org/stable/modules/generated/sklearn.datasets.load_digits.html
    """

    label = "scikit-learn"

    @classmethod
    def create(cls, options: SourceOptions) -> list[Source]:
        """Return one source; there are no options."""
        del options
        return [cls()]

    def fetch(self, file: FileConfig, folder: Path, *, advance: Callable[[int], None]) -> Path:
        """Encode pixels (0 to 16) or labels as unsigned bytes."""
        from sklearn.datasets import load_digits

        digits = load_digits()
        arrays = {
            "digits-images-idx3-ubyte": digits.images,
            "digits-labels-idx1-ubyte": digits.target,
        }
        if file.name not in arrays:
            raise SourceError(f"scikit-learn has {', '.join(arrays)}, but not {file.name}")
        target = folder / file.name
        content = idx.encode(arrays[file.name].astype("u1"))
        write_verified([content], file, target, advance=advance)
        return target
