"""Data sets: fetched from the first available source, verified, decoded once, memory-mapped.

``load`` takes a configuration and may download; ``open_dataset`` is for workers, takes a digest and
needs milliseconds. Both import only NumPy and the standard library unless something has to be
fetched.
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
