"""The artifacts of a run as files in its folder."""

from __future__ import annotations

from operator import methodcaller
from typing import TYPE_CHECKING

from sweepmark.files import write_whole
from sweepmark.store.database import translated
from sweepmark.tracking.records import Artifact

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sweepmark.tracking.records import Record

__all__ = ["write_artifacts"]


def write_artifacts(root: Path, records: Sequence[Record]) -> None:
    """Write the artifacts among the records into a run's folder, each atomically.

    ``MlflowClient.log_artifact`` copies: a full disk would leave half a file.

    Raises
    ------
    ValueError
        If a path is outside that folder.
    StoreError
        If a file cannot be written; the message names it.
    """
    artifacts = [record for record in records if isinstance(record, Artifact)]
    for artifact in artifacts:
        target = root / artifact.path
        if not target.resolve().is_relative_to(root.resolve()):
            raise ValueError(f"an artifact's path must stay within its run, got {artifact.path!r}")
        with translated(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            write = methodcaller("write_bytes", artifact.content)
            unfinished = target.with_name(f".{target.name}.new")
            write_whole(target, write, unfinished=unfinished)
