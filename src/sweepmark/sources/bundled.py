"""Data sets bundled with scikit-learn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweepmark.sources import idx
from sweepmark.sources.interface import Source
from sweepmark.sources.transfer import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from sweepmark.config.schema import FileConfig

__all__ = ["Bundled"]


class Bundled(Source):
    """The digits bundled with scikit-learn, written as IDX files.

    References
    ----------
    https://scikit-learn.org/stable/modules/generated/sklearn.datasets.load_digits.html
    """

    label = "scikit-learn"

    def content(self, file: FileConfig, folder: Path) -> Iterable[bytes]:
        """Encode pixels (0 to 16) or labels as unsigned bytes."""
        del folder
        from sklearn.datasets import load_digits

        digits = load_digits()
        arrays = {
            "digits-images-idx3-ubyte": digits.images,
            "digits-labels-idx1-ubyte": digits.target,
        }
        if file.name not in arrays:
            raise SourceError(f"scikit-learn has {', '.join(arrays)}, but not {file.name}")
        return [idx.encode(arrays[file.name].astype("u1"))]
