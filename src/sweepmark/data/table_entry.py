"""A cache entry of a table: arrays, or columns in Arrow's format.

A table's entry has ``train_X.npy`` or ``train_X.arrow``, ``train_y.npy``, optionally the same for
``test``, and ``meta.json``. Nothing is pickled.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.data.dataset import Dataset, Part
from sweepmark.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from sweepmark.config.schema import DatasetConfig

__all__ = [
    "RANKS",
    "TABLE",
    "assemble_table",
    "file_digest",
    "table_digest",
    "verify_table",
    "write_tables",
]

RANKS = "train_ranks.npy"
"""The file with :attr:`Dataset.ranks`, where a table is divided by a column."""

TABLE = "table"
"""The ``kind`` that meta.json gives such an entry."""

_BOOLEANS = "booleans number\n"
"""How columns of booleans are read in a mixed table: digests differ if that ever changes."""

_DECODING = ("label", "header", "table", "types", "missing", "image_shape")
"""The configuration keys that, in addition to the file's bytes, affect the rows of a table."""


def table_digest(
    files: Mapping[str, str],
    config: DatasetConfig,
    settings: Mapping[str, Mapping[str, str]] | None = None,
) -> str:
    """Return the digest of a table, from the digests of its files and its configuration.

    Parameters
    ----------
    files : mapping of str to str
        SHA-256 in hexadecimal of each file, by role.
    config : DatasetConfig
        How the files are read: two ways of reading one file are two data sets.
    settings : mapping of str to mapping, optional
        How each file is written, by role, as :attr:`TableFile.settings` has it: the same whether it
        was found out or given.

    Returns
    -------
    str
        SHA-256 of one line ``role sha256`` for each file and one ``key value`` for each setting.
    """
    lines = [f"{role} {files[role].lower()}\n" for role in sorted(files)]
    for key in _DECODING:
        value = getattr(config, key)
        value = dict(value) if key == "types" else value
        lines.append(f"{key} {json.dumps(value, sort_keys=True)}\n")
    if config.table == "mixed":
        lines.append(_BOOLEANS)
    if config.drop:
        lines.append(f"drop {json.dumps(sorted(set(config.drop)))}\n")
    for role, found in sorted((settings or {}).items()):
        lines += [f"{role} {key} {json.dumps(found[key])}\n" for key in sorted(found)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def write_tables(
    folder: Path, parts: Mapping[str, tuple[Any, NDArray[np.int64]]], meta: Mapping[str, Any]
) -> None:
    """Write tables into the empty folder of an entry.

    Parameters
    ----------
    folder : Path
        An existing folder, empty but for RANKS; see :func:`sweepmark.data.cache.publish` for the
        rest.
    parts : mapping of str to (X, y)
        ``train`` and optionally ``test``; X is an array or a pyarrow.Table.
    meta : mapping
        ``layout``, ``name``, ``source``, ``digest``, ``files``, ``image_shape``,
        ``feature_names``, ``label_column``, ``label_names`` and ``identifiers``; optionally
        ``split_column``.
    """
    for name, (X, y) in parts.items():
        if isinstance(X, np.ndarray):
            np.save(folder / f"{name}_X.npy", X, allow_pickle=False)
        else:
            _write_columns(folder / f"{name}_X.arrow", X)
        np.save(folder / f"{name}_y.npy", y, allow_pickle=False)
    stored = {
        path.name: {"size": path.stat().st_size, "sha256": file_digest(path)}
        for path in sorted(folder.iterdir())
    }
    document = {**meta, "kind": TABLE, "stored": stored}
    (folder / "meta.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def assemble_table(folder: Path, meta: Mapping[str, Any]) -> Dataset:
    """Open an entry that :func:`write_tables` wrote.

    Raises
    ------
    DataError
        If a file does not have its recorded size.
    """
    parts: dict[str, Part] = {}
    for name, expected in meta["stored"].items():
        found = (folder / name).stat().st_size
        if found != expected["size"]:
            raise DataError(f"{name} must be {expected['size']} bytes, found {found}")
    for name in ("train", "test"):
        if f"{name}_y.npy" in meta["stored"]:
            parts[name] = Part(_open(folder, name, meta["stored"]), _map(folder / f"{name}_y.npy"))
    return Dataset(
        name=meta["name"],
        digest=meta["digest"],
        source=meta["source"],
        image_shape=_pair(meta["image_shape"]),
        files=meta["files"],
        train=parts["train"],
        test=parts.get("test"),
        feature_names=_texts(meta["feature_names"]),
        label_column=meta["label_column"],
        label_names=_texts(meta["label_names"]),
        split_column=meta.get("split_column"),
        ranks=_map(folder / RANKS) if RANKS in meta["stored"] else None,
        identifiers=meta["identifiers"],
    )


def verify_table(folder: Path, meta: Mapping[str, Any], names: Iterable[str]) -> None:
    """Hash files of an entry again.

    Raises
    ------
    DataError
        If a bit has changed since it was written.
    """
    for name in names:
        expected, found = meta["stored"][name]["sha256"], file_digest(folder / name)
        if found != expected:
            raise DataError(f"{name} must have SHA-256 {expected}, found {found}")


def _write_columns(path: Path, table: Any) -> None:
    import pyarrow as pa

    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)


def _open(folder: Path, name: str, stored: Mapping[str, Any]) -> Any:
    if f"{name}_X.npy" in stored:
        return _map(folder / f"{name}_X.npy")
    import pyarrow as pa

    with pa.memory_map(str(folder / f"{name}_X.arrow")) as source:
        return pa.ipc.open_file(source).read_all().to_pandas()


def _map(path: Path) -> NDArray[Any]:
    # A plain view avoids numpy.memmap's overhead on every slice.
    return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))


def _pair(shape: list[int] | None) -> tuple[int, int] | None:
    return None if shape is None else (shape[0], shape[1])


def _texts(names: list[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(names)
