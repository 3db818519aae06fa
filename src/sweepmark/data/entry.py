"""An entry of the data cache: one decoded data set, opened memory-mapped.

An entry is a folder with ``train_X.npy``, ``train_y.npy``, optionally ``test_X.npy`` and
``test_y.npy``, and ``meta.json``, which describes the other files. For entries of tables see
:mod:`sweepmark.data.table_entry`.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.data import cache, integrity
from sweepmark.data.dataset import Dataset, Part
from sweepmark.data.decoding import check_idx, convert_idx, stored_as
from sweepmark.data.table_entry import TABLE, assemble_table, verify_table
from sweepmark.errors import DataError, NotFoundError, StoreError, command_line
from sweepmark.files import explained
from sweepmark.sources import idx

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["DamagedError", "dataset_digest", "discard", "open_entry", "verify", "write_entry"]

LAYOUT = 1
"""Incremented when the layout of entries changes; older entries are then decoded again."""


_LARGEST_META = 1 << 28  # bytes of meta.json; a wide table has many names of columns and labels


class DamagedError(DataError):
    """An entry of the cache is damaged.

    Attributes
    ----------
    what : str
        The entry and what is wrong with it, without a remedy.
    """

    def __init__(self, folder: Path, reason: object) -> None:
        self.what = f"the cached data set {folder} is damaged: {reason}"
        super().__init__(f"{self.what}. What mends it says `{command_line('doctor')}`.")


def dataset_digest(files: Mapping[str, str]) -> str:
    """Return the digest of a data set, from the digests of its files.

    Parameters
    ----------
    files : mapping of str to str
        SHA-256 in hexadecimal of each decompressed file, by role.

    Returns
    -------
    str
        SHA-256 of one line ``role sha256`` for each file, sorted by role.
    """
    text = "".join(f"{role} {files[role].lower()}\n" for role in sorted(files))
    return hashlib.sha256(text.encode()).hexdigest()


def write_entry(files: Mapping[str, Path], folder: Path, *, name: str, source: str) -> str:
    """Decode IDX files into the empty folder of an entry, in bounded memory.

    Parameters
    ----------
    files : mapping of str to Path
        By role: ``train_images``, ``train_labels`` and optionally both of ``test``; gzipped or not.
    folder : Path
        An existing, empty folder; see :func:`sweepmark.data.cache.publish` for the rest.
    name, source : str
        Name and source of the data set.

    Returns
    -------
    str
        The data set's digest.

    Raises
    ------
    DataError
        If a file is not an IDX file or does not match its role, or numbers of rows differ.
    """
    headers = {role: check_idx(path, role.split("_")[1]) for role, path in files.items()}
    _check_counts(files, headers)
    digests: dict[str, str] = {}
    for role, path in files.items():
        part, kind = role.split("_")
        target = folder / f"{part}_{'X' if kind == 'images' else 'y'}.npy"
        digests[role] = convert_idx(path, target, kind)
    meta = {
        "layout": LAYOUT,
        "name": name,
        "source": source,
        "digest": dataset_digest(digests),
        "files": digests,
        "headers": {role: header.encode().hex() for role, header in headers.items()},
    }
    (folder / "meta.json").write_text(json.dumps(meta, indent=1) + "\n", encoding="utf-8")
    return str(meta["digest"])


def open_entry(digest: str) -> Dataset:
    """Open the data set with this digest from the cache, memory-mapped.

    Raises
    ------
    NotFoundError
        If the cache has no such entry.
    DataError
        If the entry is damaged: a file is missing, has another size or type, or was modified. See
        :mod:`sweepmark.data.integrity` for what is hashed and when.
    """
    folder = cache.entry_folder(digest)
    if not os.path.lexists(folder):
        raise NotFoundError(
            f"no data set with digest {digest} in the cache {cache.root()}. "
            f"Fetch it again; which there are says `{command_line('data', 'list')}`."
        )
    try:
        stamps = integrity.stamps_of(folder)
        content, meta = _read_meta(folder, stamps)
        if meta["layout"] != LAYOUT or meta["digest"] != digest:
            raise DataError(f"layout {meta['layout']}, digest {meta['digest']}")
        dataset = (assemble_table if meta.get("kind") == TABLE else _assemble)(folder, meta)
        integrity.check_entry(
            folder,
            stamps,
            content,
            labels=lambda: _verify(dataset, folder, meta, are_labels_enough=True),
            whole=lambda: _verify(dataset, folder, meta, are_labels_enough=False),
        )
    except (OSError, EOFError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise DamagedError(folder, error) from error
    return dataset


def verify(dataset: Dataset) -> None:
    """Hash a cached data set completely, even if it was verified before.

    Raises
    ------
    DataError
        If a bit has changed since it was written.
    """
    folder = cache.entry_folder(dataset.digest)
    try:
        _, meta = _read_meta(folder, integrity.stamps_of(folder))
        _verify(dataset, folder, meta, are_labels_enough=False)
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise DamagedError(folder, error) from error


def _read_meta(folder: Path, stamps: integrity.Stamps) -> tuple[bytes, dict[str, Any]]:
    size = stamps["meta.json"][0]
    if size > _LARGEST_META:
        raise DataError(f"meta.json has {size:,} bytes")
    content = (folder / "meta.json").read_bytes()
    meta: dict[str, Any] = json.loads(content)
    return content, meta


def _verify(
    dataset: Dataset, folder: Path, meta: Mapping[str, Any], *, are_labels_enough: bool
) -> None:
    """Hash an entry, or its labels only, and compare with the recorded digests."""
    if meta.get("kind") == TABLE:
        names = [name for name in meta["stored"] if name.endswith("_y.npy")]
        verify_table(folder, meta, names if are_labels_enough else meta["stored"])
        return
    if dataset_digest(meta["files"]) != dataset.digest:
        raise DataError("the digests of its files are not those that it was named for")
    roles = [role for role in meta["files"] if role.endswith("_labels")]
    _verify_roles(dataset, meta, roles if are_labels_enough else meta["files"])


def _verify_roles(dataset: Dataset, meta: Mapping[str, Any], roles: Iterable[str]) -> None:
    """Hash the arrays converted back to the content of the original files."""
    for role in roles:
        expected = meta["files"][role]
        name, kind = role.split("_")
        part = dataset.parts[name]
        array: Any = part.X if kind == "images" else part.y
        header = _header(meta, role)
        hasher = hashlib.sha256(header.encode())
        for start in range(0, len(array), 1024):
            elements = array[start : start + 1024]
            original = elements.astype(header.dtype)
            if not np.array_equal(original, elements):  # a label of 256 + 5 must not become 5
                raise DataError(f"{role} has elements that are no {header.dtype.name}")
            hasher.update(original.tobytes())
        if hasher.hexdigest() != expected:
            raise DataError(f"{role} must have SHA-256 {expected}, found {hasher.hexdigest()}")


def discard(digest: str, work: Path) -> None:
    """Remove a damaged entry from the cache; existing memory mappings remain valid."""
    folder = cache.entry_folder(digest)
    if os.path.lexists(folder):

        def explain(error: OSError) -> StoreError:
            return StoreError(
                f"the damaged data set {folder} cannot be removed: {error.strerror}. "
                "Remove it by hand and run it again."
            )

        with explained(OSError, explain):
            folder.rename(work / "damaged")
        shutil.rmtree(work / "damaged", ignore_errors=True)


def _check_counts(files: Mapping[str, Path], headers: Mapping[str, idx.IdxHeader]) -> None:
    for part in {role.split("_")[0] for role in headers}:
        images, labels = headers[f"{part}_images"], headers[f"{part}_labels"]
        if images.shape[0] != labels.shape[0]:
            raise DataError(
                f"images and labels must be equal in number, but {files[f'{part}_images']} has "
                f"{images.shape[0]} and {files[f'{part}_labels']} has {labels.shape[0]}"
            )
    if "test_images" in headers:
        train, test = headers["train_images"], headers["test_images"]
        if (train.dtype, train.shape[1:]) != (test.dtype, test.shape[1:]):
            raise DataError(
                "training and test images must agree in type and shape, but got "
                f"{train.dtype.name} {train.shape[1:]} and {test.dtype.name} {test.shape[1:]}"
            )


def _header(meta: Mapping[str, Any], role: str) -> idx.IdxHeader:
    encoded = bytes.fromhex(meta["headers"][role])
    return idx.read_header(io.BytesIO(encoded), name=role)


def _assemble(folder: Path, meta: Mapping[str, Any]) -> Dataset:
    parts: dict[str, Part] = {}
    for name in sorted({role.split("_")[0] for role in meta["files"]}):
        arrays = [
            _map(folder / f"{name}_{letter}.npy", _header(meta, f"{name}_{kind}"), kind)
            for letter, kind in (("X", "images"), ("y", "labels"))
        ]
        parts[name] = Part(*arrays)
    shape = _header(meta, "train_images").shape
    return Dataset(
        name=meta["name"],
        digest=meta["digest"],
        source=meta["source"],
        image_shape=(shape[1], shape[2]) if len(shape) == 3 else None,  # noqa: PLR2004  # pictures
        files=meta["files"],
        train=parts["train"],
        test=parts.get("test"),
    )


def _map(path: Path, header: idx.IdxHeader, kind: str) -> NDArray[Any]:
    """Memory-map one array, after checking its header and length."""
    mapped = np.load(path, mmap_mode="r", allow_pickle=False)
    found = (mapped.dtype, mapped.shape)
    if found != (expected := stored_as(header, kind)):
        raise DataError(f"{path.name} must be {expected}, found {found}")
    length = mapped.offset + mapped.nbytes
    if path.stat().st_size != length:
        raise DataError(f"{path.name} must be {length} bytes, found {path.stat().st_size}")
    # A plain view avoids numpy.memmap's overhead on every slice.
    return np.asarray(mapped)
