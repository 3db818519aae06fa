"""Checks of the data sets in the cache: presence and integrity."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sweepmark.config import dataset_configs
from sweepmark.data import cache, published_digest
from sweepmark.data.entry import DamagedError, open_entry, verify
from sweepmark.doctor.finding import note, ok, problem
from sweepmark.errors import ConfigurationError, SweepmarkError

if TYPE_CHECKING:
    from sweepmark.doctor.finding import Finding

__all__ = ["examine_datasets"]

_QUICK = 100_000_000
"""Size in bytes up to which a data set is hashed without ``--full``: a fraction of a second."""


def examine_datasets(*, full: bool) -> list[Finding]:
    """Hash every data set in the cache; large ones only if requested."""
    try:
        cache.root()
    except ConfigurationError:
        return []  # reported as one of the machine
    published = {name: published_digest(config) for name, config in dataset_configs().items()}
    found = [_dataset(name, digest, full=full) for name, digest in published.items()]
    found += [_own(digest, full=full) for digest in _digests() if digest not in published.values()]
    return [finding for finding in found if finding is not None]


def _digests() -> list[str]:
    try:
        return sorted(path.name for path in (cache.root() / "datasets").iterdir())
    except OSError:
        return []


def _own(digest: str, *, full: bool) -> Finding | None:
    """Check the decoded copy of the user's own files; a missing one is decoded again when used."""
    folder = cache.entry_folder(digest)
    try:
        dataset = open_entry(digest)
        if full:
            verify(dataset)
    except (SweepmarkError, OSError) as error:
        return problem("data (own)", _what(error), "rm", "-r", str(folder))
    return None


def _dataset(name: str, digest: str | None, *, full: bool) -> Finding | None:
    subject, fetch = f"data ({name})", ("sweepmark", "data", "fetch", name)
    if digest is None:
        return None  # a file of the user's own: no expected digest
    folder = cache.entry_folder(digest)
    try:
        if not os.path.lexists(folder):
            return note(subject, "not fetched yet", *fetch)
        dataset = open_entry(digest)
        size = sum(path.stat().st_size for path in folder.iterdir())
        if size > _QUICK and not full:
            return ok(subject, f"{size:,} bytes in the cache; --full hashes them")
        verify(dataset)
    except (SweepmarkError, OSError) as error:
        return problem(subject, _what(error), *fetch)
    return ok(subject, "in the cache, every byte as published")


def _what(error: Exception) -> str:
    return error.what if isinstance(error, DamagedError) else str(error)
