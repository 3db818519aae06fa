"""What a configuration leaves to its data: the kind of a table, and how mixed columns are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sweepmark.config import lookup, resolve, validate
from sweepmark.config.folders import EXPERIMENT
from sweepmark.config.reading import overridden_groups, read_document
from sweepmark.data import load
from sweepmark.data.divided import load_divided
from sweepmark.data.table_kind import AUTO, table_kind
from sweepmark.errors import FetchError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sweepmark.config import Folders, Tree
    from sweepmark.data import Dataset

__all__ = ["Deduced", "deduce"]

_PREPROCESS = "preprocess"
_MIXED = "mixed"
_TABLES = {"csv", "openml", "cache"}


@dataclass(frozen=True, slots=True)
class Deduced:
    """What was found out of the data.

    Attributes
    ----------
    words : tuple of str
        Overrides that say it.
    notes : tuple of str
        Lines for the user.
    """

    words: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def deduce(tree: Tree, overrides: Sequence[str], *, sweep: str | None, folders: Folders) -> Deduced:
    """Return what the data of a composed configuration decide, so that it can be written into it.

    ``dataset.table=auto`` becomes the kind of the file, and a mixed table is preprocessed by
    ``preprocess=mixed`` unless the user chose something else. A data set that is not given, or
    that no source delivers, decides nothing.

    Parameters
    ----------
    tree : tree
        The configuration.
    overrides : sequence of str
        What it was composed of.
    sweep : str or None
        Its sweep.
    folders : Folders
        Where the options are.

    Raises
    ------
    SweepmarkError
        If the data are wrong.
    """
    described = lookup(tree, "dataset")
    if described.get("format") not in _TABLES:
        return Deduced()
    is_open = described.get("table") == AUTO
    is_chosen = _is_chosen(overrides, sweep, folders)
    if is_chosen and not is_open:
        return Deduced()
    validated = validate(resolve(tree))
    config, by = validated.dataset, validated.split.column
    if config.format == "csv" and not is_open:
        words = [f"{_PREPROCESS}={_MIXED}"] if config.table == _MIXED else []
        return Deduced(
            tuple(words), tuple(f"{config.name}: a mixed table: {word}" for word in words)
        )
    if config.format == "csv" and config.path is None and not config.files:
        return Deduced()
    lines: list[str] = []
    try:
        dataset = load(config, report=lines.append)
        if by is not None and not is_open:  # its other columns may all be numbers
            dataset = load_divided(config, by)
    except FetchError:
        return Deduced()
    words = [f"dataset.table={table_kind(dataset)}"] if is_open else []
    words += [f"{_PREPROCESS}={_MIXED}"] if dataset.is_frame and not is_chosen else []
    return Deduced(tuple(words), (*lines, *_notes(config.name, dataset, words)))


def _notes(name: str, dataset: Dataset, words: Sequence[str]) -> list[str]:
    if not words:
        return []
    types = dataset.column_types
    if types is None:
        return [f"{name}: a table of numbers: {' '.join(words)}"]
    n_texts = sum(each == "text" for each in types.values())
    frames: list[Any] = [part.X for part in dataset.parts.values()]
    n_missing = sum(any(frame[name].isna().any() for frame in frames) for name in types)
    note = (
        f"{name}: a mixed table, {len(types) - n_texts} columns of numbers and {n_texts} of text, "
        f"{n_missing} of them with missing values: {' '.join(words)}"
    )
    return [note]


def _is_chosen(overrides: Sequence[str], sweep: str | None, folders: Folders) -> bool:
    """Return whether the user chose a preprocessing, rather than a sweep that comes with us."""
    options = folders.groups()
    paths = []
    for word in overrides:
        key, _, value = word.lstrip("+~").partition("=")
        if key.removeprefix("sweep.space.").partition(".")[0].partition("@")[0] == _PREPROCESS:
            return True
        if key in {EXPERIMENT, "dataset"} and value in options[key]:
            paths.append(folders.option_path(key, value))
    if sweep is not None:
        path = folders.sweeps()[sweep].path
        document = read_document(path)
        space = lookup(document, "sweep.space", {})
        if isinstance(space, dict) and _PREPROCESS in space:
            return True
        paths += [path] if path in folders.own_files() else []
    chosen = (group for path in paths for group in overridden_groups(read_document(path)))
    return any(group.partition("@")[0] == _PREPROCESS for group in chosen)
