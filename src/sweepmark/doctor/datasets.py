"""The data sets in the cache: whether they are there, and what they were."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweepmark.config import dataset_config, dataset_names
from sweepmark.data import cache, published_digest
from sweepmark.data.entry import open_entry, verify
from sweepmark.doctor.finding import note, ok, problem
from sweepmark.errors import SweepmarkError

if TYPE_CHECKING:
    from sweepmark.doctor.finding import Finding

__all__ = ["examine_datasets"]

_QUICK = 100_000_000
"""Bytes that are hashed without being asked for: a fraction of a second."""


def examine_datasets(*, full: bool) -> list[Finding]:
    """Hash every data set that is in the cache, large ones if that is wanted."""
    names = dataset_names()
    published = {published_digest(dataset_config(name)) for name in names}
    found = [_dataset(name, full=full) for name in names]
    found += [_own(digest, full=full) for digest in _digests() if digest not in published]
    return [finding for finding in found if finding is not None]


def _digests() -> list[str]:
    try:
        return sorted(path.name for path in (cache.root() / "datasets").iterdir())
    except OSError:
        return []


def _own(digest: str, *, full: bool) -> Finding | None:
    """Look at the decoded copy of files of the user's own; it is made anew when it is gone."""
    folder = cache.entry_folder(digest)
    try:
        dataset = open_entry(digest)
        if full:
            verify(dataset)
    except (SweepmarkError, OSError) as error:
        return problem("data (own)", str(error), "rm", "-r", str(folder))
    return None


def _dataset(name: str, *, full: bool) -> Finding | None:
    subject, fetch = f"data ({name})", ("sweepmark", "data", "fetch", name)
    try:
        digest = published_digest(dataset_config(name))
        if digest is None:
            return None  # any file of the user's: nothing says what it should be
        folder = cache.entry_folder(digest)
        if not folder.is_dir():
            return note(subject, "not fetched yet", *fetch)
        dataset = open_entry(digest)
        size = sum(path.stat().st_size for path in folder.iterdir())
        if size > _QUICK and not full:
            return ok(subject, f"{size:,} bytes in the cache; --full hashes them")
        verify(dataset)
    except (SweepmarkError, OSError) as error:
        return problem(subject, str(error), *fetch)
    return ok(subject, "in the cache, every byte as published")
