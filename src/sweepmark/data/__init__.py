"""Data sets: fetched from the first source that delivers, verified, decoded once, memory-mapped.

``load`` is for who has a configuration and may wait for a download; ``open_dataset`` is for
workers, who know a digest and need it in milliseconds. Neither imports more than NumPy and the
standard library unless something has to be fetched.
"""

from __future__ import annotations

from sweepmark.data.dataset import Dataset, Part
from sweepmark.data.entry import open_entry as open_dataset
from sweepmark.data.labels import Labels
from sweepmark.data.loading import is_cached, load, mend, published_digest

__all__ = [
    "Dataset",
    "Labels",
    "Part",
    "is_cached",
    "load",
    "mend",
    "open_dataset",
    "published_digest",
]
