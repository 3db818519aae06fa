"""A user's own folder with the four IDX files, decoded once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sweepmark.config.places import given_path
from sweepmark.data import entry
from sweepmark.data.index import files_key, load_indexed
from sweepmark.errors import NotFoundError
from sweepmark.sources.interface import file_names

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sweepmark.config.schema import DatasetConfig
    from sweepmark.data.dataset import Dataset

__all__ = ["STANDARD_NAMES", "load_folder"]

STANDARD_NAMES = {
    "train_images": "train-images-idx3-ubyte",
    "train_labels": "train-labels-idx1-ubyte",
    "test_images": "t10k-images-idx3-ubyte",
    "test_labels": "t10k-labels-idx1-ubyte",
}


def load_folder(config: DatasetConfig, say: Callable[[str], None]) -> Dataset:
    """Return the data set in the folder ``config.path``; its digest is computed from the content.

    The decoded copy is reused as long as no file's path, size or time of change differs.
    """
    folder = given_path(config.path or "", what="dataset.path").absolute()
    files = find_files(folder)

    def decode(_: Path, finished: Path) -> str:
        say(f"{config.name}: decoding {folder}")
        return entry.write_entry(files, finished, name=config.name, source=str(folder))

    dataset = load_indexed(
        files_key(files),
        decode,
        on_wait=lambda: say(f"{folder}: another process is decoding it; waiting"),
        say=lambda line: say(f"{config.name}: {line}"),
    )
    return replace(dataset, name=config.name, source=str(folder))


def find_files(folder: Path) -> dict[str, Path]:
    """Return the four files of a folder by role.

    Each may be called ``train-images-idx3-ubyte`` or ``train-images.idx3-ubyte`` and be gzipped
    (``.gz``) or not; the first of these that exists is taken.

    Raises
    ------
    NotFoundError
        If the folder or any of the files is missing, with all missing files and the names tried.
    """
    if not folder.is_dir():
        raise NotFoundError(f"dataset.path must be a folder, but {folder} is none")
    found: dict[str, Path] = {}
    missing: list[str] = []
    for role, name in STANDARD_NAMES.items():
        candidates = [folder / variant for variant in file_names(name)]
        present = [path for path in candidates if path.is_file()]
        if present:
            found[role] = present[0]
        else:
            names = ", ".join(path.name for path in candidates)
            missing.append(f"  {role.replace('_', ' ')}: none of {names}")
    if missing:
        raise NotFoundError(f"dataset.path={folder} lacks {len(missing)} of 4 files:", *missing)
    return found
