"""The archive of a sweep: one zip file with its journal, its evaluations and a manifest.

The manifest, ``manifest.json``, has the size and the SHA-256 of every other file. Members are not
compressed, so that an archive never unpacks to more than its own size. An archive may come from
elsewhere: nothing of it has a name or a place before it was checked.
"""

from __future__ import annotations

import hashlib
import os
import re
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sweepmark.errors import DataError, LostError, NotFoundError
from sweepmark.files import environment_errors, read_regular, write_whole
from sweepmark.store.journal import LARGEST_JOURNAL
from sweepmark.store.manifest import (
    DIGESTS,
    EVALUATION,
    MODEL,
    PREDICTIONS,
    beside,
    read_manifest,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from sweepmark.store import Store

__all__ = ["Archive", "open_archive", "write_archive"]

_MANIFEST = "manifest.json"
_LARGEST_MANIFEST = 1 << 26
_BLOCK = 1 << 20
_ENCRYPTED = 1
_UNREADABLE = (zipfile.BadZipFile, EOFError, RuntimeError, ValueError)
"""What zipfile raises of a file that somebody made up; NotImplementedError is a RuntimeError."""
_FILES = "|".join(map(re.escape, (DIGESTS, EVALUATION, MODEL, PREDICTIONS)))
_EVALUATION_FILE = re.compile(rf"evaluations/[0-9a-f]{{64}}/(?:{_FILES})")

_Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _File(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")
    size: Annotated[int, Field(ge=0)]
    sha256: _Digest


class _Manifest(BaseModel):
    """The content of ``manifest.json``; data sets are not in the archive, only their digests."""

    model_config = ConfigDict(strict=True, extra="forbid")
    format: Literal["sweepmark sweep 1"] = "sweepmark sweep 1"
    sweep_id: Annotated[str, Field(pattern=r"^\w[\w.\-]*$", max_length=200)]
    data: dict[str, _Digest]
    files: dict[str, _File]


def _journal_name(sweep_id: str) -> str:
    return f"sweeps/{sweep_id}.jsonl"


def write_archive(  # noqa: PLR0913 -- all of it is the archive's
    target: Path,
    store: Store,
    sweep_id: str,
    *,
    n_entries: int,
    results: Mapping[str, str],
    data: Mapping[str, str],
) -> None:
    """Write the archive of a sweep; it is whole or not there, and replaces a file.

    Parameters
    ----------
    target : Path
        The file.
    store : Store
        The store with the sweep.
    sweep_id : str
        Its full id.
    n_entries : int
        The lines of its journal to archive: it may be growing.
    results : mapping of str to str
        The digests of the results of its evaluations, by key.
    data : mapping of str to str
        The digests of its data sets, by name.

    Raises
    ------
    LostError
        If an evaluation is missing or damaged.
    StoreError
        If the file cannot be written.
    """

    def write(path: Path) -> None:
        files: dict[str, _File] = {}
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in _contents(store, sweep_id, n_entries, results):
                archive.writestr(zipfile.ZipInfo(name), content)
                digest = hashlib.sha256(content).hexdigest()
                files[name] = _File(size=len(content), sha256=digest)
            manifest = _Manifest(sweep_id=sweep_id, data=dict(data), files=files)
            text = manifest.model_dump_json(indent=1)
            archive.writestr(zipfile.ZipInfo(_MANIFEST), text)

    with environment_errors(target):
        write_whole(target, write, is_durable=True)


def _contents(
    store: Store, sweep_id: str, n_entries: int, results: Mapping[str, str]
) -> Iterator[tuple[str, bytes]]:
    journal = read_regular(store.journal_path(sweep_id), limit=LARGEST_JOURNAL)
    yield _journal_name(sweep_id), b"".join(journal.splitlines(keepends=True)[:n_entries])
    for key, result in results.items():
        folder = _version(store.root / "evaluations", key, result)
        try:
            manifest = read_manifest(folder, key)
            for file in manifest.files:
                yield f"evaluations/{key}/{file}", manifest.read(folder, file)
            yield f"evaluations/{key}/{DIGESTS}", (folder / DIGESTS).read_bytes()
        except (DataError, FileNotFoundError) as error:
            raise LostError(f"the evaluation {folder} is damaged: {error}", name=key) from None


def _version(evaluations: Path, key: str, result: str) -> Path:
    """Return the folder with a result of an evaluation, the one with a model if there are two."""
    names = [beside(key, result, with_model=True), key, beside(key, result, with_model=False)]
    found = []
    for folder in (evaluations / name for name in names):
        if os.path.lexists(folder):
            try:
                manifest = read_manifest(folder, key)
            except (DataError, FileNotFoundError) as error:
                raise LostError(f"the evaluation {folder} is damaged: {error}", name=key) from None
            found += [folder] if manifest.result == result else []
    if not found:
        raise LostError(f"{evaluations / key} is not there with the sweep's result", name=key)
    return found[0]


@dataclass(frozen=True, slots=True)
class Archive:
    """An open archive whose names and sizes were checked.

    Attributes
    ----------
    sweep_id : str
        The sweep that it has.
    """

    sweep_id: str
    _path: Path
    _zip: zipfile.ZipFile
    _manifest: _Manifest

    def unpack(self, root: Path) -> None:
        """Write the files into a new folder, each verified by its digest.

        Raises
        ------
        DataError
            If one is not what the manifest says.
        StoreError
            If it cannot be written.
        """
        for name, file in self._manifest.files.items():
            target = root / name
            with environment_errors(target):
                target.parent.mkdir(parents=True, exist_ok=True)
                digest = self._copy(name, target)
            if digest != file.sha256:
                raise _refusal(self._path, f"{name} is not what its SHA-256 says")

    def _copy(self, name: str, target: Path) -> str:
        digest = hashlib.sha256()
        try:
            with self._zip.open(name) as source, target.open("xb") as sink:
                while block := source.read(_BLOCK):
                    digest.update(block)
                    sink.write(block)
        except _UNREADABLE as error:
            raise _refusal(self._path, f"{name}: {error}") from None
        return digest.hexdigest()


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """Open an archive.

    Raises
    ------
    NotFoundError
        If there is no such file.
    DataError
        If it is no archive, or has files that no archive has.
    """
    try:
        archive = zipfile.ZipFile(path)
    except FileNotFoundError:
        raise NotFoundError(f"there is no file {path}.") from None
    except (*_UNREADABLE, OSError) as error:
        raise _refusal(path, str(error)) from None
    with archive:
        manifest = _read_manifest(path, archive)
        if reason := _misfit(archive, manifest, path.stat().st_size):
            raise _refusal(path, reason)
        yield Archive(manifest.sweep_id, path, archive, manifest)


def _read_manifest(path: Path, archive: zipfile.ZipFile) -> _Manifest:
    try:
        info = archive.getinfo(_MANIFEST)
    except KeyError:
        raise _refusal(path, f"it has no {_MANIFEST}") from None
    if not _is_plain(info) or info.file_size > _LARGEST_MANIFEST:
        raise _refusal(path, f"its {_MANIFEST} is compressed or too large")
    try:
        return _Manifest.model_validate_json(archive.read(info))
    except ValidationError as error:
        where = ".".join(map(str, error.errors(include_url=False)[0]["loc"])) or "it"
        raise _refusal(path, f"in its {_MANIFEST}, {where} cannot be right") from None
    except (*_UNREADABLE, OSError) as error:
        raise _refusal(path, f"{_MANIFEST}: {error}") from None


def _is_plain(info: zipfile.ZipInfo) -> bool:
    """Return whether a member is neither compressed nor encrypted."""
    is_stored = info.compress_type == zipfile.ZIP_STORED and info.compress_size == info.file_size
    return is_stored and not info.flag_bits & _ENCRYPTED


def _misfit(archive: zipfile.ZipFile, manifest: _Manifest, n_bytes: int) -> str | None:
    """Return what no archive has; None if all members are those of the manifest."""
    members = archive.infolist()
    names = [info.filename for info in members]
    if sorted(names) != sorted([_MANIFEST, *manifest.files]):
        return f"its files are not those of its {_MANIFEST}, each once"
    journal = _journal_name(manifest.sweep_id)
    if journal not in manifest.files:
        return f"it has no {journal}"
    for info in members:
        declared = manifest.files.get(info.filename)
        if declared is None:
            continue
        if info.filename != journal and not _EVALUATION_FILE.fullmatch(info.filename):
            return f"{info.filename} is no file of a sweep"
        if not _is_plain(info) or info.file_size != declared.size:
            return f"{info.filename} is compressed, or not of the size that it should have"
    if sum(info.file_size for info in members) > n_bytes:
        return "it is smaller than its files"
    return None


def _refusal(path: Path, reason: str) -> DataError:
    return DataError(
        f"{path} is no archive of a sweep: {reason}. `sweepmark archive SWEEP FILE` writes one."
    )
