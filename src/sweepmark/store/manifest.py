"""The Manifest of an evaluation: the files of its folder, with their digests.

It is written together with the files; neither is changed later. A file is read once and used only
if its digest matches; files that are not in the manifest are never opened.
"""

from __future__ import annotations

import hashlib
import json
import stat
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from sweepmark.errors import DataError
from sweepmark.files import read_regular
from sweepmark.specification.specification import canonical_json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = [
    "DIGESTS",
    "EVALUATION",
    "MODEL",
    "PREDICTIONS",
    "Manifest",
    "beside",
    "read_manifest",
    "result_digest",
]

EVALUATION = "evaluation.json"
PREDICTIONS = "predictions.npz"
MODEL = "model.skops"
DIGESTS = "digests.json"

_N_DIGITS = 16
_LARGEST = {DIGESTS: 1 << 16, EVALUATION: 1 << 28, PREDICTIONS: 1 << 32, MODEL: 1 << 34}
_RESULT = ("recorded", "classes", "names", "positive", "n_positive", "n_train", "n_test", "curves")

_Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


@dataclass(frozen=True, slots=True)
class Manifest:
    """The content of ``digests.json``.

    Attributes
    ----------
    key : str
        The evaluation's key.
    result : str
        As returned by :func:`result_digest`.
    files : mapping of str to str
        SHA-256 by file name, of all other files in the folder.
    """

    key: _Digest
    result: _Digest
    files: dict[str, _Digest]

    __pydantic_config__ = ConfigDict(strict=True, extra="forbid")

    @classmethod
    def of(cls, key: str, result: str, files: Mapping[str, bytes]) -> Manifest:
        """Return the manifest for files to be written."""
        return cls(key, result, {name: _sha256(content) for name, content in files.items()})

    @property
    def content(self) -> bytes:
        """The file."""
        return json.dumps(asdict(self), indent=1).encode()

    def read(self, folder: Path, name: str) -> bytes:
        """Return the content of a file in the manifest.

        Raises
        ------
        DataError
            If its digest does not match.
        OSError
            If it is not there, or cannot be read.
        """
        content = read_regular(folder / name, limit=_LARGEST[name])
        if _sha256(content) != self.files[name]:
            raise DataError(f"{folder / name} is not what was written: its SHA-256 has changed")
        return content


_MANIFEST = TypeAdapter(Manifest)


def read_manifest(folder: Path, key: str) -> Manifest:
    """Return the manifest of an evaluation's folder, which must not be a link.

    Raises
    ------
    DataError
        If it is invalid, or that of another evaluation.
    OSError
        If it is not there, or cannot be read.
    """
    if not stat.S_ISDIR(folder.lstat().st_mode):
        raise DataError(f"{folder} is no folder of its own")
    path = folder / DIGESTS
    try:
        found = _MANIFEST.validate_json(read_regular(path, limit=_LARGEST[DIGESTS]))
    except ValidationError:
        found = None
    required = {EVALUATION, PREDICTIONS}
    if found is None or not required <= found.files.keys() <= {*required, MODEL}:
        raise DataError(f"{path} names no key, result and files")
    if found.key != key:
        raise DataError(f"{path} is that of the evaluation {found.key}")
    return found


def beside(key: str, result: str, *, with_model: bool) -> str:
    """Return the name of a folder for another version of an evaluation than the first.

    Parameters
    ----------
    key, result : str
        As in its manifest.
    with_model : bool
        Whether it has a model.
    """
    return f"{key}.{result[:_N_DIGITS]}{'-model' if with_model else ''}"


def result_digest(scorecard: Mapping[str, Any], predictions: bytes) -> str:
    """Return the SHA-256 of the result of an evaluation, without its seconds.

    Parameters
    ----------
    scorecard : mapping
        As returned by :func:`sweepmark.store.documents.document`.
    predictions : bytes
        The content of its ``predictions.npz``.
    """
    result = {name: scorecard.get(name) for name in _RESULT}
    return _sha256(canonical_json([result, _sha256(predictions)]).encode())


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
